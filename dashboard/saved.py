"""Statements that users saved: TOML files in the folder `[dashboard] queries`, one statement each. Read when the page is drawn, never written."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from analyzer.lake.adhoc import MAX_LENGTH
from dashboard import wording

MAX_FILES: Final = 200
MAX_BYTES: Final = 4 * MAX_LENGTH


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A statement by its title; `chart` is how its rows are drawn first: table, line or bar."""

    title: str
    sql: str
    chart: str = "table"


CHARTS: Final = ("table", "line", "bar")


def load(folder: str) -> tuple[list[Saved], list[str]]:
    """The statements by title, and a sentence for each file that is none. A folder that is not there has none."""
    if not folder:
        return [], []
    found: list[Saved] = []
    wrong: list[str] = []
    for file in sorted(Path(folder).glob("*.toml"))[:MAX_FILES]:
        read = _read(file)
        if isinstance(read, Saved):
            found.append(read)
        else:
            wrong.append(f"{wording.visible(file.name, 80)}: {read}")
    return sorted(found, key=lambda one: one.title), wrong


def text(saved: Saved) -> str:
    """The file that `load` reads.

    >>> print(text(Saved(title="All", sql="SELECT 1")), end="")
    title = "All"
    chart = "table"
    sql = "SELECT 1"
    """
    lines = ((name, getattr(saved, name)) for name in ("title", "chart", "sql"))
    # A string of JSON without surrogate pairs is one of TOML, too, but for DEL.
    return "".join(
        f"{name} = {json.dumps(value, ensure_ascii=False)}\n".replace("\x7f", "\\u007f") for name, value in lines
    )


def _read(file: Path) -> Saved | str:
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)
    except OSError as error:
        return f"cannot be read ({type(error).__name__})"
    if len(content) > MAX_BYTES:
        return f"is longer than {MAX_BYTES:,} bytes"
    try:
        return _saved(tomllib.loads(content.decode()), file.stem)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return f"is not TOML ({type(error).__name__})"


def _saved(entry: dict[str, Any], name: str) -> Saved | str:
    title, sql, chart = entry.get("title", name), entry.get("sql"), entry.get("chart", "table")
    if not isinstance(sql, str) or not sql.strip():
        return "has no sql"
    if not isinstance(title, str) or chart not in CHARTS:
        return f"title is a text, chart one of {', '.join(CHARTS)}"
    return Saved(title=title, sql=sql, chart=chart)
