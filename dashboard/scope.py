"""What the page looks at: a time range and filters, kept in the address so that a link shows the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

import streamlit as st

from dashboard import client, filters, wording
from dashboard.filters import Span

RANGES: Final = {
    "15m": timedelta(minutes=15),
    "1h": timedelta(hours=1),
    "6h": timedelta(hours=6),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
DEFAULT_RANGE: Final = "1h"
CUSTOM: Final = "custom"  # an absolute range; no word of the address
ALL: Final = "all"
STALE: Final = timedelta(minutes=5)  # longer than any commit interval; shorter than a coffee
_TICK_S: Final = 5  # viewers within one tick share the cached results
_TIME: Final = ("range", "from", "to")  # one choice: an address that names one of them names the time


@dataclass(frozen=True, slots=True)
class Scope:
    """The window [since, until) and the one before it of equal length. `gateway` "" is all of them; `filters` are those that are set."""

    since: datetime
    until: datetime
    gateway: str
    range: str
    newest: datetime | None
    now: datetime
    filters: Mapping[str, str] = field(default_factory=dict)

    @property
    def bucket_s(self) -> int:
        """Width of one bar in seconds."""
        return filters.width(self.until - self.since)

    @property
    def is_frozen(self) -> bool:
        """Nothing has arrived for a while, and the window ends with the last thing that did."""
        return self.newest is not None and self.now - self.newest > STALE

    @property
    def params(self) -> dict[str, Any]:
        """What the statements of `queries` call $since, $until, $before, $bucket_s, $gateway and, in $scope, the filters."""
        return {
            "since": self.since,
            "until": self.until,
            "before": self.since - (self.until - self.since),
            "gateway": self.gateway,
            "bucket_s": self.bucket_s,
            **dict.fromkeys(filters.COLUMNS, ""),
            **self.filters,
        }

    @property
    def span(self) -> Span:
        """The window as an absolute range."""
        return Span(since=self.since, until=self.until)

    @property
    def link(self) -> dict[str, str]:
        """Query parameters that bring another page to the same scope."""
        times = self.span.link if self.range == CUSTOM else {"range": self.range}
        given = {**times, "gateway": self.gateway, **self.filters}
        return {key: value for key, value in given.items() if value not in ("", DEFAULT_RANGE)}

    @property
    def title(self) -> str:
        """The range in words: `1h`, or `30 Nov 14:00 – 15:00`."""
        return between(self.since, self.until, self.now) if self.range == CUSTOM else self.range


def between(since: datetime, until: datetime, now: datetime) -> str:
    """A range as a person reads it, in UTC.

    >>> noon = datetime(2026, 11, 30, 12, tzinfo=UTC)
    >>> between(noon - timedelta(days=3), noon, noon)
    '27 Nov 12:00 – 12:00'
    """
    end = f"{until:%H:%M}" if until.date() in (since.date(), now.date()) else wording.clock(until, now)
    return f"{wording.clock(since, now)} – {end}"


def at(range_: str, gateway: str, newest: datetime | None, now: datetime) -> Scope:
    """The scope of a choice at a moment. Data that stopped freezes the window instead of emptying it."""
    length = RANGES[range_]
    ticked = datetime.fromtimestamp(now.timestamp() // _TICK_S * _TICK_S + _TICK_S, UTC)
    stale = newest is not None and now - newest > STALE
    until = (newest or ticked) + timedelta(minutes=1) if stale else ticked
    return Scope(until - length, until, gateway, range_, newest, now)


def current() -> Scope:
    """The scope that the address names. Raises LakeError when the store cannot be read."""
    newest = client.newest(client.query("freshness"), "newest")
    now, chosen = datetime.now(UTC), _filters()
    span = _span()
    if isinstance(span, Span):
        return Scope(span.since, span.until, gateway(), CUSTOM, newest, now, chosen)
    found = at(_range(), gateway(), newest, now)
    return Scope(found.since, found.until, found.gateway, found.range, newest, now, chosen)


def gateway() -> str:
    """The gateway that the address names, "" for all of them."""
    chosen = _chosen("gateway")
    return "" if chosen == ALL else chosen


def bar(title: str) -> None:
    """The page's title with the choices beside it; below, what a link got wrong and which filters are set."""
    client.ahead(("gateways", {"since": _a_week_ago()}), ("freshness", {}))
    gateways = _gateways()
    span = _span()
    st.session_state["range"] = CUSTOM if isinstance(span, Span) else _range()
    st.session_state["gateway"] = _chosen("gateway")
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        st.subheader(title, anchor=False, width="content")
        with st.container(horizontal=True, width="content", vertical_alignment="bottom", gap="small"):
            _times(span)
            st.selectbox(
                "Gateway", [ALL, *sorted({*gateways, _chosen("gateway")} - {ALL})], key="gateway", width=170,
                format_func=lambda name: "All gateways" if name == ALL else wording.visible(name, 60),
                label_visibility="collapsed", on_change=_keep, args=("gateway",),
            )  # fmt: skip
            _pick_filters()
    if isinstance(span, str):
        st.warning(f"{wording.escape(span, 300)} Shown: the range {_range()}.", icon=":material/link_off:")
    _set_filters()


