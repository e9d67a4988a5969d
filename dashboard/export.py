"""CSV that no spreadsheet takes for formulas."""

from __future__ import annotations

import csv
import io
from typing import Any, Final

import pandas as pd

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
    """A text that would start a formula gets an apostrophe in front; numbers stay numbers."""
    return f"'{value}" if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA) else value


def to_csv(frame: pd.DataFrame) -> str:
    """The frame as RFC 4180 CSV, every field quoted, formulas disarmed."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow([guarded(str(name)) for name in frame.columns])
    for row in frame.itertuples(index=False):
        writer.writerow(["" if _is_nothing(value) else guarded(value) for value in row])
    return out.getvalue()


def _is_nothing(value: Any) -> bool:
    return value is None or (not isinstance(value, str) and pd.api.types.is_scalar(value) and bool(pd.isna(value)))
