"""Any dimension over time: counts by it, two ranges compared, down to single requests; and what the refused ones have in common."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import pandas as pd
import streamlit as st

from dashboard import charts, client, downloads, filters, panels, roles, scope, wording
from dashboard.panels import number, panel, share, table, text
from dashboard.scope import Scope

BY: Final = {
    "gateway": "Gateway",
    **filters.LABELS,
    "outcome": "Outcome",
    "responder": "Refused by",
    "group": "Problem",
}
MEASURES: Final = {"refused": "Refused requests", "share": "Refused share", "requests": "All requests"}
COMPARED: Final = {"before": "the range before", "day": "a day earlier", "week": "a week earlier"}
_DEFAULTS: Final = {"by": "code", "show": "refused", "against": "before"}
_OPTIONS: Final[dict[str, Mapping[str, str]]] = {"by": BY, "show": MEASURES, "against": COMPARED}


def page() -> None:
    """Draw the page. It stands still until something is chosen: a table that changes under the pointer cannot be read."""
    panels.guarded(lambda: scope.bar("Explore"))
    panels.guarded(_body)


def _body() -> None:
    seen = scope.current()
    if seen.newest is None:
        panels.nothing("The store is empty. This page fills in as requests arrive.")
        return
    chosen = _choices()
    params = {**seen.params, **_other(seen, chosen["against"]), "by": chosen["by"], "group": ""}
    rows = client.query("explore", **params)
    if rows.empty:
        panels.nothing("No request in this window matches these filters.")
        if seen.filters:
            st.button("Clear filters", key="clear-here", on_click=scope.clear)
        return
    _chart(seen, params, chosen)
    _counted(seen, params, rows, chosen)
    _differences(params)
    _events(params)


def _choices() -> dict[str, str]:
    """What to count by, what to draw and what to compare with: from the address, so that a link is a view."""
    titles = {"by": "Count by", "show": "Show", "against": "Compare with"}
    with st.container(horizontal=True, gap="small"):
        for name, options in _OPTIONS.items():
            st.session_state[f"explore-{name}"] = _choice(name)
            st.selectbox(
                titles[name], list(options), key=f"explore-{name}", width=210, format_func=options.__getitem__,
                on_change=_keep, args=(name,),
            )  # fmt: skip
    return {name: _choice(name) for name in _OPTIONS}


def _choice(name: str) -> str:
    value = str(st.query_params.get(name, ""))
    return value if value in _OPTIONS[name] else _DEFAULTS[name]


def _keep(name: str) -> None:
    st.query_params[name] = st.session_state[f"explore-{name}"]


def _other(seen: Scope, against: str) -> dict[str, Any]:
    length = seen.until - seen.since
    back = {"before": length, "day": timedelta(days=1), "week": timedelta(days=7)}[against]
    # Ranges that overlap would count a request twice.
    return {"other_since": seen.since - back, "other_until": min(seen.until - back, seen.since)}


def _chart(seen: Scope, params: Mapping[str, Any], chosen: Mapping[str, str]) -> None:
    title = f"{MEASURES[chosen['show']]} by {BY[chosen['by']].lower()}"
    with panel(title, "explore_trend", params, "The eight values with the most refused requests; the others together."):
        rows = client.query("explore_trend", **params)
        named = rows.assign(value=[_value(chosen["by"], value) for value in rows["value"]])
        panels.chart(charts.over_time(named, seen.bucket_s, chosen["show"]), key="explore-trend")


def _counted(seen: Scope, params: Mapping[str, Any], rows: pd.DataFrame, chosen: Mapping[str, str]) -> None:
    by = chosen["by"]
    compared = COMPARED[chosen["against"]]
    leads = "opens the problem" if by == "group" else "sets the filter" if _is_filter(by) else ""
    about = f"Compared with {compared}. Selecting a row {leads}." if leads else f"Compared with {compared}."
    with panel(f"By {BY[by].lower()}", "explore", params, about):
        shown = rows.assign(
            name=[_value(by, value) for value in rows["value"]],
            share=_shares(rows["refused"], rows["requests"]),
            share_before=_shares(rows["refused_before"], rows["requests_before"]),
            change=rows["refused"] - rows["refused_before"],
        )
        columns = {
            "name": text(BY[by], width="large"), "refused": number("Refused"), "refused_before": number(f"Refused {compared}"),
            "change": number("Change"), "share": share("Refused share"), "share_before": share(f"Share {compared}"), "requests": number("Requests"),
        }  # fmt: skip
        picked = table(shown, columns, on_select="rerun", selection_mode="single-row", key=f"explore-rows-{by}")
        for position in picked.selection.rows[:1]:
            if position < len(rows):
                _drill(by, str(rows.iloc[position]["value"]), seen)


def _drill(by: str, value: str, seen: Scope) -> None:
    if by == "group" and value != filters.NONE:
        st.switch_page(panels.group_page(), query_params={"group": value, **seen.link})
    if _is_filter(by) and value not in ("(others)", seen.filters.get(by), seen.gateway):
        scope.keep_filter(by, value)
        st.rerun()


def _is_filter(by: str) -> bool:
    return by in filters.COLUMNS or by == "gateway"


def _shares(part: pd.Series, whole: pd.Series) -> pd.Series:
    return (part / whole.where(whole > 0)).fillna(0.0)


def _value(by: str, value: Any) -> str:
    names = {"cause": wording.CAUSES, "responder": wording.RESPONDERS}.get(by, {})
    if by in ("cause", "code", "group") and value == filters.NONE:
        return "(passed)"
    return names.get(str(value)) or wording.visible(value, 120)


def _differences(params: Mapping[str, Any]) -> None:
    about = "Every field of the refused requests of this view against the sample of passing ones."
    with panel("Failing against passing", "differs", params, about):
        panels.differences(client.query("differs", **params))


def _events(params: Mapping[str, Any]) -> None:
    with panel("Refused requests (redacted)", "explore_events", params, "The latest 200 of this view."):
        rows = client.query("explore_events", **params)
        if rows.empty:
            panels.nothing("No single refused request is kept of this window; counts are kept longer.")
            return
        panels.requests(rows, when="DD MMM HH:mm:ss")
        if roles.is_operator():
            with st.popover("Download", icon=":material/download:"):
                downloads.buttons(lambda: rows, "explore", key="explore")
