"""The opening page: whether it is our fault, whether it is new, who is affected, what changed."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import pandas as pd
import streamlit as st

from dashboard import charts, client, panels, scope, wording
from dashboard.panels import REFRESH_S, number, panel, share, table, text
from dashboard.scope import Scope

URGENT: Final = ("new", "regressed", "escalating")
MAX_CARDS: Final = 5  # so that the chart is within reach; the rest is in the table below


def page() -> None:
    """Draw the page; the live part draws itself again every few seconds."""
    panels.guarded(lambda: scope.bar("Why requests are refused"))
    _live()


@st.fragment(run_every=REFRESH_S)
def _live() -> None:
    panels.guarded(_body)


def _body() -> None:
    seen = scope.current()
    if seen.newest is None:
        panels.nothing("The store is empty. This page fills in as requests arrive.")
        return
    groups = client.query("attention", **seen.params)
    urgent = groups[groups["status"].isin(URGENT)]
    _headline(seen, urgent)
    _attention(seen, urgent)
    _trend(seen)
    _other_groups(seen, groups.drop(urgent.index[:MAX_CARDS]))
    left, right = st.columns(2)
    with left:
        _gateways(seen)
        _who_answered(seen)
        _keys(seen)
    with right:
        _heat(seen)
        _clocks(seen)
        _unread(seen)
    _pipeline(seen)


def _headline(seen: Scope, urgent: pd.DataFrame) -> None:
    totals = client.query("headline", **seen.params).iloc[0]
    affected = client.query("affected", **seen.params).iloc[0]
    now = _success(totals["requests"], totals["refused"])
    before = _success(totals["requests_before"], totals["refused_before"])
    st.header(sentence(seen, len(urgent), now, before), anchor=False)
    with st.container(horizontal=True, gap="small"):
        st.metric(
            "Pass rate",
            wording.percent(now),
            _points(now, before),
            help="Compared with the previous window.",
            border=True,
            height="stretch",
        )
        st.metric(
            "Refused",
            wording.count(totals["refused"]),
            help="Denied, or failed during authentication.",
            border=True,
            height="stretch",
        )
        st.metric("Requests", wording.count(totals["requests"]), border=True, height="stretch")
        st.metric(
            "Users affected",
            wording.count(affected["users"]),
            help="Distinct pseudonyms; no names are stored.",
            border=True,
            height="stretch",
        )
        st.metric("Clients affected", wording.count(affected["clients"]), border=True, height="stretch")
        st.metric(
            "Last event",
            wording.ago(seen.newest, seen.now),
            help="When the store last received an event.",
            border=True,
            height="stretch",
        )


def sentence(seen: Scope, urgent: int, now: float | None, before: float | None) -> str:
    """The first line of the page: the state in one sentence."""
    if seen.is_frozen:
        return f"No data received for {_since(seen)}. The figures are as of {wording.clock(seen.newest, seen.now)} UTC."
    rate = f"{wording.percent(now)} of requests pass" if now is not None else "no requests in this window"
    was = (
        f", {wording.percent(before)} before"
        if now is not None and before is not None and abs(now - before) >= 0.001
        else ""
    )
    if urgent:
        return f"{wording.plural(urgent, 'problem')} {'needs' if urgent == 1 else 'need'} attention: new, regressed or escalating. {rate[0].upper()}{rate[1:]}{was}."
    return f"Nothing new. {rate[0].upper()}{rate[1:]}{was}."


def _since(seen: Scope) -> str:
    return wording.span((seen.now - seen.newest).total_seconds()) if seen.newest else "some time"


def _success(requests: int, refused: int) -> float | None:
    return (requests - refused) / requests if requests else None


def _points(now: float | None, before: float | None) -> str | None:
    if now is None or before is None:
        return None
    return f"{(now - before) * 100:+.1f} points"


def _attention(seen: Scope, urgent: pd.DataFrame) -> None:
    for row in urgent.head(MAX_CARDS).itertuples():
        _card(seen, row)
    if len(urgent) > MAX_CARDS:
        st.caption(f"{len(urgent) - MAX_CARDS} more in the list below.")


def _card(seen: Scope, row: Any) -> None:
    with st.container(border=True, gap="xsmall"):
        what, who = st.columns([5, 2], vertical_alignment="center")
        with what:
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.badge(wording.STATUSES.get(row.status, "open"), color=_status_colour(row.status))
                st.page_link(
                    panels.group_page(), label=f"**{wording.sentence(row.title, 160)}**", query_params={"group": str(row.group_id), **seen.link},
                    icon=":material/chevron_right:", icon_position="right",
                )  # fmt: skip
            if _is_text(row.because):
                panels.say(row.because, limit=160)
            st.caption(wording.escape(_facts(row, seen.now), 400))
            if _is_text(row.suspect_change):
                st.caption(f":material/history: Suspect change: {wording.escape(row.suspect_change, 200)}")
        with who:
            st.text(
                f"{wording.count(row.last_hour)} in the last hour, {wording.count(row.previous_hour)} the hour before"
            )
            st.caption(
                f"{wording.plural(row.users, 'user')} · {wording.plural(row.clients, 'client')} · {_routes(row.routes)}"
            )


def _facts(row: Any, now: datetime) -> str:
    cause = wording.CAUSES.get(row.cause, wording.CAUSES["unknown"])
    began = f"since {wording.clock(row.first_seen, now)} ({wording.ago(row.first_seen, now)})"
    return f"{cause} · {row.code} · confidence {wording.percent(row.confidence, 0)} · {began} · {wording.listed(row.gateways)}"


def _routes(routes: Any) -> str:
    found = len(routes) if routes is not None else 0
    return "10 routes or more" if found >= 10 else wording.plural(found, "route")


def _status_colour(status: str) -> Any:
    return panels.STATUS_COLOURS.get(status, "gray")


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _trend(seen: Scope) -> None:
    with panel(
        "Refused requests by cause",
        "trend_by_cause",
        seen.params,
        "Dashed lines mark changes: new keys, new issuers, reloads.",
    ):
        rows = client.query("trend_by_cause", **seen.params)
        changes = client.query("changes", **seen.params)
        if rows.empty:
            panels.nothing("No request was refused in this window.")
            return
        st.altair_chart(charts.failures_by_cause(rows, changes, seen.bucket_s), key="trend")


def _other_groups(seen: Scope, groups: pd.DataFrame) -> None:
    with panel("Other groups", "attention", seen.params, "Select a row to open it."):
        if groups.empty:
            panels.nothing("No other group has failures in this window.")
            return
        panels.pick_group(groups, seen)


def _gateways(seen: Scope) -> None:
    with panel("Gateways", "by_gateway", seen.params):
        rows = client.query("by_gateway", **seen.params)
        columns = {
            "gateway": text("Gateway"),
            "success": share("Passed"),
            "refused": number("Refused"),
            "requests": number("Requests"),
        }
        table(rows, columns)


def _who_answered(seen: Scope) -> None:
    with panel(
        "Refused by", "responders", seen.params, "The component that sent the refusal to the client, by gateway."
    ):
        rows = client.query("responders", **seen.params)
        if rows.empty:
            panels.nothing("No request was refused in this window.")
            return
        st.altair_chart(charts.who_answered(rows), key="responders")


def _heat(seen: Scope) -> None:
    with panel(
        "Refused share by issuer and gateway",
        "heat",
        seen.params,
        "One dark cell points to that gateway's configuration; a dark row points to the issuer.",
    ):
        rows = client.query("heat", **seen.params)
        if rows.empty:
            panels.nothing("No traffic in this window.")
            return
        st.altair_chart(charts.issuers_by_gateways(rows), key="heat")


def _keys(seen: Scope) -> None:
    with panel(
        "Signing keys",
        "keys",
        seen.params,
        "Key ids seen in tokens, over all time. A new key that fails more often than it passes is usually a rotation that a gateway missed.",
    ):
        rows = client.query("keys", **seen.params)
        if rows.empty:
            panels.nothing("No token has a key id.")
            return
        shown = rows.assign(seen=[wording.ago(at, seen.now) for at in rows["first_seen"]])
        columns = {
            "kid": text("Key id"), "state": text("State"), "failing": number("Failed"), "passing": number("Passed"),
            "seen": text("First seen"), "issuer": text("Issuer"), "alg": text("alg"),
        }  # fmt: skip
        table(shown, columns)


def _clocks(seen: Scope) -> None:
    with panel(
        "Clocks",
        "clocks",
        seen.params,
        "A token issued in a gateway's future means that two clocks differ. The band is one minute of leeway.",
    ):
        rows = client.query("clocks", **seen.params)
        if rows.empty:
            panels.nothing("Not enough refused tokens with an iat claim to compare clocks.")
            return
        st.altair_chart(charts.clocks(rows), key="clocks")


def _unread(seen: Scope) -> None:
    with panel(
        "Not explained yet",
        "unread",
        seen.params,
        "Log lines that no parser recognizes, and refusals whose cause is not determined; `<*>` replaces a value. "
        "`why401 propose ID` writes the knowledge entry for a message.",
    ):
        rows = client.query("unread", **seen.params)
        if rows.empty:
            panels.nothing("Every record was parsed and every refusal explained.")
            return
        columns = {
            "records": number("Records"),
            "gateways": text("Gateways"),
            "template": text("Message", width="large"),
            "reasons": text("Reason"),
            "template_id": text("ID"),
        }
        table(rows, columns)


def _pipeline(seen: Scope) -> None:
    with panel("Pipeline", "pipeline_totals", seen.params):
        rows = client.query("pipeline_totals", **seen.params)
        by_counter = rows.groupby("counter")["value"].sum()
        with st.container(horizontal=True):
            for counter in charts.COUNTERS:
                st.metric(counter.capitalize(), wording.count(by_counter.get(counter, 0)))
            st.metric("Last event", wording.ago(seen.newest, seen.now))
