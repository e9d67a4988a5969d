"""Canaries: thousands of secrets of every kind go in wherever records come in; afterwards every byte is searched for them.

Searched are the data directory (Parquet unpacked, the catalog with its log), temporary files, stdout and stderr at debug
level, answers to senders, the Prometheus page, exported metrics, Kafka's event topic, every table and view of the lake,
and what the dashboard sends to a browser. A leak is a whole secret, a half, sixteen characters of it, or its encoding.
"""

from __future__ import annotations

import base64
import gzip
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import duckdb
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from streamlit.testing.v1 import AppTest

from analyzer.alerts import alertmanager, texts, watching
from analyzer.alerts.ledger import Alert
from analyzer.lake import Access, connect, connect_reader
from analyzer.lake.reader import Reader
from analyzer.situation import present
from analyzer.store.migrate import views
from collector.settings import load
from tests.brokers import Broker
from tests.canaries import Found, Search, on_disk
from tests.canary_records import LONG, Carrier, broken, carriers
from tests.canary_rig import END, Rig, end_of, json_request_of, metrics_receiver, request_of
from tests.dashboard.conftest import chromium, serve, use  # noqa: F401  # fixtures
from tests.secrets_of_every_kind import Secret, generate
from tests.waiting import HANG_S, eventually

BATCH = 300
MAX_ALERTS = 50
SCREENS = ("overview", "groups", "group", "health", "sql")
PATHS = ("/", "/groups", "/group?group={group}", "/health", "/sql")
JSON, PROTOBUF = "application/json", "application/x-protobuf"


def told(found: list[Found]) -> list[str]:
    """Leaks as text, the first of each kind and place."""
    firsts = {(leak.kind, leak.where): leak for leak in reversed(found)}
    return [f"{leak.kind} ({leak.form}) in {leak.where}: {leak.around!r}" for leak in firsts.values()]


# The search itself.


def planted(part: str) -> dict[str, bytes]:
    """A part of a secret as it might leak."""
    half = len(part) // 2
    return {
        "whole": f"x {part} x".encode(), "first half": part[:half].encode(), "second half": part[half:].encode(),
        "sixteen and more": part[half - 9 : half + 22].encode(), "base64": base64.b64encode(f"ab{part}".encode()),
        "base64url": base64.urlsafe_b64encode(f"a{part}".encode()), "percent": quote(part, safe="").encode(),
        "hex": part.encode().hex().encode(), "UTF-16": part.encode("utf-16-le"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        ("jws_RS256", 0), ("jws_ES256", 2), ("opaque_43", 0), ("refresh_token", 0), ("pem", 1), ("jwe_dir", 1), ("saml_form", 2),
        ("jws_PS256", 1), ("opaque_hex", 0), ("sd_jwt", 2),
    ],
)  # fmt: skip
def test_a_planted_leak_is_found_in_every_form(kind: str, number: int) -> None:
    """The search can fail: each form of a leak is seen among clean bytes, and clean bytes are clean."""
    rng = generate("planted")
    secrets = [next(rng) for _ in range(400)]
    part = next(secret for secret in secrets if secret.kind == kind).parts[number]
    search, clean = Search(secrets), b"GET /orders 401 Jwt is expired " * 1000

    assert [] == search.find("", clean)
    assert [] == [form for form, leak in planted(part).items() if not search.find("", clean + leak + clean)]


