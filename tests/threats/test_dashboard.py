"""Threats to the page: what outsiders write must be shown as text, run nothing, fetch nothing, and change no statement."""

from __future__ import annotations

import ast
import http.client
import inspect
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.lake import connect_reader
from analyzer.lake.query import run_query
from collector.settings import load
from collector.visible import visible, visible_json
from dashboard import client, filters, panels, queries
from tests.dashboard.conftest import Served, Visit
from tests.threats.hostile import EVIL
from tests.waiting import HANG_S

ROOT = Path(__file__).parents[2]
Use, Serve, Open = Callable[..., None], Callable[[Path], Served], Callable[..., Visit]
INJECTIONS = (  # what means something to SQL, to its parameters, to LIKE, to a format or to C
    "'; DROP VIEW samples; --", "' OR '1'='1", "%", "_", "\\", '"', "') UNION SELECT 1 --", "$since", "{gateway}", "\x00",
    "first\r\nsecond\x08\x7f", "a" * 10_000,
)  # fmt: skip
TIMES = {"since", "until", "before", "other_since", "other_until"}
PLANTED = (
    f'img[src*="{EVIL}"], a[href*="{EVIL}"], a[href^="javascript"], a[href^="data:"], iframe, '
    f'link[href*="{EVIL}"], script:has-text("alert"), svg[onload], [onerror], [onmouseover]'
)


def groups(config: Path) -> list[tuple[str, str]]:
    """Group ids with what they say."""
    con = connect_reader(load(config, environ={}), memory_mib=256)
    rows = run_query(
        con, "SELECT group_id, array_to_string(issuers, ' ') FROM groups ORDER BY failures DESC, group_id"
    ).rows
    con.close()
    return [(str(group), str(says)) for group, says in rows]


@pytest.mark.browser
@pytest.mark.parametrize("path", ["/", "/groups", "/health", "/sql"])
def test_no_page_runs_or_fetches_what_outsiders_wrote(path: str, hostile: Path, serve: Serve, visit: Open) -> None:
    """XSS and markdown exfiltration: no dialog, no request beyond the page's own address, nothing planted in the document."""
    seen = visit(serve(hostile.parent / "data"), path)
    seen.page.locator('[data-testid="stHeading"]').nth(1).wait_for()
    seen.page.wait_for_load_state("networkidle")

    assert ([], [], 0) == (seen.off_origin, seen.dialogs, seen.page.locator(PLANTED).count())


@pytest.mark.browser
def test_no_group_runs_or_fetches_what_outsiders_wrote(hostile: Path, serve: Serve, visit: Open) -> None:
    """The groups' pages, and markup stands on some of them as the text that it is."""
    shown = []
    served = serve(hostile.parent / "data")
    seen = visit(served)  # one after the other in one tab: those that stay open refresh beside each other
    for group, _ in groups(hostile)[:6]:
        seen.page.goto(f"{served.url}/group?group={group}")
        seen.page.get_by_text("How to fix it").first.wait_for()
        seen.page.wait_for_load_state("networkidle")
        shown.append(seen.page.locator("body").inner_text())

        assert ([], [], 0) == (seen.off_origin, seen.dialogs, seen.page.locator(PLANTED).count()), group

    text = "\n".join(shown)
    assert [] == [raw for raw in ("\x1b", "\u202e", "\u200b", "\u2066", "ex\u0430mple") if raw in text]
    assert any(word in text for word in ("<img", "<script>", "![p]", ":material/home:", "$\\frac"))


@pytest.mark.browser
def test_answers_of_the_sql_page_are_text(hostile: Path, serve: Serve, visit: Open) -> None:
    """Asked for every hostile value, as names of columns too, the page shows a grid and nothing else happens."""
    seen = visit(serve(hostile.parent / "data"), "/sql")
    area = seen.page.locator("textarea").first
    area.fill('SELECT issuer, kid, route, user_agent, message, 1 AS "<img src=x onerror=alert(1)>" FROM failures')
    seen.page.get_by_role("button", name="Run").click()
    seen.page.get_by_text("Shown:").wait_for()
    seen.page.wait_for_load_state("networkidle")

    assert ([], [], 0) == (seen.off_origin, seen.dialogs, seen.page.locator(PLANTED).count())


