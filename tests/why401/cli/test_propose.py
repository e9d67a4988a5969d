"""`why401 propose`: unknown message in, unclassified, proposed, pasted, explained with the code."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from analyzer.knowledge.signatures import signatures_of
from analyzer.knowledge.user_files import knowledge
from analyzer.templates import Message, mine
from analyzer.templates.entry import NoEntry, entry
from tests.tokens import token
from tests.waiting import HANG_S
from why401.cli import main

TENANTS = ("acme", "bolt", "crux", "dune")


def run(*arguments: str, text: str | None = None) -> Result:
    return CliRunner().invoke(main, list(arguments), input=text, catch_exceptions=False)


def envoy(details: str, minute: int = 0) -> str:
    return json.dumps(
        {
            "start_time": f"2026-03-03T10:{minute:02}:00Z",
            "response_code": 401,
            "response_code_details": details,
            "method": "GET",
            "path": "/orders",
        }
    )


def asleep(tenant: str, minute: int = 0) -> str:
    return envoy(f"lua_response{{gizmo '{tenant}' dozes off after {minute} yawns}}", minute)


def with_lake(config: Path, lake: Path) -> Path:
    """A configuration's knowledge over another's lake."""
    config.write_text(f'data_dir = "{lake.parent}/data"\n{config.read_text()}')
    return config


UNKNOWN = [asleep(tenant, minute) for minute, tenant in enumerate(TENANTS)]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration whose lake holds refusals that nothing explains, one that is explained, and a line nobody reads."""
    folder = tmp_path_factory.mktemp("lake")
    known = envoy("jwt_authn_access_denied{Jwt_is_expired}")
    secret = envoy(f"lua_response{{wombat holds Bearer {token()}}}")
    (folder / "access.log").write_text("\n".join([*UNKNOWN, UNKNOWN[0], known, secret, "garbage 17"]) + "\n")
    config = folder / "why401.toml"
    config.write_text(f'data_dir = "{folder}/data"\n[otlp]\ngrpc = ""\nhttp = ""\n[telemetry]\nprometheus = ""\n')
    command = [sys.executable, "-m", "why401", "up", "--config", str(config), "--no-follow"]
    command += ["--file", str(folder / "access.log")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=HANG_S)
    assert 0 == done.returncode, done.stderr
    return config


def templates(*arguments: str, text: str | None = None) -> dict[str, dict[str, object]]:
    result = run("propose", "--json", *arguments, text=text)
    assert 0 == result.exit_code, result.output
    return {row["template"]: row for row in map(json.loads, result.stdout.splitlines())}


def code(config: Path, record: str) -> str:
    result = run("explain", "--json", "--config", str(config), text=record + "\n")
    assert 0 == result.exit_code, result.output
    return str(json.loads(result.stdout)["code"])


def test_from_unknown_to_explained(lake: Path, tmp_path: Path) -> None:
    """A message that nothing explains is listed, its entry pasted into a file of one's own, and it is explained."""
    (name,) = [row["id"] for row in templates("--config", str(lake)).values() if "dozes" in str(row["template"])]
    proposed = run("propose", "--config", str(lake), str(name), "--code", "caller_blocked")
    (tmp_path / "mine.toml").write_text(proposed.stdout)
    config = tmp_path / "why401.toml"
    config.write_text('[knowledge]\nfiles = ["mine.toml"]\n')
    unseen = asleep("elm", 9)

    assert ("unclassified", "caller_blocked") == (code(lake, unseen), code(config, unseen))
    assert ("token_expired", "token_expired") == tuple(
        code(each, envoy("jwt_authn_access_denied{Jwt_is_expired}")) for each in (lake, config)
    )
    assert 0 == run("check", "--offline", "--config", str(config)).exit_code
    assert {} == templates("--config", str(config), "-", text="\n".join(UNKNOWN))
    assert [] == [each for each in templates("--config", str(with_lake(config, lake))) if "dozes" in each]