def test_a_leak_is_found_however_it_is_packed(tmp_path: Path) -> None:
    """In compressed Parquet, in a SQLite table and in its write-ahead log, in a gzip file, in a temporary file."""
    secrets = generate("packed")
    secret = next(secret for secret in secrets if secret.kind == "opaque_64")
    leak = secret.parts[0]
    pq.write_table(pa.table({"a": [{"b": [leak]}]}), tmp_path / "a.parquet", compression="zstd")
    (tmp_path / "b.gz").write_bytes(gzip.compress(leak.encode()))
    (tmp_path / "c.tmp").write_bytes(b"\0" * 9999 + leak.encode())
    with sqlite3.connect(tmp_path / "d.sqlite") as catalog:
        catalog.execute("PRAGMA journal_mode = wal")
        catalog.execute("CREATE TABLE t (v)")
        catalog.commit()
        catalog.execute("INSERT INTO t VALUES (?)", ("x" * 4000 + leak,))
        catalog.commit()
        found = Search([secret]).find_all(on_disk(tmp_path))
    catalog.close()

    places = {leak.where.split(" ")[0].split("-")[0] for leak in found}
    assert {"a.parquet", "b.gz", "c.tmp", "d.sqlite"} == places


def test_the_carriers_show_their_secrets() -> None:
    """What is sent holds what is searched for: nearly every line shows its secret to the search before redaction."""
    sent = [*carriers("seen", places=3)]
    search = Search(secret for _, secret in sent)
    seen = sum(bool(search.find("", carrier.line().encode())) for carrier, _ in sent)

    assert seen >= 0.85 * len(sent)


# One process with every source.


@dataclass
class Done:
    """What a run left behind."""

    rig: Rig
    secrets: list[Secret] = field(default_factory=list)
    pages: list[tuple[str, bytes]] = field(default_factory=list)
    _search: tuple[int, Search] | None = None

    def search(self) -> Search:
        """For all secrets so far; built once for each number of them."""
        if self._search is None or self._search[0] != len(self.secrets):
            self._search = (len(self.secrets), Search(self.secrets))
        return self._search[1]

    def take(self, seed: str, places: int = 2) -> list[Carrier]:
        """New carriers; their secrets are remembered."""
        pairs = list(carriers(seed, places=places))
        self.secrets += [secret for _, secret in pairs]
        return [carrier for carrier, _ in pairs]

    def take_broken(self, seed: str) -> list[bytes]:
        pairs = list(broken(seed))
        self.secrets += [secret for _, secret in pairs]
        return [line for line, _ in pairs]


def lines_of(done: Done, seed: str, *, places: int = 1) -> bytes:
    """A file's bytes: every gateway's records, broken ones, an over-long one, and the end."""
    lines = [carrier.line().encode("utf-8", "replace") for carrier in done.take(seed, places)]
    lines += done.take_broken(f"{seed} broken")
    done.secrets.append(secret := next(generate(f"{seed} long")))
    lines.append(LONG(secret.phrases[0]))
    return b"\n".join([*lines, end_of(seed).encode(), b""])


def batches(items: list[Carrier]) -> Iterator[list[Carrier]]:
    return (items[at : at + BATCH] for at in range(0, len(items), BATCH))


def send_otlp(done: Done) -> None:
    """Good requests over each of the three transports."""
    rig = done.rig
    for batch in batches(done.take("otlp grpc")):
        rig.deliver(request_of(batch).SerializeToString())
    for batch in batches(done.take("otlp protobuf")):
        rig.deliver_http(gzip.compress(request_of(batch).SerializeToString()), PROTOBUF, **{"Content-Encoding": "gzip"})
    for batch in batches(done.take("otlp json")):
        rig.deliver_http(json_request_of(batch), JSON)


