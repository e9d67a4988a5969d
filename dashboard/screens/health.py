"""Pipeline health: records received, stored and dropped with reasons, and the position in each topic."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import charts, client, panels, scope, wording
from dashboard.panels import REFRESH_S, number, panel, table, text
from dashboard.scope import Scope


def page() -> None:
    """Draw the page; the live part draws itself again every few seconds."""
    panels.guarded(lambda: scope.bar("Pipeline"))
    _live()


@st.fragment(run_every=REFRESH_S)
def _live() -> None:
    panels.guarded(_body)


def _body() -> None:
    seen = scope.current()
    totals = client.query("pipeline_totals", **seen.params)
    st.header(sentence(totals, seen), anchor=False)
    _strip(totals, seen)
    _minutes(seen)
    left, right = st.columns(2)
    with left:
        _dropped(totals, seen)
    with right:
        _positions(seen)
    _raw_credentials(seen)
    _unread(seen)


def sentence(totals: pd.DataFrame, seen: Scope) -> str:
    """The first line: whether data arrives, and whether it is stored."""
    if seen.newest is None:
        return "No data received yet."
    if seen.is_frozen:
        return f"No data received for {wording.span((seen.now - seen.newest).total_seconds())}. Check the senders, then the collector."
    dropped, received = _sum(totals, "dropped"), _sum(totals, "received")
    if not dropped:
        return "All received records were stored."
    return (
        f"{wording.percent(dropped / max(received, dropped))} of received records were dropped; see the reasons below."
    )


def _sum(totals: pd.DataFrame, counter: str) -> int:
    return int(totals.loc[totals["counter"] == counter, "value"].sum())


def _strip(totals: pd.DataFrame, seen: Scope) -> None:
    with st.container(horizontal=True):
        for counter in charts.COUNTERS:
            st.metric(counter.capitalize(), wording.count(_sum(totals, counter)), border=True)
        st.metric("Last event", wording.ago(seen.newest, seen.now), border=True)


def _minutes(seen: Scope) -> None:
    with panel("Records over time", "pipeline_minutes", seen.params):
        rows = client.query("pipeline_minutes", **seen.params)
        if rows.empty:
            panels.nothing("No records in this window.")
            return
        panels.chart(charts.counters(rows, seen.bucket_s), key="counters")


def _dropped(totals: pd.DataFrame, seen: Scope) -> None:
    with panel("Dropped records by reason", "pipeline_totals", seen.params):
        rows = totals[totals["counter"] == "dropped"]
        if rows.empty:
            panels.nothing("No records were dropped in this window.")
            return
        shown = rows.assign(last=[wording.ago(at, seen.now) for at in rows["last_seen"]])
        table(shown, {"reason": text("Reason"), "value": number("Records"), "last": text("Last")})


def _positions(seen: Scope) -> None:
    with panel(
        "Kafka positions", "positions", seen.params, "The next offset to read, committed together with the rows."
    ):
        rows = client.query("positions", **seen.params)
        if rows.empty:
            panels.nothing("No Kafka topic is configured.")
            return
        shown = rows.assign(age=[wording.ago(at, seen.now) for at in rows["updated_at"]])
        table(
            shown,
            {
                "topic": text("Topic"),
                "partition": number("Partition"),
                "next": number("Next offset"),
                "age": text("Committed"),
            },
        )


def _raw_credentials(seen: Scope) -> None:
    with panel(
        "Whole credentials in logs",
        "raw_credentials",
        seen.params,
        "why401 stores none of them, but other readers of the logs may.",
    ):
        rows = client.query("raw_credentials", **seen.params)
        if rows.empty:
            panels.nothing("No gateway logs whole credentials.")
            return
        shown = rows.assign(last=[wording.ago(at, seen.now) for at in rows["last_seen"]])
        columns = {
            "gateway": text("Gateway"), "place": text("Where"), "records": number("Records"), "last": text("Last"),
            "setting": text("Setting that stops it", width="large"), "source": text("Source"),
        }  # fmt: skip
        table(shown, columns)


def _unread(seen: Scope) -> None:
    with panel(
        "Unparsed or unexplained log lines", "unread", seen.params, "Redacted templates; <*> replaces what varies."
    ):
        rows = client.query("unread", **seen.params)
        if rows.empty:
            panels.nothing("Every record was parsed and explained.")
            return
        shown = rows.assign(
            last=[wording.ago(at, seen.now) for at in rows["last_seen"]],
            gateway=[", ".join(names) for names in rows["gateways"]],
            reason=[", ".join(reasons) for reasons in rows["reasons"]],
        )
        columns = {
            "records": number("Records"), "gateway": text("Gateway"), "reason": text("Reason"),
            "template": text("Template", width="large"), "last": text("Last"),
        }  # fmt: skip
        table(shown, columns)