def test_templates_are_counted_and_shown(lake: Path) -> None:
    """One template for messages that differ in values, with its count, its gateways, its time and its examples."""
    row = templates("--config", str(lake))["lua_response{gizmo '<gizmo>' dozes off after <after> yawns}"]

    assert (5, {"envoy": 5}, False) == (row["records"], row["gateways"], row["unread"])
    assert "2026-03-03T10:00:00" == str(row["first_seen"])[:19]
    assert "lua_response{gizmo 'acme' dozes off after 0 yawns}" in str(row["examples"])


def test_a_person_reads_a_list(lake: Path) -> None:
    """An id, a count, where, since when, the template, an example."""
    shown = run("propose", "--config", str(lake), "--limit", "1").stdout

    assert ["5×", "envoy", "since 2026-03-03 10:00"] == [
        word for word in ("5×", "envoy", "since 2026-03-03 10:00") if word in shown
    ]
    assert "gizmo '<gizmo>' dozes" in shown
    assert "more; --limit shows them" in shown


def test_a_record_that_no_parser_read_asks_for_a_format(lake: Path) -> None:
    """It is listed as unread, and no entry is made of it: no wording could explain it."""
    (row,) = [row for row in templates("--config", str(lake)).values() if row["unread"]]
    refused = run("propose", "--config", str(lake), str(row["id"]))

    assert (2, True) == (refused.exit_code, "[[formats]]" in refused.stderr)


def test_the_page_s_ids_are_the_command_s(lake: Path) -> None:
    """The view `templates`, which the page shows, names templates as the command does."""
    result = run("sql", "--config", str(lake), "--json", "SELECT template_id, template FROM templates")
    ids = [row["template_id"] for row in map(json.loads, result.stdout.splitlines()) if "dozes" in row["template"]]

    assert 1 == len(ids)
    assert "[[signature]]" in run("propose", "--config", str(lake), ids[0]).stdout


def test_no_secret_is_proposed(lake: Path) -> None:
    """What the collector redacted stays redacted, in the list and in entries, from the lake and from a file."""
    secret = token()
    record = envoy(f"lua_response{{wombat holds Bearer {secret}}}")
    shown = run("propose", "--config", str(lake)).stdout + run("propose", "-", text=record).stdout
    names = [str(row["id"]) for row in templates("-", text=record).values()]
    shown += run("propose", "-", *names, text=record).stdout

    assert "wombat" in shown
    assert [] == [piece for piece in secret.split(".") if piece in shown]


def test_log_lines_are_mined_without_a_lake(tmp_path: Path) -> None:
    """A file's refusals that nothing explains; what is explained and what passed is left out."""
    file = tmp_path / "access.log"
    passed = envoy("via_upstream").replace("401", "200")
    file.write_text("\n".join([*UNKNOWN, passed, envoy("jwt_authn_access_denied{Jwt_is_expired}")]))

    assert ["lua_response{gizmo '<gizmo>' dozes off after <after> yawns}"] == list(templates(str(file)))


def test_more_messages_than_are_kept_are_counted_all_the_same() -> None:
    """Of one shape a few texts are kept, and every record counts."""
    lines = [envoy(f"gizmo {number} dozes off") for number in range(300)]
    (row,) = templates("-", text="\n".join(lines)).values()

    assert (300, "gizmo <gizmo> dozes off") == (row["records"], row["template"])


def test_a_range_and_a_gateway_narrow_the_list(lake: Path) -> None:
    """--since counts back from the newest message, --gateway names one kind."""
    assert {} == templates("--config", str(lake), "--gateway", "kong")
    assert 2 == run("propose", "--config", str(lake), "--since", "soon").exit_code
    assert 0 < len(templates("--config", str(lake), "--since", "1h"))


def test_an_id_of_nothing_is_refused(lake: Path) -> None:
    """The message says where it was looked for."""
    result = run("propose", "--config", str(lake), "t-00000000")

    assert (1, True) == (result.exit_code, "none of the" in result.stderr)


