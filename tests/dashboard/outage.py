"""Weeks of traffic with an outage at their end, written by the writer itself: the page's first sentence is asked of them.

2 % of all requests fail because a token expired, always. From `minute` minutes before `NOW` on, four of five fail because
a key is not found.
"""

from __future__ import annotations

import atexit
import random
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from typing import Final

from analyzer.situation import impact
from analyzer.verdicts import Diagnosis, Group, Verdict
from collector.events import Event, Gateway, Origin, Outcome, Request, Responder, TokenFacts, TokenKind
from dashboard import client
from tests.dashboard import sample_lake

NOW: Final = datetime(2026, 3, 2, 10, 40, 30, tzinfo=UTC)
DAYS_COMPARED: Final = (1, 2, 3, 7, 14, 21, 28)
EXPIRED: Final = ("v1-00000000000000e1", "token_expired", "policy", "Clients keep using tokens after they expired")
NO_KEY: Final = ("v1-00000000000000b1", "key_not_found", "issuer", "The gateway does not know the key `r3`")
RARE: Final = ("v1-00000000000000c1", "claim_missing", "format", "Tokens of one client carry no tenant")
Kind = tuple[str, str, str, str]
Fails = Callable[[random.Random, datetime], Kind | None]
"""Which problem a request of this moment meets, None when it passes."""


def sentence(data_dir: Path, gateway: str = "", now: datetime = NOW) -> str:
    """The first line that the page would show, asked of the store that `use` chose."""
    assert data_dir
    found = situation(gateway)
    assert found.overall
    return impact.sentence(found.overall, found.problems, now)


def situation(gateway: str = "") -> impact.Situation:
    """What the page knows."""
    return impact.situation(client.query("problems", gateway=gateway).to_dict("records"), gateway)


def forget_cache() -> None:
    """Ask the store anew."""
    client.forget()


def noise(rng: random.Random, _: datetime) -> Kind | None:
    """Every day's failures."""
    return EXPIRED if rng.random() < 0.02 else None


@dataclass(frozen=True, slots=True)
class Outage:
    """Noise, and a failure of most requests between two moments, in minutes before NOW."""

    minutes: float
    until: float = 0
    share: float = 0.8
    kind: Kind = NO_KEY

    def __call__(self, rng: random.Random, at: datetime) -> Kind | None:
        ago = (NOW - at).total_seconds() / 60
        fails = self.until <= ago <= self.minutes and rng.random() < self.share
        return self.kind if fails else noise(rng, at)


def build(
    data_dir: Path, fails: Fails, *, days: Iterable[int] = DAYS_COMPARED, hours: float = 24, rate: float = 20
) -> None:
    """A store with `hours` up to NOW, and the hour of NOW on each of `days` before, at `rate` requests a minute."""
    shutil.copytree(_written(fails, tuple(days), hours, rate), data_dir, dirs_exist_ok=True)


@cache  # several tests begin with the same weeks
def _written(fails: Fails, days: tuple[int, ...], hours: float, rate: float) -> Path:
    data_dir = Path(tempfile.mkdtemp(prefix="why401-weeks-"))
    atexit.register(shutil.rmtree, data_dir, ignore_errors=True)
    rng, offsets = random.Random(7), count()
    hour = NOW.replace(minute=0, second=0)
    spans = [
        (hour - timedelta(days=day), hour - timedelta(days=day) + timedelta(hours=1)) for day in sorted(days)[::-1]
    ]
    with sample_lake.opened(data_dir) as store:
        for begin, end in [*spans, (NOW - timedelta(hours=hours), NOW)]:
            store.append(list(requests(rng, fails, (begin, end), rate, offsets)), [], {})
    return data_dir


def requests(
    rng: random.Random, fails: Fails, span: tuple[datetime, datetime], rate: float, offsets: Iterator[int]
) -> Iterator[Verdict]:
    """Requests at even distances."""
    at, end = span
    while at < end:
        yield verdict(rng, at, fails(rng, at), next(offsets))
        at += timedelta(minutes=1 / rate)


TOKEN: Final = TokenFacts(
    kind=TokenKind.JWS, scheme="bearer", location="authorization", credentials=1, alg="RS256", typ="JWT", kid="r2",
    iss=sample_lake.LOGIN, key_epoch=1,
)  # fmt: skip
_TOKENS: Final = [replace(TOKEN, user=f"u{n:03}", client=f"client-{n % 5}") for n in range(200)]
_GATEWAYS: Final = [Gateway("envoy", "edge-1", "1.39.0")] * 19 + [Gateway("kong", "kong-0", "3.8")]


def verdict(
    rng: random.Random, at: datetime, kind: Kind | None, offset: int, *, gateway: Gateway | None = None, **changes: str
) -> Verdict:
    """One request; `changes` are facts of its token."""
    token, failed = rng.choice(_TOKENS), kind is not None
    event = Event(
        time_ns=int(at.timestamp() * 1e6) * 1000, observed_ns=int(at.timestamp() * 1e6) * 1000,
        origin=Origin("kafka", "access", 0, offset), gateway=gateway or rng.choice(_GATEWAYS),
        outcome=Outcome.DENIED if failed else Outcome.ALLOWED, responder=Responder.GATEWAY,
        request=Request(method="GET", route="/orders", host="api", status=401 if failed else 200),
        token=replace(token, **changes) if changes else token,
    )  # fmt: skip
    if kind is None:
        return Verdict(event)
    group_id, code, cause, title = kind
    diagnosis = Diagnosis(code=code, cause=cause, confidence=0.95, title=title)
    return Verdict(event, diagnosis, Group(group_id, "v1", (("code", code),)))