def send_pushed(done: Done) -> None:
    """In Loki's and Splunk's protocols, and over syslog: lines with secrets, broken ones, and secrets in labels, fields and headers."""
    rig, now = done.rig, str(time.time_ns())
    for batch in batches([*done.take("loki", 1), Carrier(end_of("loki"))]):
        values = [[now, carrier.line(), {"user": carrier.line()[:200]}] for carrier in batch]
        body = orjson.dumps({"streams": [{"stream": {"app": "edge", "line": batch[0].line()[:200]}, "values": values}]})
        rig.deliver_http(body, JSON, "/loki/api/v1/push")
    for batch in batches([*done.take("splunk", 1), Carrier(end_of("splunk"))]):
        events = (orjson.dumps({"event": carrier.line(), "fields": {"a": carrier.line()[:200]}}) for carrier in batch)
        rig.deliver_http(b"\n".join(events), JSON, "/services/collector", Authorization="Splunk " + "a" * 36)
    headers = (b'<134>1 2026-03-03T10:00:00Z edge nginx %d - [a b="%d"] ' % (n, n) for n in range(1 << 20))
    lines = [carrier.line().encode("utf-8", "replace") for carrier in done.take("syslog", 1)]
    lines += [*done.take_broken("syslog broken"), end_of("syslog").encode()]
    rig.write_syslog(header + line for header, line in zip(headers, lines, strict=False))


def send_broken(done: Done) -> None:
    """Requests that are refused, with secrets in body, path, query and headers; none is answered with any of it."""
    rig = done.rig
    for n, (line, secret) in enumerate(broken("otlp broken", 24)):
        done.secrets.append(secret)
        shown = quote(secret.parts[0], safe="")
        body = json_request_of([Carrier(line.decode("utf-8", "replace"))])
        rig.post(body[: -n % 40 - 1], JSON, path=f"/v1/logs?access_token={shown}", Authorization=f"Bearer {shown}")
        rig.post(body.replace(b'"stringValue"', b'"intValue"'), JSON)
        rig.post(body.replace(b'"body"', line[:40].hex().encode()[:20]), JSON, path=f"/{shown}")
        rig.post(line, PROTOBUF, Cookie=f"session={shown}")
        rig.post(line, f"text/{shown}"[:200])
        rig.post(line, PROTOBUF, **{"Content-Encoding": "gzip"})
        rig.call(line)


def await_end(rig: Rig, *sources: str) -> None:
    """The last record of each of these is in the lake, with all before it."""
    settings = load(rig.config, {})
    wanted = {END + source for source in sources}

    def stored() -> bool:
        try:
            con = connect_reader(settings, memory_mib=256)
        except Exception:  # no lake yet
            return False
        try:
            ids = con.execute("SELECT DISTINCT request_id FROM failures WHERE starts_with(request_id, ?)", [END])
            return wanted <= {row[0] for row in ids.fetchall()}
        except duckdb.CatalogException:  # a lake without tables yet
            return False
        finally:
            con.close()

    eventually(stored, f"the last record of {', '.join(sources)}")


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Done:
    """`why401 up` at debug level with every source but Kafka; sent to, asked, stopped."""
    inputs = tmp_path_factory.mktemp("inputs")
    done = Done(Rig(tmp_path_factory.mktemp("embedded") / "run"))
    (inputs / "gateway.log").write_bytes(lines_of(done, "file", places=2))
    (inputs / "stdin.log").write_bytes(lines_of(done, "stdin"))
    with ExitStack() as stack:
        url = stack.enter_context(metrics_receiver(done.rig.place / "metrics.bin"))
        about = (f'prometheus = "127.0.0.1:{done.rig.prometheus}"', f'otlp_endpoint = "{url}"', "interval_seconds = 1")
        exports = ("[export]", f'otlp = "{url}"', 'ocsf = "file:failures.ocsf"', 'ecs = "file:failures.ecs"')
        syslog = ("[syslog]", f'tcp = "127.0.0.1:{done.rig.syslog}"')
        done.rig.configure(*syslog, "[telemetry]", 'log_level = "debug"', *about, *exports)
        stdin = stack.enter_context((inputs / "stdin.log").open("rb"))
        arguments = ("up", "--file", str(inputs / "gateway.log"), "--file", "-")
        process = stack.enter_context(done.rig.process(*arguments, stdin=stdin))
        done.rig.await_ready(process)
        send_otlp(done)
        send_broken(done)
        send_pushed(done)
        done.rig.deliver(request_of([Carrier(end_of("otlp"))]).SerializeToString())
        await_end(done.rig, "file", "stdin", "otlp", "loki", "splunk", "syslog")
        done.pages.append(("the Prometheus page", done.rig.scrape()))
    return done