def test_a_code_of_no_taxonomy_is_refused() -> None:
    """A code is one of docs/codes.md."""
    assert 2 == run("propose", "--code", "token_exploded", "-", text="").exit_code


TEXTS = [
    ["gizmo 'acme' dozes off", "gizmo 'bolt' dozes off"],
    ['{"gizmo":"asleep","n":17}', '{"gizmo":"asleep","n":18}'],
    ["denied{{gizmo {17}}}", "denied{{gizmo {18}}}"],
    [
        "C:\\gizmo\\\"x\" 'y' dozes \x7f \u202e \U000e0001 off 1",
        "C:\\gizmo\\\"x\" 'y' dozes \x7f \u202e \U000e0001 off 2",
    ],
    ["gizmo at 10.1.2.0/24:8080 dozes", "gizmo at 2001:db8:1::/48 dozes"],
    ["[email] dozes", "[user] dozes"],
    ["gizmo: " + "dozes and " * 100 + "wakes"],
    ["gizmo dozes at https://idp.example.com/a:b", "gizmo dozes at urn://x"],
    ["müde 'gizmo' schläft", "müde 'wombat' schläft"],
    ["gizmo\nline two 17", "gizmo\nline two 18"],
]


@pytest.mark.parametrize("texts", TEXTS)
def test_an_entry_proves_itself(texts: list[str], tmp_path: Path) -> None:
    """Whatever the message holds, the entry is TOML that the loader accepts, reads its examples and not its near miss."""
    found = mine(Message(text, "envoy") for text in texts)
    made = [entry(template, knowledge(), code="caller_blocked").toml for template in found]
    file = tmp_path / "mine.toml"
    file.write_text("\n".join(made), encoding="utf-8")
    known = knowledge([file])

    assert 1 == len(found)
    assert {"caller_blocked"} == {known.read(text, "envoy")[0].code for text in texts}


def test_an_undecided_code_is_refused_in_words(tmp_path: Path) -> None:
    """An entry whose code nobody filled in names the file, the entry and what is to be done."""
    (template,) = mine([Message("gizmo 'acme' dozes off", "envoy")])
    made = entry(template, knowledge())
    (tmp_path / "mine.toml").write_text(made.toml)
    (tmp_path / "why401.toml").write_text('[knowledge]\nfiles = ["mine.toml"]\n')
    result = run("explain", "--config", str(tmp_path / "why401.toml"), "x")

    assert ("?", 2) == (made.code, result.exit_code)
    assert [] == [word for word in ("mine.toml", made.id, "docs/codes.md") if word not in result.stderr]


def test_a_code_is_suggested_with_its_certainty() -> None:
    """What the meaning-based reader makes of the words is proposed, and marked as to be confirmed."""
    (template,) = mine([Message("gizmo 9 found that the audience of this one does not match", "envoy")])
    made = entry(template, knowledge())
    (row,) = tomllib.loads(made.toml)["signature"]

    assert ("audience_mismatch", "audience_mismatch") == (made.code, row["code"])
    assert "% sure" in made.toml
    assert ["envoy.gizmo_found_that_the_audience_of"] == [each.id for each in signatures_of("f", {"signature": [row]})]


def test_too_little_text_makes_no_entry() -> None:
    """A template without five letters in a row would read everything."""
    (template,) = mine([Message("no 17")])

    with pytest.raises(NoEntry, match="at least 5 characters"):
        entry(template, knowledge())


def test_guessed_messages_are_proposed_when_asked_for(lake: Path) -> None:
    """What only its meaning explains is no unknown, but a wording that is worth an entry."""
    record = envoy("lua_response{gizmo finds that audience of it does not match}")

    assert {} == templates("-", text=record)
    assert ["audience_mismatch"] == [row["code"] for row in templates("--guessed", "-", text=record).values()]
