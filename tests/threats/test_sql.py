"""Threats to remote SQL and to the dashboard's SQL page: what is asked, by whom, for how long, and what is left behind."""

from __future__ import annotations

import contextlib
import json
import stat
import subprocess
import sys
import threading
import tomllib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.lake.adhoc import MAX_ROWS, first_rows
from analyzer.lake.allow_list import FUNCTIONS_DENIED, refusal
from analyzer.lake.attach import load_extension
from analyzer.lake.errors import QueryRefused, QueryTimeout, QueryTooLarge
from collector.errors import ConfigurationError
from dashboard import client
from tests.threats.conftest import BRIEF_S, Remote, remote_query
from tests.threats.quack_client import Client
from tests.waiting import HANG_S, eventually
from why401.cli import main
from why401.sql_server import authorization
from why401.sql_server.address import check_address
from why401.sql_server.client_tokens import FILE, ClientTokens, Token
from why401.sql_server.watch import MAX_SESSIONS, Watched, messages, why_stop

ROOT = Path(__file__).parents[2]
STATEMENTS = tomllib.loads((Path(__file__).parent / "sql_statements.toml").read_text(encoding="utf-8"))
REFERENCE = ROOT.parent / "shared" / "reference" / "quack_attacks.json"
# The reference was written for a catalog `auth` with a column `id`; it says that these 23 of its 92 may run.
LEGITIMATE = 23


def cases(kind: str) -> list[object]:
    return [
        pytest.param(sql, id=f"{name}-{number}")
        for name, group in STATEMENTS[kind].items()
        for number, sql in enumerate(group)
    ]


def reference() -> list[str]:
    if not REFERENCE.exists():
        return []
    words = (("auth.", "lake."), (" iss", " issuer"), ("SELECT id ", "SELECT group_id "), ("BY id)", "BY group_id)"))
    words = (*words, ("max(id)", "max(group_id)"), (" id IN", " group_id IN"))
    found: list[str] = json.loads(REFERENCE.read_text())
    for old, new in words:
        found = [sql.replace(old, new) for sql in found]
    return found


class Judge:
    """The server's own macro and the page's own function, side by side."""

    def __init__(self) -> None:
        self.con = duckdb.connect()
        for name in ("ducklake", "sqlite_scanner", "httpfs", "quack"):
            load_extension(self.con, name)
        authorization.install(self.con)
        names = self.con.execute(
            "SELECT lower(view_name) FROM duckdb_views() UNION SELECT lower(table_name) FROM duckdb_tables() UNION "
            "SELECT lower(function_name) FROM duckdb_functions() WHERE function_type IN ('table', 'table_macro', 'pragma')"
        )
        self.taken = frozenset(name for (name,) in names.fetchall())

    def macro(self, sql: str) -> bool:
        row = self.con.execute("SELECT sec.main.judged(?)", [sql]).fetchone()
        assert row
        return row[0] is not None

    def python(self, sql: str) -> bool:
        row = self.con.execute("SELECT json_serialize_sql(?)", [sql]).fetchone()
        assert row
        return not refusal(json.loads(row[0]), self.taken)


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge()


# ── what may be asked ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("sql", cases("allowed"))
def test_a_plain_question_is_answered_remotely(sql: str, asking: Client) -> None:
    """A SELECT over the views, or a description of them, gives rows from catalog and Parquet files."""
    assert len(remote_query(asking, sql)) >= 1


@pytest.mark.parametrize("sql", cases("refused"))
def test_everything_else_is_refused_remotely(sql: str, asking: Client) -> None:
    """Files, functions, settings, catalogs, writes, servers, several statements, and every disguise of them."""
    with pytest.raises(duckdb.Error) as refused:
        remote_query(asking, sql)

    assert "Authorization failed" in str(refused.value)


@pytest.mark.parametrize("sql", cases("allowed"))
def test_a_plain_question_is_answered_on_the_page(sql: str, real_lake: Path, use: Callable[..., None]) -> None:
    """The same list, the same answer."""
    use(real_lake.parent / "data")

    assert len(first_rows(client.lake(), sql)) >= 1


