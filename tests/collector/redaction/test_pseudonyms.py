"""Keyed pseudonyms and their key file."""

import copy
import hashlib
import hmac
import json
import os
import pickle
import stat
import threading

import pytest

from benchmarks.traffic import envoy_json, records
from collector.errors import ConfigurationError
from collector.pipeline import Collector
from collector.redaction import key_file, pseudonyms
from collector.redaction.pseudonyms import Pseudonyms
from collector.settings import Settings
from collector.telemetry import Telemetry
from collector.token.verification import KeySets, Verifier
from tests.waiting import HANG_S

KEYS = [bytes([n]) * 32 for n in range(3)]


def _line(epoch, key):
    return json.dumps({"epoch": epoch, "key": key.hex(), "created": "2026-11-23T00:00:00+00:00"}) + "\n"


def _file(tmp_path, text, mode=0o600):
    path = tmp_path / "pseudonym.key"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_first_start_creates_a_private_key_that_later_starts_use(tmp_path):
    """The key survives a restart, in a file that only its owner reads, in a directory that only its owner enters."""
    path = tmp_path / "data" / "pseudonym.key"
    first, second = Pseudonyms.open(path), Pseudonyms.open(path)
    assert first.of("user", "jane") == second.of("user", "jane")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert {entry.name for entry in path.parent.iterdir()} == {path.name, f"{path.name}.epoch"}
    assert {stat.S_IMODE(entry.stat().st_mode) for entry in path.parent.iterdir()} == {0o600}


def test_two_key_files_give_unlinkable_pseudonyms(tmp_path):
    """Every installation draws its own key."""
    names = {Pseudonyms.open(tmp_path / name).of("user", "jane") for name in ("a", "b")}
    assert len(names) == 2


def test_processes_that_start_together_agree(tmp_path):
    """Whoever creates the file first, all read the same key."""
    path, names, gate = tmp_path / "pseudonym.key", [], threading.Barrier(8)

    def start():
        gate.wait()
        names.append(Pseudonyms.open(path).of("user", "jane"))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(HANG_S)
    assert len(names) == 8
    assert len(set(names)) == 1


def test_is_hmac_sha256_of_kind_and_value_cut_to_128_bits():
    """Anyone with the key can compute a pseudonym, for an erasure request or a join."""
    expected = hmac.new(KEYS[1], b"user:jane", hashlib.sha256).hexdigest()[:32]
    assert Pseudonyms(KEYS[1], 1).of("user", "jane") == expected


def test_kind_and_epoch_separate_pseudonyms():
    """Equal values of different kinds or epochs cannot be joined."""
    names = {Pseudonyms(key, 1).of(kind, "jane") for key in KEYS for kind in ("user", "client")}
    assert len(names) == 6


def test_the_highest_epoch_is_in_use(tmp_path):
    """After a rotation new pseudonyms are of the new key, whatever the order of the lines."""
    path = _file(tmp_path, _line(2, KEYS[2]) + "\n" + _line(1, KEYS[1]))
    opened = Pseudonyms.open(path)
    assert opened.epoch == 2
    assert opened.of("user", "jane") == Pseudonyms(KEYS[2], 2).of("user", "jane")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o601])
