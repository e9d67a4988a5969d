"""The pipeline's own health: what came in, what was kept, what was dropped and why, how far each topic is."""

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
    """The first line: arriving or not, kept or not."""
    if seen.newest is None:
        return "Nothing has arrived yet."
    if seen.is_frozen:
        return f"Nothing has arrived for {wording.span((seen.now - seen.newest).total_seconds())}. Check the senders, then the collector."
    dropped, received = _sum(totals, "dropped"), _sum(totals, "received")
    if not dropped:
        return "Everything that arrived was stored."
    return f"{wording.percent(dropped / max(received, dropped))} of what arrived was dropped; the reasons are below."


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
        st.altair_chart(charts.counters(rows, seen.bucket_s), key="counters")


def _dropped(totals: pd.DataFrame, seen: Scope) -> None:
    with panel("Dropped, by reason", "pipeline_totals", seen.params):
        rows = totals[totals["counter"] == "dropped"]
        if rows.empty:
            panels.nothing("Nothing was dropped.")
            return
        told = rows.assign(last=[wording.ago(at, seen.now) for at in rows["last_seen"]])
        table(told, {"reason": text("Reason"), "value": number("Records"), "last": text("Last")})


def _positions(seen: Scope) -> None:
    with panel(
        "Kafka positions", "positions", seen.params, "The next offset to read, stored with the rows themselves."
    ):
        rows = client.query("positions", **seen.params)
        if rows.empty:
            panels.nothing("No Kafka topic is read.")
            return
        told = rows.assign(age=[wording.ago(at, seen.now) for at in rows["updated_at"]])
        table(
            told,
            {
                "topic": text("Topic"),
                "partition": number("Partition"),
                "next": number("Next offset"),
                "age": text("Stored"),
            },
        )


def _raw_credentials(seen: Scope) -> None:
    with panel(
        "Whole credentials in logs",
        "raw_credentials",
        seen.params,
        "why401 keeps none, but the log's other readers may.",
    ):
        rows = client.query("raw_credentials", **seen.params)
        if rows.empty:
            panels.nothing("No gateway logs whole credentials.")
            return
        told = rows.assign(last=[wording.ago(at, seen.now) for at in rows["last_seen"]])
        columns = {
            "gateway": text("Gateway"), "place": text("Where"), "records": number("Records"), "last": text("Last"),
            "setting": text("What stops it", width="large"), "source": text("Source"),
        }  # fmt: skip
        table(told, columns)


def _unread(seen: Scope) -> None:
    with panel(
        "Log lines that nobody could read", "unread", seen.params, "Redacted templates; <*> stands for what varies."
    ):
        rows = client.query("unread", **seen.params)
        if rows.empty:
            panels.nothing("Every record was read.")
            return
        told = rows.assign(
            last=[wording.ago(at, seen.now) for at in rows["last_seen"]],
            gateway=[", ".join(names) for names in rows["gateways"]],
            reason=[", ".join(reasons) for reasons in rows["reasons"]],
        )
        columns = {
            "records": number("Records"), "gateway": text("Gateway"), "reason": text("Reason"),
            "template": text("Template", width="large"), "last": text("Last"),
        }  # fmt: skip
        table(told, columns)
