"""The licence list: expressions are read as SPDX means them, and what nobody allowed fails."""

from __future__ import annotations

from email.message import Message
from pathlib import Path

import pytest

from audit import licences
from audit.__main__ import SHIPPED

RULES = licences.rules()


def about(**fields: str | list[str]) -> Message:
    """A package's metadata."""
    message = Message()
    for name, values in fields.items():
        for value in [values] if isinstance(values, str) else values:
            message[name.replace("_", "-")] = value
    return message


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True), ("GPL-3.0-only", False), ("LGPL-2.1-or-later", False), ("AGPL-3.0-only OR MIT", True), ("MIT AND GPL-2.0-only", False),
        ("MPL-2.0 AND (Apache-2.0 OR MIT)", True), ("MPL-2.0 AND (GPL-2.0-only OR SSPL-1.0)", False), ("(MIT OR X) AND (BSD-3-Clause)", True),
        ("GPL-2.0-only WITH Classpath-exception-2.0", False), ("", False), ("LicenseRef-Proprietary", False), ("MIT OR", True), ("()", False),
    ],
)  # fmt: skip
def test_an_expression_is_allowed_or_not(expression: str, allowed: bool) -> None:
    """AND binds stronger than OR; every part of an AND must be allowed."""
    assert allowed == licences.is_allowed(expression, RULES)


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        (about(License_Expression="Apache-2.0 OR BSD-3-Clause", License="GPL"), "Apache-2.0 OR BSD-3-Clause"),
        (about(Classifier=["License :: OSI Approved", "License :: OSI Approved :: MIT License"]), '"MIT License"'),
        (about(License="Apache-2.0\n\nlong text"), '"Apache-2.0"'),
        (about(Classifier=["Topic :: Security"]), ""),
    ],
)
def test_where_a_licence_is_read(metadata: Message, said: str) -> None:
    """The SPDX expression first, then classifiers, then the old field."""
    assert said == licences.licence(metadata)


def test_what_the_image_holds_is_allowed() -> None:
    """Every locked package that is installed here has a licence of the list or a named exception."""
    names = licences.locked(SHIPPED)

    assert len(names) > 40
    assert [] == list(licences.complaints(names, RULES))


def test_an_exception_is_still_needed() -> None:
    """Each named exception is locked, and would fail without its line."""
    bare = licences.Rules(RULES.allowed, RULES.words, {})

    assert set(RULES.exceptions) == {line.split()[0] for line in licences.complaints(licences.locked(SHIPPED), bare)}


def test_a_package_without_a_licence_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence is not permission."""
    monkeypatch.setattr("importlib.metadata.metadata", lambda _: about(Version="1.0"))

    assert ["click 1.0: names no licence"] == list(licences.complaints(["click"], RULES))


def test_a_locked_file_names_each_package_once(tmp_path: Path) -> None:
    """Extras, markers and hashes are no names."""
    (tmp_path / "r.txt").write_text(
        "# x\nnumpy==1 ; a\n    --hash=sha256:0\nnumpy==2\npyjwt[crypto]==2\n    # via x==3\n"
    )

    assert ["numpy", "pyjwt"] == licences.locked(tmp_path / "r.txt")
