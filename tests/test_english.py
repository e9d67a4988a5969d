"""One glossary, one language: retired phrases (tests/retired_phrases.py) are in nothing that a person reads."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import click
import pytest

from analyzer.lake.view_files import views
from analyzer.taxonomy import CODES
from collector.settings import entries
from collector.telemetry import INSTRUMENTS
from tests.retired_phrases import RETIRED, Retired
from why401.cli import COMMANDS, main

ROOT = Path(__file__).parent.parent
KNOWLEDGE = ROOT / "analyzer" / "knowledge"
# Files of the knowledge base -> the keys whose values a person reads.
SHIPPED = {
    "**/fixes.toml": ("says",),
    "general_fixes/*.toml": ("says",),
    "near_misses/*.toml": ("says",),
    "**/words.toml": ("says",),
    "**/logging.toml": ("reason", "token"),
    "**/credentials.toml": ("says",),
}
# Modules whose sentences are evidence, or text of the dashboard.
SPEAKING = ("analyzer/diagnosis/*.py", "dashboard/*.py", "dashboard/screens/*.py")

Texts = Iterator[tuple[str, str]]  # where a text is written, and the text


def pages() -> Texts:
    paths = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")]
    paths += [path for path in sorted((ROOT / "docs").rglob("*.md")) if path.parent.name != "decisions"]
    yield from ((str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")) for path in paths)


def helps(group: click.Group = main, path: str = "why401") -> Texts:
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        assert command is not None
        yield f"{path} {name} --help", command.get_help(click.Context(command))
        if isinstance(command, click.Group):
            yield from helps(command, f"{path} {name}")


def tables() -> Texts:
    yield from ((f"why401 {name}", short) for name, short in COMMANDS.items())
    yield from ((f"setting {entry.key}", entry.help) for entry in entries())
    yield from ((f"instrument {i.name}", i.description) for i in INSTRUMENTS)
    yield from ((f"code {code.name}", f"{code.when} {'; '.join(code.settles)}") for code in CODES.values())
    titles: dict[str, str] = tomllib.loads((KNOWLEDGE / "titles.toml").read_text(encoding="utf-8"))
    yield from ((f"title {code}", title) for code, title in titles.items())


def columns() -> Texts:
    for view in views():
        yield from ((f"view {view.name} {name}", text) for name, text in [("", view.comment), *view.columns])


def shipped() -> Texts:
    for pattern, keys in SHIPPED.items():
        for path in sorted(KNOWLEDGE.glob(pattern)):
            content = tomllib.loads(path.read_text(encoding="utf-8"))
            yield from ((f"{path.relative_to(ROOT)} {name}", text) for name, text in values(content, keys))


def values(content: dict[str, Any], keys: tuple[str, ...]) -> Texts:
    tables_ = [
        table for value in content.values() if isinstance(value, list) for table in value if isinstance(table, dict)
    ]
    for table in tables_ or [content]:
        name = table.get("id") or table.get("code") or ""
        yield from ((f"{name} {key}", table[key]) for key in keys if isinstance(table.get(key), str))


def sentences() -> Texts:
    """String literals of more than one word, docstrings excluded."""
    for path in sorted(path for pattern in SPEAKING for path in ROOT.glob(pattern)):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        silent = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and " " in node.value
                and id(node) not in silent
            ):
                yield f"{path.relative_to(ROOT)}:{node.lineno}", node.value


def prose(text: str) -> str:
    """The text without code and quotations."""
    text = re.sub(r"(?s)```.*?```", " ", text)
    text = re.sub(r"(?s)<!--.*?-->", " ", text)
    return re.sub(r"`[^`]*`|\*\*|(?<!\w)\*[^*\n]+\*|\"[^\"\n]*\"|\]\([^)]*\)", " ", text)


def pattern(retired: Retired) -> re.Pattern[str]:
    return re.compile(rf"(?i)\b(?:{retired.pattern})(?!\w)")


@pytest.fixture(scope="module")
def texts() -> list[tuple[str, str]]:
    """Everything that a person reads, by where it is written."""
    return [(where, prose(raw)) for where, raw in chain(pages(), helps(), tables(), columns(), shipped(), sentences())]


@pytest.mark.parametrize("retired", RETIRED, ids=lambda retired: retired.instead)
def test_no_retired_phrase_is_used(texts: list[tuple[str, str]], retired: Retired) -> None:
    """What was replaced stays replaced."""
    hits = [
        f"{where}: …{text[max(0, hit.start() - 40) : hit.end() + 30]}…".replace("\n", " ")
        for where, text in texts
        for hit in pattern(retired).finditer(text)
    ]

    assert [] == hits, f"write instead: {retired.instead}"


def test_the_retired_phrases_are_found() -> None:
    """The patterns match what they were made for, and leave ordinary English alone."""
    bad = (
        "The verifier's words name another issuer. The token stands in the log. Nothing is told. It tells of an ID token. "
        "An issuer that was never met. Mend the job. A lapsed token. Whose side is it? Errors and the like. A request came without a token. "
        "It is no JWT. The gateway wants TLS. The question is written down. The words fit it less. The evidence names no reason. "
        "Say what would be right. The name says it, and quickly at that."
    )
    good = (
        "At that time the header was sent. It stands for JSON Web Token. A requirement is met when the test passes. "
        "There is no key. This is no longer supported. They came from the issuer. He told us. The wants of users differ. Look at that header."
    )

    assert [] == [sentence for sentence in bad.split(". ") if not any(pattern(r).search(sentence) for r in RETIRED)]
    assert [] == [retired.pattern for retired in RETIRED if pattern(retired).search(good)]
