"""Asks the lake: the page's own statements on a connection of this process, ad hoc SQL in processes that may be killed."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

import duckdb
import pandas as pd
import streamlit as st

from analyzer.lake.attach import Access, place
from analyzer.lake.errors import QueryTimeout, StoreUnavailable
from analyzer.lake.query_pool import QueryPool
from analyzer.lake.reader import Reader
from analyzer.lake.trouble import reason
from analyzer.situation import present
from dashboard import config, queries
from dashboard.answers import Answers, Keep
from dashboard.errors import OtherViews

# Of one statement. A second one doubles what small statements cost, and the statements of a page run side by side.
THREADS: Final = 1
# At the same time; the memory limit is shared by all of them, and each thread keeps memory of its own.
MAX_QUERIES: Final = max(2, min(4, os.cpu_count() or 2))
SPILL_MIB: Final = 2_048  # on disk, for what does not fit in memory
KEPT: Final = Keep(fresh_s=5)
# What compares a day with the weeks before it speaks of minutes, and costs ten times as much.
SITUATION: Final = Keep(fresh_s=15, stale_s=30)
Asked = tuple[str, Mapping[str, Any]]
"""A statement's name and its parameters."""


def query(name: str, **params: Any) -> pd.DataFrame:
    """The rows of `queries/<name>.sql`; parameters that the statement does not use are left out.

    Raises LakeError, OtherViews. Equal calls within a few seconds share one result; of what is
    wrong now, calls within SITUATION do, of which a later part waits for nothing.
    """
    settings = config.settings()
    key, run = _planned(name, params)
    limit = settings.dashboard.query_timeout_seconds
    try:
        # Twice: once in the queue, once at work. A copy shares the values, and what a page does to it stays with it.
        return answers().get(key, run, _keep(name), timeout_s=2 * limit).copy(deep=False)
    except TimeoutError:
        raise QueryTimeout(limit) from None
    except (duckdb.CatalogException, duckdb.BinderException):
        raise OtherViews(place(settings)) from None
    except duckdb.Error as error:
        raise StoreUnavailable(place(settings), reason(error)) from None


def ahead(*asked: Asked) -> None:
    """Begin statements that `query` will be called for, side by side. What fails is told by `query`."""
    for name, params in asked:
        key, run = _planned(name, params)
        answers().ahead(key, run, _keep(name))


def has(name: str, **params: Any) -> bool:
    """Whether `query` would answer at once."""
    return answers().has(_planned(name, params)[0])


def forget() -> None:
    """Ask the lake anew from now on."""
    answers().clear()


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


@st.cache_resource(show_spinner=False, on_release=Answers.close)
def answers() -> Answers[pd.DataFrame]:
    """What the lake answered of late, shared by all viewers."""
    return Answers(MAX_QUERIES)


@st.cache_resource(show_spinner=False, on_release=QueryPool.close)
def workers() -> QueryPool:
    """The processes for ad hoc SQL, shared by all viewers."""
    return QueryPool(config.settings())


def _without_nul(value: Any) -> Any:
    # DuckLake writes constants into statements of its catalog, where a NUL ends them.
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value


def _planned(name: str, params: Mapping[str, Any]) -> tuple[Hashable, Callable[[], pd.DataFrame]]:
    """By what its answer is known, and how it is made. Raises NoStore, LostCatalog."""
    reader = lake()
    sql = queries.statement(name, params)
    wanted = {key: _without_nul(value) for key, value in params.items() if key in _parameters(sql)}
    return (sql, tuple(sorted(wanted.items())), reader.identity), lambda: reader.table(sql, wanted).to_pandas()


def _keep(name: str) -> Keep:
    return SITUATION if name in present.COSTLY else KEPT


@lru_cache(maxsize=512)
def _parameters(sql: str) -> frozenset[str]:
    """Parsing the longest of the statements takes as long as running a short one."""
    return frozenset(duckdb.extract_statements(sql)[0].named_parameters)
