"""Rows to charts, pure: the same rows give the same picture, in a light theme and in a dark one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import altair as alt
import pandas as pd

from dashboard import wording

Picture: TypeAlias = alt.Chart | alt.LayerChart | alt.FacetChart
"""A chart, whether of one layer or of several."""

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
_AXIS_TIME: Final = alt.Axis(title=None, format="%H:%M", labelOverlap=True, grid=False, tickCount=8)
_AXIS_OFFSET: Final = alt.Axis(
    values=[-86_400, -3_600, -600, -60, 0, 60, 600, 3_600, 86_400],
    labelExpr="datum.value == 0 ? 'now' : (datum.value > 0 ? '+' : '−') + (abs(datum.value) >= 3600 ? abs(datum.value) / 3600 + ' h' : abs(datum.value) / 60 + ' min')",
)
_AXIS_DAYS: Final = alt.Axis(title=None, format="%d %b %H:%M", labelOverlap=True, grid=False, tickCount=7)


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
    bars = (
        alt.Chart(named)
        .mark_bar(orient="vertical", binSpacing=1)
        .encode(
            x=alt.X("bucket:T", scale=alt.Scale(type="utc"), axis=_time_axis(bucket_s)),
            x2="ends:T",
            y=alt.Y("requests:Q", stack="zero", title=None, axis=alt.Axis(tickCount=4, format="~s")),
            color=alt.Color("cause:N", scale=_cause_scale(), legend=alt.Legend(orient="top", title=None, columns=6)),
            order=alt.Order("cause:N"),
            tooltip=[
                alt.Tooltip("when:N", title="time"),
                alt.Tooltip("cause:N"),
                alt.Tooltip("requests:Q", title="refused", format=","),
            ],
        )
    )
    layers = [
        bars,
        *([_steps(usual)] if usual and len(usual.rows) else []),
        *([_markers(changes)] if len(changes) else []),
    ]
    return _plain(alt.layer(*layers) if len(layers) > 1 else bars, height)


def _steps(usual: Usual) -> Picture:
    summed = usual.rows.groupby("bucket", as_index=False)["requests"].sum()
    summed = summed.assign(when=_utc(summed["bucket"]))
    shown_on_hover: list[Any] = [
        alt.Tooltip("when:N", title="time"),
        alt.Tooltip("requests:Q", title=usual.name, format=","),
    ]
    line = alt.Chart(summed).mark_line(interpolate="step-after", color=NEUTRAL, strokeWidth=2)
    drawn: Picture = line.encode(x=alt.X("bucket:T"), y=alt.Y("requests:Q"), tooltip=shown_on_hover)
    return drawn


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
    colour = alt.Color(
        "value:N", legend=alt.Legend(orient="top", title=None, columns=4, labelLimit=240),
        scale=alt.Scale(domain=[*known, *others], range=[*_SERIES[: len(known)], *(COLOURS["unknown"] for _ in others)]),
    )  # fmt: skip
    shown_on_hover: list[Any] = [
        alt.Tooltip("when:N", title="time"), alt.Tooltip("value:N"), alt.Tooltip("refused:Q", format=","),
        alt.Tooltip("requests:Q", format=","), alt.Tooltip("share:Q", title="refused share", format=".1%"),
    ]  # fmt: skip
    x = alt.X("bucket:T", scale=alt.Scale(type="utc"), axis=_time_axis(bucket_s))
    base = alt.Chart(drawn)
    if show == "share":
        y = alt.Y("share:Q", title=None, axis=alt.Axis(tickCount=4, format="%"))
        return _plain(
            base.mark_line(point=True, strokeWidth=2).encode(x=x, y=y, color=colour, tooltip=shown_on_hover), 260
        )
    y = alt.Y(f"{show}:Q", stack="zero", title=None, axis=alt.Axis(tickCount=4, format="~s"))
    bars = base.mark_bar(orient="vertical", binSpacing=1)
    return _plain(bars.encode(x=x, x2="ends:T", y=y, color=colour, tooltip=shown_on_hover), 260)


def issuers_by_gateways(rows: pd.DataFrame) -> Picture:
    """A heat map of `issuer, gateway, share, refused, requests`: the darker, the more is refused."""
    named = rows.assign(
        issuer=rows["issuer"].map(lambda value: wording.visible(value, 60)), label=rows["share"].map(wording.percent)
    )
    base = alt.Chart(named).encode(
        x=alt.X("gateway:N", title=None, axis=alt.Axis(orient="top", labelAngle=0, domain=False, ticks=False)),
        y=alt.Y("issuer:N", title=None, axis=alt.Axis(labelLimit=250, domain=False, ticks=False)),
        tooltip=[
            "issuer:N",
            "gateway:N",
            alt.Tooltip("label:N", title="refused share"),
            alt.Tooltip("refused:Q", format=","),
            alt.Tooltip("requests:Q", format=","),
        ],
    )
    # Opacity over the page's own background serves both themes; the square root keeps small shares visible.
    shade = alt.Opacity("share:Q", scale=alt.Scale(type="sqrt", domain=[0, 1], range=[0.04, 0.85]), legend=None)
    cells = base.mark_rect(color=ALARM, cornerRadius=3, stroke=NEUTRAL, strokeOpacity=0.25).encode(opacity=shade)
    ink = alt.when(alt.datum.share > 0.25).then(alt.value("#FFFFFF")).otherwise(alt.value(NEUTRAL))
    return _plain(
        alt.layer(cells, base.mark_text(fontSize=12).encode(text="label:N", color=ink)),
        44 + 34 * named["issuer"].nunique(),
    )


def claims(rows: pd.DataFrame, bucket_s: int) -> Picture:
    """A strip per `claim` over `bucket`: the darker, the larger the `share` of `tokens` that carry it."""
    drawn = rows.assign(
        claim=rows["claim"].map(lambda value: wording.visible(value, 40)), ends=_ends(rows, bucket_s), when=_utc(rows["bucket"]),
        label=rows["share"].map(wording.percent),
    )  # fmt: skip
    strips = (
        alt.Chart(drawn)
        .mark_rect(color=COLOURS["issuer"])
        .encode(
            x=alt.X("bucket:T", scale=alt.Scale(type="utc"), axis=_time_axis(bucket_s)), x2="ends:T",
            y=alt.Y("claim:N", title=None, axis=alt.Axis(labelLimit=160, domain=False, ticks=False), scale=alt.Scale(paddingInner=0.2)),
            opacity=alt.Opacity("share:Q", scale=alt.Scale(domain=[0, 1], range=[0.05, 0.9]), legend=None),
            tooltip=[alt.Tooltip("when:N", title="time"), "claim:N", alt.Tooltip("label:N", title="of tokens"), alt.Tooltip("tokens:Q", format=",")],
        )
    )  # fmt: skip
    return _plain(strips, 40 + 22 * drawn["claim"].nunique())


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
    bars = (
        alt.Chart(named)
        .mark_bar(color=NEUTRAL, stroke="white", strokeOpacity=0.35, cornerRadius=2)
        .encode(
            y=alt.Y("responder:N", sort="-x", title=None, axis=alt.Axis(labelLimit=160, domain=False, ticks=False)),
            x=alt.X("sum(requests):Q", title=None, axis=alt.Axis(tickCount=4, format="~s")),
            detail="gateway:N",
            tooltip=["responder:N", "gateway:N", alt.Tooltip("sum(requests):Q", title="refused", format=",")],
        )
    )
    return _plain(bars, 30 + 38 * named["responder"].nunique())


def clocks(rows: pd.DataFrame) -> Picture:
    """One point per `instance` and `issuer` at `youngest_iat_s`; right of the leeway it was issued in the future."""
    named = rows.assign(
        instance=rows["instance"].map(lambda value: wording.visible(value, 40)),
        issuer=rows["issuer"].map(lambda value: wording.visible(value, 80)),
        skew=rows["youngest_iat_s"].map(wording.offset),
        ahead=rows["youngest_iat_s"] > LEEWAY_S,
    )
    band = (
        alt.Chart(pd.DataFrame({"low": [-LEEWAY_S], "high": [LEEWAY_S]}))
        .mark_rect(color=NEUTRAL, opacity=0.15)
        .encode(x="low:Q", x2="high:Q")
    )
    points = (
        alt.Chart(named)
        .mark_point(filled=True, size=110, opacity=0.85)
        .encode(
            x=alt.X(
                "youngest_iat_s:Q",
                title="iat of the newest token relative to the gateway's clock",
                scale=_offset_scale(rows["youngest_iat_s"]),
                axis=_AXIS_OFFSET,
            ),
            y=alt.Y("instance:N", title=None, axis=alt.Axis(labelLimit=160)),
            color=alt.Color("ahead:N", scale=alt.Scale(domain=[False, True], range=[NEUTRAL, ALARM]), legend=None),
            shape=alt.Shape(
                "ahead:N", scale=alt.Scale(domain=[False, True], range=["circle", "triangle-right"]), legend=None
            ),
            tooltip=[
                "instance:N",
                "issuer:N",
                alt.Tooltip("skew:N", title="clock"),
                alt.Tooltip("tokens:Q", format=","),
            ],
        )
    )
    return _plain(alt.layer(band, points), 60 + 26 * named["instance"].nunique())


def counters(rows: pd.DataFrame, bucket_s: int) -> Picture:
    """Lines of `bucket, counter, value`."""
    lines = (
        alt.Chart(rows.assign(when=_utc(rows["bucket"])))
        .mark_line(strokeWidth=2)
        .encode(
            x=alt.X("bucket:T", scale=alt.Scale(type="utc"), axis=_time_axis(bucket_s)),
            y=alt.Y("value:Q", title=None, axis=alt.Axis(tickCount=4, format="~s")),
            color=alt.Color(
                "counter:N",
                scale=alt.Scale(domain=list(COUNTERS), range=list(COUNTERS.values())),
                legend=alt.Legend(orient="top", title=None),
            ),
            strokeDash=alt.StrokeDash(
                "counter:N", scale=alt.Scale(domain=list(COUNTERS), range=[[1, 0], [6, 4], [2, 2]]), legend=None
            ),
            tooltip=[alt.Tooltip("when:N", title="time"), "counter:N", alt.Tooltip("value:Q", format=",")],
        )
    )
    return _plain(lines, 220)


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
    x = alt.X("at:T", scale=alt.Scale(type="utc"), title=None) if is_time else alt.X("at:N", sort=None, title=None)
    base = alt.Chart(long)
    marked = base.mark_line(point=True) if how == "line" else base.mark_bar()
    colour = alt.Color("series:N", legend=alt.Legend(orient="top", title=None), scale=alt.Scale(range=list(_SERIES)))
    shown_on_hover: list[Any] = ["at", "series:N", alt.Tooltip("value:Q", format=",")]
    return _plain(marked.encode(x=x, y=alt.Y("value:Q", title=None), color=colour, tooltip=shown_on_hover), 320)


def _markers(changes: pd.DataFrame) -> Picture:
    shown = changes.assign(
        when=_utc(changes["moment"]),
        kind=changes["kind"].map(wording.CHANGES).fillna("change"),
        subject=changes["subject"].map(lambda value: wording.visible(value, 120)),
        detail=changes["detail"].map(lambda value: wording.visible(value, 200)),
    )
    shown_on_hover: list[Any] = [
        alt.Tooltip("when:N", title="time"),
        alt.Tooltip("kind:N", title="change"),
        "subject:N",
        "detail:N",
    ]
    base = alt.Chart(shown).encode(x=alt.X("moment:T"), tooltip=shown_on_hover)
    line = base.mark_rule(strokeDash=[4, 3], color=NEUTRAL, strokeWidth=1.5)
    # A wide invisible twin: a dashed hair is hard to hit with a mouse.
    hit = base.mark_rule(strokeWidth=12, opacity=0)
    flag = base.mark_text(align="left", dx=4, fontSize=11, color=NEUTRAL).encode(text="kind:N", y=alt.value(6))
    return alt.layer(line, flag, hit)


def _offset_scale(offsets: pd.Series) -> alt.Scale:
    return alt.Scale(type="symlog", constant=30, domain=[min(-600.0, offsets.min()), max(600.0, offsets.max())])


def _ends(rows: pd.DataFrame, bucket_s: int) -> pd.Series:
    return rows["bucket"] + pd.Timedelta(seconds=bucket_s)


def _time_axis(bucket_s: int) -> alt.Axis:
    return _AXIS_TIME if bucket_s < 3_600 else _AXIS_DAYS


def _utc(moments: pd.Series) -> pd.Series:
    """Times for tooltips as text: Vega would show them in the browser's zone."""
    return moments.dt.strftime("%d %b %H:%M UTC")


def _cause_scale() -> alt.Scale:
    return alt.Scale(domain=[wording.CAUSES[cause] for cause in COLOURS], range=list(COLOURS.values()))


def _plain(chart: Picture, height: int) -> Picture:
    drawn: Picture = chart.properties(height=height).configure_view(strokeWidth=0)
    return drawn