def test_nothing_is_left_on_disk_or_said(embedded: Done) -> None:
    """Data directory, catalog, temporary files, logs, metrics and answers of a run with every source."""
    search = embedded.search()
    places = [*on_disk(embedded.rig.place), *embedded.pages, *(("an answer", body) for body in embedded.rig.answers)]

    assert len(embedded.secrets) > 3_000
    assert b"why401_records_received" in dict(embedded.pages)["the Prometheus page"]
    assert (embedded.rig.place / "metrics.bin").stat().st_size > 1_000
    assert all((embedded.rig.place / f"failures.{kind}").stat().st_size > 100_000 for kind in ("ocsf", "ecs"))
    assert "DEBUG" in embedded.rig.said()
    assert [] == told(search.find_all(places))


def test_no_column_of_the_lake_holds_one(embedded: Done) -> None:
    """Every table and view, every column."""
    con = connect(load(embedded.rig.config, {}), Access(memory_mib=512, locked=False))
    try:
        names = con.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = 'lake'"
        ).fetchall()
        names += [("", view.name) for view in views()]
        places = [(name, _rows(con, schema, name)) for schema, name in names]
    finally:
        con.close()

    assert dict(places)["events"].count(b"datetime") > 3_000  # most records did become events
    assert [] == told(embedded.search().find_all(places))


def _rows(con: Any, schema: str, name: str) -> bytes:
    table = f'"{schema}"."{name}"' if schema else f'"{name}"'
    return repr(con.execute(f"SELECT * FROM {table}").fetchall()).encode("utf-8", "replace")


def groups_of(done: Done) -> list[str]:
    con = connect_reader(load(done.rig.config, {}), memory_mib=256)
    try:
        return [row[0] for row in con.execute("SELECT group_id FROM groups ORDER BY failures DESC").fetchall()]
    finally:
        con.close()


def test_no_alert_carries_one(embedded: Done) -> None:
    """Every problem as an alert: for chat and mail, for Alertmanager and in its webhook's form, with the words of its end."""
    settings = load(embedded.rig.config, {})
    reader = Reader(settings, Access(memory_mib=512), timeout_s=HANG_S)
    ask = watching.asking(reader)
    rows = ask("problems", gateway="")
    found = present.folded(rows, ask, shown=MAX_ALERTS)
    urgent = tuple(replace(problem, is_urgent=True, state="new") for problem in found.problems)
    now = datetime.now(UTC)
    at = watching.Look(ask=ask, settings=settings.alerts, now=now, link="http://h", silent={})
    alerts = [
        Alert(
            alert_id="a", rule=one.rule, subject=one.subject, severity=one.severity, since=one.since, opened_at=now, told_at=now,
            phase_at=now, title=texts.begun(one.rule, one.title), says=one.says, link=one.link, groups=set(one.groups), is_held=False,
        )
        for one in watching.findings_of(at, replace(found, problems=urgent), rows)
    ]  # fmt: skip
    reader.close()
    said = [f"{one.title} {texts.ended(one.title)} {one.says} {alertmanager.sent_on(one, 'r')}" for one in alerts]
    said.append(str(alertmanager.posted(alerts, now)))

    assert len(alerts) > 20
    assert [] == told(embedded.search().find_all([("an alert", text.encode("utf-8", "replace")) for text in said]))


@pytest.mark.parametrize("screen", SCREENS)
def test_no_screen_sends_one_to_a_browser(screen: str, embedded: Done, use: Callable[..., None]) -> None:  # noqa: F811
    """Every element of every screen, with the data behind its tables and charts; for many groups."""
    use(embedded.rig.place / "lake")
    search, subjects = embedded.search(), groups_of(embedded)[:5] if screen == "group" else [""]
    leaks = [leak for group in subjects for leak in search.find(screen, _drawn(screen, group))]

    assert [] == told(leaks)


