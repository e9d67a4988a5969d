"""`why401 keys`: epochs are listed, rotated and forgotten; keys are never seen."""

from __future__ import annotations

import json
import stat
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from analyzer.store import open_store
from collector.redaction import key_file
from collector.settings import load
from collector.telemetry import Telemetry
from tests.analyzer.verdict_samples import TOKEN, failing
from tests.waiting import HANG_S
from why401.cli import main


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration with a first key."""
    file = tmp_path / "why401.toml"
    file.write_text(f'data_dir = "{tmp_path}/data"\n')
    key_file.create(tmp_path / "data" / "pseudonym.key")
    return file


def key_path(config: Path) -> Path:
    return config.parent / "data" / "pseudonym.key"


def run(config: Path, *arguments: str, text: str | None = None) -> Result:
    command = ["keys", "--config", str(config), *arguments]
    return CliRunner().invoke(main, command, input=text, catch_exceptions=False)


def secrets_of(path: Path) -> list[str]:
    return [json.loads(line)["key"] for line in path.read_text().splitlines()]


def test_epochs_are_listed_with_their_dates(config: Path) -> None:
    """The newest is in use; no key is shown, whatever is asked."""
    run(config, "rotate")
    result = run(config)

    assert ["epoch 1", "epoch 2"] == [line[:7] for line in result.stdout.splitlines()]
    assert [False, True] == [line.endswith("in use") for line in result.stdout.splitlines()]
    assert all("since 20" in line for line in result.stdout.splitlines())
    assert [] == [key for key in secrets_of(key_path(config)) if key in result.output or key[:12] in result.output]


def test_rotating_keeps_the_older_key(config: Path) -> None:
    """The older epoch's pseudonyms can still be looked up; the file stays private."""
    (before,) = secrets_of(key_path(config))
    result = run(config, "rotate")
    older, newer = secrets_of(key_path(config))

    assert before == older != newer
    assert 0o600 == stat.S_IMODE(key_path(config).stat().st_mode)
    names = {entry.name for entry in key_path(config).parent.iterdir()}
    assert {"pseudonym.key", "pseudonym.key.epoch"} == names
    assert newer not in result.output


def test_forgetting_destroys_the_key(config: Path) -> None:
    """After a yes the key is gone from the file, and from the file that it was in."""
    run(config, "rotate")
    gone, _ = secrets_of(key_path(config))
    with key_path(config).open("rb") as old:
        assert 1 == run(config, "forget", "1", text="n\n").exit_code
        assert gone.encode() in key_path(config).read_bytes()
        assert 0 == run(config, "forget", "1", text="y\n").exit_code
        overwritten = old.read()

    assert gone.encode() not in key_path(config).read_bytes()
    assert b"" == overwritten.strip(b"\0")
    assert 2 == json.loads(key_path(config).read_text())["epoch"]


@pytest.mark.parametrize(("epoch", "why"), [("1", "in use; rotate first"), ("7", "has no epoch 7; it has 1")])
def test_an_epoch_that_is_needed_or_unknown_is_not_forgotten(config: Path, epoch: str, why: str) -> None:
    """Exit status 2, before anything is asked; the file is as it was."""
    before = key_path(config).read_bytes()
    result = run(config, "forget", epoch, "--yes")

    assert (2, True) == (result.exit_code, why in result.stderr)
    assert before == key_path(config).read_bytes()


def test_forgetting_says_how_many_rows_become_unlinkable(config: Path) -> None:
    """Rows of that epoch only."""
    store = open_store(load(config, {}), Telemetry())
    tokens = [replace(TOKEN, user=f"{n:032x}", key_epoch=1 + n % 3 // 2) for n in range(9)]
    store.append([failing(n, token=token) for n, token in enumerate(tokens)], [], {})
    store.close()
    run(config, "rotate")

    assert "6 stored rows of epoch 1 become unlinkable" in run(config, "forget", "1", "--yes").stdout


def test_a_shared_key_file_is_refused_with_what_to_do(config: Path) -> None:
    """List, rotate and forget alike."""
    key_path(config).chmod(0o640)
    results = [run(config), run(config, "rotate"), run(config, "forget", "1", "--yes")]

    assert [2, 2, 2] == [result.exit_code for result in results]
    assert [] == [result.stderr for result in results if f"chmod 600 {key_path(config)}" not in result.stderr]
    assert 1 == len(secrets_of(key_path(config)))


def test_rotations_at_the_same_time_lose_no_key(config: Path) -> None:
    """Changes wait for each other."""
    threads = [threading.Thread(target=key_file.rotate, args=(key_path(config),)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(HANG_S)

    assert list(range(1, 10)) == [epoch.number for epoch in key_file.read(key_path(config))[0]]


def test_a_failed_write_leaves_the_old_file(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk during a rotation costs nothing and leaves nothing behind."""

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    before = key_path(config).read_bytes()
    monkeypatch.setattr("collector.redaction.key_file.os.fsync", full)
    result = run(config, "rotate")

    assert (2, True) == (result.exit_code, "No space left" in result.stderr)
    assert before == key_path(config).read_bytes()
    assert [key_path(config)] == list(key_path(config).parent.iterdir())


def test_what_a_killed_rotation_left_behind_goes(config: Path) -> None:
    """A draft beside the file holds keys; after forgetting one, no copy of ours has it."""
    draft = key_path(config).with_name(".pseudonym.key.0011223344556677")
    draft.write_bytes(key_path(config).read_bytes())
    run(config, "rotate")

    assert not draft.exists()
