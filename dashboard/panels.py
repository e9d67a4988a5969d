"""What the pages are built of: guarded pages, panels with their SQL behind them, safe text, tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import pandas as pd
import streamlit as st
from streamlit.navigation.page import StreamlitPage

from analyzer.lake.errors import NoStore, QueryTimeout, QueryTooLarge, StoreUnavailable
from collector.errors import Why401Error
from dashboard import queries, wording
from dashboard.errors import SHOWN
from dashboard.scope import Scope

REFRESH_S: Final = 10
MAX_ROWS_SHOWN: Final = 13  # a longer grid scrolls
STATUS_COLOURS: Final = {
    "new": "red",
    "regressed": "red",
    "escalating": "orange",
    "ongoing": "gray",
    "quiet": "gray",
    "resolved": "green",
}


def guarded(render: Callable[[], None]) -> None:
    """Run a page; an error about the lake becomes words, and the page retries by itself."""
    try:
        render()
    except NoStore as error:
        _welcome(error)
    except SHOWN as error:
        trouble(error)


def trouble(error: Why401Error) -> None:
    """One error in words, with the next step."""
    if isinstance(error, StoreUnavailable):
        st.warning(
            "The store cannot be read right now. This page retries every few seconds.",
            icon=":material/sync_problem:",
        )
        st.text(wording.visible(f"{error.place} ({error.kind})"))
        return
    if isinstance(error, QueryTimeout):
        st.warning(
            f"The query was stopped after {error.timeout_s:g} s. Choose a shorter time range.",
            icon=":material/timer_off:",
        )
        return
    if isinstance(error, QueryTooLarge):
        st.warning(
            f"This needs more than the {error.memory_mib} MiB that a reader may use. Choose a shorter time range or one gateway,"
            " or raise dashboard.memory_mib.",
            icon=":material/memory:",
        )
        return
    st.warning("This cannot be shown.", icon=":material/error:")
    st.text(wording.visible(error))


def _welcome(error: NoStore) -> None:
    st.subheader("No data recorded yet", anchor=False)
    st.text("This page fills in as soon as the first gateway log arrives. It reads the store at:")
    st.code(wording.visible(error.place), language=None)
    st.text("Start the receivers (OTLP on ports 4317 and 4318, plus the files and Kafka topics in why401.toml):")
    st.code("why401 up", language=None)
    st.text("Or try it with generated traffic:")
    st.code("why401 demo", language=None)


def say(text: Any, before: str = "", limit: int = 2_000) -> None:
    """A sentence of ours with values from data: code between backticks is shown as code, nothing else is markup."""
    st.markdown(wording.sentence(f"{before}{wording.visible(text, limit)}", limit))


@contextmanager
def panel(title: str, name: str, params: Mapping[str, Any], about: str = "") -> Iterator[None]:
    """A titled box with the statement behind it; an error inside stays inside. `title` and `about` are ours, not data."""
    with st.container(border=True):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", wrap=False):
            st.subheader(title, anchor=False, help=about or None)
            sql_behind(name, params)
        try:
            yield
        except NoStore:
            raise
        except SHOWN as error:
            trouble(error)


def sql_behind(name: str, params: Mapping[str, Any]) -> None:
    """A quiet button that shows the statement with its parameters written in."""
    with st.popover("SQL", type="tertiary", width="content"):
        st.code(queries.rendered(name, dict(params)), language="sql")


def nothing(says: str) -> None:
    """An empty panel says so, and why that may be good. `says` is ours, not data."""
    st.caption(says)


def table(frame: pd.DataFrame, columns: Mapping[str, Any], **options: Any) -> Any:
    """A grid of the chosen columns; text columns show hidden characters, and nothing is markup in a grid."""
    chosen = frame[list(columns)].copy()
    for name in chosen.columns:
        if not pd.api.types.is_numeric_dtype(chosen[name]) and not pd.api.types.is_datetime64_any_dtype(chosen[name]):
            chosen[name] = chosen[name].map(_cell)
    fits = len(chosen) <= MAX_ROWS_SHOWN
    return st.dataframe(
        chosen, column_config=dict(columns), hide_index=True, height="content" if fits else 440, **options
    )


def _cell(value: Any) -> str:
    if hasattr(value, "__iter__") and not isinstance(value, str):
        return ", ".join(wording.visible(item, 300) for item in value)
    return "" if value is None or bool(pd.isna(value)) else wording.visible(value)


def text(label: str, **options: Any) -> Any:
    """A text column."""
    return st.column_config.TextColumn(label, **options)


def number(label: str, **options: Any) -> Any:
    """A whole number with thousands separated."""
    return st.column_config.NumberColumn(label, format="localized", **options)


def share(label: str, **options: Any) -> Any:
    """A share of 0..1 as a bar."""
    return st.column_config.ProgressColumn(label, format="percent", min_value=0.0, max_value=1.0, **options)


def group_page() -> StreamlitPage:
    """The group page, for links to it."""
    from dashboard.screens import group

    return st.Page(group.page, title="Group", icon=":material/list_alt:", url_path="group", visibility="hidden")


def pick_group(groups: pd.DataFrame, seen: Scope, key: str = "groups") -> None:
    """A list of groups; choosing one opens its page."""
    shown = groups.assign(
        status=groups["status"].mask(_is_decided(groups), groups["state"]).map(wording.STATUSES).fillna("open"),
        cause=groups["cause"].map(wording.CAUSES).fillna(wording.CAUSES["unknown"]),
        began=[wording.ago(at, seen.now) for at in groups["first_seen"]],
        last=[wording.ago(at, seen.now) for at in groups["last_seen"]],
        **{name: groups[name].str.replace("`", "") for name in ("title", "because")},  # a cell shows no Markdown
    )
    columns = {
        "status": text("Status", width=90), "title": text("Problem", width="medium"), "because": text("Evidence", width="medium"), "last_hour": number("Last hour"),
        "previous_hour": number("Hour before"), "users": number("Users"), "clients": number("Clients"), "cause": text("Cause"),
        "code": text("Code"), "gateways": text("Gateways"), "assignee": text("Assigned to"), "began": text("First seen"), "last": text("Last seen"),
    }  # fmt: skip
    chosen = table(shown, columns, on_select="rerun", selection_mode="single-row", key=key)
    for position in chosen.selection.rows[:1]:
        if position < len(groups):
            st.switch_page(group_page(), query_params={"group": str(groups.iloc[position]["group_id"]), **seen.link})


def _is_decided(groups: pd.DataFrame) -> pd.Series:
    """What a person decided comes first, unless it failed again."""
    return (groups["state"] != "open") & (groups["status"] != "regressed")


def plain(name: str) -> Any:
    """A column of whatever type, under its own name."""
    return st.column_config.Column(wording.visible(name, 60))
