"""`why401 demo`: a real Envoy, `why401 up`, the dashboard, and an incident in a few minutes."""

from __future__ import annotations

import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, TextIO

from why401.demo.children import Child, ChildFailed, HeldPort
from why401.demo.envoy import DemoEnvoy, EnvoyFailed
from why401.demo.faults import FAULTS
from why401.demo.mint import Mint
from why401.demo.settings_file import write_config
from why401.demo.summary import read_found, table
from why401.demo.traffic import CYCLE_S, Traffic

RATE: Final = 60.0
UP_S: Final = 60.0
DASHBOARD_S: Final = 60.0
DRAIN_S: Final = 1.5  # Envoy sends its last records within 0.2 s, why401 commits within 0.5 s
STALE_SHARE: Final = (
    0.8  # of a cycle: fetched at its start, the cached key set is stale from the rotation half way until then
)
_SPINNER: Final = "|/-\\"


class Progress:
    """Lines on `out`; on a terminal the last one is rewritten in place."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._terminal = out.isatty()
        self._turn = 0
        self._label = ""

    def say(self, line: str) -> None:
        """A line that stays."""
        self._out.write(f"\r\x1b[K{line}\n" if self._terminal else f"{line}\n")
        self._out.flush()

    def begin(self, label: str) -> None:
        """A step that may take long; followed by `turn` while it does."""
        self._label = label
        if not self._terminal:
            self.say(f"{label} …")
        self.turn()

    def turn(self) -> None:
        """Show that the step goes on."""
        self._turn += 1
        self.rewrite(f"{_SPINNER[self._turn % 4]} {self._label} …")

    def rewrite(self, line: str) -> None:
        """A line that the next one replaces; nothing where lines cannot be replaced."""
        if self._terminal:
            self._out.write(f"\r\x1b[K{line}")
            self._out.flush()


def run_demo(
    *, seconds: float | None, dashboard: bool, rate: float = RATE, out: TextIO, folder: Path | None = None,
    listen_port: int = 0, otlp_port: int = 0, dashboard_port: int = 0,
) -> int:  # fmt: skip
    """Run until `seconds` are over (None: until Ctrl-C), print the summary, leave no process; the exit status.

    Port 0 takes a free one. Without `folder` everything lives in a temporary one that is removed at the end.
    """
    progress = Progress(out)
    otlp, page = HeldPort(otlp_port), HeldPort(dashboard_port) if dashboard else None
    with ExitStack() as stack:
        stack.callback(otlp.release)
        stack.callback(page.release if page else lambda: None)
        place = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="why401-demo-")))
        place.mkdir(parents=True, exist_ok=True)
        stack.enter_context(_terminate_like_interrupt())
        try:
            _Demo(place, progress, listen_port, (otlp, page), seconds, rate).run()
        except (EnvoyFailed, ChildFailed) as error:
            progress.say(f"why401 demo: {error}")
            return 1
        except KeyboardInterrupt:
            return 130
    return 0


class _Demo:
    def __init__(
        self,
        folder: Path,
        progress: Progress,
        listen: int,
        held: tuple[HeldPort, HeldPort | None],
        seconds: float | None,
        rate: float,
    ) -> None:
        self.listen = listen
        self.held = held
        self.otlp = held[0].number
        self.dashboard = held[1].number if held[1] else 0
        self.folder = folder
        self.progress = progress
        self.seconds = seconds
        self.cycle_s = seconds or CYCLE_S
        self.rate = rate
        self.checks: list[Callable[[], None]] = []  # one per process, raising when it has ended

    def run(self) -> None:
        self.progress.begin("generating temporary keys")
        mint = Mint()
        cache = max(2, int(self.cycle_s * STALE_SHARE))
        envoy = DemoEnvoy(self.folder, mint, otlp_port=self.otlp, listen_port=self.listen, jwks_cache_s=cache)
        config = write_config(self.folder, mint, services=envoy.services.port, otlp=self.otlp, dashboard=self.dashboard)
        traffic = self._work(envoy, config)
        if traffic:
            self._summarize(config, traffic)

    def _work(self, envoy: DemoEnvoy, config: Path) -> Traffic | None:
        """The traffic that was driven; None when interrupted before there was any. Every process has ended on return."""
        traffic = None
        with ExitStack() as running:
            running.callback(envoy.stop)  # its services have a port from the beginning
            try:
                self._start(envoy, config, running)
                traffic = Traffic(envoy.mint, envoy.port, rate=self.rate, cycle_s=self.cycle_s)
                running.callback(traffic.stop)
                traffic.start()
                self._watch(traffic)
            except KeyboardInterrupt:
                self.progress.say("stopping")
            if traffic:
                traffic.stop()
                time.sleep(DRAIN_S)
        return traffic

    def _start(self, envoy: DemoEnvoy, config: Path, running: ExitStack) -> None:
        envoy.services.start()  # why401 fetches key sets from it at once
        self.progress.begin("starting why401 up")
        self.held[0].release()
        up = Child(self.folder, "up", "up", "--config", str(config))
        running.callback(up.stop)
        self.checks.append(up.check)
        up.wait_listening(self.otlp, UP_S, self.progress.turn)
        running.callback(envoy.stop)  # before `up`: Envoy's last records still find a receiver
        self.progress.begin("starting Envoy")
        envoy.start()
        envoy.wait_ready()
        self.checks.append(envoy.check)
        self.progress.say(f"Envoy     http://127.0.0.1:{envoy.port}  (pid {envoy.pid}, access log {envoy.access_log})")
        if self.dashboard:
            self._show_dashboard(config, running)

    def _show_dashboard(self, config: Path, running: ExitStack) -> None:
        self.progress.begin("starting the dashboard")
        if self.held[1]:
            self.held[1].release()
        page = Child(self.folder, "dashboard", "dashboard", "--config", str(config))
        running.callback(page.stop)
        self.checks.append(page.check)
        page.wait_listening(self.dashboard, DASHBOARD_S, self.progress.turn)
        self.progress.say(f"dashboard http://127.0.0.1:{self.dashboard}")

    def _watch(self, traffic: Traffic) -> None:
        limit = float("inf") if self.seconds is None else self.seconds
        end = "until Ctrl-C" if self.seconds is None else f"for {self.seconds:g} s"
        self.progress.say(f"sending {self.rate:g} requests/s with {len(FAULTS)} kinds of faults {end}")
        started = time.monotonic()
        rest = threading.Event()
        while (spent := time.monotonic() - started) < limit:
            rest.wait(min(0.5, limit - spent))
            for check in self.checks:
                check()
            self.progress.rewrite(
                f"{spent:5.0f} s  {traffic.total} answered, {traffic.refusals} refused, "
                f"{traffic.mint.rotations} key rotations"
            )

    def _summarize(self, config: Path, traffic: Traffic) -> None:
        self.progress.say(
            f"{traffic.total} requests answered, {traffic.refusals} refused with "
            f"{len(traffic.refused)} kinds of faults, {sum(traffic.failures.values())} unanswered, "
            f"{traffic.mint.rotations} key rotations"
        )
        for line in table(traffic.refused, read_found(config)):
            self.progress.say(line)


@contextmanager
def _terminate_like_interrupt() -> Iterator[None]:
    """SIGTERM ends the demo as Ctrl-C does: its children would outlive it otherwise."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