@pytest.mark.parametrize("sql", cases("refused"))
def test_everything_else_is_refused_on_the_page(sql: str, real_lake: Path, use: Callable[..., None]) -> None:
    """The same list, refused in words."""
    use(real_lake.parent / "data")

    with pytest.raises(QueryRefused) as refused:
        first_rows(client.lake(), sql)

    assert refused.value.why


@pytest.mark.skipif(not REFERENCE.exists(), reason="the reference stands beside the repository, not in it")
def test_the_reference_attacks_are_refused_remotely(asking: Client) -> None:
    """Of its 92 statements the 23 legitimate ones run, and no other."""
    ran = [sql for sql in reference() if _runs(asking, sql)]

    assert (92, LEGITIMATE) == (len(reference()), len(ran)), ran


@pytest.mark.skipif(not REFERENCE.exists(), reason="the reference stands beside the repository, not in it")
def test_page_and_server_agree_on_the_reference(judge: Judge) -> None:
    """Both let the same 23 run."""
    assert [] == [sql for sql in reference() if judge.macro(sql) != judge.python(sql)]
    assert LEGITIMATE == sum(judge.macro(sql) for sql in reference())


def _runs(con: Client, sql: str) -> bool:
    try:
        remote_query(con, sql)
    except duckdb.Error as error:
        return "Authorization failed" not in str(error) and bool(sql)
    return True


PIECES = st.sampled_from(
    [
        "failures",
        "groups",
        "sec.main.tokens",
        "lake.store.events",
        "(SELECT 1)",
        "range(3)",
        "glob('/*')",
        "t",
        "'/etc/passwd'",
    ]
)
SHAPES = st.sampled_from(
    ["SELECT * FROM {a}", "FROM {a}, {b}", "WITH t AS (FROM {a}) FROM t JOIN {b} ON true", "DESCRIBE {a}",
     "SELECT (SELECT 1 FROM {a}) FROM {b}", "FROM {a} WHERE EXISTS (FROM {b})", "FROM {a} UNION ALL FROM {b}"]
)  # fmt: skip


@given(SHAPES, PIECES, PIECES)
@settings(max_examples=150, deadline=None)
def test_page_and_server_agree(shape: str, a: str, b: str) -> None:
    """One allow list in two languages: no statement is judged differently."""
    sql = shape.format(a=a, b=b)

    assert JUDGE().macro(sql) == JUDGE().python(sql), sql


def JUDGE(made: list[Judge] = []) -> Judge:  # noqa: B006, N802 - one for all examples
    if not made:
        made.append(Judge())
    return made[0]


def test_no_function_with_side_effects_was_forgotten(judge: Judge) -> None:
    """Every volatile scalar of DuckDB and of the loaded extensions is denied or known to be harmless."""
    harmless = {"random", "uuid", "gen_random_uuid", "uuidv4", "uuidv7"}
    rows = judge.con.execute(
        "SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type = 'scalar' AND stability = 'VOLATILE'"
    )

    assert set() == {name for (name,) in rows.fetchall()} - FUNCTIONS_DENIED - harmless


def test_attached_tables_are_read_and_never_written(asking: Client) -> None:
    """`r.failures` works like a table; inserting, creating and transactions fail."""
    assert [(2_050,)] == asking.rows("SELECT count(*) FROM r.failures")
    for sql in ("INSERT INTO r.failures (code) VALUES ('x')", "DELETE FROM r.failures", "CREATE TABLE r.t (i INT)"):
        with pytest.raises(duckdb.Error):
            asking.rows(sql)
    assert [(2_050,)] == asking.rows("SELECT count(*) FROM r.failures")


def test_the_writer_goes_on_beside_it(remote: Remote, asking: Client, tmp_path: Path) -> None:
    """Remote SQL reads each commit of another process."""
    from benchmarks.traffic import envoy_json
    from tests.threats.conftest import fill

    before = remote_query(asking, "SELECT count(*) FROM traffic")
    (tmp_path / "more.log").write_text("\n".join(envoy_json(20, tokens=3, denied=False)) + "\n")
    fill(remote.config, tmp_path / "more.log")

    assert before < remote_query(asking, "SELECT count(*) FROM traffic")


