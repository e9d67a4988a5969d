"""`python -m benchmarks page [--events N] [--days D] [--at DIR]`: a large store, made columnar, and what each of the page's statements takes on it.

The store is made by the writer's own schema and filled by SQL, since judging millions of lines would take hours; what the
page reads of it has the shape and the skew of real traffic: a day's curve, 2 % failures in 200 groups, and an outage in
the last half hour.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import duckdb

from analyzer.lake.attach import connect, writer
from analyzer.lake.errors import LakeError
from analyzer.store import open_store
from collector.settings import Settings
from collector.telemetry import Telemetry

ROUNDS: Final = 3
DEFAULT_EVENTS: Final = 2_000_000
DEFAULT_DAYS: Final = 30
_FAILED: Final = """
INSERT INTO store.events BY NAME
SELECT moment AS event_time, moment AS observed_time, 'g' || (n % 4) AS gateway, 'i' || (n % 8) AS gateway_instance, '1.0' AS gateway_version, 'GET' AS method,
    '/r' || (h % 50) AS route, 'api' AS host, 401 AS status, 'denied' AS outcome, 'gateway' AS responder, 'code_' || (g % 20) AS code,
    ['issuer', 'format', 'policy'][g % 3 + 1] AS cause, 0.9 AS confidence, 'v1-' || lpad(g::VARCHAR, 16, '0') AS group_id, 'Problem ' || g AS title,
    '' AS near_miss, '' AS library, '203.0.113.0/24' AS client_address, 'curl' AS user_agent, md5(n::VARCHAR) AS trace_id, md5((n + 1)::VARCHAR) AS request_id,
    'refused' AS reason, 'message of group ' || g AS message, 'jws' AS token_kind, 'bearer' AS scheme, 'authorization' AS location, 'RS256' AS alg,
    'JWT' AS typ, 'k' || (h % 5) AS kid, 'https://idp' || (h % 3) || '.example.com' AS issuer, 'c' || (h % 20) AS client_id,
    md5((h % 5000)::VARCHAR) AS user_hash, 1 AS key_epoch, -60.0 AS iat_offset_s, 'kafka' AS origin_kind, 'access' AS origin_source, 0 AS origin_partition,
    n AS origin_offset, [{'source': 'message', 'says': 'message of group ' || g}] AS evidence
