"""The public SQL API: names, columns, comments."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest

from analyzer.lake import snapshot
from analyzer.lake.document import reference
from analyzer.lake.view_files import view_names
from tests.analyzer.verdict_samples import failing, passing, unread

_EVENT = """event_time observed_time gateway gateway_instance gateway_version method route host status outcome responder
code cause confidence group_id title near_miss library also evidence rivals missing fix client_address user_agent
trace_id request_id reason message challenge flags body_bytes upstream_status token_kind scheme location credentials
token_size parts signature_bytes alg typ kid issuer audiences client_id scopes claims anomalies verification user_hash
key_epoch iat_offset_s nbf_offset_s exp_offset_s origin_kind origin_source origin_partition origin_offset expected
received missing_scope client_version user_agent_version"""
COLUMNS = {
    "failures": _EVENT,
    "samples": "group_id rank " + _EVENT.replace(" group_id", ""),
    "passing_samples": """event_time observed_time gateway gateway_instance gateway_version method route host status responder
        client_address user_agent user_agent_version client_version trace_id request_id upstream_status token_kind scheme
        location credentials token_size parts signature_bytes alg typ kid issuer audiences client_id scopes claims anomalies
        verification user_hash key_epoch iat_offset_s nbf_offset_s exp_offset_s origin_kind origin_source origin_partition
        origin_offset""",
    "groups": """group_id fingerprint_version code cause title discriminant parts confidence failures first_seen
        last_seen last_hour previous_hour gateways issuers routes clients users near_miss library evidence rivals
        missing fix state status suspect_change assignee merged_into""",
    "trend": "minute gateway outcome cause code group_id requests",
    "traffic": "minute gateway gateway_instance route issuer client_id outcome responder requests",
    "usual": "days_ago hour gateway outcome group_id requests",
    "impact": """gateway group_id state since last_failed above_usual until requests_1 requests_2 requests_5 requests_15 requests_60
        failures_1 failures_2 failures_5 failures_15 failures_60 failures_day usual usual_from users clients""",
    "shared": "group_id dimension value failures share passing_share",
    "counts": "minute gateway gateway_instance route issuer client_id outcome responder cause code group_id requests",
    "issuers": "issuer gateway passing failing first_seen last_seen last_passed",
    "keys": "issuer kid alg passing failing first_seen last_seen first_passed last_passed",
    "token_shapes": "issuer client_id token_kind alg typ claim_names passing failing last_seen",
    "changes": "changed_at kind subject gateway detail is_baseline",
    "unclassified": "template reason gateway records first_seen last_seen",
    "templates": "template_id template example gateways reasons records messages first_seen last_seen",
    "pipeline": "minute counter reason value",
    "positions": "topic partition next updated_at",
    "raw_credentials": "gateway place records first_seen last_seen setting source",
    "credential_settings": "gateway place setting source",
    "notes": "group_id noted_at author state note muted_until next_release assignee merged_into",
    "decisions": """group_id state decided_at author muted_until next_release released_at failed_again is_waiting assignee
        merged_into""",
    "alerts": "alert_id rule subject severity state since opened_at resolved_at title says groups sent_to failures",
    "silences": "subject until set_at author note",
    "recovery": "group_id since users passing failing unseen sample",
}
TYPES = {
    ("failures", "event_time"): "TIMESTAMP WITH TIME ZONE",
    ("failures", "evidence"): 'STRUCT("source" VARCHAR, says VARCHAR)[]',
    ("failures", "claims"): "MAP(VARCHAR, VARCHAR)",
    ("failures", "status"): "INTEGER",
    ("failures", "parts"): "INTEGER[]",
    ("groups", "failures"): "BIGINT",
    ("groups", "last_hour"): "BIGINT",
    ("groups", "clients"): "BIGINT",
    ("groups", "parts"): "MAP(VARCHAR, VARCHAR)",
    ("trend", "requests"): "BIGINT",
    ("issuers", "passing"): "BIGINT",
    ("pipeline", "value"): "BIGINT",
}


def test_the_list_of_views_is_the_contract():
    """No view is missing and none is there by accident."""
    assert {*COLUMNS, "dictionary"} == set(view_names())


@pytest.mark.parametrize("name", COLUMNS)
def test_columns(store, ask, name):
    """Names and order of a view's columns are a promise."""
    described = ask(f"SELECT column_name, column_type FROM (DESCRIBE {name})")

    assert COLUMNS[name].split() == [column for column, _ in described]
    assert {(name, column): kind for column, kind in described} | TYPES == TYPES | {
        (name, column): kind for column, kind in described
    }


def test_what_was_compared_and_who_called(store, ask):
    """A refusal has both sides and the caller's versions; what passes is seen beside it, and only there."""
    store.append([failing(client_version="7.1.0", user_agent_version="4.12.0"), passing(1)], [], {})

    sides = "expected, received, missing_scope, client_version, user_agent_version"
    assert [("b", "a", "write", "7.1.0", "4.12.0")] == ask(f"SELECT {sides} FROM failures")
    assert [("/orders/{id}", "", "")] == ask("SELECT route, client_version, user_agent_version FROM passing_samples")


def test_every_column_is_explained_in_the_lake(store, ask):
    """The dictionary has every column of every view, and every view's comment has them too."""
    columns = ask(
        "SELECT table_name, column_name FROM duckdb_columns() WHERE schema_name = 'main' AND database_name = 'lake'"
    )
    explained = ask("SELECT view_name, column_name FROM dictionary WHERE length(comment) > 3")
    comments = dict(ask("SELECT view_name, comment FROM duckdb_views() WHERE database_name = 'lake' AND NOT internal"))

    assert sorted(columns) == sorted(explained)
    assert set(view_names()) == set(comments)
    assert [] == [(view, column) for view, column in columns if f"\n{column}: " not in comments[view]]


def test_a_snapshot_is_a_plain_duckdb_file(store, tmp_path):
    """Any DuckDB opens it, finds the same rows, and a comment on every view and column."""
    store.append([failing(n) for n in range(3)] + [passing()], [], {})
    file = tmp_path / "it's a copy.duckdb"
    snapshot(store.settings, file)
    snapshot(store.settings, file)

    with duckdb.connect(str(file), read_only=True) as con:
        assert [(3, 1)] == con.execute("SELECT count(*), (SELECT count(*) FROM groups) FROM failures").fetchall()
        columns = con.execute(
            "SELECT table_name, column_name, comment FROM duckdb_columns() WHERE schema_name = 'main' AND NOT internal"
        )
        assert [] == [row for row in columns.fetchall() if not row[2]]
        assert (
            [] == con.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal AND comment IS NULL").fetchall()
        )
        for name in view_names():
            con.execute(f"SELECT * FROM {name}").fetchall()
    assert [file.name] == sorted(path.name for path in tmp_path.iterdir())


def test_the_page_of_the_sql_api_is_current():
    """docs/sql.md holds the reference as `python -m analyzer.lake.document` prints it."""
    page = (Path(__file__).parents[3] / "docs" / "sql.md").read_text(encoding="utf-8")

    assert reference() in page


EXAMPLES = re.findall(
    r"```sql\n(.*?)```", (Path(__file__).parents[3] / "docs" / "sql.md").read_text(encoding="utf-8"), re.DOTALL
)


@pytest.mark.parametrize("sql", EXAMPLES)
def test_the_examples_run(store, ask, sql):
    """Every query of docs/sql.md runs and finds something in a store with failures."""
    store.append(
        [failing(n) for n in range(30)] + [passing(n) for n in range(30)] + [unread()], [], {("received", ""): 61}
    )

    assert ask(sql)
