"""Rows to charts, pure: the same rows give the same picture, in a light theme and in a dark one.

A chart is a Vega-Lite specification as plain data, with its rows as frames in `datasets`. Building the same through Altair takes
40 times as much CPU, most of it to check each chart against the schema while somebody waits; a test checks them instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import pandas as pd

from dashboard import wording

Picture: TypeAlias = dict[str, Any]
"""A Vega-Lite specification, whether of one layer or of several."""
Channel: TypeAlias = dict[str, Any]

# Okabe and Ito's palette: distinguishable with every common colour blindness, on white and on near-black.
COLOURS: Final = {
    "issuer": "#0072B2",
    "format": "#E69F00",
    "library": "#009E73",
    "gateway": "#D55E00",
    "policy": "#CC79A7",
    "unknown": "#8C8C8C",
}
NEUTRAL: Final = "#6C8EBF"
ALARM: Final = "#D55E00"
COUNTERS: Final = {"received": "#0072B2", "stored": "#009E73", "dropped": "#D55E00"}
LEEWAY_S: Final = 60  # the default of the settings and of most verifiers
_ROWS: Final = "rows"  # the name of a chart's main data set
_UTC: Final = {"type": "utc"}
_COUNTS: Final = {"tickCount": 4, "format": "~s"}
_PLAIN_NAMES: Final = {"domain": False, "ticks": False}
_AXIS_TIME: Final = {"format": "%H:%M", "grid": False, "labelOverlap": True, "tickCount": 8, "title": None}
_AXIS_DAYS: Final = {"format": "%d %b %H:%M", "grid": False, "labelOverlap": True, "tickCount": 7, "title": None}
_AXIS_OFFSET: Final = {
    "values": [-86_400, -3_600, -600, -60, 0, 60, 600, 3_600, 86_400],
    "labelExpr": "datum.value == 0 ? 'now' : (datum.value > 0 ? '+' : '−') + (abs(datum.value) >= 3600 ? abs(datum.value) / 3600 + ' h' : abs(datum.value) / 60 + ' min')",
}


@dataclass(frozen=True, slots=True)
class Usual:
    """What to compare with: rows of `bucket, requests`, and what they are, for the tooltip."""

    rows: pd.DataFrame
    name: str


def failures_by_cause(
    rows: pd.DataFrame, changes: pd.DataFrame, bucket_s: int, height: int = 240, usual: Usual | None = None
) -> Picture:
    """Stacked bars of `bucket, cause, requests`, with a dashed line for each of `changes` (moment, kind, …) and a step line of what is usual."""
    named = rows.assign(
        cause=rows["cause"].map(wording.CAUSES).fillna(wording.CAUSES["unknown"]),
        ends=_ends(rows, bucket_s),
        when=_utc(rows["bucket"]),
    )
    bars = _layer(
        _ROWS,
        {"type": "bar", "orient": "vertical", "binSpacing": 1},
        x=_time("bucket", bucket_s),
        x2={"field": "ends"},
        y=_quantity("requests", stack="zero", axis=_COUNTS),
        color=_name("cause", scale=_cause_scale(), legend={"orient": "top", "title": None, "columns": 6}),
        order=_name("cause"),
        tooltip=[_name("when", title="time"), _name("cause"), _count("requests", title="refused")],
    )
    layers, data = [bars], {_ROWS: named}
    if usual and len(usual.rows):
        layers.append(_steps(usual.name))
        data["usual"] = _summed(usual.rows)
    if len(changes):
        layers += _markers()
        data["changes"] = _marked(changes)
    return _plain(layers, height, data)


def _summed(usual: pd.DataFrame) -> pd.DataFrame:
    summed = usual.groupby("bucket", as_index=False)["requests"].sum()
    return summed.assign(when=_utc(summed["bucket"]))


def _steps(name: str) -> Picture:
    return _layer(
        "usual",
        {"type": "line", "interpolate": "step-after", "color": NEUTRAL, "strokeWidth": 2},
        x={"field": "bucket", "type": "temporal"},
        y=_quantity("requests"),
        tooltip=[_name("when", title="time"), _count("requests", title=name)],
    )


# For values that have no colour of their own: the palette above, and two more; the others together are grey.
_SERIES: Final = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#B8A100", "#7A5CC2")


def over_time(rows: pd.DataFrame, bucket_s: int, show: str) -> Picture:
    """Stacked bars of `bucket, value, refused, requests`; with `show` "share" lines of refused / requests."""
    known = [
        value for value in dict.fromkeys(rows.sort_values("refused", ascending=False)["value"]) if value != "(others)"
    ]
    others = ["(others)"] if (rows["value"] == "(others)").any() else []
    drawn = rows.assign(
        ends=_ends(rows, bucket_s), when=_utc(rows["bucket"]), share=rows["refused"] / rows["requests"].clip(lower=1)
    )
    colours = _domain([*known, *others], [*_SERIES[: len(known)], *(COLOURS["unknown"] for _ in others)])
    shared = {
        "x": _time("bucket", bucket_s),
        "color": _name(
            "value", legend={"orient": "top", "title": None, "columns": 4, "labelLimit": 240}, scale=colours
        ),
        "tooltip": [
            _name("when", title="time"), _name("value"), _count("refused"), _count("requests"),
            _quantity("share", title="refused share", format=".1%"),
        ],
    }  # fmt: skip
    if show == "share":
        lines = {"type": "line", "point": True, "strokeWidth": 2}
        y = _quantity("share", title=None, axis={"tickCount": 4, "format": "%"})
        return _plain([_layer(_ROWS, lines, y=y, **shared)], 260, {_ROWS: drawn})
    bars = {"type": "bar", "orient": "vertical", "binSpacing": 1}
    y = _quantity(show, stack="zero", title=None, axis=_COUNTS)
    return _plain([_layer(_ROWS, bars, x2={"field": "ends"}, y=y, **shared)], 260, {_ROWS: drawn})


def issuers_by_gateways(rows: pd.DataFrame) -> Picture:
    """A heat map of `issuer, gateway, share, refused, requests`: the darker, the more is refused."""
    named = rows.assign(
        issuer=rows["issuer"].map(lambda value: wording.visible(value, 60)), label=rows["share"].map(wording.percent)
    )
    shared = {
        "x": _name("gateway", title=None, axis={"orient": "top", "labelAngle": 0, **_PLAIN_NAMES}),
        "y": _name("issuer", title=None, axis={"labelLimit": 250, **_PLAIN_NAMES}),
        "tooltip": [
            _name("issuer"), _name("gateway"), _name("label", title="refused share"), _count("refused"), _count("requests"),
        ],
    }  # fmt: skip
    # Opacity over the page's own background serves both themes; the square root keeps small shares visible.
    shade = _quantity("share", scale={"type": "sqrt", "domain": [0, 1], "range": [0.04, 0.85]}, legend=None)
    mark = {"type": "rect", "color": ALARM, "cornerRadius": 3, "stroke": NEUTRAL, "strokeOpacity": 0.25}
    ink = {"condition": {"test": "datum.share > 0.25", "value": "#FFFFFF"}, "value": NEUTRAL}
    cells = _layer(_ROWS, mark, opacity=shade, **shared)
    labels = _layer(_ROWS, {"type": "text", "fontSize": 12}, text=_name("label"), color=ink, **shared)
    return _plain([cells, labels], 44 + 34 * named["issuer"].nunique(), {_ROWS: named})


def claims(rows: pd.DataFrame, bucket_s: int) -> Picture:
    """A strip per `claim` over `bucket`: the darker, the larger the `share` of `tokens` that carry it."""
    drawn = rows.assign(
        claim=rows["claim"].map(lambda value: wording.visible(value, 40)), ends=_ends(rows, bucket_s), when=_utc(rows["bucket"]),
        label=rows["share"].map(wording.percent),
    )  # fmt: skip
    strips = _layer(
        _ROWS,
        {"type": "rect", "color": COLOURS["issuer"]},
        x=_time("bucket", bucket_s),
        x2={"field": "ends"},
        y=_name("claim", title=None, axis={"labelLimit": 160, **_PLAIN_NAMES}, scale={"paddingInner": 0.2}),
        opacity=_quantity("share", scale={"domain": [0, 1], "range": [0.05, 0.9]}, legend=None),
        tooltip=[_name("when", title="time"), _name("claim"), _name("label", title="of tokens"), _count("tokens")],
    )
    return _plain([strips], 40 + 22 * drawn["claim"].nunique(), {_ROWS: drawn})


ALWAYS: Final = 0.9
NEVER: Final = 0.02


def changed_presence(shares: list[float]) -> tuple[int, bool] | None:
    """Where a claim that (nearly) all tokens carried is carried by none from then on, or the other way round; else None.

    >>> changed_presence([1.0, 1.0, 0.4, 0.0, 0.0])
    (2, False)
    >>> changed_presence([1.0, 0.5, 1.0]) is None
    True
    """
    words = ["always" if share >= ALWAYS else "never" if share <= NEVER else "partly" for share in shares]
    if len(words) < 2 or {words[0], words[-1]} != {"always", "never"}:
        return None
    first = next(at for at, word in enumerate(words) if word != words[0])
    # The bar in which it changed may hold both.
    return (first, words[-1] == "always") if set(words[first + 1 :]) <= {words[-1]} else None


def who_answered(rows: pd.DataFrame) -> Picture:
    """Bars of `responder, gateway, requests`, one per responder, split by gateway."""
    named = rows.assign(responder=rows["responder"].map(wording.RESPONDERS).fillna(wording.RESPONDERS["unknown"]))
    named = named.assign(gateway=named["gateway"].map(lambda value: wording.visible(value, 40)))
    bars = _layer(
        _ROWS,
        {"type": "bar", "color": NEUTRAL, "stroke": "white", "strokeOpacity": 0.35, "cornerRadius": 2},
        y=_name("responder", sort="-x", title=None, axis={"labelLimit": 160, **_PLAIN_NAMES}),
        x=_quantity("requests", aggregate="sum", title=None, axis=_COUNTS),
        detail=_name("gateway"),
        tooltip=[_name("responder"), _name("gateway"), _count("requests", aggregate="sum", title="refused")],
    )
    return _plain([bars], 30 + 38 * named["responder"].nunique(), {_ROWS: named})


def clocks(rows: pd.DataFrame) -> Picture:
    """One point per `instance` and `issuer` at `youngest_iat_s`; right of the leeway it was issued in the future."""
    named = rows.assign(
        instance=rows["instance"].map(lambda value: wording.visible(value, 40)),
        issuer=rows["issuer"].map(lambda value: wording.visible(value, 80)),
        skew=rows["youngest_iat_s"].map(wording.offset),
        ahead=rows["youngest_iat_s"] > LEEWAY_S,
    )
    band = _layer(
        "band",
        {"type": "rect", "color": NEUTRAL, "opacity": 0.15},
        x=_quantity("low"),
        x2={"field": "high"},
    )
    points = _layer(
        _ROWS,
        {"type": "point", "filled": True, "size": 110, "opacity": 0.85},
        x=_quantity(
            "youngest_iat_s",
            title="iat of the newest token relative to the gateway's clock",
            scale=_offset_scale(rows["youngest_iat_s"]),
            axis=_AXIS_OFFSET,
        ),
        y=_name("instance", title=None, axis={"labelLimit": 160}),
        color=_name("ahead", scale=_domain([False, True], [NEUTRAL, ALARM]), legend=None),
        shape=_name("ahead", scale=_domain([False, True], ["circle", "triangle-right"]), legend=None),
        tooltip=[_name("instance"), _name("issuer"), _name("skew", title="clock"), _count("tokens")],
    )
    leeway = pd.DataFrame({"low": [-LEEWAY_S], "high": [LEEWAY_S]})
    return _plain([band, points], 60 + 26 * named["instance"].nunique(), {"band": leeway, _ROWS: named})


def counters(rows: pd.DataFrame, bucket_s: int) -> Picture:
    """Lines of `bucket, counter, value`."""
    lines = _layer(
        _ROWS,
        {"type": "line", "strokeWidth": 2},
        x=_time("bucket", bucket_s),
        y=_quantity("value", title=None, axis=_COUNTS),
        color=_name(
            "counter",
            scale=_domain(list(COUNTERS), list(COUNTERS.values())),
            legend={"orient": "top", "title": None},
        ),
        strokeDash=_name("counter", scale=_domain(list(COUNTERS), [[1, 0], [6, 4], [2, 2]]), legend=None),
        tooltip=[_name("when", title="time"), _name("counter"), _count("value")],
    )
    return _plain([lines], 220, {_ROWS: rows.assign(when=_utc(rows["bucket"]))})


MAX_SERIES: Final = 4


def of_result(rows: pd.DataFrame, how: str) -> Picture | None:
    """Any result as "line" or "bar": its first column that is no number, else its first, is the axis; None without a number to draw."""
    numbers = set(rows.select_dtypes("number").columns)
    axis = next((name for name in rows.columns if name not in numbers), next(iter(rows.columns), None))
    drawn = [name for name in rows.columns if name in numbers - {axis}][:MAX_SERIES]
    if axis is None or not drawn:
        return None
    is_time = pd.api.types.is_datetime64_any_dtype(rows[axis])
    at = rows[axis] if is_time else rows[axis].map(lambda value: wording.visible(value, 80))
    # Names of our own: a column's may hold what means something to Vega.
    parts = [pd.DataFrame({"at": at, "series": wording.visible(name, 60), "value": rows[name]}) for name in drawn]
    return _series(pd.concat(parts), how, is_time=is_time)


def _series(long: pd.DataFrame, how: str, *, is_time: bool) -> Picture:
    kind = {"type": "temporal", "scale": _UTC} if is_time else {"type": "nominal", "sort": None}
    lines = _layer(
        _ROWS,
        {"type": "line", "point": True} if how == "line" else {"type": "bar"},
        x={"field": "at", "title": None, **kind},
        y=_quantity("value", title=None),
        color=_name("series", legend={"orient": "top", "title": None}, scale={"range": list(_SERIES)}),
        tooltip=[{"field": "at", "type": kind["type"]}, _name("series"), _count("value")],
    )
    return _plain([lines], 320, {_ROWS: long})


def _marked(changes: pd.DataFrame) -> pd.DataFrame:
    return changes.assign(
        when=_utc(changes["moment"]),
        kind=changes["kind"].map(wording.CHANGES).fillna("change"),
        subject=changes["subject"].map(lambda value: wording.visible(value, 120)),
        detail=changes["detail"].map(lambda value: wording.visible(value, 200)),
    )


def _markers() -> list[Picture]:
    shared = {
        "x": {"field": "moment", "type": "temporal"},
        "tooltip": [_name("when", title="time"), _name("kind", title="change"), _name("subject"), _name("detail")],
    }
    line = {"type": "rule", "strokeDash": [4, 3], "color": NEUTRAL, "strokeWidth": 1.5}
    flag = {"type": "text", "align": "left", "dx": 4, "fontSize": 11, "color": NEUTRAL}
    # A wide invisible twin: a dashed hair is hard to hit with a mouse.
    hit = {"type": "rule", "strokeWidth": 12, "opacity": 0}
    return [
        _layer("changes", line, **shared),
        _layer("changes", flag, text=_name("kind"), y={"value": 6}, **shared),
        _layer("changes", hit, **shared),
    ]


def _offset_scale(offsets: pd.Series) -> dict[str, Any]:
    return {
        "type": "symlog",
        "constant": 30,
        "domain": [min(-600.0, float(offsets.min())), max(600.0, float(offsets.max()))],
    }


def _ends(rows: pd.DataFrame, bucket_s: int) -> pd.Series:
    return rows["bucket"] + pd.Timedelta(seconds=bucket_s)


def _utc(moments: pd.Series) -> pd.Series:
    """Times for tooltips as text: Vega would show them in the browser's zone."""
    return moments.dt.strftime("%d %b %H:%M UTC")


