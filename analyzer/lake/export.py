"""CSV that no spreadsheet takes for formulas and no terminal obeys, for the page and the command line."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import Any, Final, TextIO

from collector.visible import visible

MAX_CELL: Final = 1 << 20
# The wide forms are formulas in some locales.
FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def write_csv(out: TextIO, columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    """RFC 4180 CSV with every field quoted and formulas disarmed."""
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow([guarded(name) for name in columns])
    writer.writerows([guarded(value) for value in row] for row in rows)


def guarded(value: Any) -> Any:
    """A text that would start a formula gets an apostrophe in front; what hides or steers is written as its code.

    Numbers stay numbers, nothing stays nothing, and a line break inside a cell stays one.
    """
    if value is None or isinstance(value, (bool, int, float)):
        return value
    text = str(value)
    safe = "\n".join(visible(line, MAX_CELL) for line in text.split("\n"))
    return f"'{safe}" if isinstance(value, str) and text.lstrip(" ").startswith(FORMULAS) else safe
