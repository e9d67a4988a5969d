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
from analyzer.situation import present
from analyzer.store import maintain, open_store
from collector.settings import Settings
from collector.telemetry import Telemetry

ROUNDS: Final = 3
DEFAULT_EVENTS: Final = 2_000_000
DEFAULT_DAYS: Final = 30
_KEPT_DAYS: Final = 30  # of single events, as the settings' default; what is older is in the sums only
_OLDER: Final = 10  # times less traffic before that
_OUTAGE: Final = timedelta(minutes=30)
_DAY: Final = """
CREATE OR REPLACE TEMP TABLE today AS
SELECT moment AS event_time, moment AS observed_time, 'g' || (h % 4) AS gateway, 'i' || (h % 8) AS gateway_instance, '1.0' AS gateway_version, 'GET' AS method,
    '/r' || (g * 7 + h % 3) % 50 AS route, 'api' AS host, if(passes, 200, 401) AS status, if(passes, 'allowed', 'denied') AS outcome, 'gateway' AS responder,
    if(passes, '', 'code_' || (g % 20)) AS code, if(passes, '', ['issuer', 'format', 'policy'][g % 3 + 1]) AS cause, 0.9 AS confidence,
    if(passes, '', 'v1-' || lpad(g::VARCHAR, 16, '0')) AS group_id, if(passes, '', 'Problem ' || g) AS title,
    '' AS near_miss, '' AS library, '203.0.113.0/24' AS client_address, 'curl' AS user_agent, md5(n::VARCHAR) AS trace_id, md5((n + 1)::VARCHAR) AS request_id,
    'refused' AS reason, 'message of group ' || g AS message, 'jws' AS token_kind, 'bearer' AS scheme, 'authorization' AS location, 'RS256' AS alg,
    'JWT' AS typ, if(is_outage, 'k-new', 'k' || (g % 5)) AS kid, 'https://idp' || (g % 3) || '.example.com' AS issuer, 'c' || (g * 3 + h % 2) % 20 AS client_id,
    ['https://api.example.com'] AS audiences, ['read', 'write'] AS scopes, MAP {'iss': 'string', 'sub': 'string', 'exp': 'number'} AS claims,
    md5((h % 5000)::VARCHAR) AS user_hash, 1 AS key_epoch, -60.0 AS iat_offset_s, 3540.0 AS exp_offset_s, 'kafka' AS origin_kind, 'access' AS origin_source, 0 AS origin_partition,
    n AS origin_offset, [{'source': 'message', 'says': 'message of group ' || g}] AS evidence
FROM (
    SELECT *, if(is_outage, 0, (20 * sqrt(hash(n * 7) % 100))::INTEGER) AS g, hash(n * 11) % 20 = 0 AND NOT is_outage AS passes
    FROM (
        SELECT n, hash(n) % 1000000 AS h, $begin::TIMESTAMPTZ + to_microseconds((n * $step)::BIGINT) AS moment,
            moment >= $outage::TIMESTAMPTZ AND hash(n * 3) % 4 > 0 AS is_outage
        FROM range($rows::BIGINT) AS numbers (n)
    )
)
"""
_SUMMED: Final = (
    """
    CREATE OR REPLACE TEMP TABLE sums AS
    SELECT date_trunc('minute', event_time) AS minute, gateway, gateway_instance, route, issuer, client_id, outcome, responder, cause, code, group_id,
        count(*) AS requests
    FROM today WHERE outcome = 'denied' GROUP BY ALL
    UNION ALL
    SELECT date_trunc('minute', event_time) AS minute, gateway, gateway_instance, route, issuer, client_id, 'allowed' AS outcome, 'gateway' AS responder,
        '' AS cause, '' AS code, '' AS group_id, 49 * count(*) AS requests
    FROM today WHERE kid <> 'k-new' GROUP BY ALL
    ORDER BY minute
    """,
    """
    CREATE OR REPLACE TEMP TABLE others AS
    SELECT 'group' AS kind, NULL::TIMESTAMPTZ AS minute, group_id, '' AS gateway, '' AS issuer, '' AS client_id, '' AS kid, '' AS alg, '' AS typ, '' AS token_kind,
        NULL::VARCHAR[] AS claim_names, '' AS name, '' AS value, count(*) AS records, 0 AS passing, count(*) AS failing,
        min(event_time) AS first_seen, max(event_time) AS last_seen, NULL::TIMESTAMPTZ AS first_passed, NULL::TIMESTAMPTZ AS last_passed
    FROM today WHERE outcome = 'denied' GROUP BY ALL
    UNION ALL BY NAME
    SELECT 'credential' AS kind, gateway, issuer, kid, alg, 50 * count(*) AS records, 49 * count(*) FILTER (outcome = 'allowed') AS passing, count(*) AS failing,
        min(event_time) AS first_seen, max(event_time) AS last_seen, min(event_time) FILTER (outcome = 'allowed') AS first_passed,
        max(event_time) FILTER (outcome = 'allowed') AS last_passed
    FROM today GROUP BY ALL
    UNION ALL BY NAME
    SELECT 'shape' AS kind, issuer, client_id, token_kind, alg, typ, list_sort(map_keys(claims)) AS claim_names, count(*) AS records,
        count(*) FILTER (outcome = 'allowed') AS passing, count(*) FILTER (outcome = 'denied') AS failing, min(event_time) AS first_seen, max(event_time) AS last_seen
    FROM today GROUP BY ALL
    UNION ALL BY NAME
    SELECT 'pipeline' AS kind, date_trunc('minute', event_time) AS minute, 'stored' AS name, '' AS value, 50 * count(*) AS records
    FROM today GROUP BY ALL
    """,
)
# A day is made once and written many times, moved: making it costs ten times as much as writing it.
_KEEP: Final = "INSERT INTO store.events BY NAME SELECT * REPLACE (event_time - to_days($back) AS event_time, observed_time - to_days($back) AS observed_time) FROM today"
_SUMS: Final = (
    "INSERT INTO store.rollups BY NAME SELECT * REPLACE (minute - to_days($back) AS minute) FROM sums",
    """
    INSERT INTO store.deltas BY NAME
    SELECT * REPLACE (minute - to_days($back) AS minute, first_seen - to_days($back) AS first_seen, last_seen - to_days($back) AS last_seen,
        first_passed - to_days($back) AS first_passed, last_passed - to_days($back) AS last_passed)
    FROM others
    """,
)
_MEMBERS: Final = """
INSERT INTO store.deltas BY NAME
SELECT DISTINCT 'member' AS kind, group_id, name, value, 1 AS records
FROM (SELECT group_id, gateway, issuer, route, client_id AS client, user_hash AS "user" FROM today WHERE outcome = 'denied')
UNPIVOT (value FOR name IN (gateway, issuer, route, client, "user"))
"""
_WORDS: Final = """
INSERT INTO store.descriptions BY NAME
SELECT DISTINCT ON (group_id) group_id, event_time AS described_at, 'v1' AS fingerprint_version, code, cause, title, confidence, evidence
FROM today WHERE outcome = 'denied'
"""
_CHANGES: Final = """
INSERT INTO store.changes BY NAME
SELECT 'kid_first_seen' AS kind, kid AS subject, any_value(gateway) AS gateway, issuer AS detail, min(event_time) AS changed_at FROM today GROUP BY ALL
"""


