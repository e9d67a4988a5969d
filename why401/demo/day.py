"""A working day in minutes: after a normal week one thing breaks after the other, is told, and is mended.

The terminal says what was just broken; the pager prints the alert, and the store is asked for the first line of the page.
"""

from __future__ import annotations

import textwrap
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from why401.demo.acts import ACTS, CACHE_S, DAY, EDGES, NOISE, NOISE_SHARE, ROUTES, STRICT_ROUTES, Act
from why401.demo.backfill import WEEK, backfill
from why401.demo.envoy import DemoEnvoy
from why401.demo.mint import Mint
from why401.demo.pager import Page, Pager
from why401.demo.progress import Progress
from why401.demo.settings_file import write_config
from why401.demo.staging import Plan, Stage
from why401.demo.summary import read_found
from why401.demo.traffic import Driver, Turn

PUBLISHED_S: Final = 4.0  # before an issuer signs with a new key: edge-1 has fetched it by then
DRAINED_S: Final = 1.0  # before an edge is restarted: its last records are sent
WARM: Final = 100  # requests after which both edges have fetched every key set
LEAST_S: Final = 12.0  # of time left, to break something more
LATE_S: Final = 50  # second of a minute; the page counts by minutes, so what is mended late in one is over soon
WIDTH: Final = 116


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """`dwell_s`: how long something stays broken once it was told; `waits`: whether the next act waits until this one is over."""

    first_s: float = 15.0  # to open the page
    dwell_s: float = 25.0
    told_s: float = 90.0  # at most
    over_s: float = 150.0  # at most
    pause_s: float = 10.0
    waits: bool = True
    ends: bool = False  # with the last act, not with the time
    past: timedelta = WEEK


HURRIED: Final = Pace(first_s=1, dwell_s=1, pause_s=0, waits=False)


@dataclass(slots=True, kw_only=True)
class Told:
    """What became of an act; times are time.monotonic()."""

    act: Act
    broken: float
    mended: float = 0.0
    begun: Page | None = None
    over: Page | None = None

    @property
    def said_after(self) -> str:
        """Seconds from broken to told, and from mended to over."""
        told = f"{self.begun.at - self.broken:.0f} s" if self.begun else "–"
        return f"{told:>10} {f'{self.over.at - self.mended:.0f} s' if self.over else '–':>10}"


class DayTraffic(Driver):
    """What a normal day sends to two gateways, and the act that is on."""

    def __init__(self, mint: Mint, ports: Sequence[int], *, rate: float) -> None:
        super().__init__(mint, rate=rate)
        self.ports = tuple(ports)
        self.acts: tuple[Act, ...] = ()

    def _choose(self, number: int, due: float) -> Turn:
        port = self._random.choice(self.ports)
        if self._random.random() < NOISE_SHARE:
            return Turn(self._random.choice(NOISE), port)
        chosen: Any = self._random.choices(DAY, [one.weight for one in DAY])[0]
        for act in self.acts:
            if act.instead_of == chosen.name and 10 * self._random.random() < act.of_ten:
                return Turn(act.fault, port)
        return Turn(chosen, port)


