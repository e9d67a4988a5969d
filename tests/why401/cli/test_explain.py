"""`why401 explain` and `why401 redact`: contracts that other tools rely on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from analyzer.taxonomy import CODES
from tests.tokens import token
from tests.traces import TRACES
from why401.cli import input_text, main

KEYS = {
    "code", "cause", "confidence", "title", "evidence", "rivals", "missing", "fix", "gateway", "library", "outcome", "group", "event",
}  # fmt: skip
LINES = [
    '{"start_time":"2026-03-03T10:00:00Z","response_code":401,"response_code_details":"jwt_authn_access_denied{Jwt_is_expired}","method":"GET","path":"/"}',
    '127.0.0.1 - - [03/Mar/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 5 "-" "curl/8.7.1"',
    "jwt.exceptions.ExpiredSignatureError: Signature has expired",
    "",
    "{broken",
    "[" * 50_000,
    "\x00\x1b[31m\u202e",
    token(exp=1_772_532_000),
]


def run(*arguments: str, text: str | bytes | None = None) -> Result:
    return CliRunner().invoke(main, list(arguments), input=text, catch_exceptions=False)


def objects(result: Result) -> list[dict[str, object]]:
    assert 0 == result.exit_code, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_one_object_per_line_in_order_whatever_the_input() -> None:
    """As many objects as lines, each with every key of the contract."""
    found = objects(run("explain", "--json", text="\n".join(LINES) + "\n"))

    assert len(LINES) == len(found)
    assert [] == [each for each in found if not set(each) >= KEYS]
    assert ["token_expired", "ok", "token_expired"] == [each["code"] for each in found[:3]]
    assert "token_expired" == found[-1]["code"]


def test_codes_and_causes_are_of_the_taxonomy() -> None:
    """ok has no cause; everything else has its code's."""
    for each in objects(run("explain", "--json", text="\n".join(LINES))):
        expected = None if each["code"] == "ok" else CODES[str(each["code"])].cause
        assert expected == each["cause"]


def test_records_json_lets_a_record_span_lines() -> None:
    """Each input line is a JSON string; a line that is none stands for itself."""
    records = ["line one\njwt expired\nat x", LINES[0]]
    text = "\n".join(json.dumps(record) for record in records) + "\nnot a json string\n"

    assert 3 == len(objects(run("explain", "--json", "--records", "json", text=text)))


@pytest.mark.parametrize("trace", TRACES.values(), ids=TRACES)
def test_a_trace_is_one_object(trace: str, tmp_path: Path) -> None:
    """From a file, from standard input and as an argument, among other lines; without a last line break too."""
    file = tmp_path / "app.log"
    file.write_text(f"{LINES[0]}\n{trace}")

    (_, of_file), (of_stdin, _) = (
        objects(run("explain", "--json", str(file))),
        objects(run("explain", "--json", text=f"{trace}\n{LINES[0]}\n")),
    )
    (of_argument,) = objects(run("explain", "--json", trace))

    assert of_file["code"] == of_stdin["code"] == of_argument["code"]


def test_a_pause_within_a_trace_ends_it_only_between_lines() -> None:
    """Half a line that goes on with a record keeps it; a pipe's reader does not wait for more than its writer has written."""
    whole = TRACES["python, chained, below uvicorn's line"].encode()
    run_of = input_text._Run("lines")

    run_of.feed(whole[:-4])
    run_of.pause()
    assert [] == run_of.records()

    run_of.feed(whole[-4:] + b"\n")
    run_of.pause()
    assert [whole.decode()] == run_of.records()


