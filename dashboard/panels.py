"""What the pages are built of: guarded pages, panels with their SQL behind them, safe text, tables."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import pandas as pd
import streamlit as st
from streamlit.navigation.page import StreamlitPage

from analyzer.lake.errors import NoStore, QueryTimeout, QueryTooLarge, StoreUnavailable
from collector.errors import Why401Error
from dashboard import client, near_miss, queries, wording
from dashboard.differences import Difference, ranked
from dashboard.errors import SHOWN, OtherViews
from dashboard.scope import Scope

REFRESH_S: Final = 10
MAX_ROWS_SHOWN: Final = 13  # a longer grid scrolls
MAX_LINES: Final = 5  # of a cell
LINE_PX: Final = 21
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
    if isinstance(error, OtherViews):
        st.warning(
            "The store is of another release than this page, or is being migrated just now. This page retries every few seconds; if it stays so, "
            "run the page and `why401 up` (or `analyze`) in the same release: the writer renews the views at its start.",
            icon=":material/sync_problem:",
        )
        st.text(wording.visible(error.place))
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


def near(says: Any) -> None:
    """Received and expected of a near miss, one below the other, with the characters that differ marked."""
    found = near_miss.values(str(says))
    if found is None:
        say(says)
        return
    for name, value in zip(("Received", "Expected"), near_miss.marked(*found[:2]), strict=True):
        _named(name, value)
    if found[2]:
        st.caption(wording.escape(found[2], 200))


def named(name: str, value: Any) -> None:
    """A value from data, whole, with what it is in front. `name` is ours."""
    _named(name, wording.escape(wording.visible(value, 600), 600))


def _named(name: str, markdown: str) -> None:
    st.markdown(f"{name}\u2003{markdown}")


def line(name: Any, says: Any) -> None:
    """A sentence with what it is from in front: the source of evidence, or a code."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.badge(wording.escape(name, 40), color="gray")
        say(says)


def fix(position: int, item: Mapping[str, Any]) -> None:
    """One step of a fix; what follows its first line is a setting to copy."""
    says, _, snippet = str(item["says"]).partition("\n")
    say(says, before=f"{position}. ")
    if snippet:
        st.code("\n".join(wording.visible(row) for row in snippet.splitlines()), language=None)
    if item["source"]:
        st.caption(wording.escape(item["source"], 300))


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


def chart(picture: Mapping[str, Any], key: str) -> None:
    """A chart of charts.py, as wide as its box."""
    st.vega_lite_chart(None, dict(picture), key=key)


def height_of(frame: pd.DataFrame, columns: Mapping[str, int]) -> int | None:
    """Of a row, in pixels, so that long texts wrap instead of being cut; None when one line will do. `columns`: name → characters of a line."""
    wrapped = (textwrap.wrap(str(value), width) for name, width in columns.items() for value in frame[name])
    lines = min(max(map(len, wrapped), default=0), MAX_LINES)
    return None if lines <= 1 else 14 + LINE_PX * lines


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


def differences(rows: pd.DataFrame) -> None:
    """Rows of the statement `differs` as a table, with what they were compared with."""
    failing, passing = (0, 0) if rows.empty else (int(rows["all_failing"].iloc[0]), int(rows["all_passing"].iloc[0]))
    if not failing or not passing:
        none = "No passing request is in the sample of this window, so there is nothing to compare with."
        nothing(none if failing else "No failure in this window to compare.")
        return
    whose = (
        "the same issuers"
        if bool(rows["same_issuer"].iloc[0])
        else "all issuers, because no token of these issuers passes"
    )
    st.caption(
        f"{wording.plural(failing, 'failing request')} against {wording.plural(passing, 'passing request')} of the sample, of {whose}."
    )
    found = ranked(rows.to_dict("records"))
    if not found:
        nothing("No field differs by more than chance. Look at the times, the key set and the gateway's configuration.")
        return
    columns = {
        "field": text("Field", width=110), "value": text("Value", width="medium"), "failing_share": share("Of failing", width=110),
        "passing_share": share("Of passing", width=110), "failing": number("Failing", width=80), "passing": number("Passing", width=80),
    }  # fmt: skip
    table(pd.DataFrame([_difference(one) for one in found]), columns)


def requests(rows: pd.DataFrame, when: str) -> None:
    """Single requests, every column of the statement; `when` is the format of their times, in UTC."""
    columns = {name: plain(name) for name in rows.columns}
    columns["event_time"] = st.column_config.DatetimeColumn("event_time (UTC)", format=when, timezone="UTC")
    table(rows, columns)


def _difference(one: Difference) -> dict[str, Any]:
    failing, passing = one.shares
    counted = {"failing": one.failing, "passing": one.passing}
    return {"field": one.field, "value": one.value, "failing_share": failing, "passing_share": passing, **counted}


def keys(seen: Scope) -> None:
    """The panel of signing keys."""
    with panel(
        "Signing keys",
        "keys",
        seen.params,
        "Key ids seen in tokens, over all time. A new key that fails more often than it passes is usually a rotation that a gateway missed.",
    ):
        rows = client.query("keys", **seen.params)
        if rows.empty:
            nothing("No token has a key id.")
            return
        shown = rows.assign(seen=[wording.ago(at, seen.now) for at in rows["first_seen"]])
        columns = {
            "kid": text("Key id"), "state": text("State"), "failing": number("Failed"), "passing": number("Passed"),
            "seen": text("First seen"), "issuer": text("Issuer"), "alg": text("alg"),
        }  # fmt: skip
        table(shown, columns)


def group_page() -> StreamlitPage:
    """The group page, for links to it."""
    from dashboard.screens import group

    return st.Page(group.page, title="Group", icon=":material/list_alt:", url_path="group", visibility="hidden")


def groups_page() -> StreamlitPage:
    """The list of groups, for links to it."""
    from dashboard.screens import groups

    return st.Page(groups.page, title="Groups", icon=":material/list_alt:", url_path="groups")


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