def test_refuses_a_file_that_others_can_read(tmp_path, mode):
    """The message names the file, its mode and what would be right."""
    path = _file(tmp_path, _line(1, KEYS[1]), mode)
    with pytest.raises(ConfigurationError, match=rf"{mode:04o}.*chmod 600") as caught:
        Pseudonyms.open(path)
    assert caught.value.value == str(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes a file that root owns")
@pytest.mark.parametrize(
    ("mode", "user", "is_taken"),
    [(0o440, 10001, True), (0o400, 10001, True), (0o640, 10001, False), (0o444, 10001, False), (0o440, 0, False)],
)
def test_takes_a_key_that_kubernetes_mounts(tmp_path, monkeypatch, mode, user, is_taken):
    """A Secret is a file of root's that nobody writes and the pod's group reads; what root itself may write is no mount."""
    path = _file(tmp_path, _line(1, KEYS[1]), mode)
    monkeypatch.setattr(os, "geteuid", lambda: user)
    if is_taken:
        assert Pseudonyms.open(path).epoch == 1
        return
    with pytest.raises(ConfigurationError, match="chmod 600"):
        Pseudonyms.open(path)


@pytest.mark.parametrize(
    "text",
    ["", "\n", "hunter2\n", "[]\n", '{"epoch": 1}\n', '{"epoch": 1, "key": "abcd"}\n', json.dumps({"epoch": "x", "key": KEYS[1].hex()}),
     _line(0, KEYS[1]), _line(1, KEYS[1]) + "{"],
)  # fmt: skip
def test_refuses_what_is_no_key_file_without_showing_it(tmp_path, text):
    """A broken file stops the start; its content is not in the message."""
    path = _file(tmp_path, text)
    with pytest.raises(ConfigurationError, match="one JSON object a line") as caught:
        Pseudonyms.open(path)
    assert KEYS[1].hex() not in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_refuses_a_directory_and_a_place_that_cannot_be_written(tmp_path):
    """Errors of the file system are settings errors with the path."""
    with pytest.raises(ConfigurationError, match=r"cannot be read|regular file"):
        Pseudonyms.open(tmp_path)
    blocker = tmp_path / "file"
    blocker.write_text("")
    with pytest.raises(ConfigurationError, match=r"cannot be (created|read)"):
        Pseudonyms.open(blocker / "pseudonym.key")


def test_the_key_is_nowhere_to_be_seen():
    """Neither repr, str, pickle nor copy give the key."""
    opened = Pseudonyms(KEYS[1], 1)
    assert repr(opened) == str(opened) == "Pseudonyms(epoch=1)"
    for leak in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="hold a key"):
            leak(opened)
    assert not hasattr(opened, "__dict__")


def test_the_cache_is_bounded_and_holds_no_value(monkeypatch):
    """A stream of new users does not grow memory, and what is remembered cannot be read."""
    monkeypatch.setattr(pseudonyms, "CACHE_ENTRIES", 10)
    opened = Pseudonyms(KEYS[1], 1)
    names = [opened.of("user", f"user-{n}") for n in range(50)]
    assert len(opened) == 10
    assert [opened.of("user", f"user-{n}") for n in range(50)] == names
    assert not any(b"user" in name for name in opened._cache)


@pytest.mark.parametrize("value", ["", "jane@example.com", "Zoë", "\ud800", "a" * 100_000])
def test_any_text_has_a_pseudonym(value):
    """Broken Unicode, empty and long values give 32 hex digits too."""
    name = Pseudonyms(KEYS[1], 1).of("user", value)
    assert len(bytes.fromhex(name)) == 16


def test_a_short_key_is_refused():
    """A key that could be guessed is none."""
    with pytest.raises(ConfigurationError, match="at least 32 bytes"):
        Pseudonyms(b"short", 1)


def test_a_rotation_is_taken_up_without_a_restart(tmp_path, caplog):
    """`refresh` is true once after a rotation; equal values have other pseudonyms from then on."""
    path = tmp_path / "pseudonym.key"
    opened = Pseudonyms.open(path)
    before = opened.of("user", "jane")
    assert not opened.refresh()
    caplog.set_level("INFO")
    key_file.rotate(path)
    assert [opened.refresh(), opened.refresh()] == [True, False]
    assert opened.epoch == 2
    assert opened.of("user", "jane") == Pseudonyms.open(path).of("user", "jane") != before
    secrets = [epoch.key.hex() for epoch in key_file.read(path)[0]]
    assert [key for key in secrets if key in caplog.text] == []
    assert "epoch 2" in caplog.text


def test_forgetting_an_older_epoch_changes_nothing_for_the_newest(tmp_path):
    """The cache stays warm: no event's pseudonym changes."""
    path = tmp_path / "pseudonym.key"
    key_file.create(path)
    key_file.rotate(path)
    opened = Pseudonyms.open(path)
    name = opened.of("user", "jane")
    key_file.forget(path, 1)
    assert not opened.refresh()
    assert (opened.epoch, opened.of("user", "jane")) == (2, name)


@pytest.mark.parametrize("damage", ["gone", "shared", "broken"])
def test_a_key_file_that_went_bad_is_told_once_and_the_key_stays(tmp_path, caplog, damage):
    """A running collector goes on; its log names the file and no key; a repaired file is taken up."""
    path = tmp_path / "pseudonym.key"
    opened = Pseudonyms.open(path)
    name, good = opened.of("user", "jane"), path.read_bytes()
    if damage == "gone":
        path.unlink()
    elif damage == "shared":
        path.write_bytes(good + b"\n")
        path.chmod(0o644)
    else:
        path.write_bytes(good[:40])
    assert [opened.refresh() for _ in range(3)] == [False] * 3
    assert opened.of("user", "jane") == name
    assert len(caplog.records) == 1
    assert str(path) in caplog.text
    assert json.loads(good)["key"][:8] not in caplog.text
    path.write_text(_line(1, bytes.fromhex(json.loads(good)["key"])) + _line(2, KEYS[2]))
    path.chmod(0o600)
    assert opened.refresh()
    assert opened.epoch == 2