def build(settings: Settings, events: int, days: int, now: datetime) -> None:
    """Failures at an even rate up to `now`, and 49 allowed requests in the sums for each; before the last month sums only, of a tenth."""
    open_store(settings, Telemetry()).close()
    kept = min(days, _KEPT_DAYS)
    with connect(settings, replace(writer(settings), memory_mib=3_000, threads=2)) as con:
        for back in range(days - 1, kept - 1, -1):
            _write(con, back, days - 1, rows=events // kept // _OLDER, now=now, keep=False)
        for back in range(kept - 1, -1, -1):
            # The last day is one of its own: it has the outage.
            _write(con, back, kept - 1 if back else 0, rows=events // kept, now=now, keep=True)
        for sql in (_MEMBERS, _WORDS, _CHANGES):
            con.execute(sql)
        for step in (maintain.flush, maintain.compact, maintain.merge):  # as the writer's upkeep leaves a store
            step(con, settings.store, now, maintain.Upkeep())


def _write(con: duckdb.DuckDBPyConnection, back: int, made_at: int, *, rows: int, now: datetime, keep: bool) -> None:
    """The day that ended `back` days ago; made anew when it is the first of its kind."""
    if back == made_at:
        outage = now - _OUTAGE if not back else now + _OUTAGE
        con.execute(
            _DAY, {"begin": now - timedelta(days=1), "step": 86_400 * 1e6 / rows, "rows": rows, "outage": outage}
        )
        for sql in _SUMMED:
            con.execute(sql)
    for sql in (*([_KEEP] if keep else []), *_SUMS):
        con.execute(sql, {"back": back})


def measured(settings: Settings, now: datetime) -> None:
    """A line per statement of the page: the fastest of some rounds, and rows; then the process's peak memory."""
    from dashboard import client, filters, queries

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
    params: dict[str, Any] = {
        **window, **dict.fromkeys(filters.COLUMNS, ""), "group": group, "groups": group, "hour": window["since"], "state": "open", "by": "code",
        "other_since": window["before"], "other_until": window["since"],
    }  # fmt: skip
    of_the_page = (path.stem for path in Path(queries.__file__).parent.glob("*.sql"))
    for name in sorted((*of_the_page, *present.COSTLY)):
        print(f"{name:<20} {_timed(client, name, params)}", flush=True)
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB; data {settings.data_dir}")


def _timed(client: Any, name: str, params: dict[str, Any]) -> str:
    sql = client.queries.statement(name, params)
    names = duckdb.extract_statements(sql)[0].named_parameters
    used = {key: value for key, value in params.items() if key in names}
    took: list[float] = []
    try:
        for _ in range(ROUNDS):
            started = time.process_time()
            rows = client.lake().table(sql, used)
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