def test_an_answer_comes_before_the_pipe_is_closed() -> None:
    """Whoever writes a record and waits gets its verdict."""
    command = [sys.executable, "-m", "why401", "explain", "--json"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for text in (TRACES["node with properties"], LINES[0]):
            process.stdin.write(text.encode() + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["code"] in ("signature_invalid", "token_expired")
        process.stdin.close()
        assert b"" == process.stdout.read()


def test_records_come_from_arguments_and_files_too(tmp_path: Path) -> None:
    """An argument that names a file is read; anything else is a record."""
    file = tmp_path / "access.log"
    file.write_text(LINES[0] + "\n" + LINES[1] + "\n")

    assert ["token_expired", "ok", "token_expired"] == [
        each["code"] for each in objects(run("explain", "--json", str(file), LINES[2]))
    ]


def test_the_gateway_can_be_named() -> None:
    """A combined log line is nginx's by default and Apache's by the operator's word."""
    found = objects(run("explain", "--json", "--gateway", "apache", LINES[1].replace("200", "401")))

    assert "apache" == found[0]["gateway"]


def test_the_configuration_settles_what_the_token_alone_cannot(tmp_path: Path) -> None:
    """With [[issuers]] the near miss is named."""
    file = tmp_path / "why401.toml"
    file.write_text('[[issuers]]\nissuer = "https://idp.example.com"\naudiences = ["orders-api"]\n')

    found = objects(run("explain", "--json", "--config", str(file), token()))

    assert ("issuer_not_trusted", "extra trailing slash") == (found[0]["code"], found[0]["near_miss"])


def test_a_person_reads_words() -> None:
    """A headline, the reason, the fix; no JSON."""
    shown = run("explain", LINES[0]).stdout

    assert "✗ token_expired" in shown
    assert "The token had expired when the request arrived." in shown
    assert "fix" in shown


def test_what_was_assumed_is_said() -> None:
    """Text that no parser knows is answered, and the answer says on what assumption; a known record's does not."""
    assumed, known = run("explain", "Error loading the user bob").stdout, run("explain", LINES[0]).stdout

    assert "✗ " in assumed
    assert (True, False) == tuple("none that why401 knows matches this record" in shown for shown in (assumed, known))


def test_what_up_leaves_out_is_said() -> None:
    """A debug line of a gateway that tells why is explained, and where the record of the refusal is to be looked for."""
    shown = run("explain", 'time="2026-03-03T10:00:00Z" level=debug msg="token is expired" middlewareName=auth').stdout

    assert "✗ token_expired" in shown
    assert "`why401 up` does not store this line" in " ".join(shown.split())


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_no_secret_is_printed(options: list[str]) -> None:
    """Neither for people nor for programs."""
    secret = token(sub="alice@example.com")
    record = json.dumps(
        {
            "response_code": 401,
            "authorization": f"Bearer {secret}",
            "path": f"/x?access_token={secret}",
            "response_code_details": "jwt_authn_access_denied{Jwt_is_expired}",
        }
    )

    shown = run("explain", *options, record, secret, f"error: {secret}").stdout

    assert [] == [piece for piece in [*secret.split("."), "alice"] if piece in shown]


def test_redact_keeps_the_number_of_lines() -> None:
    """Lines in, the same number of lines out, without the secrets."""
    secret = token()
    lines = [f"Authorization: Bearer {secret}", "plain", "", f"a {secret} b"]

    shown = run("redact", text="\n".join(lines) + "\n").stdout

    assert 4 == len(shown.splitlines())
    assert "plain" == shown.splitlines()[1]
    assert [] == [piece for piece in secret.split(".") if piece in shown]


def test_redact_speaks_json_strings() -> None:
    """A JSON string in, a JSON string out, lines inside it kept."""
    shown = run("redact", "--records", "json", text=json.dumps(f"a\nBearer {token()}\nb") + "\n").stdout
    value = json.loads(shown)

    assert ("a", "b", 3) == (value.split("\n")[0], value.split("\n")[2], len(value.split("\n")))


def test_invalid_utf8_is_one_record(tmp_path: Path) -> None:
    """Bytes that are no text are replaced, not fatal."""
    file = tmp_path / "bytes.log"
    file.write_bytes(b"\xff\xfe\x00 bad\n" + LINES[0].encode() + b"\n")

    assert 2 == len(objects(run("explain", "--json", str(file))))


def test_the_command_starts_as_a_program() -> None:
    """`python -m why401` and the installed script are the same."""
    done = subprocess.run(
        [sys.executable, "-m", "why401", "explain", "--json", LINES[2]],
        capture_output=True,
        text=True,
        check=True,
    )

    assert "token_expired" == json.loads(done.stdout)["code"]


def test_annotations_say_each_cause_once() -> None:
    """For a job that sends requests through a gateway: how many, why, and what to change."""
    line = (
        '{"response_code": 401, "response_code_details": "jwt_authn_access_denied{Jwt_is_expired}", "method": "GET"}\n'
    )
    shown = CliRunner().invoke(main, ["explain", "--github"], input=line * 3 + "Jwt issuer is not configured\n")

    first, second = shown.stdout.splitlines()
    assert first.startswith("::error title=token_expired (policy)::3 refusals: The token had expired")
    assert second.startswith("::error title=issuer_not_trusted (issuer)::1 refusal: ")
    assert "%0A" in first
    assert 2 == CliRunner().invoke(main, ["explain", "--github", "--json"], input=line).exit_code
