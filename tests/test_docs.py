"""The docs name everything a person can use, show what the code prints, and use the terms of the glossary."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from analyzer.lake.view_files import views
from analyzer.taxonomy import CODES
from collector import events
from collector.gateways import names
from collector.settings import entries
from collector.telemetry import INSTRUMENTS
from docs.generate import PAGES, page, with_examples, with_reference, written
from tests.retired_phrases import RETIRED
from why401.cli import COMMANDS, main

ROOT = Path(__file__).parent.parent
DOCS = "\n".join(
    path.read_text(encoding="utf-8") for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
)


@pytest.mark.parametrize("name", PAGES)
def test_generated_pages_are_current(name: str) -> None:
    """`python -m docs.generate` writes them; a table that moved on without its page fails here."""
    assert page(name) == (ROOT / "docs" / name).read_text(encoding="utf-8")


def test_everything_is_documented() -> None:
    """A word that only the code knows helps nobody."""
    words = [
        *(f"why401 {command}" for command in COMMANDS),
        *(entry.key for entry in entries()),
        *(instrument.name for instrument in INSTRUMENTS),
        *(key for group in events._WIRE.values() for key in group.values()),
        *(f"`{name}`" for name in names()),
        *(f"`{view.name}`" for view in views()),
        *(f"`{code}`" for code in CODES),
    ]

    assert [] == [word for word in words if word not in DOCS]
    assert len(words) >= 280


def test_links_inside_the_repository_lead_somewhere() -> None:
    """A dead link is a promise broken."""
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    links = [
        (path, target) for path in pages for target in re.findall(r"\]\(([^)#\s]+)", path.read_text(encoding="utf-8"))
    ]
    dead = [
        f"{path.name}: {target}"
        for path, target in links
        if "://" not in target and not (path.parent / target).exists()
    ]

    assert [] == dead


@pytest.mark.parametrize("path", written(), ids=lambda path: str(path.relative_to(ROOT)))
def test_examples_are_what_the_code_prints(path: Path) -> None:
    """The README's first example and every other one is the command's present output; `python -m docs.generate` renews it."""
    text = path.read_text(encoding="utf-8")

    assert with_examples(text) == text


def test_the_reference_of_the_views_is_current() -> None:
    """docs/sql.md ends with what the view files say."""
    text = (ROOT / "docs" / "sql.md").read_text(encoding="utf-8")

    assert with_reference(text) == text


def test_every_example_is_shown() -> None:
    """A file of docs/examples that no page runs proves nothing."""
    examples = sorted(path for path in (ROOT / "docs" / "examples").rglob("*") if path.is_file())

    assert [] == [path.name for path in examples if str(path.relative_to(ROOT)) not in DOCS]


@pytest.mark.parametrize("cause", sorted({code.cause for code in CODES.values()} - {"unknown"}))
def test_a_cause_has_a_page_whose_records_have_that_cause(cause: str) -> None:
    """Each of the five causes is shown by records of at least eight gateways."""
    records = ROOT / "docs" / "examples" / "causes" / f"{cause}.log"
    result = CliRunner().invoke(main, ["explain", "--json", str(records)])
    answers: list[dict[str, Any]] = [json.loads(line) for line in result.stdout.splitlines()]

    assert (
        f"<!-- records: docs/examples/causes/{cause}.log -->" in (ROOT / "docs" / "causes" / f"{cause}.md").read_text()
    )
    assert {cause} == {answer["cause"] for answer in answers}
    assert len({answer["gateway"] for answer in answers}) >= 8


def commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        assert command is not None
        yield f"{path} {name}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")


def shipped(pattern: str, keys: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """The texts of the knowledge base's files, by file and entry."""
    for path in sorted((ROOT / "analyzer" / "knowledge").glob(pattern)):
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        entries_ = [entry for value in content.values() if isinstance(value, list) for entry in value] or [content]
        for number, entry in enumerate(entries_):
            for key in keys:
                if isinstance(entry, dict) and isinstance(entry.get(key), str):
                    yield f"{path.relative_to(ROOT)} {entry.get('id') or entry.get('code') or number} {key}", entry[key]


