"""Lines in, records out: what belongs together, what does not, and what happens beyond the bounds."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.events import Origin
from collector.settings import FileSettings
from collector.sources.file import FileSource
from collector.sources.kafka.decoding import Message, decode_raw
from collector.sources.lines import MAX_BLANK, MultiLine, records_of
from collector.telemetry import Telemetry
from tests.collector.gateways.cases import FILES, IDS, load, raw_record
from tests.intakes import LedgerIntake
from tests.traces import TRACES

JAVA = """\
2026-05-11 06:07:08.123 DEBUG 1 --- [nio-1] o.s.s.o.s.r.a.JwtAuthenticationProvider : Failed to authenticate since the JWT was invalid

org.springframework.security.oauth2.jwt.JwtValidationException: Jwt expired
\tat org.example.A.b(A.java:1)
\t... 12 more
Caused by: com.nimbusds.jwt.proc.BadJWTException: Expired JWT
\tat org.example.C.d(C.java:2)"""
PYTHON = """\
ERROR:carts.auth:could not read the token
Traceback (most recent call last):
  File "/app/auth.py", line 31, in user
    claims = jwt.decode(token, key)
jwt.exceptions.DecodeError: Not enough segments

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/app/web.py", line 9, in call
    raise Refused
carts.Refused: no user"""
NODE = """\
JsonWebTokenError: invalid signature
    at verify (/app/verify.js:171:19)
    at next (/app/router.js:9:1)"""
DOTNET = """\
fail: Microsoft.AspNetCore.Authentication.JwtBearer.JwtBearerHandler[3]
      Exception occurred while processing message.
      Microsoft.IdentityModel.Tokens.SecurityTokenExpiredException: IDX10223: Lifetime validation failed."""
OATHKEEPER = """\
time=2026-05-11T06:07:08Z level=warning msg=Access request denied error=map[message:Access credentials are invalid reason:id=
rid=
error=token is malformed
debug=

github.com/ory/herodot.(*DefaultError).WithTrace
\t/go/pkg/mod/github.com/ory/herodot/error_default.go:134 status:Unauthorized status_code:401] granted=false"""
CADDY = """\
2026/05/11 06:07:08.123\tERROR\thttp.handlers.authentication\tauth provider returned error\t{
  "provider": "jwt",
  "error": "token expired"
}"""
PLAIN = "2026-05-11 06:07:09.000 INFO 1 --- [main] o.e.App : Started"
RECORDS = (JAVA, PYTHON, NODE, DOTNET, OATHKEEPER, CADDY, PLAIN)
ACCESS = '192.0.2.1 - - [11/May/2026:06:07:08 +0000] "GET / HTTP/1.1" 401 179 "-" "curl/8.7.1"'
# Other writers' lines, one record each.
OTHERS = (
    PLAIN,
    ACCESS,
    'INFO:     127.0.0.1:5000 - "GET / HTTP/1.1" 500 Internal Server Error',
    '{"level":"error","msg":"token expired"}',
    'time="2026-05-11T06:07:08Z" level=error msg="token expired"',
    '2026/05/11 06:07:08 [error] 1#1: *1 token expired, client: 192.0.2.1, server: _, request: "GET / HTTP/1.1"',
    "eyJhbGciOiJFUzI1NiIsImtpZCI6ImstNyJ9.eyJpc3MiOiJhIn0.kX3vQz9Yb0TnW5rL",
    "{broken",
    "[" * 1_000,
)


def _joined(lines: list[str], joiner: MultiLine | None = None) -> list[tuple[int, str]]:
    joiner, out, offset = joiner or MultiLine(), [], 0
    for line in lines:
        out += joiner.feed(offset, line.encode())
        offset += len(line.encode()) + 1
    return [(at, record.decode()) for at, record in [*out, *joiner.rest()]]


@pytest.mark.parametrize("second", RECORDS)
@pytest.mark.parametrize("first", RECORDS)
def test_two_records_stay_two(first: str, second: str) -> None:
    """Whatever follows whatever, each record comes out whole and with the offset of its first line."""
    joined = _joined([*first.split("\n"), *second.split("\n")])

    assert [(0, first), (len(first.encode()) + 1, second)] == joined


@pytest.mark.parametrize("trace", TRACES.values(), ids=TRACES)
@pytest.mark.parametrize("other", OTHERS)
def test_a_trace_between_other_writers_lines_is_one_record(trace: str, other: str) -> None:
    """No frame, marker or exception of it is a record of its own, and it takes no line that is not its own."""
    is_log_line = other == PLAIN  # Python and Java print a trace below such a line, and Java's begins at the margin
    expected = [other, trace, other]
    if is_log_line and trace.startswith(("Traceback", "java.")):
        expected = [f"{other}\n{trace}", other]

    assert expected == records_of(f"{other}\n{trace}\n{other}")


@pytest.mark.parametrize("second", TRACES.values(), ids=TRACES)
def test_two_traces_stay_two(second: str) -> None:
    """Whichever follows whichever."""
    firsts = TRACES.values()

    assert [[first, second] for first in firsts] == [records_of(f"{first}\n{second}") for first in firsts]


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_a_fixture_is_one_record(path: Path) -> None:
    """What the gateways' fixtures hold over several lines, no source takes apart."""
    text = raw_record(load(path)).text.strip("\r\n")

    assert ([text] if text else []) == records_of(text)