def _drawn(screen: str, group: str) -> bytes:
    app = AppTest.from_string(f"from dashboard.screens import {screen}\n{screen}.page()\n", default_timeout=HANG_S)
    app.query_params.update({"range": "7d", **({"group": group} if group else {})})
    app.run()
    assert 0 == len(app.exception)
    drawn = b"".join(element.proto.SerializeToString() for element in _elements(app._tree))
    assert len(drawn) > 200
    return drawn


def _elements(block: Any) -> Iterator[Any]:
    for child in block.children.values():
        if hasattr(child, "children"):
            yield from _elements(child)
        elif hasattr(child, "proto"):
            yield child


@pytest.mark.browser
def test_no_page_in_a_real_browser_holds_one(embedded: Done, chromium: Any, serve: Callable[..., Any]) -> None:  # noqa: F811
    """HTML, and every frame and response that the browser received."""
    served, group = serve(embedded.rig.place / "lake"), groups_of(embedded)[0]
    seen: list[tuple[str, bytes]] = []
    page = chromium.new_page()

    def keep(socket: Any) -> None:
        socket.on(
            "framereceived", lambda data: seen.append(("a frame", data if isinstance(data, bytes) else data.encode()))
        )

    page.on("websocket", keep)
    for path in PATHS:
        page.goto(served.url + path.format(group=group))
        page.locator('[data-testid="stDataFrame"], [data-testid="stExpander"]').first.wait_for(timeout=HANG_S * 1000)
        page.wait_for_load_state("networkidle")
        seen.append((path, page.content().encode()))
    page.close()
    seen.append(("the page's log", served.log.read_bytes()))

    assert sum(where == "a frame" for where, _ in seen) > len(PATHS)
    assert [] == told(embedded.search().find_all(seen))


# The commands that read records from a terminal.


@pytest.mark.parametrize("command", ["explain", "redact"])
def test_a_command_prints_none(command: str, tmp_path: Path) -> None:
    """`why401 explain` and `why401 redact` of every gateway's records."""
    done = Done(Rig(tmp_path / "run"))
    done.rig.configure()
    records = tmp_path / "records.log"
    records.write_bytes(lines_of(done, command, places=2))
    answer = subprocess.run(
        [sys.executable, "-m", "why401", command, str(records)],
        capture_output=True,
        timeout=2 * HANG_S,
        check=False,
    )

    assert len(answer.stdout) > 10_000, answer.stderr
    assert [] == told(done.search().find_all([("stdout", answer.stdout), ("stderr", answer.stderr)]))


# Through Kafka.


@pytest.mark.kafka
def test_the_event_topic_holds_none(kafka: Broker, tmp_path: Path) -> None:
    """`why401 collect` from a raw topic: values, keys and headers of every event; then `why401 analyze` and its lake."""
    done = Done(Rig(tmp_path / "run"))
    raw, events = kafka.topic(1), kafka.topic(1)
    lines = [carrier.line().encode("utf-8", "replace") for carrier in done.take("kafka", 3)] + done.take_broken(
        "kafka broken"
    )
    otlp = done.take("kafka otlp")
    lines += [request_of(batch).SerializeToString() for batch in batches(otlp)] + [
        json_request_of(b) for b in batches(otlp)
    ]
    kafka.produce(raw, [*lines, b"\n".join(lines[:50]), end_of("kafka").encode()])
    done.rig.configure(
        "[kafka]", f'bootstrap = ["{kafka.bootstrap}"]', f'topics = ["{raw}"]', f'events_topic = "{events}"', f'group = "{raw}"',
        "[telemetry]", 'log_level = "debug"', f'prometheus = "127.0.0.1:{done.rig.prometheus}"',
    )  # fmt: skip
    with done.rig.process("collect"):
        eventually(lambda: END.encode() in kafka.messages(events, len(lines))[-1].value, "the last event")
        messages = kafka.messages(events, len(lines))
    with done.rig.process("analyze"):
        await_end(done.rig, "kafka")
    sent = [("an event", repr((m.key, m.headers)).encode() + m.value) for m in messages]

    assert len(sent) > 1_500
    assert [] == told(done.search().find_all([*sent, *on_disk(done.rig.place)]))


