"""CSV that no spreadsheet takes for formulas."""

from __future__ import annotations

import csv
import io
from typing import Any, Final

import pandas as pd

from collector.visible import visible

MAX_CELL: Final = 1 << 20
_FORMULA: Final = (
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
    "\n",
    "＝",
    "＋",
    "－",
    "＠",
)  # the wide forms are formulas in some locales


def guarded(value: Any) -> Any:
    """A text that would start a formula gets an apostrophe in front; what hides or steers is written as its code.

    Numbers stay numbers, and a line break inside a cell stays one.
    """
    if not isinstance(value, str):
        return value
    safe = "\n".join(visible(line, MAX_CELL) for line in value.split("\n"))
    return f"'{safe}" if value.lstrip(" ").startswith(_FORMULA) else safe


def to_csv(frame: pd.DataFrame) -> str:
    """The frame as RFC 4180 CSV, every field quoted, formulas disarmed."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow([guarded(str(name)) for name in frame.columns])
    for row in frame.itertuples(index=False):
        writer.writerow(["" if _is_nothing(value) else guarded(_plain(value)) for value in row])
    return out.getvalue()


def _plain(value: Any) -> Any:
    """A list or an object as text, which may start with what an outsider wrote."""
    return value if isinstance(value, (str, bool, int, float)) or pd.api.types.is_scalar(value) else str(value)


def _is_nothing(value: Any) -> bool:
    return value is None or (not isinstance(value, str) and pd.api.types.is_scalar(value) and bool(pd.isna(value)))