@pytest.mark.parametrize("text", ["\n".join(RECORDS), "\n".join(TRACES.values()), "\r\n".join(OTHERS), "\n a\n\nb \n"])
def test_a_file_and_a_kafka_message_hold_the_same_records(text: str, tmp_path: Path) -> None:
    """The same bytes are the same records, wherever they come from."""
    (tmp_path / "a.log").write_bytes(text.encode())
    intake = LedgerIntake()

    FileSource(FileSettings(paths=(str(tmp_path / "a.log"),), follow=False), Telemetry()).run(intake, threading.Event())
    message = decode_raw()(text.encode(), Message(Origin("kafka", "t", 0, 1)))

    assert records_of(text) == [record.text for record in intake.items]
    assert records_of(text) == [record.text for record in message]


def test_a_name_that_no_frame_follows_is_a_record() -> None:
    """A Go function is known by the file below it, so a source that is idle hands over the name alone."""
    assert [PLAIN, "main.decode", "other.example"] == records_of(f"{PLAIN}\nmain.decode\nother.example")


def test_blank_lines_are_records_where_each_line_wants_an_answer() -> None:
    """`why401 explain` keeps those outside of records; within a record they are part of it."""
    lines = ["", PLAIN, "", "", *JAVA.split("\n"), "", ""]

    assert ["", PLAIN, "", "", JAVA, "", ""] == [record for _, record in _joined(lines, MultiLine(keeps_blank=True))]


def test_a_record_does_not_go_on_behind_many_blank_lines() -> None:
    """What has been kept of it goes out."""
    text = "A.BError: token expired" + "\n" * (MAX_BLANK + 2) + "Caused by: nothing"

    assert 2 == len(records_of(text))


def test_lines_of_one_line_records_are_left_alone() -> None:
    """Access logs, JSON and logfmt pass through as they are."""
    lines = [
        '192.0.2.1 - - [11/May/2026:06:07:08 +0000] "GET / HTTP/1.1" 401 179 "-" "curl/8.7.1"',
        '{"level":"error","msg":"token expired"}',
        'time="2026-05-11T06:07:08Z" level=error msg="token expired"',
        '2026/05/11 06:07:08 [error] 1#1: *1 token expired, client: 192.0.2.1, server: _, request: "GET / HTTP/1.1"',
        " 2026-05-11 06:07:08.123 DEBUG 1 --- [main] o.e.App : indented by its writer",
        "jwt.exceptions.DecodeError: Not enough segments",
        "jwt.exceptions.ExpiredSignatureError: Signature has expired",
    ]

    assert lines == [record for _, record in _joined(lines)]


