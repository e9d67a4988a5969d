"""`why401 whois`: asked by value, answered by pseudonym, written down first."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from analyzer.store import open_store
from collector.redaction import key_file
from collector.redaction.pseudonyms import Pseudonyms
from collector.settings import load
from collector.telemetry import Telemetry
from tests.analyzer.verdict_samples import DIAGNOSIS, GROUP, TOKEN, failing
from why401 import whois
from why401.cli import main

JANE = "jane.doe@mailbox.example"
ISSUER = "https://idp.example.com"
OTHER = "https://rare.example.com/"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A lake in which Jane failed: three times under the first key, once under the second, once without an issuer."""
    file = tmp_path / "why401.toml"
    file.write_text(f'data_dir = "{tmp_path}/data"\n')
    path = tmp_path / "data" / "pseudonym.key"
    key_file.create(path)
    first = Pseudonyms.open(path)
    key_file.rotate(path)
    second = Pseudonyms.open(path)
    users = [(first, ISSUER, JANE)] * 3 + [(second, ISSUER, JANE), (second, "", JANE), (second, OTHER, "john")]
    verdicts = [
        failing(
            n,
            token=replace(TOKEN, iss=iss, user=key.of("user", f"{iss} {value}"), key_epoch=key.epoch),
            group=replace(GROUP, id=f"v1-{key.epoch:016x}"),
        )
        for n, (key, iss, value) in enumerate(users)
    ]
    store = open_store(load(file, {}), Telemetry())
    store.append(verdicts, [], {})
    store.close()
    return file


def run(config: Path, *arguments: str, text: str | None = None) -> Result:
    return CliRunner().invoke(main, ["whois", *arguments, "--config", str(config)], input=text, catch_exceptions=False)


def audit(config: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (config.parent / "data" / whois.AUDIT_FILE).read_text().splitlines()]


def test_groups_and_counts_over_every_epoch(config: Path) -> None:
    """Each group with its failures, since when, and what it is; a token without an issuer counts too."""
    lines = run(config, text=f"{JANE}\n").stdout.splitlines()

    assert ["v1-0000000000000001", "v1-0000000000000002"] == [line.split()[0] for line in lines]
    assert ["3 times since", "2 times since"] == [" ".join(line.split()[1:4]) for line in lines]
    assert {f"UTC  {DIAGNOSIS.title} (new)"} == {line[line.index("UTC") :] for line in lines}


def test_values_come_from_standard_input_one_a_line(config: Path) -> None:
    """Answers are numbered, so that no value has to be repeated."""
    lines = run(config, "--stdin", text=f"nobody\n{JANE}\n").stdout.splitlines()

    assert ["1: in no group", "2: v1-0000000000000001", "2: v1-0000000000000002"] == [
        line[:22].strip() if n else line for n, line in enumerate(lines)
    ]


def test_an_issuer_that_the_lake_folded_can_be_named(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen and configured issuers are tried by themselves."""
    monkeypatch.setattr(whois, "MAX_ISSUERS", 0)
    without, named = run(config, "user", "john"), run(config, "user", "john", "--issuer", OTHER)

    assert "in no group" in without.stdout
    assert "once since" in named.stdout


def test_every_question_is_written_down_without_its_value(config: Path) -> None:
    """Time, user of the system, kind and pseudonyms; a file of mode 0600 to which lines are only added."""
    run(config, text=f"{JANE}\n")
    run(config, "--stdin", text=f"{JANE}\nnobody\n")
    jane, again, nobody = audit(config)
    path = config.parent / "data" / whois.AUDIT_FILE

    assert {"at", "os_user", "kind", "epoch", "asked", "found"} == set(jane)
    assert jane["asked"] == again["asked"] != nobody["asked"]
    assert (3, 0) == (len(list(jane["found"])), len(list(nobody["found"])))  # type: ignore[call-overload]
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert [] == [part for part in (JANE, "jane", "nobody") if part in path.read_text()]


@pytest.mark.parametrize("obstacle", ["directory", "shared", "link", "large"])
def test_no_answer_when_it_cannot_be_written_down(config: Path, obstacle: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit status 2 and the reason; no group is told."""
    path = config.parent / "data" / whois.AUDIT_FILE
    if obstacle == "directory":
        path.mkdir()
    elif obstacle == "link":
        path.symlink_to(config.parent / "elsewhere")
    else:
        path.write_text("{}\n")
        path.chmod(0o644 if obstacle == "shared" else 0o600)
        monkeypatch.setattr(whois, "MAX_AUDIT_BYTES", 2 if obstacle == "large" else 1000)

    result = run(config, text=f"{JANE}\n")

    assert (2, "") == (result.exit_code, result.stdout)
    assert "cannot be recorded" in result.stderr


def test_a_full_disk_gives_no_answer(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line is on disk before the answer is given."""

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    result = run(config, text=f"{JANE}\n")

    assert (2, "") == (result.exit_code, result.stdout)
    assert "No space left on device" in result.stderr


def test_a_forgotten_epoch_answers_no_more(config: Path) -> None:
    """Erasure by destroying the key."""
    key_file.forget(config.parent / "data" / "pseudonym.key", 1)

    assert ["v1-0000000000000002"] == [line.split()[0] for line in run(config, text=f"{JANE}\n").stdout.splitlines()]


def test_neither_key_nor_value_is_in_the_lake(config: Path) -> None:
    """Every byte of the data directory but the key file's."""
    run(config, text=f"{JANE}\n")
    folder = config.parent / "data"
    keys = [epoch.key for epoch in key_file.read(folder / "pseudonym.key")[0]]
    stored = [file.read_bytes() for file in folder.rglob("*") if file.is_file() and file.name != "pseudonym.key"]

    assert len(stored) > 1
    assert [] == [1 for content in stored for key in keys if key in content or key.hex().encode() in content]
    assert [] == [1 for content in stored if JANE.encode() in content]