# ── bounds ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("sql", STATEMENTS["bounded"]["time"])
def test_an_endless_query_is_ended(sql: str, brief: Remote) -> None:
    """Within seconds of the limit the query is gone, the audit log says so, and the next client is answered."""
    with pytest.raises(duckdb.Error):
        remote_query(brief.client(), sql)

    assert [(1,)] == remote_query(brief.client(), "SELECT 1")
    audit = brief.data_dir / "sql-audit.jsonl"
    eventually(lambda: f"longer than {BRIEF_S:g} s" in audit.read_text(), "the audit log says why")


@pytest.mark.parametrize("sql", STATEMENTS["bounded"]["memory"])
def test_a_greedy_query_is_refused_memory(sql: str, remote: Remote) -> None:
    """It fails, and the server is there for the next client."""
    with pytest.raises(duckdb.Error):
        remote_query(remote.client(), sql)

    assert [(1,)] == remote_query(remote.client(), "SELECT 1")


def test_a_long_answer_is_an_error_not_a_short_answer(remote: Remote) -> None:
    """Beyond the bound of rows the client gets an error; up to it, it gets them all."""
    con = remote.client()
    # The extension ends the query for the bound; of the thread that says so and the one that is ended, either may be heard first.
    with pytest.raises(duckdb.Error, match=r"more than|Interrupted"):
        con.rows(f"SELECT count(*) FROM r.query('FROM range({authorization.MAX_ROWS + 1})')")

    assert [(authorization.MAX_ROWS,)] == con.rows(
        f"SELECT count(*) FROM r.query('FROM range({authorization.MAX_ROWS})')"
    )


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT " + "abs(" * 5_000 + "1" + ")" * 5_000,
        "SELECT " + "(" * 9_000 + "1" + ")" * 9_000,
        "SELECT " + "+".join(["1"] * 9_000),
        "SELECT '" + "x" * authorization.MAX_LENGTH + "'",
        "SELECT " + "[" * 9_000 + "]" * 9_000,
    ],
    ids=["calls", "brackets", "chain", "long", "lists"],
)
def test_deep_and_long_statements_break_nothing(sql: str, remote: Remote) -> None:
    """None brings the server down: the same session is answered afterwards."""
    con = remote.client()
    with contextlib.suppress(duckdb.Error):  # brackets alone leave no trace in the tree
        remote_query(con, sql)

    assert [(1,)] == remote_query(con, "SELECT 1")


def test_a_large_body_without_a_token_does_not_end_the_service(remote: Remote) -> None:
    """Whatever it costs the server, the next client is answered."""
    import http.client

    host, _, port = remote.address.rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=HANG_S)
    try:
        connection.request("POST", "/quack", body=(b"x" * (1 << 20) for _ in range(1_500)), encode_chunked=True)
        connection.getresponse().read()
    except OSError:
        pass  # killed in the middle of it
    finally:
        connection.close()

    assert [(1,)] == remote_query(remote.client(), "SELECT 1")


def test_ingestion_and_page_go_on_under_an_endless_query(
    real_lake: Path, use: Callable[..., None], tmp_path: Path
) -> None:
    """While the SQL page runs what heeds no interrupt, a commit goes through and another panel answers; then it is killed."""
    from benchmarks.traffic import envoy_json
    from tests.threats.conftest import fill

    use(real_lake.parent / "data", query_timeout_seconds=3)
    failed: list[BaseException] = []
    endless = "SELECT levenshtein(repeat('a', 400000), repeat('b', 400000))"
    runaways = [threading.Thread(target=lambda: _collect(lambda: client.ask(endless), failed)) for _ in range(2)]
    for runaway in runaways:
        runaway.start()
    (tmp_path / "more.log").write_text("\n".join(envoy_json(10, tokens=2, denied=False)) + "\n")
    fill(real_lake, tmp_path / "more.log")
    panel = client.query("columns")
    for runaway in runaways:
        runaway.join(HANG_S)

    assert (True, [QueryTimeout, QueryTimeout]) == (len(panel) > 0, [type(error) for error in failed])
    assert 1 == client.ask("SELECT 1 AS one")["one"][0]
    client.workers().close()


