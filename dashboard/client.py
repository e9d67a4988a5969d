"""Asks the lake: the page's own statements on a connection of this process, ad hoc SQL in processes that may be killed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import duckdb
import pandas as pd
import streamlit as st

from analyzer.lake.attach import Access, place
from analyzer.lake.errors import StoreUnavailable
from analyzer.lake.query_pool import QueryPool
from analyzer.lake.reader import Identity, Reader, used
from analyzer.lake.trouble import reason
from analyzer.situation import present
from dashboard import config, queries
from dashboard.errors import OtherViews

THREADS: Final = 2
MAX_QUERIES: Final = 4  # at the same time; the memory limit is shared by all of them
SPILL_MIB: Final = 2_048  # on disk, for what does not fit in memory
CACHE_SECONDS: Final = 5
# What compares a day with the weeks before it speaks of minutes, and costs ten times as much.
SITUATION_SECONDS: Final = 15


def query(name: str, **params: Any) -> pd.DataFrame:
    """The rows of `queries/<name>.sql`; parameters that the statement does not use are left out.

    Raises LakeError, OtherViews. Equal calls within a few seconds share one result; of what is
    wrong now, calls within SITUATION_SECONDS do.
    """
    sql = queries.statement(name, params)
    wanted = tuple(sorted((key, _without_nul(value)) for key, value in used(sql, params).items()))
    try:
        return (_situation if name in present.COSTLY else _cached)(sql, wanted, lake().identity)
    except (duckdb.CatalogException, duckdb.BinderException):
        raise OtherViews(place(config.settings())) from None
    except duckdb.Error as error:
        raise StoreUnavailable(place(config.settings()), reason(error)) from None


def rows(name: str, **params: Any) -> list[dict[str, Any]]:
    """`query` as mappings, which is how `analyzer.situation` asks. Raises LakeError."""
    found: list[dict[str, Any]] = query(name, **params).to_dict("records")
    return found


def ask(sql: str, waiting: Callable[[], object] = lambda: None) -> pd.DataFrame:
    """The first `adhoc.MAX_ROWS` + 1 rows of one SELECT over the views. Raises LakeError.

    `waiting` is called several times a second; what it raises ends the statement.
    """
    # Not .df(): it leans on pandas calls that pandas 3 deprecates.
    return workers().ask(sql, waiting).to_pandas()


def columns() -> pd.DataFrame:
    """Every view's columns: view, column, type, comment."""
    return query("columns")


def newest(frame: pd.DataFrame, column: str) -> datetime | None:
    """The largest time of a column, None when there is none."""
    value = frame[column].max() if len(frame) else None
    return None if value is None or pd.isna(value) else value.to_pydatetime()


@st.cache_resource(show_spinner=False)
def lake() -> Reader:
    """The process's reader, shared by all viewers."""
    settings = config.settings()
    access = Access(memory_mib=settings.dashboard.memory_mib, threads=THREADS, spill_mib=SPILL_MIB)
    return Reader(settings, access, timeout_s=settings.dashboard.query_timeout_seconds, at_once=MAX_QUERIES)


@st.cache_resource(show_spinner=False, on_release=QueryPool.close)
def workers() -> QueryPool:
    """The processes for ad hoc SQL, shared by all viewers."""
    return QueryPool(config.settings())


def _without_nul(value: Any) -> Any:
    # DuckLake writes constants into statements of its catalog, where a NUL ends them.
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value


@st.cache_data(ttl=CACHE_SECONDS, max_entries=256, show_spinner=False)
def _cached(sql: str, params: tuple[tuple[str, Any], ...], identity: Identity) -> pd.DataFrame:  # noqa: ARG001  # key of the cache
    return lake().table(sql, dict(params)).to_pandas()


@st.cache_data(ttl=SITUATION_SECONDS, max_entries=64, show_spinner=False)
def _situation(sql: str, params: tuple[tuple[str, Any], ...], identity: Identity) -> pd.DataFrame:  # noqa: ARG001  # key of the cache
    return lake().table(sql, dict(params)).to_pandas()