def texts() -> Iterator[tuple[str, str]]:
    """Everything that a person reads, by where it is written."""
    pages = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")]
    pages += [path for path in sorted((ROOT / "docs").rglob("*.md")) if path.parent.name != "decisions"]
    yield from ((str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")) for path in pages)
    yield from ((f"why401 {name}", short) for name, short in COMMANDS.items())
    for name, command in commands(main, "why401"):
        yield f"{name} --help", command.get_help(click.Context(command))
    yield from ((f"setting {entry.key}", entry.help) for entry in entries())
    yield from ((f"instrument {i.name}", i.description) for i in INSTRUMENTS)
    for view in views():
        yield from ((f"view {view.name} {name}", text) for name, text in [("", view.comment), *view.columns])
    for code in CODES.values():
        yield f"code {code.name}", f"{code.when} {'; '.join(code.settles)}"
    titles = tomllib.loads((ROOT / "analyzer" / "knowledge" / "titles.toml").read_text(encoding="utf-8"))
    yield from ((f"title {code}", title) for code, title in titles.items())
    yield from shipped("**/fixes.toml", ("says",))
    yield from shipped("general_fixes/*.toml", ("says",))
    yield from shipped("near_misses/*.toml", ("says",))
    yield from shipped("**/words.toml", ("says",))
    yield from shipped("**/logging.toml", ("reason", "token"))
    yield from shipped("**/credentials.toml", ("says",))


def prose(text: str) -> str:
    """The text without code and quotations."""
    text = re.sub(r"(?s)```.*?```", " ", text)
    text = re.sub(r"(?s)<!--.*?-->", " ", text)
    return re.sub(r"`[^`]*`|\*\*|(?<!\w)\*[^*\n]+\*|\"[^\"\n]*\"|\]\([^)]*\)", " ", text)


@pytest.mark.parametrize("retired", RETIRED, ids=lambda retired: retired.instead)
def test_no_retired_phrase_is_used(retired: Any) -> None:
    """One glossary, one language: what was replaced stays out of everything that a person reads."""
    found = re.compile(
        rf"(?i)\b(?:{retired.pattern})\b" if retired.pattern[-1].isalnum() else rf"(?i)\b(?:{retired.pattern})"
    )
    hits = [f"{where}: …{text[max(0, hit.start() - 40):hit.end() + 30]}…".replace("\n", " ")
            for where, raw in texts() for text in [prose(raw)] for hit in found.finditer(text)]  # fmt: skip

    assert [] == hits, f"write instead: {retired.instead}"


def test_the_retired_phrases_are_found() -> None:
    """The patterns match what they were made for, and leave ordinary English alone."""
    bad = (
        "The verifier's words name another issuer. The token stands in the log. Nothing is told. It tells of an ID token. "
        "An issuer that was never met. Mend the job. A lapsed token. Whose side is it? Errors and the like. A request came without a token. "
        "It is no JWT. The gateway wants TLS. The question is written down. The words fit it less. The evidence names no reason. "
        "Say what would be right."
    )
    good = (
        "At that time the header was sent. It stands for JSON Web Token. A requirement is met when the test passes. "
        "There is no key. This is no longer supported. They came from the issuer. He told us. The wants of users differ."
    )
    patterns = [re.compile(rf"(?i)\b(?:{retired.pattern})\b") for retired in RETIRED]

    assert [] == [sentence for sentence in bad.split(". ") if not any(p.search(sentence) for p in patterns)]
    assert [] == [p.pattern for p in patterns if p.search(good)]


ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
TREE = next(block for block in ARCHITECTURE.split("```") if block.startswith("\ncollector/"))


def test_architecture_has_every_folder_and_module() -> None:
    """The tree is the `ls`: nobody has to guess where a module belongs."""
    folders = {
        path.parent for name in ("collector", "analyzer", "dashboard", "why401") for path in (ROOT / name).rglob("*.py")
    }
    modules = {path.stem for folder in folders for path in folder.glob("*.py")} - {"__init__", "__main__"}
    listed = {"gateways", "cli", "reading"}  # a module each per gateway, per command; what parsers share
    modules -= {path.stem for folder in folders if folder.name in listed for path in folder.glob("*.py")}
    named = set(re.findall(r"\w+", TREE))

    assert (set(), set()) == ({folder.name for folder in folders} - named, modules - named)


def test_architecture_has_the_import_table() -> None:
    """The page shows what tests/test_layout.py enforces."""
    from tests.test_layout import PACKAGES, TABLE

    rows = {
        name: "everything" if allowed == PACKAGES else ", ".join(f"`{one}`" for one in allowed)
        for name, allowed in TABLE.items()
    }

    assert [] == [name for name, allowed in rows.items() if f"| `{name}` | {allowed} |" not in ARCHITECTURE]


NAMED_FILE = re.compile(
    r"`((?:collector|analyzer|dashboard|why401|tests|docs|benchmarks|fuzz|audit)/[\w./-]+\.\w+)(?:::\w+)?`"
)
NAMED_TEST = re.compile(r"`(?:[\w/]*/)?(test_\w+\.py)(?:::(test_\w+))?`")


@pytest.mark.parametrize("path", written(), ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_tests_that_a_page_names_exist(path: Path) -> None:
    """A page that points at a file or a test by name is followed by a person who is in a hurry."""
    text = path.read_text(encoding="utf-8")
    tests = {file.name: file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("test_*.py")}
    missing = [name for name in NAMED_FILE.findall(text) if not (ROOT / name).exists()]
    missing += [
        f"{file}::{test}"
        for file, test in NAMED_TEST.findall(text)
        if file not in tests or (test and f"def {test}" not in tests[file])
    ]

    assert [] == sorted(set(missing))


@pytest.mark.parametrize("code", sorted(CODES.values(), key=lambda code: code.name), ids=lambda code: code.name)
def test_a_code_is_on_the_page_of_its_cause(code: Any) -> None:
    """Whoever reads about a cause finds its codes."""
    page_ = "README" if code.cause == "unknown" else code.cause

    assert f"`{code.name}`" in (ROOT / "docs" / "causes" / f"{page_}.md").read_text(encoding="utf-8")
