"""The list of groups with failures in the window; choosing one opens its page."""

from __future__ import annotations

import streamlit as st

from dashboard import client, panels, scope
from dashboard.panels import REFRESH_S, panel


def page() -> None:
    """Draw the page; the live part draws itself again every few seconds."""
    panels.guarded(lambda: scope.bar("Groups"))
    _live()


@st.fragment(run_every=REFRESH_S)
def _live() -> None:
    panels.guarded(_body)


def _body() -> None:
    seen = scope.current()
    groups = client.query("attention", **seen.params)
    about = "A group is a set of failures that one change would fix. Select a row to open it."
    with panel("Groups with failures in this window", "attention", seen.params, about):
        if groups.empty:
            panels.nothing("No request was refused in this window.")
            return
        panels.pick_group(groups, seen)