@pytest.mark.browser
@pytest.mark.parametrize(
    "path",
    [
        "/group?group=%27%3B%20DROP%20VIEW%20failures%3B%20--",
        "/group?group=%3Cscript%3Ealert(1)%3C%2Fscript%3E",
        "/?gateway=%3Cimg%20src%3Dhttps%3A%2F%2Fevil.example%2Fi%20onerror%3Dalert(1)%3E&range=%27%3BDROP",
        "/groups?gateway=!%5Bp%5D(https%3A%2F%2Fevil.example%2Fp.png)",
        "/sql?statement=DROP%20VIEW%20failures&asked=DROP%20VIEW%20failures",
    ],
)
def test_an_address_is_no_way_in(path: str, hostile: Path, serve: Serve, visit: Open) -> None:
    """What a link carries is a value: no script, no statement, no traceback."""
    seen = visit(serve(hostile.parent / "data"), path)
    seen.page.locator('[data-testid="stAppViewContainer"]').first.wait_for()
    seen.page.wait_for_load_state("networkidle")

    assert ([], [], 0) == (seen.off_origin, seen.dialogs, seen.page.locator(PLANTED).count())
    assert 0 == seen.page.locator('[data-testid="stException"]').count()
    assert len(groups(hostile)) > 0


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "dashboard" / "queries").glob("*.sql")))
def test_parameters_are_values(name: str, hostile: Path, use: Use) -> None:
    """SQL injection through any parameter of any statement: the same rows as for a value that matches nothing."""
    use(hostile.parent / "data")
    used = duckdb.extract_statements(queries.text(name))[0].named_parameters
    used |= filters.COLUMNS.keys() if "scope" in used else set()
    texts = sorted(used - TIMES - {"bucket_s", "limit", "tree", "sql", "scope", "column"})
    for text in texts:
        nothing = _asked(name, text, "matches-nothing")
        for value in INJECTIONS:
            assert nothing == _asked(name, text, value), value


def _asked(name: str, text: str, value: str) -> list[dict[str, Any]]:
    now = datetime.now(UTC)
    params: dict[str, Any] = {
        "since": now - timedelta(hours=1), "until": now - timedelta(minutes=55), "before": now - timedelta(hours=2),
        "bucket_s": 60, "gateway": "matches-nothing", "group": "matches-nothing", "groups": "matches-nothing",
        "state": "matches-nothing", "by": "code", "other_since": now - timedelta(hours=2), "other_until": now - timedelta(hours=1),
        **dict.fromkeys(filters.COLUMNS, ""),
    }  # fmt: skip
    return client.query(name, **(params | {text: value})).astype(str).to_dict("records")


def test_a_column_is_one_of_a_list() -> None:
    """What to count by comes from the address, too, and stands in the statement itself."""
    with pytest.raises(KeyError):
        queries.statement("explore", {"by": "1; DROP VIEW failures"})


def test_no_statement_is_put_together_from_values() -> None:
    """No f-string of the dashboard holds SQL with a value in it; ad hoc SQL is checked and run by analyzer/lake/adhoc.py."""
    made = [
        f"{path.name}:{ast.unparse(node)[:60]}"
        for path in sorted((ROOT / "dashboard").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.JoinedStr) and _is_sql(node)
    ]

    assert [] == made


def _is_sql(node: ast.JoinedStr) -> bool:
    text = "".join(part.value for part in node.values if isinstance(part, ast.Constant) and isinstance(part.value, str))
    return any(
        text.lstrip().startswith(word) for word in ("SELECT ", "FROM ", "WITH ", "SET ", "ATTACH ", "LOAD ", "CREATE ")
    )


def test_data_never_meets_markup() -> None:
    """No raw HTML, no st.write, no link column; st.markdown for a sentence that is text and code, and for coloured characters, and nothing else."""
    banned = {"unsafe_allow_html", "LinkColumn", "ImageColumn", "MarkdownColumn", "allow_dangerous_code"}
    calls = {"markdown", "write", "write_stream", "html", "iframe", "image", "link_button", "latex", "components"}
    found = []
    for path in sorted((ROOT / "dashboard").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in calls and ast.unparse(node.value).startswith("st"):
                found.append(f"{path.name}: st.{node.attr}")
            name = node.attr if isinstance(node, ast.Attribute) else node.arg if isinstance(node, ast.keyword) else ""
            found += [f"{path.name}: {name}"] if name in banned else []

    assert 2 * ["panels.py: st.markdown"] == found
    assert "    st.markdown(wording.sentence(" in inspect.getsource(panels.say)
    assert 'in zip(("Received", "Expected"), near_miss.marked(' in inspect.getsource(panels.near)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("https://id.ex\u0430mple.com", "https://id.ex\\u0430mple.com"),  # Cyrillic
        ("https://\u0430\u0440\u0440\u04cf\u0435.com", "https://\\u0430\\u0440\\u0440\\u04cf\\u0435.com"),
        ("ex\u0430mple.com", "ex\\u0430mple.com"),
        ("g\u03bf\u03bfgle", "g\\u03bf\\u03bfgle"),  # Greek
        ("https://id.ex\u0251mple.com", "https://id.ex\\u0251mple.com"),  # a Latin letter that looks like a
        ("p\uff41ypal", "p\\uff41ypal"),  # wide
        ("ad\U0001d5c6in", "ad\\U0001d5c6in"),  # mathematical
        ("Zürich für Größe", "Zürich für Größe"),
        ("Ошибка в токене", "Ошибка в токене"),
        ("5 µs ago …", "5 µs ago …"),
    ],
)
def test_a_homoglyph_is_seen(raw: str, shown: str) -> None:
    """A letter that poses as another is written as its code; words of one script stay as they are."""
    assert shown == visible(raw)