# When it breaks.

CRASHES = {
    "parser": "import collector.pipeline as p\ndef broken(record, *a): raise ValueError(record.text or str(record.fields))\np.peel = broken",
    "lines": "from collector.sources.lines import MultiLine as m\ndef broken(self, offset, line): raise KeyError(line)\nm.feed = broken",
    "decoder": "import collector.sources.otlp.protobuf_decoder as p\ndef broken(body, *a): raise ValueError(body)\np._record = broken",
    "redaction": "import collector.redaction.engine as e\ndef broken(text, *a): raise RuntimeError(text)\ne.run = broken",
    "receiver": "import collector.sources.otlp.receiver as o\ndef broken(self, ticket, *a): raise RuntimeError(ticket._pieces)\no.Receiver.receive = broken",
    "worker": "import collector.worker as w\ndef broken(self, batch): raise ValueError([(r.text, r.fields) for r in batch.items])\nw.Worker._work = broken",
    "diagnosis": "import analyzer.pipeline as p\ndef broken(self, event): raise ValueError(event)\np.Analyzer.judge = broken",
}  # fmt: skip
BREAK = "import sys\n{patch}\nfrom why401.cli import main\nsys.argv[0] = 'why401'\nmain()\n"


@pytest.mark.parametrize("place", CRASHES)
def test_a_crash_shows_none(place: str, tmp_path: Path) -> None:
    """A stage raises with the raw record in its message: process dead or alive, no byte of it is written or said."""
    done = Done(Rig(tmp_path / "run"))
    done.rig.configure("[telemetry]", 'log_level = "debug"', 'prometheus = ""')
    (tmp_path / "gateway.log").write_bytes(lines_of(done, place))
    sent = [request_of(batch).SerializeToString() for batch in batches(done.take(f"{place} otlp", 1))][:2]
    code = ("-c", BREAK.format(patch=CRASHES[place]))
    with done.rig.process("up", "--file", str(tmp_path / "gateway.log"), code=code) as process:
        eventually(lambda: process.poll() is not None or "lake " in done.rig.said(), "up is ready or dead")
        for body in sent:
            if process.poll() is None:
                _try(done.rig, body)
    places = [*on_disk(done.rig.place), *(("an answer", body) for body in done.rig.answers)]

    assert done.rig.said()
    assert [] == told(done.search().find_all(places))


def _try(rig: Rig, body: bytes) -> None:
    try:
        rig.post(body, PROTOBUF)
    except OSError:  # it died of what it was sent
        return


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGABRT, signal.SIGSEGV])
def test_a_killed_process_leaves_none(number: signal.Signals, tmp_path: Path) -> None:
    """Killed while it works: half-written files, the catalog's log, the interpreter's dump of its threads, no core."""
    done = Done(Rig(tmp_path / "run"))
    done.rig.configure("[telemetry]", 'log_level = "debug"', 'prometheus = ""')
    (tmp_path / "gateway.log").write_bytes(lines_of(done, f"{number}") * 20)
    with done.rig.process("up", "--file", str(tmp_path / "gateway.log")) as process:
        done.rig.await_ready(process)
        eventually(lambda: any((done.rig.place / "lake").rglob("*.parquet")), "something is written")
        process.send_signal(number)
        assert -number == process.wait(HANG_S)

    assert [] == [path for path in done.rig.place.rglob("core*") if path.is_file()]
    assert (number == signal.SIGKILL) or "Fatal Python error" in done.rig.said()
    assert [] == told(done.search().find_all(on_disk(done.rig.place)))