def _collect(call: Callable[[], object], failed: list[BaseException]) -> None:
    try:
        call()
    except BaseException as error:
        failed.append(error)


@pytest.mark.parametrize("sql", STATEMENTS["bounded"]["memory"])
def test_the_page_survives_a_greedy_query(sql: str, real_lake: Path, use: Callable[..., None]) -> None:
    """Not all memory counts for DuckDB's own limit; the worker's limit holds, and the page's process is another one."""
    use(real_lake.parent / "data", memory_mib=256)
    with pytest.raises((QueryRefused, QueryTimeout, QueryTooLarge)):
        client.ask(sql)

    assert 1 == client.ask("SELECT 1 AS one")["one"][0]
    client.workers().close()


def test_the_page_cuts_a_long_answer_and_says_so(real_lake: Path, use: Callable[..., None]) -> None:
    """One row more than is shown comes back, whatever was asked."""
    use(real_lake.parent / "data")

    assert MAX_ROWS + 1 == len(client.ask("SELECT * FROM range(10000000)"))
    client.workers().close()


# ── who may ask ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "token", ["wrong-token-wrong-token-wrong-token", "", "' OR 1=1 --", "long-random-never-given-out"]
)
def test_a_wrong_token_is_refused_and_written_down(token: str, remote: Remote) -> None:
    """The audit log has the attempt, without the token."""
    before = len(_audit(remote))
    with pytest.raises(duckdb.Error, match=r"Authentication failed|token"):
        remote.client(token or "x")

    refused = {"event": "login", "client": "", "ok": False}
    eventually(lambda: any(refused.items() <= line.items() for line in _audit(remote)[before:]), "the refused login")
    assert remote.token not in (remote.data_dir / "sql-audit.jsonl").read_text()


def _audit(remote: Remote) -> list[dict[str, object]]:
    """What the supervisor has read of the server's log so far: wait for what is expected."""
    lines = (remote.data_dir / "sql-audit.jsonl").read_bytes().split(b"\n")[:-1]
    return [json.loads(line) for line in lines]


def _audited(remote: Remote, word: str, count: int) -> list[dict[str, object]]:
    """The lines about statements with this word, as soon as there are `count`."""

    def found() -> list[dict[str, object]]:
        return [line for line in _audit(remote) if word in str(line.get("sql"))]

    eventually(lambda: len(found()) >= count, f"{count} lines about {word}")
    return found()


def _refused(remote: Remote, secret: str, why: str = "Authentication failed") -> bool:
    """Whether a client with this token is refused now."""
    try:
        remote.client(secret).close()
    except duckdb.Error as error:
        return why in str(error)
    return False


def test_an_expired_token_is_refused(remote: Remote) -> None:
    """A token has an end, after which it opens nothing."""
    file = ClientTokens(remote.data_dir / FILE)
    secret, later = file.grant("brief", days=-1 / 86_400), file.grant("long", days=1)
    eventually(lambda: not _refused(remote, later), "the server has read both tokens")

    assert _refused(remote, secret)


def test_a_session_ends_with_its_token(remote: Remote) -> None:
    """A client that is attached when its token is revoked is refused within seconds; others are not."""
    run = ("sql", "--config", str(remote.config))
    granted = CliRunner().invoke(main, [*run, "--grant", "leaver"], catch_exceptions=False)
    secret = granted.stdout.strip()
    eventually(lambda: not _refused(remote, secret), "the server has read the token")
    leaver, stayer = remote.client(secret), remote.client()
    assert [(1,)] == remote_query(leaver, "SELECT 1")

    CliRunner().invoke(main, [*run, "--revoke", "leaver"], catch_exceptions=False)

    eventually(lambda: not _runs(leaver, "SELECT 1"), "the session has ended")
    with pytest.raises(duckdb.Error, match="Authorization failed"):
        remote_query(leaver, "SELECT 1")
    assert [(1,)] == remote_query(stayer, "SELECT 1")


