"""The knowledge files in one piece: the same facts, from a cache that nobody else can have written."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
import pytest

from analyzer.knowledge import compiled, signatures


def loaded(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Mapping[str, dict[str, Any]]:
    """What a fresh process would load with this cache folder."""
    monkeypatch.setenv(compiled.FOLDER_ENV, str(folder))
    return compiled.tables.__wrapped__()


def test_the_cache_says_what_the_files_say(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Read from TOML at first, from the cache then: equal, and equal to one file read by hand."""
    first = loaded(monkeypatch, tmp_path / "cache")
    second = loaded(monkeypatch, tmp_path / "cache")
    by_hand = files("analyzer.knowledge").joinpath("gateways", "envoy", "words.toml").read_text(encoding="utf-8")

    assert first == second
    assert tomllib.loads(by_hand) == second["gateways/envoy/words.toml"]
    assert list(first) == list(second) == sorted(first, key=lambda path: path.split("/"))


def test_it_is_used_and_it_is_private(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The second time nothing is parsed; file and folder are the owner's alone; one file is left of an older version."""
    (tmp_path / "cache").mkdir(mode=0o700)
    (tmp_path / "cache" / "knowledge-old.json").write_text("{}")
    loaded(monkeypatch, tmp_path / "cache")
    monkeypatch.setattr(compiled.tomllib, "loads", lambda _: pytest.fail("parsed again"))
    loaded(monkeypatch, tmp_path / "cache")
    (file,) = (tmp_path / "cache").iterdir()

    assert (0o600, 0o700) == (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777)


def test_checked_signatures_come_back_as_they_were(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """From the cache as from the check: every field of every signature."""
    monkeypatch.setenv(compiled.FOLDER_ENV, str(tmp_path / "cache"))
    made = signatures.signatures.__wrapped__()
    monkeypatch.setattr(signatures, "_checked", lambda: pytest.fail("checked again"))

    assert made == signatures.signatures.__wrapped__() == signatures.signatures()


@pytest.mark.parametrize("exposed", ["file", "folder", "link", "content"])
def test_what_others_could_have_written_is_not_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, exposed: str
) -> None:
    """A planted cache would plant diagnoses and fixes; it is passed over, and the files are read."""
    wanted = loaded(monkeypatch, tmp_path / "cache")
    (file,) = (tmp_path / "cache").iterdir()
    file.write_bytes(msgspec.msgpack.encode({"titles.toml": {"planted": "yes"}}))
    if exposed == "file":
        file.chmod(0o666)
    elif exposed == "folder":
        file.parent.chmod(0o777)
    elif exposed == "link":
        file.rename(tmp_path / "elsewhere")
        file.symlink_to(tmp_path / "elsewhere")
    else:
        file.write_text("{broken")

    assert wanted == loaded(monkeypatch, tmp_path / "cache")


def test_without_a_place_to_write_it_works(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A read-only home is no reason to fail."""
    (tmp_path / "file").write_text("in the way")

    assert loaded(monkeypatch, tmp_path / "file" / "cache")
