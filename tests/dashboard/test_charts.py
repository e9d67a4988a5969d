"""Charts: rows in, one valid picture out, the same colours everywhere."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import altair as alt
import pandas as pd
import pytest

from analyzer.taxonomy import CAUSES
from dashboard import charts, wording

AT = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
TREND = pd.DataFrame({"bucket": [AT, AT], "cause": ["issuer", "never heard of"], "requests": [3, 4]})
CHANGES = pd.DataFrame(
    {"moment": [AT], "kind": ["kid_first_seen"], "subject": ["k\u202e2"], "gateway": [""], "detail": ["<b>x"]}
)
NO_CHANGES = CHANGES.head(0)


def values(spec: dict[str, Any], column: str) -> set[Any]:
    """Every value of a column in a chart's data sets."""
    return {value for rows in spec["datasets"].values() if column in rows for value in rows[column]}


def test_every_cause_has_one_colour_and_words() -> None:
    """The taxonomy, the palette and the names agree, so that no cause is drawn nameless."""
    assert (set(CAUSES), set(CAUSES), len(CAUSES)) == (
        set(charts.COLOURS),
        set(wording.CAUSES),
        len(set(charts.COLOURS.values())),
    )


def test_colours_do_not_depend_on_what_is_in_the_rows() -> None:
    """A chart of one cause uses the same scale as a chart of all."""
    one = charts.failures_by_cause(TREND.head(1), NO_CHANGES, 60)["encoding"]["color"]["scale"]
    both = charts.failures_by_cause(TREND, NO_CHANGES, 60)["encoding"]["color"]["scale"]

    assert one == both


def test_an_unknown_cause_is_drawn_as_unexplained() -> None:
    """A newer store may know more causes than this page."""
    spec = charts.failures_by_cause(TREND, NO_CHANGES, 60)

    assert {wording.CAUSES["issuer"], wording.CAUSES["unknown"]} == values(spec, "cause")


def test_changes_are_marked_with_hidden_characters_written_out() -> None:
    """A marker carries the change in words; what an attacker wrote cannot reorder it."""
    spec = charts.failures_by_cause(TREND, CHANGES, 60)

    assert ({"new signing key"}, {"k\\u202e2"}) == (values(spec, "kind"), values(spec, "subject"))


def test_only_a_token_from_beyond_the_leeway_is_an_alarm() -> None:
    """30 s ahead is leeway, 95 s ahead is two clocks, old tokens are no news."""
    rows = pd.DataFrame(
        {
            "instance": ["a", "b", "c"],
            "issuer": ["i"] * 3,
            "gateway": ["g"] * 3,
            "youngest_iat_s": [30.0, 95.0, -4e3],
            "tokens": [9] * 3,
        }
    )
    spec = charts.clocks(rows)
    drawn = spec["datasets"]["rows"]

    assert ["b"] == list(drawn.loc[drawn["ahead"], "instance"])


HEAT = pd.DataFrame(
    {"issuer": ["https://evil.example/x.png"], "gateway": ["kong"], "share": [0.5], "refused": [1], "requests": [2]}
)
CLOCKS = pd.DataFrame({"instance": ["a"], "issuer": ["i"], "gateway": ["g"], "youngest_iat_s": [95.0], "tokens": [9]})
SERIES = pd.DataFrame({"bucket": [AT, AT], "value": ["a", "(others)"], "refused": [3, 4], "requests": [5, 6]})
RESULT = pd.DataFrame({"at": [AT], "name": ["a"], "n": [1.5]})
PICTURES = {
    "causes": charts.failures_by_cause(TREND, CHANGES, 60, usual=charts.Usual(TREND, "a week earlier")),
    "causes by day": charts.failures_by_cause(TREND, NO_CHANGES, 86_400),
    "bars": charts.over_time(SERIES, 60, "refused"),
    "shares": charts.over_time(SERIES, 60, "share"),
    "heat": charts.issuers_by_gateways(HEAT),
    "claims": charts.claims(pd.DataFrame({"bucket": [AT], "claim": ["sub"], "share": [0.5], "tokens": [4]}), 60),
    "responders": charts.who_answered(pd.DataFrame({"responder": ["edge"], "gateway": ["kong"], "requests": [7]})),
    "clocks": charts.clocks(CLOCKS),
    "counters": charts.counters(pd.DataFrame({"bucket": [AT], "counter": ["stored"], "value": [7]}), 60),
    "result as bars": charts.of_result(RESULT[["name", "n"]], "bar"),
    "result as lines": charts.of_result(RESULT[["at", "n"]], "line"),
}


@pytest.mark.parametrize("picture", PICTURES.values(), ids=PICTURES)
def test_every_chart_is_one_that_vega_lite_knows(picture: charts.Picture) -> None:
    """Valid by the schema of Vega-Lite, and every column that it names is in its data."""
    frames = picture["datasets"]
    rows = {name: frame.astype(str).to_dict("records") for name, frame in frames.items()}
    alt.Chart.from_dict(picture | {"datasets": rows})
    layers = picture.get("layer", [picture])
    missing = {
        channel["field"]
        for layer in layers
        for given in layer["encoding"].values()
        for channel in (given if isinstance(given, list) else [given])
        if "field" in channel and channel["field"] not in frames[layer["data"]["name"]]
    }

    assert set() == missing


def test_a_chart_fetches_nothing() -> None:
    """Data stands inside the chart: no URL, no image, no link."""
    spec = charts.issuers_by_gateways(HEAT)
    encodings = {key for layer in spec["layer"] for key in layer["encoding"]}

    assert (set(), True) == (
        {"href", "url"} & encodings,
        all("url" not in layer.get("data", {}) for layer in [spec, *spec["layer"]]),
    )