def test_an_unchanged_file_is_asked_for_and_not_read(tmp_path, monkeypatch):
    """What a batch pays for rotation is one question to the file system."""
    opened = Pseudonyms.open(tmp_path / "pseudonym.key")
    monkeypatch.setattr(key_file, "read", lambda path: pytest.fail("read again"))
    assert [opened.refresh() for _ in range(5)] == [False] * 5


def test_epochs_show_no_key():
    """Neither repr nor str."""
    epoch = key_file.Epoch(1, "2026-11-23T00:00:00+00:00", KEYS[1])
    assert str(KEYS[1])[2:10] not in repr(epoch)
    assert "key" not in str(epoch)


def test_a_rotation_reaches_the_events(tmp_path):
    """The collector forgets token facts that carry the older pseudonym with its next batch."""
    path = tmp_path / "pseudonym.key"
    settings, telemetry = Settings(), Telemetry()
    stages = Collector(settings, Verifier(settings, KeySets((), tmp_path, telemetry)), Pseudonyms.open(path), telemetry)
    (line,) = envoy_json(1, tokens=1)

    def facts():
        stages.begin_batch()
        return stages.collect(records([line])[0]).token

    first, again = facts(), facts()
    key_file.rotate(path)
    rotated = facts()
    assert first.user == again.user != rotated.user
    assert (first.key_epoch, rotated.key_epoch) == (1, 2)


def test_a_lost_key_begins_a_new_epoch_and_says_what_is_lost(tmp_path, caplog):
    """Never a new key under the number of the old one: its pseudonyms would pass for those of other people."""
    path = tmp_path / "pseudonym.key"
    Pseudonyms.open(path)
    key_file.rotate(path)
    before = Pseudonyms.open(path)
    path.unlink()
    after = Pseudonyms.open(path)

    assert (2, 3) == (before.epoch, after.epoch)
    assert before.of("user", "jane") != after.of("user", "jane")
    assert "stored under epoch 2 and earlier" in caplog.text
    assert "Epoch 3 begins" in caplog.text
    assert 3 == Pseudonyms.open(path).epoch


def test_what_the_lake_holds_counts_as_used(tmp_path):
    """Also the note beside the key may be gone."""
    assert 8 == Pseudonyms.open(tmp_path / "pseudonym.key", used=7).epoch


def test_a_key_file_from_a_backup_does_not_take_a_number_twice(tmp_path):
    """Rotating after it was put back goes on above every epoch that was in use."""
    path = tmp_path / "pseudonym.key"
    Pseudonyms.open(path)
    backup = path.read_bytes()
    key_file.rotate(path)
    path.write_bytes(backup)

    assert 3 == key_file.rotate(path).number


def test_a_key_file_that_is_behind_begins_a_new_epoch(tmp_path, caplog):
    """An old copy was put back: users of the epochs in between are lost, and the old key is not in use again."""
    path = tmp_path / "pseudonym.key"
    Pseudonyms.open(path)
    backup = path.read_bytes()
    key_file.rotate(path)
    key_file.rotate(path)
    path.write_bytes(backup)
    opened = Pseudonyms.open(path)

    assert 4 == opened.epoch
    assert [1, 4] == [epoch.number for epoch in key_file.read(path)[0]]
    assert "ends with epoch 1, but epoch 3 was in use" in caplog.text
    assert not opened.refresh()


def test_whoever_needs_a_key_that_is_gone_is_told_which(tmp_path):
    """Before the first start there is none; after it the sentence says what is lost, and what to do."""
    path = tmp_path / "pseudonym.key"
    with pytest.raises(ConfigurationError, match="does not exist; the first start"):
        key_file.read(path)
    Pseudonyms.open(path)
    path.unlink()
    with pytest.raises(ConfigurationError, match=r"is gone; epoch 1 was in use.*begins epoch 2"):
        key_file.read(path)