def _cause_scale() -> dict[str, Any]:
    return _domain([wording.CAUSES[cause] for cause in COLOURS], list(COLOURS.values()))


def _domain(values: Sequence[Any], drawn_as: Sequence[Any]) -> dict[str, Any]:
    return {"domain": values, "range": drawn_as}


def _time(field: str, bucket_s: int) -> Channel:
    axis = _AXIS_TIME if bucket_s < 3_600 else _AXIS_DAYS
    return {"field": field, "type": "temporal", "scale": _UTC, "axis": axis}


def _name(field: str, **more: Any) -> Channel:
    return {"field": field, "type": "nominal", **more}


def _quantity(field: str, **more: Any) -> Channel:
    return {"field": field, "type": "quantitative", **more}


def _count(field: str, **more: Any) -> Channel:
    return _quantity(field, format=",", **more)


def _layer(data: str, mark: Mapping[str, Any], **encoding: Any) -> Picture:
    return {"data": {"name": data}, "mark": dict(mark), "encoding": encoding}


def _plain(layers: Sequence[Picture], height: int, data: Mapping[str, pd.DataFrame]) -> Picture:
    drawn = dict(layers[0]) if len(layers) == 1 else {"layer": list(layers)}
    return {**drawn, "height": height, "config": {"view": {"strokeWidth": 0}}, "datasets": dict(data)}
