"""Downloads of a result: CSV, Parquet and JSON, made when they are asked for."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from typing import Final

import pandas as pd
import pyarrow as pa
import streamlit as st
from pyarrow import parquet

from dashboard import frame_csv

KINDS: Final = {
    "CSV": ("csv", "text/csv"),
    "Parquet": ("parquet", "application/vnd.apache.parquet"),
    "JSON": ("json", "application/json"),
}


def buttons(rows: Callable[[], pd.DataFrame], name: str, key: str) -> None:
    """A button per kind; `rows` is called on a click. `name` may be data: only its plain characters reach the file name."""
    for title, (suffix, mime) in KINDS.items():
        st.download_button(
            title, partial(_made, rows, title), f"{file_name(name)}.{suffix}", mime, key=f"{key}-{suffix}",
            on_click="ignore", icon=":material/download:", width="stretch",
        )  # fmt: skip


def _made(rows: Callable[[], pd.DataFrame], kind: str) -> bytes:
    return written(rows(), kind)


def written(rows: pd.DataFrame, kind: str) -> bytes:
    """The rows as one of KINDS. CSV is disarmed for spreadsheets; the others keep types and values as they are.

    >>> written(pd.DataFrame({"n": [1]}), "JSON")
    b'[{"n":1}]'
    """
    if kind == "CSV":
        return frame_csv.to_csv(rows).encode()
    if kind == "JSON":
        return str(rows.to_json(orient="records", date_format="iso")).encode()
    out = io.BytesIO()
    parquet.write_table(pa.Table.from_pandas(rows, preserve_index=False), out)
    return out.getvalue()


def file_name(name: str) -> str:
    """`why401-` and the plain characters of a name.

    >>> file_name("v1-00/../x")
    'why401-v1-00x'
    """
    return "why401-" + ("".join(c for c in name if (c.isascii() and c.isalnum()) or c in "-_")[:60] or "data")
