"""A flood of outsiders' names, each seen once, through analyzer and store; with a real new cause in the middle of it."""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from analyzer.name_bounds import ADMIT, LIMITS
from analyzer.pipeline import Analyzer
from analyzer.store import Store, open_store
from benchmarks.harness import Result
from benchmarks.traffic import envoy_json, records
from collector.events import Event
from collector.pipeline import Collector
from collector.redaction.pseudonyms import Pseudonyms
from collector.safe import Safe
from collector.settings import Settings
from collector.telemetry import Telemetry
from collector.token.verification import KeySets, Verifier

BATCH = 5_000
MILLION = 1_000_000
REAL_KID, REAL_ISSUER = "2026-11-rotated", "https://new.example.com/"
REAL_EVENTS = 400  # a cause that a person would want to see in any flood


@dataclass(frozen=True)
class Flooded:
    """What was left after it."""

    stored: int
    groups: int
    names: dict[str, int]  # distinct values in the views, by column
    real_failures: int  # of the real new cause, as its group counts them
    grown_mib: int  # of this process, from the first tenth to the end
    other: int  # failures under the collecting name


def events(count: int) -> Iterator[Event]:
    """`count` failures, each with an issuer, key id, client, audience, route, host and user agent of its own."""
    first = _collector().collect(records(envoy_json(5, tokens=5))[1])
    now = time.time_ns()
    for n in range(count):
        token = replace(
            first.token,
            iss=Safe(f"https://{n:x}.evil.example/"),
            kid=Safe(f"kid-{n:x}"),
            client=Safe(f"c-{n:x}"),
            aud=(Safe(f"a-{n:x}"),),
        )
        request = replace(first.request, route=Safe(f"/r-{n:x}"), host=Safe(f"h-{n:x}"), user_agent=Safe(f"ua-{n:x}"))
        if count // 2 <= n < count // 2 + REAL_EVENTS:
            token = replace(first.token, iss=Safe(REAL_ISSUER), kid=Safe(REAL_KID))
            request = first.request
        yield replace(first, time_ns=now + n, observed_ns=now + n, token=token, request=request)


def _collector() -> Collector:
    chosen, telemetry = Settings(), Telemetry()
    return Collector(chosen, Verifier(chosen, KeySets((), Path(), telemetry)), Pseudonyms(b"k" * 32, 1), telemetry)


def million() -> Result:
    """The scenario of `make soak`: a million distinct names; it fails when the flood gets anywhere."""
    with tempfile.TemporaryDirectory() as folder:
        begun, used = time.perf_counter(), time.process_time()
        seen = flood(Settings(data_dir=folder), MILLION)
        wall, cpu = time.perf_counter() - begun, time.process_time() - used
    assert seen.stored == MILLION, seen
    assert seen.real_failures >= REAL_EVENTS - ADMIT, seen
    assert seen.groups <= LIMITS["issuer"] + 10, seen
    assert max(seen.names.values()) <= max(LIMITS.values()) + 10, seen
    note = f"{seen.groups} groups, {seen.real_failures} of {REAL_EVENTS} real ones seen, +{seen.grown_mib} MiB after the first tenth"
    return Result("flood", MILLION, MILLION / wall, cpu / MILLION * 1e6, 1.0, _peak_mib(), note)


def flood(settings: Settings, count: int) -> Flooded:
    """Run it and look at what the views show."""
    analyzer, store = Analyzer(settings), open_store(settings, Telemetry())
    early = 0
    waiting: list[Event] = []
    for n, event in enumerate(events(count), 1):
        waiting.append(event)
        if len(waiting) == BATCH or n == count:
            store.append([analyzer.judge(one) for one in waiting], [], {("received", ""): len(waiting)})
            waiting = []
        if n == count // 10:
            early = _peak_mib()
    grown = _peak_mib() - early
    try:
        return _look(store, grown)
    finally:
        store.close()


def _peak_mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def _look(store: Store, grown: int) -> Flooded:
    def ask(sql: str) -> int:
        return int(store.rows(sql)[0][0])

    columns = ("issuer", "kid", "client_id", "route", "host", "user_agent")
    return Flooded(
        stored=ask("SELECT count(*) FROM failures"),
        groups=ask("SELECT count(*) FROM groups"),
        names={name: ask(f"SELECT count(DISTINCT {name}) FROM failures") for name in columns},
        real_failures=ask(
            f"SELECT coalesce(max(failures), 0) FROM groups WHERE list_contains(issuers, '{REAL_ISSUER}')"
        ),
        grown_mib=grown,
        other=ask("SELECT count(*) FROM failures WHERE issuer = '(other)'"),
    )
