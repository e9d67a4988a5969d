"""The docs name everything a person can use: commands, settings, instruments, event fields, gateways, views."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from analyzer.lake.view_files import views
from collector import events
from collector.gateways import PARSERS
from collector.settings import entries
from collector.telemetry import INSTRUMENTS
from docs.generate import PAGES, page
from why401.cli import COMMANDS

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
        *(f"`{name}`" for name, _ in PARSERS),
        *(f"`{view.name}`" for view in views()),
    ]

    assert [] == [word for word in words if word not in DOCS]
    assert len(words) >= 234


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
