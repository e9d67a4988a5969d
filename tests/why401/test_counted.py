"""Allowed requests that are counted leave in the store what they leave as events: row by row, in any mix of formats."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Any

import pytest

from analyzer.store import open_memory_store
from analyzer.store.sink import StoreSink
from collector.counted import Sampling
from collector.events import Origin, Outcome
from collector.joining.stage import Joining
from collector.records import Batch, Position, RawRecord
from collector.safe import Safe
from collector.settings import JoiningSettings, Settings, StoreSettings
from collector.telemetry import Telemetry
from tests.collector.gateways.cases import FILES, load, raw_record
from tests.collector.test_pipeline import collector
from tests.tokens import raw, token

EVERY = 7
ARRIVED_S = 1_795_000_000
SIZE = 100
TABLES = {
    "events": "SELECT * FROM store.events ORDER BY ALL",
    "rollups": "SELECT * REPLACE (sum(requests) AS requests) FROM store.rollups GROUP BY ALL ORDER BY ALL",
    "deltas": "SELECT kind, * EXCLUDE (kind, minute) FROM store.deltas ORDER BY ALL",
    "changes": "SELECT * FROM store.changes ORDER BY ALL",
    "descriptions": "SELECT * FROM store.descriptions ORDER BY ALL",
    "offsets": "SELECT topic, partition, next FROM store.offsets",
}


def signed(**claims: Any) -> str:
    """A token that is valid when the records arrive, but for the claims given."""
    return token(**{"iat": ARRIVED_S - 900, "exp": ARRIVED_S + 900} | claims)


TOKENS = (
    signed(), signed(sub="user-2", scope="a b"), signed(sub="user-3", scope="a", aud=["x", "y"]), signed(sub="late", exp=ARRIVED_S - 30),
    signed(sub="expired", exp=ARRIVED_S - 900), signed(sub="early", nbf=ARRIVED_S + 900), signed(sub="user-4", exp=None),
    signed(sub="user-5", iat=None), signed(sub=None, client_id="batch"), signed(key="k2", sub="user-6", exp=ARRIVED_S + 90_000),
    signed(sub="user-7", iss="https://other.example"), signed()[:-20], signed()[:64], signed().rpartition(".")[0] + ".",
    "opaque-token-1234", raw({"alg": "none"}, {"sub": "x"}, b""), "", "null",
)  # fmt: skip
STATUSES = (200,) * 12 + (201, 204, 302, 304, 400, 404, 500, 401, 403, 0)


def envoy(random_: random.Random, at_s: int) -> str:
    """An access log line of Envoy in JSON: any route, status and token."""
    status = random_.choice(STATUSES)
    fields: dict[str, Any] = {
        "start_time": f"{at_s}.{random_.randrange(1000):03}",
        "method": random_.choice(("GET",) * 9 + ("POST", "BREW")),
        "path": f"/svc{random_.randrange(3)}/items/{random_.randrange(10**6)}?page=2",
        "response_code": status,
        "response_code_details": "via_upstream" if status < 401 else "jwt_authn_access_denied{Jwt_is_expired}",
        "response_flags": "-",
        "authorization": f"Bearer {random_.choice(TOKENS)}",
        "authority": random_.choice(("api.example.com",) * 9 + ("www.example.com",)),
        "request_id": f"{random_.randrange(10**9):032x}",
        "upstream_host": random_.choice(("-", "10.0.0.9:8080")),
    }
    for name in random_.sample(sorted(fields), random_.choice((0, 0, 0, 1, 2))):
        del fields[name]
    if random_.random() < 0.1:
        fields["upstream_cluster"] = random_.choice(("inbound|80||x", "backend"))
    return json.dumps(fields)


def combined(random_: random.Random, _: int) -> str:
    """A line of the combined format."""
    status = random_.choice(STATUSES)
    path = f"/shop/{random_.randrange(10**6)}"
    return f'203.0.113.{random_.randrange(9)} - alice [27/Nov/2026:10:0{random_.randrange(9)}:00 +0000] "GET {path} HTTP/1.1" {status} 12 "-" "curl/8"'


def stream(seed: int, length: int) -> list[RawRecord]:
    """Lines of Envoy, nginx and every fixture, in any order."""
    random_ = random.Random(seed)
    fixtures = [raw_record(load(path)) for path in FILES]
    return [replace(_one(random_, fixtures, n), origin=Origin(Safe("kafka"), Safe("raw"), 0, n)) for n in range(length)]


def _one(random_: random.Random, fixtures: Sequence[RawRecord], n: int) -> RawRecord:
    kind = random_.random()
    observed_ns = (ARRIVED_S + n // 20) * 10**9
    if kind < 0.1:
        return replace(random_.choice(fixtures), observed_ns=observed_ns)
    line = (combined if kind < 0.3 else envoy)(
        random_, ARRIVED_S + n // 20 + random_.randrange(-90, 3) + 500 * (random_.random() < 0.02)
    )
    return RawRecord(
        Origin(Safe("kafka")), observed_ns, text=line, time_ns=observed_ns if random_.random() < 0.5 else 0
    )


def stored(records: Sequence[RawRecord], sampling: Sampling | None) -> dict[str, list[Any]]:
    """All rows of a store that took the records."""
    settings = Settings(store=StoreSettings(sample_allowed=EVERY))
    with closing(open_memory_store(settings)) as store:
        sink = StoreSink(settings, store, Telemetry())
        stage = Joining(collector(), JoiningSettings(), Telemetry(), partial(next, count(0.0, 0.2)), sampling=sampling)
        for batch in _batches(stage, records):
            # What was allowed is learned before the refusals of its batch are judged.
            items = sorted(batch.items, key=lambda event: event.outcome is not Outcome.ALLOWED)
            sink.write(replace(batch, items=items))
            sink.flush()
        sink.flush()
        return {name: store.rows(sql) for name, sql in TABLES.items()}


def _batches(stage: Joining, records: Sequence[RawRecord]) -> Iterator[Batch[Any]]:
    for at in range(0, len(records), SIZE):
        items = [replace(record) for record in records[at : at + SIZE]]
        yield from stage(Batch(items, (Position("raw", 0, at, at + len(items)),)))
    yield from stage.rest()


@pytest.mark.parametrize("seed", range(4))
def test_counted_requests_leave_what_events_leave(seed: int) -> None:
    """Sums, first sights, samples, refusals, users that pass again, offsets: all rows are equal."""
    records = stream(seed, 1_000)

    as_events, counted = stored(records, None), stored(records, Sampling(EVERY))

    for name in TABLES:
        assert as_events[name] == counted[name], name
    assert {"credential", "shape", "group", "passed", "member"} <= {row[0] for row in counted["deltas"]}