def test_blank_lines_between_records_are_no_records() -> None:
    """They belong to a record only when it goes on behind them."""
    assert [PLAIN, NODE] == [record for _, record in _joined(["", PLAIN, "", "", *NODE.split("\n"), ""])]


def test_a_record_beyond_its_lines_keeps_its_beginning_and_is_counted() -> None:
    """The rest of an endless stack trace is dropped, and never becomes a record of its own."""
    joiner = MultiLine(max_lines=3)

    joined = _joined(["A.BError: token expired", *["\tat x"] * 10, PLAIN], joiner)

    assert ["A.BError: token expired\n\tat x\n\tat x", PLAIN] == [record for _, record in joined]
    assert joiner.cut == 1


def test_a_record_beyond_its_bytes_keeps_its_beginning() -> None:
    """The bound holds for what is kept in memory too."""
    joiner = MultiLine(max_bytes=100)

    ((_, record),) = _joined(["A.BError: token expired", *["\tat " + "x" * 40] * 1_000], joiner)

    assert len(record) <= 100
    assert joiner.cut == 1


def test_a_dump_that_never_ends_ends_with_the_next_record() -> None:
    """Oathkeeper's next line begins with its time, whatever was lost before."""
    head = OATHKEEPER.split("\n")[:3]

    assert ["\n".join(head), OATHKEEPER] == [record for _, record in _joined([*head, *OATHKEEPER.split("\n")])]


def test_a_source_sees_that_a_record_waits() -> None:
    """An idle source takes the record instead of waiting for the next one."""
    joiner = MultiLine()
    assert not joiner.is_pending

    assert list(joiner.feed(7, b"A.BError: token expired\r")) == []
    assert joiner.is_pending

    assert list(joiner.rest()) == [(7, b"A.BError: token expired")]
    assert not joiner.is_pending


@given(st.lists(st.sampled_from([line for record in RECORDS for line in record.split("\n")]), max_size=40))
def test_no_line_is_lost_or_invented(lines: list[str]) -> None:
    """Any order of any lines: what is not blank comes out once, in order."""
    joined = "\n".join(record for _, record in _joined(lines)).split("\n")

    assert [line for line in lines if line.strip()] == [line for line in joined if line.strip()]


@pytest.mark.parametrize(
    "text",
    [
        "a.b\n" * 250_000,
        "{" + " " * 600_000 + "\n" + '"\n' * 200_000,
        "x\n" + "  ^" * 300_000 + "\nE" * 20_000,
        "ERROR\n" + "Traceback (most recent call last)\n" * 30_000,
        "\n" * 1_000_000 + "x",
        "time= error=map[" + "\n" * 500_000 + "a" * 500_000,
        "}" * 1_000_000 + "\n" + "#0 " * 300_000,
    ],
    ids=["functions", "open JSON", "markers", "tracebacks", "blank", "map", "closers"],
)
def test_a_mebibyte_of_the_worst_is_split_in_time(text: str) -> None:
    """Each line is looked at a bounded number of times: a tenth of it takes about a tenth of the time."""
    began = time.process_time()
    records_of(text)

    assert time.process_time() - began < 20


def test_each_line_of_koas_logger_is_a_record() -> None:
    """It indents what it writes; a request and its answer are two lines, and so are two answers."""
    lines = ["  <-- GET /carts", "  xxx GET /carts 401 5ms -", "  \x1b[31mxxx\x1b[39m GET /carts 401 5ms -"]

    assert records_of("\n".join(lines)) == lines