FROM (
    SELECT n, hash(n) % 1000000 AS h, (20 * sqrt(hash(n * 7) % 100))::INTEGER AS g, $begin::TIMESTAMPTZ + to_microseconds((n * $step)::BIGINT) AS moment
    FROM range($first::BIGINT, $last::BIGINT) AS numbers (n)
)
"""
_SUMS: Final = (
    """
    INSERT INTO store.rollups BY NAME
    SELECT date_trunc('minute', event_time) AS minute, gateway, gateway_instance, route, issuer, client_id, outcome, responder, cause, code, group_id,
        count(*) AS requests
    FROM store.events WHERE event_time >= $begin AND event_time < $end GROUP BY ALL ORDER BY minute
    """,
    """
    INSERT INTO store.rollups BY NAME
    SELECT date_trunc('minute', event_time) AS minute, gateway, gateway_instance, route, issuer, client_id, 'allowed' AS outcome, 'gateway' AS responder,
        '' AS cause, '' AS code, '' AS group_id, 49 * count(*) AS requests
    FROM store.events WHERE event_time >= $begin AND event_time < $end GROUP BY ALL ORDER BY minute
    """,
    """
    INSERT INTO store.deltas BY NAME
    SELECT 'group' AS kind, group_id, count(*) AS records, 0 AS passing, count(*) AS failing, min(event_time) AS first_seen, max(event_time) AS last_seen
    FROM store.events WHERE event_time >= $begin AND event_time < $end GROUP BY ALL
    """,
    """
    INSERT INTO store.deltas BY NAME
    SELECT 'credential' AS kind, gateway, issuer, kid, alg, 50 * count(*) AS records, 49 * count(*) AS passing, count(*) AS failing,
        min(event_time) AS first_seen, max(event_time) AS last_seen, min(event_time) AS first_passed, max(event_time) AS last_passed
    FROM store.events WHERE event_time >= $begin AND event_time < $end GROUP BY ALL
    """,
    """
    INSERT INTO store.deltas BY NAME
    SELECT 'pipeline' AS kind, date_trunc('minute', event_time) AS minute, 'stored' AS name, '' AS value, 50 * count(*) AS records
    FROM store.events WHERE event_time >= $begin AND event_time < $end GROUP BY ALL
    """,
)
_MEMBERS: Final = """
INSERT INTO store.deltas BY NAME
SELECT DISTINCT 'member' AS kind, group_id, name, value, 1 AS records
FROM (SELECT group_id, gateway, issuer, route, client_id AS client, user_hash AS "user" FROM store.events WHERE event_time >= $since)
UNPIVOT (value FOR name IN (gateway, issuer, route, client, "user"))
"""
_WORDS: Final = """
INSERT INTO store.descriptions BY NAME
SELECT DISTINCT ON (group_id) group_id, event_time AS described_at, 'v1' AS fingerprint_version, code, cause, title, confidence, evidence
FROM store.events WHERE event_time >= $since
"""


def build(settings: Settings, events: int, days: int, now: datetime) -> None:
    """Failures at an even rate over `days` up to `now`, and 49 allowed requests in the sums for each of them."""
    open_store(settings, Telemetry()).close()
    step = days * 86_400 * 1e6 / events
    begin = now - timedelta(days=days)
    with connect(settings, replace(writer(settings), memory_mib=2_000)) as con:
        for day in range(days):
            first, last = events * day // days, events * (day + 1) // days
            con.execute(_FAILED, {"begin": begin, "step": step, "first": first, "last": last})
            span = {"begin": begin + timedelta(days=day), "end": begin + timedelta(days=day + 1)}
            for sql in _SUMS:
                con.execute(sql, span)
        for sql in (_MEMBERS, _WORDS):
            con.execute(sql, {"since": now - timedelta(days=2)})


def measured(settings: Settings, now: datetime) -> None:
    """A line per statement of the page: the fastest of some rounds, and rows; then the process's peak memory."""
    from dashboard import client, queries

    window = {
        "since": now - timedelta(hours=1),
        "until": now,
        "before": now - timedelta(hours=2),
        "gateway": "",
        "bucket_s": 60,
    }
    ((group,),) = (
        client.lake().table("SELECT group_id FROM groups ORDER BY failures DESC LIMIT 1").to_pandas().to_numpy()
    )
    params: dict[str, Any] = {**window, "group": group, "groups": group, "hour": window["since"]}
    for name in sorted(path.stem for path in Path(queries.__file__).parent.glob("*.sql")):
        print(f"{name:<20} {_timed(client, name, params)}", flush=True)
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB; data {settings.data_dir}")


def _timed(client: Any, name: str, params: dict[str, Any]) -> str:
    names = duckdb.extract_statements(client.queries.text(name))[0].named_parameters
    used = {key: value for key, value in params.items() if key in names}
    took: list[float] = []
    try:
        for _ in range(ROUNDS):
            started = time.process_time()
            rows = client.lake().table(client.queries.text(name), used)
            took.append(time.process_time() - started)
    except (LakeError, duckdb.Error) as error:
        return f"{type(error).__name__}: {str(error)[:100]}"
    return f"{min(took) * 1000:>8.0f} ms CPU {rows.num_rows:>8,} rows"


def main(arguments: list[str]) -> int:
    """Build the store when it is not there, and measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks page")
    parser.add_argument("--events", type=int, default=DEFAULT_EVENTS, help="refused requests")
    parser.add_argument("--days", type=int, default=DEFAULT_DAYS)
    parser.add_argument("--at", type=Path, help="folder of the store; it is kept and used again")
    chosen = parser.parse_args(arguments)
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    with tempfile.TemporaryDirectory() as folder:
        data_dir = chosen.at or Path(folder) / "store"
        settings = replace(Settings(), data_dir=str(data_dir))
        if not data_dir.exists():
            started = time.monotonic()
            build(settings, chosen.events, chosen.days, now)
            print(f"built in {time.monotonic() - started:.0f} s")
        file = Path(folder) / "why401.toml"
        file.write_text(f'data_dir = "{data_dir.absolute()}"\n', encoding="utf-8")
        os.environ["WHY401_CONFIG"] = str(file)
        measured(settings, now)
    return 0
