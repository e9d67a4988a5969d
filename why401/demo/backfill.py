"""A week that was normal, in a few seconds: a minute of records passes collector, analyzer and store, and SQL repeats it.

The last hour is written request by request, because the page names the users, clients and keys of that hour.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson
from msgspec.structs import replace

from why401.demo.acts import DAY, EDGES, NOISE, NOISE_SHARE
from why401.demo.bootstrap import LOG_KEYS
from why401.demo.faults import Fault, Good
from why401.demo.mint import Mint
from why401.demo.traffic import USERS, caller

if TYPE_CHECKING:
    from analyzer.store.deltas import Given
    from analyzer.verdicts import Verdict
    from collector.settings import Settings

WEEK: Final = timedelta(days=7, hours=1)
MINUTE: Final = timedelta(minutes=1)
EACH: Final = 4  # every fourth user has a token of each kind
_PASSED: Final = {"response_code": 200, "response_code_details": "via_upstream", "upstream_host": "127.0.0.1:1"}
_REFUSED: Final = {
    "expired-minutes": "jwt_authn_access_denied{Jwt_is_expired}",
    "token-absent": "jwt_authn_access_denied{Jwt_is_missing}",
}
# A day's curve, with the fewest requests at three o'clock; at the end of the week as many as the demo sends.
_CURVE: Final = "(0.55 - 0.45 * cos((epoch({}) / 3600 - 3) * pi() / 12))"
_REPEAT: Final = f"""
INSERT INTO store.rollups
FROM (
    SELECT r.* REPLACE (
        moment AS minute,
        floor(requests * {_CURVE.format("moment")} / {_CURVE.format("$until")} + (hash(moment, r) % 1000) / 1000)::BIGINT AS requests
    )
    FROM (FROM store.rollups) AS r, generate_series($since, $until, INTERVAL 1 MINUTE) AS minutes (moment)
) WHERE requests > 0 ORDER BY minute
"""  # noqa: S608  # text of ours
_SUMS: Final = (
    """
    INSERT INTO store.deltas
    SELECT d.* REPLACE (
        n * records AS records, n * passing AS passing, n * failing AS failing, $until AS last_seen,
        if(last_passed IS NULL, NULL, $until) AS last_passed
    )
    FROM store.deltas AS d, (SELECT (sum(requests) / $minute)::BIGINT AS n FROM store.rollups)
    WHERE kind IN ('credential', 'shape', 'group')
    """,
    """
    INSERT INTO store.deltas BY NAME
    SELECT 'pipeline' AS kind, date_trunc('hour', minute) AS minute, name, '' AS value, sum(requests)::BIGINT AS records
    FROM store.rollups, (VALUES ('received'), ('stored')) AS counters (name) GROUP BY ALL
    """,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of request at one gateway, and verdicts on it, a user's each. `weight`: its share of all requests."""

    weight: float
    is_refused: bool
    verdicts: Sequence[Verdict]


def backfill(config: Path, mint: Mint, *, until: datetime, rate: float, past: timedelta = WEEK) -> None:
    """Write normal traffic of `past` up to `until` into the store of `config`; `rate` requests a second at its end.

    The key sets that `config` names must answer. Raises LakeError, ConfigurationError, SinkUnavailable.
    """
    from analyzer.lake.attach import connect, writer
    from analyzer.store import open_store
    from analyzer.store.deltas import together
    from collector.settings import load
    from collector.telemetry import Telemetry

    settings, rng = load(config, environ={}), random.Random(401)  # noqa: S311  # a repeatable mix, no secret
    kinds = tuple(_kinds(settings, mint))
    end = until.replace(second=0, microsecond=0)
    since, hour = end - past, end - timedelta(hours=1)
    minute = round(60 * rate)
    store = open_store(settings, Telemetry())
    try:
        store.commit(_requests(kinds, since, minute, rng, samples=0), [], {("received", ""): minute})
        with connect(settings, writer(settings)) as con:
            con.execute(_REPEAT, {"since": since + MINUTE, "until": hour - MINUTE})
            con.execute(_SUMS[0], {"until": hour, "minute": minute})
            con.execute(_SUMS[1])
        samples = minute // settings.store.sample_allowed
        last = [_requests(kinds, hour + n * MINUTE, minute, rng, samples=samples) for n in range(60)]
        store.commit(together(last), [], {("received", ""): 60 * minute})
    finally:
        store.close()