def test_a_line_of_rich_without_a_time_is_a_record() -> None:
    """Rich writes a time once a second; the rest of a sentence is indented further than a level."""
    text = (
        'INFO:     127.0.0.1:5711 - "POST /mcp HTTP/1.1" 401 Unauthorized\n'
        "                    WARNING  Bearer token rejected for client b: audience      jwt.py:639\n"
        "                             mismatch (got 'a', expected 'b')\n"
        "                    INFO     Auth error returned: invalid_token         middleware.py:202\n"
    )

    assert [0, 1, 3] == [
        next(number for number, line in enumerate(text.split("\n")) if line == record.split("\n")[0])
        for record in records_of(text)
    ]


TRACE = (
    "refused: token expired",
    "Traceback (most recent call last):",
    '  File "a.py", line 1, in verify',
    "jwt.Expired: x",
)
PREFIXES = {
    "docker compose": "carts-1  | ",
    "docker compose with times": "carts-1  | 2026-03-03T10:00:00.123456789Z ",
    "syslog": "Mar  3 10:00:00 host-1 carts[12]: ",
    "journald": "2026-03-03T10:00:00+0000 host-1 carts[12]: ",
    "container runtime": "2026-03-03T10:00:00.123456789Z stderr F ",
    "kubectl": "[pod/carts-5d4f8b9c7-abcde/carts] ",
    "stern": "carts-5d4f8b9c7-abcde carts ",
    "docker logs -t": "2026-03-03T10:00:00.123456789Z ",
}


@pytest.mark.parametrize("prefix", PREFIXES.values(), ids=PREFIXES)
def test_a_trace_whose_every_line_has_a_prefix_is_one_record(prefix: str) -> None:
    """The first line keeps its prefix, which says whose record it is; the others come without."""
    records = records_of("\n".join(prefix + line for line in (*TRACE, "next")))

    assert [prefix + "\n".join(TRACE), prefix + "next"] == records


def test_lines_of_two_streams_do_not_join() -> None:
    """What another container writes in between is its own."""
    lines = ["carts-1  | refused: token expired", "web-1    |     at verify (a.js:1:2)", "carts-1  |   File x, line 1"]

    assert lines == records_of("\n".join(lines))


CRI = "2026-03-03T10:00:00.123456789Z {} {} {}"


def test_a_line_that_the_container_runtime_cut_is_one_record() -> None:
    """It cuts after 16 KiB, wherever that is: a token is whole again, and what follows is its own."""
    line = json.dumps({"status": 401, "authorization": "Bearer " + "a" * 40_000})
    parts = [line[at : at + 16_384] for at in range(0, len(line), 16_384)]
    cut = [CRI.format("stdout", "P" if part is not parts[-1] else "F", part) for part in parts]
    records = records_of("\n".join([*cut, CRI.format("stdout", "F", "next"), CRI.format("stderr", "F", "other")]))

    assert len(parts) == 3
    assert [CRI.format("stdout", "P", line), *records[1:]] == records
    assert [CRI.format("stdout", "F", "next"), CRI.format("stderr", "F", "other")] == records[1:]


def test_parts_without_end_keep_their_beginning_and_are_counted() -> None:
    """A stream that never ends its line takes no more memory than another record."""
    joiner = MultiLine(max_bytes=1_000)
    part = CRI.format("stdout", "P", "x" * 400).encode()
    records = [record for _ in range(50) for _, record in joiner.feed(0, part)] + [one for _, one in joiner.rest()]

    assert (1, 1) == (len(records), joiner.cut)
    assert len(records[0]) <= 1_000
    assert not joiner.is_pending


def test_a_message_that_dotnet_breaks_at_its_values_is_one_record() -> None:
    """Microsoft.IdentityModel's texts hold line breaks, whose lines stand at the margin."""
    text = "[10:00:00 INF] Bearer was not authenticated. Failure message: IDX1: no key.\nNumber of keys in Configuration: '0'.\nExceptions caught:\n '[x]'.\ntoken: '[y]'."

    assert [text] == records_of(text)


