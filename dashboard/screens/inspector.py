"""Token inspector: a token or a log line in, the diagnosis out. Nothing that is pasted is kept, logged, or in the address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd
import streamlit as st

from dashboard import inspection, panels, wording
from dashboard.errors import NotInspected
from dashboard.panels import text

_FIELD: Final = "pasted"
_TAKEN: Final = "pasted_taken"  # for the moment between the click and the answer
_NO_LOG_LINE: Final = "token"  # the gateway of a bare token
FACTS: Final = {
    "token.kind": "Kind",
    "token.alg": "alg",
    "token.typ": "typ",
    "token.kid": "kid",
    "token.iss": "Issuer (iss)",
    "token.aud": "Audience (aud)",
    "token.client_id": "Client",
    "token.scopes": "Scopes",
    "token.claims": "Claims",
    "token.verification": "Signature",
    "token.anomalies": "Odd about it",
}


TIMES: Final = {
    "token.iat_offset_s": "Issued (iat)",
    "token.nbf_offset_s": "Valid from (nbf)",
    "token.exp_offset_s": "Expires (exp)",
}


def page() -> None:
    """Draw the page."""
    st.subheader("Token inspector", anchor=False)
    st.caption(
        "A token, or log lines with or without one. It is read by why401 explain with this page's configuration, in a process that ends with the answer; "
        "nothing is stored, logged or put in the address. Users are shown as pseudonyms, claims by their names."
    )
    with st.form("inspect", border=False):
        st.text_area(
            "Token or log line", key=_FIELD, height=140, placeholder="eyJhbGciOi…  or a line of a gateway's log"
        )
        st.form_submit_button("Explain", type="primary", icon=":material/search:", on_click=_take)
    pasted = st.session_state.pop(_TAKEN, None)
    if pasted is None:
        return
    try:
        with st.spinner("Explaining …"):
            verdicts = inspection.inspect(pasted)
    except NotInspected as error:
        st.warning(wording.escape(error, 400), icon=":material/block:")
        return
    finally:
        del pasted
    for verdict in verdicts:
        _verdict(verdict)
    if not verdicts:
        panels.nothing("There was no record in that.")


def _take() -> None:
    """Empty the field, so that neither the session nor the next visitor of this screen has what was in it. A callback."""
    st.session_state[_TAKEN] = st.session_state[_FIELD]
    st.session_state[_FIELD] = ""


def _verdict(verdict: Mapping[str, Any]) -> None:
    with st.container(border=True):
        _head(verdict)
        for item in verdict["evidence"]:
            panels.line(item["source"], item["says"])
        if verdict["near_miss"]:
            panels.near(verdict["near_miss"])
        _numbered("How to fix it", verdict["fix"])
        _list("What would confirm it", verdict["missing"])
        if verdict["rivals"]:
            st.subheader("Also considered", anchor=False)
            for rival in verdict["rivals"]:
                panels.line(rival["code"], rival["why_not"])
        _facts(verdict["event"])


def _head(verdict: Mapping[str, Any]) -> None:
    st.header(wording.sentence(verdict["title"], 300), anchor=False)
    cause = wording.CAUSES.get(str(verdict["cause"]), wording.CAUSES["unknown"])
    facts = f"{cause} · {verdict['code']} · confidence {wording.percent(verdict['confidence'], 0)}"
    if verdict["gateway"]:
        facts += f" · {verdict['gateway']}"
    st.caption(wording.escape(facts, 300))
    if not verdict["read"] and verdict["gateway"] != _NO_LOG_LINE:
        st.caption("`why401 up` would not store this record as a refused request.")


def _numbered(title: str, fixes: list[Mapping[str, Any]]) -> None:
    if fixes:
        st.subheader(title, anchor=False)
    for number, item in enumerate(fixes, 1):
        panels.fix(number, item)


def _list(title: str, items: list[str]) -> None:
    if items:
        st.subheader(title, anchor=False)
    for item in items:
        panels.say(item, before="- ")


def _facts(event: Mapping[str, Any]) -> None:
    rows = [(title, _words(event[name])) for name, title in FACTS.items() if event.get(name)]
    rows += [(title, wording.relative(event[name])) for name, title in TIMES.items() if event.get(name) is not None]
    if rows:
        with st.expander("The token's facts"):
            panels.table(
                pd.DataFrame(rows, columns=["fact", "value"]), {"fact": text("Fact", width=130), "value": text("Value")}
            )


def _words(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(
            f"{item[0]} ({item[1]})" if isinstance(item, list) and len(item) == 2 else str(item) for item in value
        )
    return str(value)
