"""What the page looks at: a time range and a gateway, kept in the address so that a link shows the same."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import streamlit as st

from dashboard import client, wording

# Range -> its length and the width of one bar; about 60 to 100 bars each.
RANGES: Final = {
    "15m": (timedelta(minutes=15), 60),
    "1h": (timedelta(hours=1), 60),
    "6h": (timedelta(hours=6), 300),
    "24h": (timedelta(hours=24), 900),
    "7d": (timedelta(days=7), 7_200),
}
DEFAULT_RANGE: Final = "1h"
ALL: Final = "all"
STALE: Final = timedelta(minutes=5)  # longer than any commit interval; shorter than a coffee
_TICK_S: Final = 5  # viewers within one tick share the cached results


@dataclass(frozen=True, slots=True)
class Scope:
    """The window [since, until) and the one before it of equal length. `gateway` "" is all of them."""

    since: datetime
    until: datetime
    gateway: str
    range: str
    newest: datetime | None
    now: datetime

    @property
    def bucket_s(self) -> int:
        """Width of one bar in seconds."""
        return RANGES[self.range][1]

    @property
    def is_frozen(self) -> bool:
        """Nothing has arrived for a while, and the window ends with the last thing that did."""
        return self.newest is not None and self.now - self.newest > STALE

    @property
    def params(self) -> dict[str, Any]:
        """What the statements of `queries` call $since, $until, $before, $gateway and $bucket_s."""
        return {
            "since": self.since,
            "until": self.until,
            "before": self.since - (self.until - self.since),
            "gateway": self.gateway,
            "bucket_s": self.bucket_s,
        }

    @property
    def link(self) -> dict[str, str]:
        """Query parameters that bring another page to the same scope."""
        chosen = {"range": self.range, "gateway": self.gateway}
        return {key: value for key, value in chosen.items() if value not in ("", DEFAULT_RANGE)}


def at(range_: str, gateway: str, newest: datetime | None, now: datetime) -> Scope:
    """The scope of a choice at a moment. Data that stopped freezes the window instead of emptying it."""
    length = RANGES[range_][0]
    ticked = datetime.fromtimestamp(now.timestamp() // _TICK_S * _TICK_S + _TICK_S, UTC)
    stale = newest is not None and now - newest > STALE
    until = (newest or ticked) + timedelta(minutes=1) if stale else ticked
    return Scope(until - length, until, gateway, range_, newest, now)


def current() -> Scope:
    """The scope that the address names. Raises LakeError when the store cannot be read."""
    newest = client.newest(client.query("freshness"), "newest")
    gateway = _chosen("gateway")
    return at(_range(), "" if gateway == ALL else gateway, newest, datetime.now(UTC))


def bar(title: str) -> None:
    """The page's title with the two choices beside it."""
    gateways = _gateways()
    st.session_state["range"] = _range()
    st.session_state["gateway"] = _chosen("gateway")
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        st.subheader(title, anchor=False, width="content")
        with st.container(horizontal=True, width="content", vertical_alignment="bottom"):
            st.segmented_control(
                "Time range", list(RANGES), key="range", required=True, label_visibility="collapsed",
                on_change=_keep, args=("range",),
            )  # fmt: skip
            st.selectbox(
                "Gateway", [ALL, *sorted({*gateways, _chosen("gateway")} - {ALL})], key="gateway", width=170,
                format_func=lambda name: "All gateways" if name == ALL else wording.visible(name, 60),
                label_visibility="collapsed", on_change=_keep, args=("gateway",),
            )  # fmt: skip


# By hand and not by the widgets' `bind`: Streamlit 1.67 drops a bound parameter that a link to another page carries.
_DEFAULTS: Final = {"range": DEFAULT_RANGE, "gateway": ALL}
_LONGEST: Final = 100  # characters of a parameter


def _chosen(name: str) -> str:
    """What the address says; else what this session chose last, on any page; else the default."""
    value = st.query_params.get(name)
    if value is None:
        value = st.session_state.get(f"last_{name}") or _DEFAULTS[name]
        _keep(name, value)
    st.session_state[f"last_{name}"] = value[:_LONGEST]
    return value[:_LONGEST] or _DEFAULTS[name]


def _range() -> str:
    chosen = _chosen("range")
    return chosen if chosen in RANGES else DEFAULT_RANGE


def _keep(name: str, value: str | None = None) -> None:
    """Write a choice to the address; a default needs no parameter."""
    chosen = str(value or st.session_state[name])
    st.session_state[f"last_{name}"] = chosen
    if chosen != _DEFAULTS[name]:
        st.query_params[name] = chosen
    elif name in st.query_params:
        del st.query_params[name]


def _gateways() -> list[str]:
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return list(client.query("gateways", since=midnight - timedelta(days=7))["gateway"])