def _kinds(settings: Settings, mint: Mint) -> Iterator[Kind]:
    from analyzer.pipeline import Analyzer
    from collector.telemetry import Telemetry
    from why401.run import collector_of

    analyzer = Analyzer(settings)
    good = sum(one.weight for one in DAY)
    weighed: list[tuple[Good | Fault, float]] = [
        *((one, (1 - NOISE_SHARE) * one.weight / good) for one in DAY),
        *((one, NOISE_SHARE / len(NOISE)) for one in NOISE),
    ]
    with collector_of(settings, Telemetry()) as collector:
        for chosen, weight in weighed:
            events = [collector.collect(_record(chosen, mint, number)) for number in range(0, USERS, EACH)]
            for edge in EDGES:
                verdicts = [analyzer.judge(_at_edge(event, edge)) for event in events]
                yield Kind(weight=weight / len(EDGES), is_refused=isinstance(chosen, Fault), verdicts=verdicts)


def _record(chosen: Fault | Good, mint: Mint, number: int) -> Any:
    """What an edge would log of one request."""
    from collector.events import Origin
    from collector.records import RawRecord
    from collector.redaction import fixed

    who = caller(mint, number)
    request = chosen.build(who)
    now = datetime.now(UTC)
    refusal = {"response_code": 401, "response_code_details": _REFUSED.get(chosen.name), "upstream_host": None}
    logged = dict.fromkeys(LOG_KEYS) | {
        "start_time": now.isoformat().replace("+00:00", "Z"), "method": request.method, "path": request.path,
        "protocol": "HTTP/1.1", "response_flags": "-", "route_name": request.path.split("/")[2], "user_agent": who.user_agent,
        "downstream_remote_address": f"{who.address}:0", "authority": "api.example.com", "request_id": f"{chosen.name}.{number}",
        **dict(request.headers), **(refusal if isinstance(chosen, Fault) else _PASSED),
    }  # fmt: skip
    time_ns = int(now.timestamp() * 1e9)
    return RawRecord(Origin(kind=fixed("otlp")), time_ns, text=orjson.dumps(logged).decode())


def _at_edge(event: Any, edge: str) -> Any:
    from collector.redaction import safe_id

    return replace(event, gateway=replace(event.gateway, instance=safe_id(edge, 40)))


def _requests(kinds: Sequence[Kind], at: datetime, total: int, rng: random.Random, *, samples: int) -> Given:
    """A minute: what passes is counted, with `samples`; each refusal is one."""
    from analyzer.store.deltas import Given

    passing = [kind for kind in kinds if not kind.is_refused]
    refused = rng.choices([kind for kind in kinds if kind.is_refused], k=round(NOISE_SHARE * total))
    sampled = rng.choices(passing, weights=[kind.weight for kind in passing], k=samples)
    return Given(
        verdicts=[_moved(rng.choice(kind.verdicts), _within(at, rng)) for kind in refused],
        allowed=[_counted(kind, at, round(kind.weight * total)) for kind in passing],
        samples=[_moved(rng.choice(kind.verdicts), _within(at, rng)) for kind in sampled],
    )


def _within(at: datetime, rng: random.Random) -> datetime:
    return at + timedelta(seconds=60 * rng.random())


def _moved(verdict: Verdict, at: datetime) -> Verdict:
    time_ns = int(at.timestamp() * 1e6) * 1000
    return replace(verdict, event=replace(verdict.event, time_ns=time_ns, observed_ns=time_ns))


def _counted(kind: Kind, at: datetime, count: int) -> Any:
    from collector.counted import Allowed, nobodys

    event = _moved(kind.verdicts[0], at).event
    first = event.time_ns // 1000
    return Allowed(
        event=replace(event, token=nobodys(event.token)), count=count, first_us=first, last_us=first + 59_999_999
    )