def test_every_question_is_in_the_audit_log_without_its_answer(remote: Remote) -> None:
    """Who, what, allowed or not; no result, no token, no session id; a pasted secret is redacted."""
    con = remote.client()
    pasted = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlLXNpZ25hdHVyZS1zaWduYXR1cmU"
    remote_query(con, f"SELECT 40 + 2 AS marker_audit, '{pasted}' AS t")
    with pytest.raises(duckdb.Error):
        remote_query(con, "DROP VIEW marker_audit")

    lines = _audited(remote, "marker_audit", 2)
    assert [("default", True), ("default", False)] == [(line["client"], line["ok"]) for line in lines]
    text = (remote.data_dir / "sql-audit.jsonl").read_text()
    assert (False, False, 12) == (pasted in text, remote.token in text, len(str(lines[0]["session"])))


def test_tokens_and_audit_log_are_private(remote: Remote) -> None:
    """Mode 0600, the token as a digest only, and nothing of it on a command line."""
    for name in (FILE, "sql-audit.jsonl"):
        assert 0o600 == stat.S_IMODE((remote.data_dir / name).stat().st_mode)
    assert remote.token not in (remote.data_dir / FILE).read_text()
    if Path("/proc").is_dir():
        lines = [path.read_bytes() for path in _processes("cmdline")]
        assert [] == [line for line in lines if remote.token.encode() in line]


def _processes(what: str) -> Iterator[Path]:
    for path in Path("/proc").glob(f"[0-9]*/{what}"):
        try:
            path.read_bytes()
        except OSError:
            continue
        yield path


def test_a_token_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    """Wrong configuration stops the start."""
    (tmp_path / "mine").write_text("x" * 40)
    (tmp_path / "mine").chmod(0o644)

    with pytest.raises(ConfigurationError, match="others can read it"):
        ClientTokens(tmp_path / FILE).adopt("ci", tmp_path / "mine", 1)


def test_a_token_of_the_operators_own_opens(real_lake: Path, serve_sql: Callable[..., Remote], tmp_path: Path) -> None:
    """--token-file takes a secret from a file of mode 0600, and prints nothing."""
    (tmp_path / "mine").write_text("operators-own-token-of-enough-length\n")
    (tmp_path / "mine").chmod(0o600)
    served = serve_sql(real_lake, "--token-file", str(tmp_path / "mine"), "--client", "ci")

    assert [(1,)] == remote_query(served.client("operators-own-token-of-enough-length"), "SELECT 1")


@pytest.mark.parametrize("address", ["0.0.0.0:9494", "[::]:9494", "192.0.2.1:9494", "example.com:9494"])
def test_beyond_loopback_needs_a_word(address: str, tmp_path: Path) -> None:
    """quack speaks plain HTTP: the start is refused with the remedy, unless --insecure is said."""
    (tmp_path / "why401.toml").write_text(f'data_dir = "{tmp_path}/data"\n')
    result = CliRunner().invoke(
        main,
        ["sql", "--serve", "--config", str(tmp_path / "why401.toml"), "--address", address],
        catch_exceptions=False,
    )

    assert (2, True) == (result.exit_code, "TLS proxy" in result.stderr)
    assert check_address(address, insecure=True)


@pytest.mark.parametrize("address", ["127.0.0.1:9494", "localhost:9494", "[::1]:9494", "127.8.9.1:1"])
def test_loopback_needs_none(address: str) -> None:
    """The default listens for this machine only."""
    assert not check_address(address, insecure=False)


@pytest.mark.parametrize("address", ["9494", "localhost", "localhost:x", "localhost:99999", ""])
def test_an_address_that_is_none_is_named(address: str) -> None:
    """Wrong configuration is refused with what would be right."""
    with pytest.raises(ConfigurationError, match="host:port"):
        check_address(address, insecure=True)


