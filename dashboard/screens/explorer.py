"""Ad hoc SQL over the views: one SELECT, read-only, bounded in time, memory and rows."""

from __future__ import annotations

from typing import Final

import streamlit as st

from analyzer.lake import allow_list
from analyzer.lake.adhoc import MAX_LENGTH, MAX_ROWS
from analyzer.lake.errors import QueryRefused
from dashboard import client, config, frame_csv, panels, wording
from dashboard.panels import text

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
    st.selectbox("Start from an example", list(EXAMPLES), key="example", on_change=_take_example, width=360)
    st.session_state.setdefault("statement", next(iter(EXAMPLES.values())))
    with st.form("sql", border=False):
        st.text_area("Statement", key="statement", height=180, max_chars=MAX_LENGTH, label_visibility="collapsed")
        asked = st.form_submit_button("Run", type="primary", icon=":material/play_arrow:")
    if asked:
        st.session_state["asked"] = st.session_state["statement"]
    panels.guarded(_result)
    panels.guarded(_reference)


def _take_example() -> None:
    st.session_state["statement"] = EXAMPLES[st.session_state["example"]]
    st.session_state.pop("asked", None)


def _result() -> None:
    asked = st.session_state.get("asked")
    if not asked:
        return
    try:
        rows = client.ask(asked)
    except QueryRefused as error:
        st.error("The statement was refused or failed.", icon=":material/block:")
        st.code(wording.visible(error.why, 4_000).replace("\\u000a", "\n"), language=None)
        return
    shown = rows.head(MAX_ROWS)
    more = f"the first {MAX_ROWS:,} rows" if len(rows) > MAX_ROWS else wording.plural(len(rows), "row")
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption(f"Shown: {more}.")
        st.download_button(
            "CSV",
            lambda: frame_csv.to_csv(shown).encode(),
            "why401.csv",
            "text/csv",
            on_click="ignore",
            icon=":material/download:",
        )
    panels.table(shown, {name: panels.plain(name) for name in shown.columns})


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
