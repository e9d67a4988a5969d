"""CSV export: what goes out comes back, and nothing in it is a formula."""

from __future__ import annotations

import csv
import io

import pandas as pd
import pytest

from dashboard import frame_csv


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", " =", "  @"])
def test_formulas_are_disarmed(start: str) -> None:
    """A cell that a spreadsheet would run starts with an apostrophe, and parses back to that."""
    payload = f'{start}cmd|"/c calc"!A1'
    rows = list(csv.reader(io.StringIO(frame_csv.to_csv(pd.DataFrame({"issuer": [payload]})), newline="")))

    shown = payload.replace("\t", "\\u0009").replace("\r", "\\u000d")
    assert [["issuer"], ["'" + shown]] == rows


def test_plain_values_stay_as_they_are() -> None:
    """Numbers keep their sign, nothing is an empty field, quotes and commas survive."""
    frame = pd.DataFrame({"iat_offset_s": [-4.5], "kid": [None], "message": ['he said "no", twice']})
    rows = list(csv.reader(io.StringIO(frame_csv.to_csv(frame), newline="")))

    assert ["-4.5", "", 'he said "no", twice'] == rows[1]


def test_column_names_are_disarmed_too() -> None:
    """An alias in ad hoc SQL is text like any other."""
    assert '"\'=1+1"' == frame_csv.to_csv(pd.DataFrame({"=1+1": [1]})).splitlines()[0]
