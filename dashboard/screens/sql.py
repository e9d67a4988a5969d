"""Ad hoc SQL over the views: one SELECT, read-only, bounded in time, memory and rows."""

from __future__ import annotations

import time
from typing import Final

import pandas as pd
import streamlit as st

from analyzer.lake import allow_list
from analyzer.lake.adhoc import MAX_ROWS
from analyzer.lake.errors import QueryRefused
from dashboard import charts, client, config, downloads, panels, saved, wording
from dashboard.panels import text
from dashboard.saved import Saved

EXAMPLES: Final = {
    "Failures by cause in the last hour": """SELECT cause, code, count(*) AS failures, count(DISTINCT nullif(user_hash, '')) AS users
FROM failures
WHERE event_time > now() - INTERVAL 1 HOUR
GROUP BY ALL
ORDER BY failures DESC""",
    "Clients affected by a key rotation": """SELECT client_id, kid, count(*) AS failures, max(event_time) AS last_seen
FROM failures
WHERE code = 'key_not_found'
GROUP BY ALL
ORDER BY failures DESC""",
    "Pass rate by route": """SELECT route, sum(requests) AS requests,
    round(100 * sum(requests) FILTER (outcome = 'allowed') / sum(requests), 2) AS passed_percent
FROM traffic
GROUP BY route
ORDER BY passed_percent""",
    "Tokens issued in the future": """SELECT gateway_instance, issuer, count(*) AS tokens, max(iat_offset_s) AS seconds_ahead
FROM failures
WHERE iat_offset_s > 5
GROUP BY ALL
ORDER BY seconds_ahead DESC""",
}


def page() -> None:
    """Draw the page. The statement stays in the session: never in the address, where a pasted secret would be kept."""
    st.header("SQL", anchor=False)
    limit = config.settings().dashboard.query_timeout_seconds
    st.caption(f"One SELECT over the views, at most {limit:g} s and {MAX_ROWS:,} rows. Times are UTC.")
    known = _known()
    st.selectbox("Start from", list(known), key="example", on_change=_take, args=(known,), width=420)
    st.session_state.setdefault("statement", next(iter(EXAMPLES.values())))
    with st.form("sql", border=False):
        # Without max_chars, with which a browser cuts what is pasted and says nothing.
        st.text_area("Statement", key="statement", height=180, label_visibility="collapsed")
        asked = st.form_submit_button("Run", type="primary", icon=":material/play_arrow:")
    if asked:
        st.session_state["asked"] = st.session_state["statement"]
        st.session_state.pop("answer", None)
    panels.guarded(_result)
    panels.guarded(_reference)


def _known() -> dict[str, Saved]:
    """Examples and the user's own statements by title; his come first, and what is no statement is said."""
    own, wrong = saved.load(config.settings().dashboard.queries)
    for says in wrong:
        st.caption(f":material/warning: {wording.escape(says, 200)}")
    examples = {title: Saved(title=title, sql=sql) for title, sql in EXAMPLES.items()}
    return {wording.visible(one.title, 80): one for one in own} | examples


def _take(known: dict[str, Saved]) -> None:
    chosen = known[st.session_state["example"]]
    st.session_state["statement"], st.session_state["chart"] = chosen.sql, chosen.chart
    for name in ("asked", "answer"):
        st.session_state.pop(name, None)


def _result() -> None:
    asked = st.session_state.get("asked")
    if not asked:
        return
    try:
        rows = _answer(asked)
    except QueryRefused as error:
        st.error("The statement was refused or failed.", icon=":material/block:")
        st.code(wording.visible(error.why, 4_000).replace("\\u000a", "\n"), language=None)
        return
    shown = rows.head(MAX_ROWS)
    more = (
        f"the first {MAX_ROWS:,} rows; add LIMIT, GROUP BY or a WHERE to see what matters"
        if len(rows) > MAX_ROWS
        else wording.plural(len(rows), "row")
    )
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption(f"Shown: {more}.")
        with st.container(horizontal=True, width="content", vertical_alignment="center", gap="small"):
            st.segmented_control(
                "Show as",
                saved.CHARTS,
                key="chart",
                default=None if "chart" in st.session_state else "table",
                required=True,
                format_func=str.capitalize,
                label_visibility="collapsed",
            )
            with st.popover("Download", icon=":material/download:"):
                downloads.buttons(lambda: shown, "result", key="sql")
                kept = Saved(title="My statement", sql=asked, chart=str(st.session_state["chart"]))
                st.download_button(
                    "Statement (TOML)",
                    saved.text(kept),
                    "statement.toml",
                    "application/toml",
                    on_click="ignore",
                    icon=":material/bookmark:",
                    width="stretch",
                    help="For the folder [dashboard] queries.",
                )
    _drawn(shown, str(st.session_state["chart"]))


def _answer(asked: str) -> pd.DataFrame:
    """The rows, asked once; meanwhile a button that stops the statement by ending its process."""
    if (kept := st.session_state.get("answer")) is None:
        running = st.empty()
        started = time.monotonic()
        with running.container(horizontal=True, vertical_alignment="center"):
            st.button("Stop", icon=":material/stop:", on_click=_stop)
            told = st.empty()
            # Streamlit ends this run at its next call when the button was clicked; the pool then ends the process.
            kept = client.ask(asked, lambda: told.caption(f"Running for {time.monotonic() - started:.0f} s"))
        running.empty()
        st.session_state["answer"] = kept
    return kept


def _stop() -> None:
    st.session_state.pop("asked", None)
    st.toast("The statement was stopped.")


def _drawn(rows: pd.DataFrame, how: str) -> None:
    if how == "table" or rows.empty:
        panels.table(rows, {name: panels.plain(name) for name in rows.columns})
        return
    drawn = charts.of_result(rows, how)
    if drawn is None:
        panels.nothing("A chart needs a column of numbers, and another one for its axis.")
        return
    panels.chart(drawn, key="result")


def _reference() -> None:
    st.subheader("Views", anchor=False)
    found = client.columns()
    for view in allow_list.VIEWS:
        rows = found[found["view"] == view]
        if len(rows):
            with st.expander(view):
                panels.table(
                    rows,
                    {
                        "column": text("Column"),
                        "type": text("Type", width="medium"),
                        "comment": text("Meaning", width="large"),
                    },
                )
