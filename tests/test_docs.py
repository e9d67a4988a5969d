"""The docs name everything a person can use, show what the code prints, and point at what exists."""

from __future__ import annotations

import doctest
import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from analyzer.lake.view_files import views
from analyzer.taxonomy import CODES
from collector import events
from collector.gateways import names
from collector.settings import entries
from collector.telemetry import INSTRUMENTS
from docs.generate import PAGES, SCHEMAS, page, schema, with_examples, with_reference, written
from docs.man_pages import pages as manual
from why401.cli import COMMANDS, main

ROOT = Path(__file__).parent.parent
DOCS = "\n".join(
    path.read_text(encoding="utf-8") for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
)


@pytest.mark.parametrize("name", PAGES)
def test_generated_pages_are_current(name: str) -> None:
    """`python -m docs.generate` writes them; a table that moved on without its page fails here."""
    assert page(name) == (ROOT / "docs" / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SCHEMAS)
def test_published_schemas_are_current(name: str) -> None:
    """The package has them as files; `python -m docs.generate` writes them."""
    assert schema(name) == (ROOT / "why401" / "schemas" / f"{name}.json").read_text(encoding="utf-8")


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


ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
TREE = next(block for block in ARCHITECTURE.split("```") if block.startswith("\ncollector/"))


def test_architecture_has_every_folder_and_module() -> None:
    """The tree is the `ls`: nobody has to guess where a module belongs."""
    folders = {
        path.parent for name in ("collector", "analyzer", "dashboard", "why401") for path in (ROOT / name).rglob("*.py")
    }
    modules = {path.stem for folder in folders for path in folder.glob("*.py")} - {"__init__", "__main__"}
    listed = {
        "gateways",
        "cli",
        "reading",
        "readers",
        "walks",
    }  # a module each per gateway, per command; what parsers share
    modules -= {path.stem for folder in folders if folder.name in listed for path in folder.glob("*.py")}
    named = set(re.findall(r"\w+", TREE))
    roots = {folder.name: folder for folder in folders if folder.parent == ROOT}
    at_the_top = {path.name for root in roots.values() for path in root.glob("*.py") if not path.name.startswith("__")}

    assert (set(), set()) == ({folder.name for folder in folders} - named, modules - named)
    assert set() == at_the_top - set(re.findall(r"\w+\.py", TREE))


def test_architecture_names_no_module_that_is_gone() -> None:
    """Every file of the tree's left column is in the folder above it."""
    folders, gone = {0: ROOT}, []
    for line in TREE.splitlines():
        depth, left = len(line) - len(line.lstrip()), re.split(r"  +", line.strip(), maxsplit=1)[0]
        if left.endswith("/") and " " not in left:
            folders[depth + 2] = folders[depth] / left
        gone += [
            name
            for name in re.findall(r"\w+\.(?:py|sql|toml)", left)
            if depth in folders and not (folders[depth] / name).exists()
        ]

    assert [] == gone


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


@pytest.mark.parametrize(
    "path",
    [path for path in written() if path.parent.name != "decisions"],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_files_and_tests_that_a_page_names_exist(path: Path) -> None:
    """A page that points at a file or a test by name is followed by a person who is in a hurry."""
    text = path.read_text(encoding="utf-8")
    tests = {file.name: file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("test_*.py")}
    named = (name for name in NAMED_FILE.findall(text) if not re.search("NAME|CAUSE", name))
    missing = [name for name in named if not (ROOT / name).exists()]
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


@pytest.mark.parametrize("path", written(), ids=lambda path: str(path.relative_to(ROOT)))
def test_python_sessions_give_what_they_show(path: Path) -> None:
    """`>>>` in a page is run."""
    blocks = re.findall(r"(?ms)^```python\n(.*?)^```$", path.read_text(encoding="utf-8"))
    session = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, path.name, str(path), 0)

    assert 0 == doctest.DocTestRunner().run(session).failed


def test_every_command_has_its_manual_page() -> None:
    """Written by `python -m docs.generate` from the help."""
    written = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "why401" / "man").iterdir()}

    assert manual() == written
    assert {"why401.1"} | {f"why401-{name}.1" for name in COMMANDS} == set(written)
