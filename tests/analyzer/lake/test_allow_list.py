"""Ad hoc SQL: one SELECT over the views, and nothing else, however it is written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from analyzer.lake.adhoc import MAX_ROWS, first_rows
from analyzer.lake.allow_list import FUNCTIONS_DENIED, TABLE_FUNCTIONS, VIEWS
from analyzer.lake.attach import Access
from analyzer.lake.errors import QueryRefused, QueryTimeout
from analyzer.lake.reader import Reader
from analyzer.store import Store, open_memory_store
from tests.analyzer.verdict_samples import failing, passing
from tests.waiting import eventually

ALLOWED = (
    "SELECT cause, count(*) AS n FROM failures GROUP BY 1 ORDER BY 1",
    "SELECT 1;",
    "SELECT 1 -- DROP TABLE failures",
    "/* x */ SELECT 1",
    "VALUES (1)",
    "FROM groups LIMIT 1",
    "FROM lake.failures LIMIT 1",
    "SELECT count(*) FROM lake.main.failures",
    "WITH t AS (SELECT * FROM failures) SELECT count(*) FROM t",
    "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT * FROM r",
    "SELECT * FROM unnest([1, 2])",
    "SELECT * FROM range(3)",
    "SELECT [x FOR x IN [1, 2]], list_transform([1, 2], lambda x: x + 1)",
    "SELECT group_id FROM failures QUALIFY row_number() OVER (ORDER BY event_time) < 2",
    "SELECT (SELECT count(*) FROM failures WHERE issuer LIKE '%1')",
    "SELECT 1 AS a, 2 AS a",
    "DESCRIBE failures",
    "SUMMARIZE keys",
    "SHOW TABLES",
    "SELECT * FROM (DESCRIBE failures)",
    "SELECT * FROM (SHOW ALL TABLES)",
    "SELECT * FROM information_schema.tables",
    "SELECT view_name FROM duckdb_views()",
)
DENIED = (
    "",
    "SELEC 1",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP TABLE failures",
    "DROP TABLE failures",
    "INSERT INTO failures SELECT * FROM failures",
    "WITH x AS (SELECT 1 AS a) INSERT INTO keys (kid) SELECT a FROM x RETURNING kid",
    "EXPLAIN ANALYZE SELECT 1",
    "SELECT * FROM '/etc/passwd'",
    "FROM '/etc/passwd'",
    "SELECT * FROM read_csv('/etc/passwd', header = false, sep = ':')",
    "SELECT content FROM read_text('/etc/hostname')",
    "SELECT * FROM glob('/etc/p*')",
    "FROM query('SELECT 1')",
    "SELECT * FROM (FROM query('SELECT 42'))",
    "SELECT * FROM query_table('failures')",
    "FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))",
    "COPY (SELECT 1) TO 'out.csv'",
    "EXPORT DATABASE 'out'",
    "ATTACH ':memory:' AS m2",
    "INSTALL spatial",
    "LOAD sqlite_scanner",
    "SET GLOBAL memory_limit = '2GB'",
    "SET VARIABLE a = 1",
    "RESET threads",
    "PRAGMA database_list",
    "CALL enable_logging(storage => 'file', storage_config => {'path': 'x'})",
    "BEGIN TRANSACTION",
    "CHECKPOINT",
    "CREATE TEMP TABLE t1 AS SELECT 1",
    "PREPARE v AS SELECT 1",
    "FROM duckdb_settings()",
    "FROM duckdb_secrets()",
    "FROM duckdb_databases()",
    "FROM duckdb_logs",
    "SELECT * FROM pg_settings",
    "SELECT * FROM pg_catalog.pg_settings",
    "SELECT * FROM __ducklake_metadata_lake.ducklake_table",
    "SELECT * FROM ducklake_table",
    "FROM ducklake_snapshots('lake')",
    "SELECT current_setting('memory_limit')",
    "SELECT getvariable('a')",
    "SELECT NEXTVAL('s')",
    'SELECT "nextval"(\'s\')',
    "SELECT system.main.nextval('s')",
    "SELECT write_log('x')",
    "SELECT sleep_ms(10)",
    "SHOW DATABASES",
    "SHOW TABLES FROM lake.store",
    "DESCRIBE lake.store.events",
    "SELECT json_serialize_plan('SELECT 1')",
    "SELECT __internal_decompress_string(1)",
    "SELECT other.main.abs(1)",
    "SELECT * FROM information_schema.character_sets",
    "WITH secret AS (SELECT 1) FROM lake.store.secret",
    "SELECT 1 AS a" + " " * 20_000,
    "WITH duckdb_settings AS (SELECT 1) SELECT * FROM duckdb_settings",
    "SELECT * FROM duckdb_settings, (WITH duckdb_settings AS (SELECT 1) SELECT * FROM duckdb_settings)",
    "SELECT * FROM duckdb_tables, (WITH duckdb_tables AS (SELECT 1) SELECT * FROM duckdb_tables)",
    'SELECT * FROM "x.csv", (WITH "x.csv" AS (SELECT 1) SELECT * FROM "x.csv")',
    "SELECT * FROM pandas_scan(1::BIGINT::POINTER, 1::BIGINT::POINTER, 1::BIGINT::POINTER)",
    "SELECT " + "abs(" * 5_000 + "1" + ")" * 5_000,
)  # fmt: skip


@pytest.fixture(scope="module")
def full_store() -> Iterator[Store]:
    """A store with failures."""
    store = open_memory_store()
    store.append([failing(n) for n in range(3)] + [passing(n) for n in range(3)], [], {("received", ""): 6})
    yield store
    store.close()


@pytest.fixture(scope="module")
def reader(full_store: Store) -> Iterator[Reader]:
    """A reader of it, as the page has one."""
    made = Reader(full_store.settings, Access(memory_mib=256, threads=2), timeout_s=30)
    yield made
    made.close()


@pytest.mark.parametrize("sql", ALLOWED)
def test_plain_questions_are_answered(sql: str, reader: Reader) -> None:
    """A SELECT over the views gives rows."""
    assert len(first_rows(reader, sql)) >= 1


@pytest.mark.parametrize("sql", DENIED, ids=lambda sql: sql[:60])
def test_everything_else_is_refused(sql: str, reader: Reader) -> None:
    """Writes, files, settings, catalogs and every disguise of them are refused with words."""
    with pytest.raises(QueryRefused) as refused:
        first_rows(reader, sql)

    assert refused.value.why


def test_the_connection_itself_cannot_leave_the_lake(reader: Reader) -> None:
    """Behind the parser stands a locked, read-only connection: each door is shut on its own."""
    doors = [
        "SELECT * FROM read_text('/etc/hostname')",
        "CREATE TABLE x AS SELECT 1",
        "DELETE FROM failures",
        "COPY (SELECT 1) TO '/tmp/why401-should-not-exist.csv'",
        "ATTACH '/tmp/why401-should-not-exist.duckdb' AS other",
        "SET memory_limit = '64GB'",
        "SET enable_external_access = true",
    ]

    assert [] == [door for door in doors if _opens(reader, door)]


def _opens(reader: Reader, sql: str) -> bool:
    try:
        reader.table(sql)
    except duckdb.Error:
        return False
    return True


def test_no_function_with_side_effects_was_forgotten() -> None:
    """Every volatile scalar of this DuckDB is denied or known to be harmless, so that an upgrade cannot add one."""
    harmless = {"random", "uuid", "gen_random_uuid", "uuidv4", "uuidv7"}
    rows = duckdb.connect().execute(
        "SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type = 'scalar' AND stability = 'VOLATILE'"
    )
    volatile = {name for (name,) in rows.fetchall()}

    assert set() == volatile - FUNCTIONS_DENIED - harmless


def test_a_runaway_statement_is_stopped(full_store: Store) -> None:
    """A cross join of the world ends at the limit, and the same connection answers the next question."""
    brief = Reader(full_store.settings, Access(memory_mib=256), timeout_s=0.5)
    with pytest.raises(QueryTimeout):
        first_rows(brief, "SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b")

    assert [{"one": 1}] == eventually(lambda: _answer(brief, "SELECT 1 AS one"), "an answer")


def _answer(reader: Reader, query: str) -> list[dict[str, Any]]:
    """Nothing yet, when this machine is too busy to answer within the reader's limit."""
    try:
        return first_rows(reader, query).to_pylist()
    except QueryTimeout:
        return []


def test_results_are_cut_to_what_a_person_reads(reader: Reader) -> None:
    """One row more than the limit comes back, so that the page can say there are more."""
    assert MAX_ROWS + 1 == len(first_rows(reader, "SELECT * FROM range(10000000)"))


def test_what_was_checked_is_what_runs(reader: Reader) -> None:
    """The statement is written back from its tree: comments and brackets cannot break out of the wrapping."""
    assert ["a"] == first_rows(reader, "SELECT 1 AS a -- ) LIMIT 9; DROP TABLE failures; --").column_names


def test_the_lists_do_not_overlap() -> None:
    """A table function cannot be both offered and denied, and views are plain names."""
    assert (set(), True) == (TABLE_FUNCTIONS & FUNCTIONS_DENIED, all(view.isidentifier() for view in VIEWS))