def _times(span: Span | str | None) -> None:
    options = [*RANGES, *([CUSTOM] if isinstance(span, Span) else [])]
    title = between(span.since, span.until, datetime.now(UTC)) if isinstance(span, Span) else ""
    st.segmented_control(
        "Time range", options, key="range", required=True, label_visibility="collapsed",
        format_func=lambda name: title if name == CUSTOM else name, on_change=_keep_range,
    )  # fmt: skip
    with st.popover("", icon=":material/date_range:", help="From … to …, in UTC"):
        shown = current().span
        for name, moment in (("from", shown.since), ("to", shown.until)):
            st.datetime_input(
                f"{name.capitalize()} (UTC)",
                moment.replace(tzinfo=None, second=0, microsecond=0),
                key=f"at-{name}",
                step=60,
            )
        st.button("Show this range", on_click=_keep_span, width="stretch")


def _pick_filters() -> None:
    chosen = _filters()
    label = f"Filters ({len(chosen)})" if chosen else "Filters"
    # Its lists are asked for when it is open, not with every page.
    box = st.popover(label, icon=":material/filter_alt:", key="filters", on_change="rerun")
    if not box.open:
        return
    with box:
        seen = current()
        values = client.query("filter_values", **{**seen.params, **dict.fromkeys(filters.COLUMNS, "")})
        for name, title in filters.LABELS.items():
            known = [str(value) for value in values.loc[values["filter"] == name, "value"]]
            st.session_state[f"filter-{name}"] = chosen.get(name)
            st.selectbox(
                title, sorted({*known, *filter(None, [chosen.get(name)])}), key=f"filter-{name}", index=None, placeholder="All",
                format_func=partial(named, name), on_change=_keep_filter, args=(name,),
            )  # fmt: skip


def _set_filters() -> None:
    chosen = _filters()
    if not chosen:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f"Only {wording.escape(filters.told(chosen, named), 400)}.", width="content")
        st.button("Clear filters", type="tertiary", icon=":material/filter_alt_off:", on_click=clear)


def named(name: str, value: str) -> str:
    """A filter's value as people read it."""
    return wording.CAUSES.get(value, value) if name == "cause" else wording.visible(value, 80)


def clear() -> None:
    """Take every filter out of the address. A callback."""
    for name in filters.COLUMNS:
        keep_filter(name, "")


def keep_filter(name: str, value: str) -> None:
    """Write a filter to the address; "" takes it out."""
    st.session_state[f"last_{name}"] = value
    if value:
        st.query_params[name] = value
    elif name in st.query_params:
        del st.query_params[name]


# By hand and not by the widgets' `bind`: Streamlit 1.67 drops a bound parameter that a link to another page carries.
_DEFAULTS: Final = {"range": DEFAULT_RANGE, "gateway": ALL}


def _chosen(name: str) -> str:
    """What the address says; else what this session chose last, on any page; else the default."""
    value = st.query_params.get(name)
    if value is None:
        value = st.session_state.get(f"last_{name}") or _DEFAULTS.get(name, "")
        _write(name, value)
    st.session_state[f"last_{name}"] = value[: filters.LONGEST]
    return value[: filters.LONGEST] or _DEFAULTS.get(name, "")


def _filters() -> dict[str, str]:
    return filters.chosen({name: _chosen(name) for name in filters.COLUMNS})


def _range() -> str:
    _settle_time()
    chosen = _chosen("range")
    return chosen if chosen in RANGES else DEFAULT_RANGE


def _span() -> Span | str | None:
    _settle_time()
    return filters.span({name: _chosen(name) for name in ("from", "to")})


def _settle_time() -> None:
    """A link's time is the link's alone: what the session remembers of another choice must not mix with it."""
    if any(name in st.query_params for name in _TIME):
        for name in _TIME:
            st.session_state[f"last_{name}"] = st.query_params.get(name, "")


def _keep(name: str) -> None:
    """Write a widget's choice to the address. A callback."""
    _write(name, str(st.session_state[name]))


def _keep_range() -> None:
    if st.session_state["range"] == CUSTOM:
        return
    for name in ("from", "to"):
        keep_filter(name, "")
    _keep("range")


def _keep_span() -> None:
    picked = [st.session_state[f"at-{name}"] for name in ("from", "to")]
    made = [moment.replace(tzinfo=UTC) if moment else None for moment in picked]
    for name, moment in zip(("from", "to"), made, strict=True):
        keep_filter(name, filters.written(moment) if moment else "")
    keep_filter("range", "")


def _keep_filter(name: str) -> None:
    keep_filter(name, str(st.session_state[f"filter-{name}"] or ""))


def _write(name: str, chosen: str) -> None:
    """A default needs no parameter."""
    st.session_state[f"last_{name}"] = chosen
    if chosen and chosen != _DEFAULTS.get(name):
        st.query_params[name] = chosen
    elif name in st.query_params:
        del st.query_params[name]


def _gateways() -> list[str]:
    return list(client.query("gateways", since=_a_week_ago())["gateway"])


def _a_week_ago() -> datetime:
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=7)
