"""The list of groups with failures in the window; choosing one opens its page."""

from __future__ import annotations

from typing import Final

import streamlit as st

from dashboard import client, panels, scope
from dashboard.panels import REFRESH_S, panel

STATES: Final = {"open": "Open", "resolved": "Resolved", "muted": "Muted", "archived": "Archived", "all": "All"}


def page() -> None:
    """Draw the page; the live part draws itself again every few seconds."""
    panels.guarded(lambda: scope.bar("Groups"))
    _live()


@st.fragment(run_every=REFRESH_S)
def _live() -> None:
    panels.guarded(_body)


def _body() -> None:
    seen = scope.current()
    params = {**seen.params, "state": _state()}
    groups = client.query("attention", **params)
    about = "A group is a set of failures that one change would fix. Select a row to open it."
    with panel("Groups with failures in this window", "attention", params, about):
        st.segmented_control(
            "State", list(STATES), key="state", required=True, format_func=lambda name: STATES[name], on_change=_keep, label_visibility="collapsed",
        )  # fmt: skip
        if groups.empty:
            panels.nothing("No such group in this window.")
            return
        panels.pick_group(groups, seen)


def _state() -> str:
    """What the address says, if it is one of them."""
    chosen = st.query_params.get("state", "open")
    st.session_state["state"] = chosen if chosen in STATES else "open"
    return str(st.session_state["state"])


def _keep() -> None:
    st.query_params["state"] = st.session_state["state"]