@given(st.text())
@settings(deadline=None)
def test_json_for_a_terminal_means_what_it_meant(raw: str) -> None:
    """Escaping what hides changes how JSON is written, never its value."""
    import orjson

    try:
        line = orjson.dumps({"value": raw})
    except TypeError:
        return  # a lone surrogate, which no event holds
    assert {"value": raw} == orjson.loads(visible_json(line))
    assert not any(char in visible_json(line).decode() for char in "\x1b\x7f\x9b\u202e\u200b\u2028")


def upgrade(served: Served, host: str, origin: str | None) -> int:
    """The status with which a websocket to the page is answered; 101 opens it."""
    connection = http.client.HTTPConnection(served.url.partition("//")[2], timeout=HANG_S)
    about = {"Host": host, "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    about |= {"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="} | ({"Origin": origin} if origin is not None else {})
    try:
        connection.request("GET", "/_stcore/stream", headers=about)
        return connection.getresponse().status
    finally:
        connection.close()


def test_a_name_that_leads_to_loopback_reads_nothing(hostile: Path, serve: Serve) -> None:
    """DNS rebinding: whatever agrees with itself is refused unless the page is known by it, on every path."""
    served = serve(hostile.parent / "data")
    own = served.url.partition("//")[2]
    local = f"localhost:{own.rpartition(':')[2]}"
    rebound = [("evil.example", "http://evil.example"), (f"evil.example:{own.rpartition(':')[2]}", None), ("", None)]
    foreign = [
        (own, "http://evil.example"),
        (own, "http://127.0.0.1:1"),
        (own, "null"),
        (own, ""),
        (own, f"http://{local}"),
    ]

    assert [403] * 8 == [upgrade(served, *asked) for asked in [*rebound, *foreign]]
    assert [101] * 3 == [
        upgrade(served, *asked) for asked in [(own, served.url), (local, f"http://{local}"), (own, None)]
    ]
    for path in ("/", "/_stcore/health", "/_stcore/host-config", "/media/x"):
        request = urllib.request.Request(served.url + path, headers={"Host": "evil.example"})
        with pytest.raises(urllib.error.HTTPError, match="421"):
            urllib.request.urlopen(request, timeout=HANG_S)


@pytest.mark.parametrize("path", ["/", "/_stcore/health", "/nowhere", "/media/nothing"])
def test_every_answer_says_what_a_browser_may_do_with_it(path: str, hostile: Path, serve: Serve) -> None:
    """No frame around the page, no script and no request but its own, no address told to others."""
    connection = http.client.HTTPConnection(serve(hostile.parent / "data").url.partition("//")[2], timeout=HANG_S)
    connection.request("GET", path)
    said = connection.getresponse().headers
    connection.close()
    policy = dict(part.strip().partition(" ")[::2] for part in said["Content-Security-Policy"].split(";"))

    assert ("'self'", "'self'", "'none'", "'none'") == tuple(
        policy[name] for name in ("default-src", "connect-src", "frame-ancestors", "base-uri")
    )
    assert "'unsafe-inline'" not in policy["script-src"]
    assert "http" not in said["Content-Security-Policy"]
    assert ("DENY", "same-origin", "nosniff") == (
        said["X-Frame-Options"], said["Referrer-Policy"], said["X-Content-Type-Options"],
    )  # fmt: skip


@pytest.mark.browser
def test_the_page_keeps_its_own_policy(hostile: Path, serve: Serve, visit: Open) -> None:
    """Navigation and charts need nothing that the policy forbids."""
    seen = visit(serve(hostile.parent / "data"), "/health")
    blocked: list[str] = []
    seen.page.on("console", lambda said: blocked.append(said.text) if "Content Security Policy" in said.text else None)
    seen.page.reload()
    seen.page.locator("canvas").first.wait_for()
    seen.page.wait_for_load_state("networkidle")

    assert [] == blocked
