"""Issuers and keys: who signs, with which keys, what their tokens are like, and what will break next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import charts, client, filters, forecast, panels, scope, wording
from dashboard.panels import REFRESH_S, number, panel, share, table, text
from dashboard.scope import Scope


def page() -> None:
    """Draw the page; the live part draws itself again every few seconds."""
    panels.guarded(lambda: scope.bar("Issuers and keys"))
    _live()


@st.fragment(run_every=REFRESH_S)
def _live() -> None:
    panels.guarded(_body)


def _body() -> None:
    seen = scope.current()
    if seen.newest is None:
        panels.nothing("The store is empty. This page fills in as requests arrive.")
        return
    _next(seen)
    known = client.query("issuer_list", **seen.params)
    _list(seen, known)
    panels.keys(seen)
    left, right = st.columns(2)
    with left:
        _claims(seen, known)
    with right:
        _tokens(seen)
        _changes(seen)


def _next(seen: Scope) -> None:
    about = "From the sample of passing tokens in this window: keys that left the key set, gateways without the new key, times that only leeway forgives."
    with panel("What will break next", "next_unmet", seen.params, about):
        unmet, keys, leeway = (client.rows(name, **seen.params) for name in ("next_unmet", "next_keys", "next_leeway"))
        found = forecast.sentences(unmet, keys, leeway, seen.now)
        for says in found:
            panels.say(says, before="- ")
        if not found:
            panels.nothing("Nothing in sight: every gateway knows the newest keys, and tokens pass without leeway.")


def _list(seen: Scope, rows: pd.DataFrame) -> None:
    about = "Select a row to see only this issuer."
    with panel("Issuers", "issuer_list", seen.params, about):
        if rows.empty:
            panels.nothing("No token with an issuer in this window.")
            return
        shown = rows.assign(
            first=[wording.ago(at, seen.now) for at in rows["first_seen"]],
            passed=[wording.ago(at, seen.now) for at in rows["last_passed"]],
        )
        columns = {
            "issuer": text("Issuer", width="large"), "share": share("Refused share"), "refused": number("Refused"), "requests": number("Requests"),
            "clients": number("Clients"), "keys": number("Keys"), "algs": text("Algorithms"), "gateways": text("Gateways"),
            "first": text("First seen"), "passed": text("Last passed"),
        }  # fmt: skip
        picked = table(shown, columns, on_select="rerun", selection_mode="single-row", key="issuers")
        for position in picked.selection.rows[:1]:
            if position < len(rows) and seen.filters.get("issuer") != rows.iloc[position]["issuer"]:
                scope.keep_filter("issuer", str(rows.iloc[position]["issuer"])[: filters.LONGEST])
                st.rerun()


def _claims(seen: Scope, known: pd.DataFrame) -> None:
    issuer = seen.filters.get("issuer") or (str(known.iloc[0]["issuer"]) if len(known) else "")
    params = {**seen.params, "issuer": issuer}
    about = "The share of tokens that carry each claim. A row that ends is a claim that the issuer no longer sends."
    with panel("Claims over time", "issuer_claims", params, about):
        rows = client.query("issuer_claims", **params)
        if rows.empty:
            panels.nothing("No token with readable claims in this window.")
            return
        st.caption(f"Tokens of {wording.escape(issuer, 120)}")
        for says in _lost(rows, seen):
            panels.say(says)
        panels.chart(charts.claims(rows, seen.bucket_s), key="claims")


def _lost(rows: pd.DataFrame, seen: Scope) -> list[str]:
    """Claims that most tokens carried and none does any more, and new ones: with the time of the change."""
    found = []
    for claim, of in rows.groupby("claim"):
        change = charts.changed_presence(of["share"].to_list())
        if change is not None:
            at, carried = change
            verb = "carry" if carried else "carry no"
            found.append(
                f"Since about {wording.clock(of['bucket'].iloc[at], seen.now)} tokens {verb} `{wording.visible(claim, 60)}`."
            )
    return found[:5]


def _tokens(seen: Scope) -> None:
    about = (
        "Of the sample of passing tokens and the newest refused ones. Skew: how far iat lies in the gateways' future."
    )
    with panel("Tokens", "issuer_tokens", seen.params, about):
        rows = client.query("issuer_tokens", **seen.params)
        if rows.empty:
            panels.nothing("No single token is kept of this window.")
            return
        shown = rows.assign(
            lifetime=[_span(value) for value in rows["lifetime_s"]],
            skew=[_skew(value) for value in rows["youngest_iat_s"]],
        )
        columns = {
            "issuer": text("Issuer"), "lifetime": text("Lifetime", width=80), "skew": text("Skew", width=80), "accepted": text("Audiences that pass"),
            "refused": text("Audiences refused"), "tokens": number("Tokens", width=80),
        }  # fmt: skip
        table(shown, columns)


def _span(seconds: Any) -> str:
    return "" if wording.is_nothing(seconds) else wording.span(seconds)


def _skew(seconds: Any) -> str:
    return "" if wording.is_nothing(seconds) else wording.span(seconds) if seconds > 0 else "none"


def _changes(seen: Scope) -> None:
    with panel(
        "Changes", "issuer_changes", seen.params, "New keys, key sets that were fetched, configurations, marks."
    ):
        rows = client.query("issuer_changes", **seen.params)
        if rows.empty:
            panels.nothing("No change was seen in this window.")
            return
        table(
            _told(rows.to_dict("records"), seen),
            {
                "when": text("When (UTC)", width=110),
                "what": text("Change", width=140),
                "subject": text("What"),
                "gateway": text("Gateway"),
                "detail": text("Detail"),
            },
        )


def _told(rows: list[Mapping[str, Any]], seen: Scope) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "when": [wording.clock(row["changed_at"], seen.now) for row in rows],
            "what": [wording.CHANGES.get(row["kind"], str(row["kind"]).replace("_", " ")) for row in rows],
            **{name: [row[name] for row in rows] for name in ("subject", "gateway", "detail")},
        }
    )