def test_an_address_in_use_is_named(remote: Remote) -> None:
    """quack would share the port with the server that has it."""
    command = [
        sys.executable,
        "-m",
        "why401",
        "sql",
        "--serve",
        "--config",
        str(remote.config),
        "--address",
        remote.address,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=HANG_S)

    assert (2, True) == (done.returncode, "cannot listen on it" in done.stderr)


def test_many_clients_are_served(remote: Remote) -> None:
    """Forty sessions at once, each with a connection of its own."""
    clients = [remote.client() for _ in range(40)]

    assert [[(1,)]] * 40 == [remote_query(con, "SELECT 1") for con in clients]


def test_no_store_is_said_in_words(tmp_path: Path) -> None:
    """A server that cannot start ends with status 2 and its reason, not in a loop."""
    (tmp_path / "why401.toml").write_text(f'data_dir = "{tmp_path}/data"\n')
    command = [sys.executable, "-m", "why401", "sql", "--serve", "--config", str(tmp_path / "why401.toml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=HANG_S)

    assert (2, True) == (done.returncode, "no store at" in done.stderr)


# ── the supervisor's decisions ─────────────────────────────────────────────────────────────────────────────────────

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def tick(**facts: object) -> dict[str, object]:
    return {"event": "tick", "rss_mib": 100, "sessions": [], "active": [], **facts}


def test_the_server_is_killed_for_a_reason_only() -> None:
    """Too long, too large, or too many sessions left behind; a busy server with many sessions is left alone."""
    many = [str(n) for n in range(MAX_SESSIONS + 1)]
    verdicts = [
        why_stop(tick(active=[["s", 100.0]]), 103.0, 4, 256),
        why_stop(tick(active=[["s", 100.0]]), 105.0, 4, 256),
        why_stop(tick(rss_mib=9_000), 0.0, 4, 256),
        why_stop(tick(sessions=many), 0.0, 4, 256),
        why_stop(tick(sessions=many, active=[["s", 0.0]]), 1.0, 4, 256),
    ]

    assert [False, True, True, True, False] == [bool(why) for _, why in verdicts]


def test_a_session_belongs_to_its_token() -> None:
    """A token that expired, was revoked or was replaced ends its sessions, and only those; sessions that are gone are forgotten."""
    watched = Watched()
    for session, client_, digest in (("a", "anna", "1"), ("b", "ben", "2"), ("c", "cleo", "3")):
        watched.logged_in(session, client_, digest)
    later = NOW + timedelta(days=1)
    tokens = [Token("anna", "1", later), Token("ben", "other", later), Token("cleo", "3", NOW)]

    assert {"b", "c"} == watched.to_end(tokens, NOW)
    watched.ticked(["a"])
    watched.ticked(["a"])
    assert {"a"} == set(watched.owners)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "garbage",
        "a\tb",
        '1\tX\t\t\t\t\tt\tQueryLog\tINFO\t{"event": "login"}',
        "1\tX\t\t\t\t\tt\twhy401\tWARNING\t{broken",
    ],
)
def test_only_our_own_log_lines_count(line: str) -> None:
    """What DuckDB logs of itself, and what a client makes it log, is no message to the supervisor."""
    assert [] == list(messages(line))


def test_a_client_cannot_forge_a_log_line(remote: Remote) -> None:
    """A statement with a whole log line in it, line breaks and tabs included, is one query in the audit log."""
    forged = (
        '1\tX\t\t\t\t\tt\twhy401\tWARNING\t"{""event"":""login"",""session"":""x"",""client"":""root"",""ok"":true}"'
    )
    remote_query(remote.client(), f"SELECT 1 -- forged_line\n{forged}".replace("\n1\t", "\n--1\t"))
    with pytest.raises(duckdb.Error):
        remote_query(remote.client(), f"x\n{forged}\n")

    assert [True] == [line["ok"] for line in _audited(remote, "forged_line", 1)]
    assert [] == [line for line in _audit(remote) if line.get("client") == "root"]