BLOCKS = (
    (
        "API: AssumeRoleWithWebIdentity()\nTime: 10:00:00 UTC 03/03/2026\nDeploymentID: d\nRequestID: 16A0\nRemoteHost: 192.0.2.7\n"
        "Error: token is refused (*jwt.ValidationError)\n       1: cmd/sts-handlers.go:345:cmd.Assume()"
    ),
    (
        "Error writing data to auth/carts/login: Error making API request.\n\nURL: PUT https://vault.example/v1/auth/carts/login\n"
        "Code: 400. Errors:\n\n* token is refused"
    ),
    "2026/03/03 10:00:00 [error] 1#1: *1 lua entry thread aborted: runtime error: unknown reason\nstack traceback:\ncoroutine 0:\n\t[C]: in function 'error'",
    'oauth2: cannot fetch token: 401 Unauthorized\nResponse: {"error":"invalid_client"}',
    "[2026-03-03 10:00:00.001][7][debug][http] [a.cc:1] [C1] encoding headers via codec:\n':status', '401'\n'server', 'envoy'",
    'HTTP/1.1 401 Unauthorized\nServer: berths\nContent-Type: application/json\n\n{\n "error": "token expired"\n}',
    "HTTP/1.1 403 Forbidden\nServer: berths\n\n<html>\n<body>\n<h1>no</h1>\n</body>\n</html>",
    "<!DOCTYPE html>\n<head><title>401</title></head>\n<body>\n</body>\n</html>",
)


def test_a_trace_in_dockers_json_lines_is_one_record() -> None:
    """One object a line of the trace; what the runtime interface writes says the same, and its lines find each other."""
    trace = ["Traceback (most recent call last):", '  File "a.py", line 1, in f', "berths.Refused: token expired"]
    lines = [json.dumps({"log": f"{line}\n", "stream": "stderr", "time": "2026-03-03T10:00:00.1Z"}) for line in trace]
    compact = "\n".join(
        line.replace('{"log": ', '{"log":') for line in (*lines, lines[-1].replace("berths", "2026-03-03 INFO"))
    )

    first, second = records_of(compact)

    assert "2026-03-03T10:00:00.1Z stderr F " + "\n".join(trace) == first
    assert second.endswith("INFO.Refused: token expired")


@pytest.mark.parametrize("block", BLOCKS)
def test_a_block_is_one_record(block: str) -> None:
    """What a program writes over several lines that begin at the margin, and nothing of what follows."""
    following = "2026-03-03 10:00:01,123 - carts - ERROR - token refused"

    assert [block, following] == records_of(f"{block}\n{following}")


@pytest.mark.parametrize(
    "line", ["Code: 516. DB::Exception: refused", "URL: /carts", "Error: token refused", "* a note", "<b>a note</b>"]
)
def test_only_a_block_has_its_lines(line: str) -> None:
    """Elsewhere the same beginnings are those of records."""
    assert ["INFO ready", line] == records_of(f"INFO ready\n{line}")


@pytest.mark.parametrize(
    "lines",
    [
        ["WARN the token violates two constraints, details:", "- the audience is another one", "- it has expired"],
        ["ERROR:  JWT authentication: missing claim", "DETAIL:  token does not contain a claim for email"],
        ["< HTTP/1.1 401 Unauthorized", '< WWW-Authenticate: Bearer error="invalid_token"'],
    ],
    ids=["a list that is announced", "PostgreSQL's detail", "an answer that curl printed"],
)
def test_lines_that_belong_to_the_one_above(lines: list[str]) -> None:
    """They say nothing by themselves, or the same refusal again."""
    following = "2026-03-03 10:00:01,123 - carts - ERROR - token refused"

    assert ["\n".join(lines), following] == records_of("\n".join([*lines, following]))


def test_an_access_line_is_no_item_of_a_list() -> None:
    """It begins with a hyphen, too, where the server knows no client."""
    line = '- - - [03/Mar/2026:10:00:00 +0000] "GET /berths HTTP/1.1" 401 0'

    assert ["INFO ready", line] == records_of(f"INFO ready\n{line}")
