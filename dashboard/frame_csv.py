"""A data frame as CSV that no spreadsheet takes for formulas."""

from __future__ import annotations

import io
from typing import Any

import pandas as pd

from analyzer.lake.export import write_csv


def to_csv(frame: pd.DataFrame) -> str:
    """The frame as RFC 4180 CSV, every field quoted, formulas disarmed; what pandas calls missing is an empty field."""
    out = io.StringIO()
    rows = ([_without_missing(value) for value in row] for row in frame.itertuples(index=False))
    write_csv(out, (str(name) for name in frame.columns), rows)
    return out.getvalue()


def _without_missing(value: Any) -> Any:
    is_missing = not isinstance(value, str) and pd.api.types.is_scalar(value) and bool(pd.isna(value))
    return None if is_missing else value
