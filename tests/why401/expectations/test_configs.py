"""Each product's configuration becomes the [[issuers]] beside it: `python -m tests.why401.expectations.test_configs` renews them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from collector.settings import load
from why401 import redact
from why401.expectations.inputs import Found, read_text
from why401.expectations.readers import READERS
from why401.expectations.toml_text import issuers_text

CONFIGS: Final = Path(__file__).parent.parent.parent / "fixtures" / "configs"
CASES: Final = sorted(path for path in CONFIGS.rglob("*") if path.is_file() and not path.name.endswith(".issuers.toml"))
SECRET: Final = "never-copied"  # part of every secret in these files


def written(path: Path) -> str:
    found = Found(documents=tuple(read_text(path.read_text(encoding="utf-8"), path.name)))
    return issuers_text(found, redact)


def golden(path: Path) -> Path:
    return path.with_name(path.name + ".issuers.toml")


def case_id(path: Path) -> str:
    return str(path.relative_to(CONFIGS))


@pytest.mark.parametrize("path", CASES, ids=case_id)
def test_a_configuration_becomes_settings(path: Path) -> None:
    """Every value is there, with the place where it stands."""
    assert golden(path).read_text(encoding="utf-8") == written(path)


@pytest.mark.parametrize("path", CASES, ids=case_id)
def test_the_settings_are_valid(path: Path) -> None:
    """What is written is read back without an error."""
    assert load(golden(path), {}).issuers is not None


@pytest.mark.parametrize("path", CASES, ids=case_id)
def test_no_secret_is_copied(path: Path) -> None:
    """Keys, client secrets and passwords stay in the gateway's file."""
    assert SECRET not in written(path)


def test_every_reader_has_a_configuration() -> None:
    """A reader without a case proves nothing."""
    read = {document.title for path in CASES for document in read_text(path.read_text(encoding="utf-8"), path.name)}

    assert {reader.title for reader in READERS} == read


@pytest.mark.parametrize("path", CASES, ids=case_id)
def test_the_name_of_the_file_says_nothing(path: Path) -> None:
    """A configuration is known by its content: from standard input it is the same."""
    named, unnamed = (read_text(path.read_text(encoding="utf-8"), name) for name in (path.name, "stdin"))

    assert [one.title for one in named] == [one.title for one in unnamed]


if __name__ == "__main__":
    for one in CASES:
        golden(one).write_text(written(one), encoding="utf-8")