class Day(Stage):
    """`why401 demo`."""

    traffic: DayTraffic

    def __init__(self, plan: Plan, progress: Progress, pace: Pace | None) -> None:
        self._pager = Pager(self._alerted)
        self._pace = pace or (HURRIED if plan.seconds is not None and plan.seconds < 90 * len(ACTS) else Pace())
        self._told: list[Told] = []
        super().__init__(plan, progress)
        self._desk = Desk(self.config)

    def _envoys(self) -> Sequence[DemoEnvoy]:
        made: list[DemoEnvoy] = []
        for edge, cache in zip(EDGES, CACHE_S, strict=True):
            made.append(
                DemoEnvoy(
                    self.plan.folder / edge, self.mint, otlp_port=self.plan.otlp.number, jwks_cache_s=cache, instance=edge,
                    listen_port=0 if made else self.plan.listen, services=made[0].services if made else None, routes=ROUTES,
                )
            )  # fmt: skip
        return made

    def _configured(self, services: int) -> Path:
        page = self.plan.page.number if self.plan.page else 0
        return write_config(
            self.plan.folder, self.mint, services=services, otlp=self.plan.otlp.number, dashboard=page, pager=self._pager.port
        )  # fmt: skip

    def _prepare(self, running: ExitStack) -> None:
        running.callback(self._desk.close)
        running.callback(self._pager.stop)
        self._pager.start()
        self.progress.begin(f"writing {self._pace.past.days} days of normal traffic")
        backfill(self.config, self.mint, until=datetime.now(UTC), rate=self.plan.rate, past=self._pace.past)

    def _driver(self) -> DayTraffic:
        return DayTraffic(self.mint, [envoy.port for envoy in self.envoys], rate=self.plan.rate)

    def play(self) -> None:
        """Act by act, then quiet traffic until the time is over."""
        self.progress.say(
            f"sending {self.plan.rate:g} requests/s. {len(ACTS)} things will break, one after the other. Times are UTC."
        )
        self.rest(self._pace.told_s, lambda: self.traffic.total >= WARM)
        self.rest(self._pace.first_s)
        for act in ACTS:
            if self.left_s < LEAST_S:
                break
            self._play(act)
        self._await_over(self._told)
        if not self._pace.ends:
            until = "" if self.plan.seconds is not None else " The traffic goes on until Ctrl-C."
            self._say("day", f"Nothing else breaks.{until}")
            self.rest(float("inf"))

    def line(self) -> str:
        """The state of the traffic."""
        broken = [told.act.name.removeprefix("act-") for told in self._told if not told.mended]
        return f"{super().line()}{', broken: ' if broken else ''}{', '.join(broken)}"

    def _play(self, act: Act) -> None:
        told = Told(act=act, broken=time.monotonic())
        self._told.append(told)
        self._say("broken", act.broken)
        self._break(act)
        told.broken = time.monotonic()
        self.rest(self._pace.told_s, lambda: self._is_told(told))
        if told.begun:
            self._say("page", self._desk.first_line())
        self.rest(self._pace.dwell_s)
        if self._pace.waits:
            self.rest(60, lambda: datetime.now(UTC).second >= LATE_S)
        self._mend(act)
        told.mended = time.monotonic()
        self._say("fixed", act.mended)
        if self._pace.waits:
            self._await_over([told])
            self.rest(self._pace.pause_s)

    def _break(self, act: Act) -> None:
        if act.mark:
            self._desk.mark(act.mark)
        if act.strict:
            self._push(STRICT_ROUTES)
        if act.rotates:
            self.mint.rotate()
            self.rest(PUBLISHED_S)
        self.traffic.acts = (*self.traffic.acts, act)

    def _mend(self, act: Act) -> None:
        if not act.stays:
            self.traffic.acts = tuple(one for one in self.traffic.acts if one is not act)
        if act.strict:
            self._push(ROUTES)
        for envoy in self.envoys:
            if envoy.instance == act.where:
                self._restart(envoy)

    def _push(self, routes: Sequence[Any]) -> None:
        for envoy in self.envoys:
            envoy.push(routes)

    def _restart(self, envoy: DemoEnvoy) -> None:
        """As a load balancer does it: nobody is sent there meanwhile."""
        ports = self.traffic.ports
        self.traffic.ports = tuple(port for port in ports if port != envoy.port)
        self.rest(DRAINED_S)
        envoy.restart()
        self.traffic.ports = ports

    def _is_told(self, told: Told) -> bool:
        """An alert came about the act's code."""
        for page in self._pager.pages:
            if not page.is_over and page.at >= told.broken and self._desk.code_of(page.subject) == told.act.fault.code:
                told.begun = page
        return told.begun is not None

    def _await_over(self, acts: Sequence[Told]) -> None:
        waiting = [told for told in acts if told.begun and not told.over]
        self.rest(self._pace.over_s, lambda: not [told for told in waiting if not self._is_over(told)])
        if any(told.over for told in waiting):
            self._say("page", self._desk.first_line())

    def _is_over(self, told: Told) -> bool:
        for page in self._pager.pages:
            if told.begun and page.is_over and page.subject == told.begun.subject and page.at >= told.mended:
                told.over = told.over or page
        return told.over is not None

    def _alerted(self, page: Page) -> None:
        self._say("alert", f"{page.title}\n{page.says}")

    def _say(self, what: str, text: str) -> None:
        head = f"{datetime.now(UTC):%H:%M:%S}  {what:<7} "
        paragraphs = [textwrap.wrap(line, WIDTH - len(head)) for line in text.splitlines()]
        lines = [line for paragraph in paragraphs for line in paragraph]
        self.progress.say(head + f"\n{' ' * len(head)}".join(lines))

    def summarize(self) -> None:
        """What was broken, what was refused for it and found, and how soon it was told."""
        traffic, found = self.traffic, {row.code: row for row in read_found(self.config)}
        told, over = (sum(bool(getattr(one, name)) for one in self._told) for name in ("begun", "over"))
        self.progress.say(
            f"{len(self._told)} things broken, {told} told, {over} told as over; {traffic.total} requests answered, "
            f"{sum(traffic.failures.values())} unanswered"
        )
        self.progress.say(
            f"{'code':20} {'caused':>6} {'found':>6} {'conf.':>5} {'told after':>10} {'over after':>10}  what"
        )
        for one in self._told:
            row = found.get(one.act.fault.code)
            self.progress.say(
                f"{one.act.fault.code:20} {traffic.refused[one.act.name]:6} {row.count if row else 0:6} "
                f"{row.confidence if row else 0:5.2f} {one.said_after}  {one.act.fault.why}"
            )


class Desk:
    """What whoever is on call would look at and write: the first line of the page, a group's code, a mark."""

    def __init__(self, config: Path) -> None:
        from analyzer.lake.attach import Access
        from analyzer.lake.reader import Reader
        from collector.settings import load

        self._settings = load(config, environ={})
        access = Access(memory_mib=self._settings.dashboard.memory_mib)
        self._reader = Reader(self._settings, access, timeout_s=60)
        self._codes: dict[str, str] = {}

    def first_line(self) -> str:
        """As the page shows it now."""
        from analyzer.alerts.watching import asking
        from analyzer.situation import impact, present

        ask = asking(self._reader)
        now = present.folded(ask("problems", gateway=""), ask, shown=10)
        if now.overall is None:
            return ""
        return impact.sentence(now.overall, now.problems, datetime.now(UTC)).replace("`", "")

    def code_of(self, group: str) -> str:
        """The code of a group; "" for what is none."""
        if group not in self._codes:
            rows = self._reader.table("SELECT code FROM groups WHERE group_id = $group", {"group": group}).to_pylist()
            self._codes[group] = rows[0]["code"] if rows else ""
        return self._codes[group]

    def mark(self, text: str) -> None:
        """As `why401 mark` keeps it."""
        from analyzer.store import deciding
        from analyzer.store.changes import Change, ChangeKind

        deciding.mark(self._settings, Change(at=datetime.now(UTC), kind=ChangeKind.MARKED, subject=text))

    def close(self) -> None:
        """Close the reader."""
        self._reader.close()
