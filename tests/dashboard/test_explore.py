"""Explore, issuers, inspector and links: a link is a view, what it gets wrong is said, and what is pasted is kept nowhere."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pandas as pd
import pytest
from pyarrow import parquet
from streamlit.testing.v1 import AppTest

from dashboard import charts, client, downloads, filters, forecast, inspection, queries, saved, scope, ticket
from dashboard.errors import NotInspected
from tests.dashboard import sample_lake
from tests.dashboard.test_pages import said, show

Use = Callable[..., None]
NOW = datetime(2026, 11, 30, 15, tzinfo=UTC)


def counted(app: AppTest) -> pd.DataFrame:
    """The table of Explore."""
    (rows,) = [frame.value for frame in app.dataframe if "refused_before" in frame.value]
    return rows


def test_explore_counts_by_what_the_link_says(lake: Path, use: Use) -> None:
    """?by, ?against and a filter: two ranges side by side, the failing against the passing, and single requests."""
    use(lake)
    app = show("explore", by="client", against="before", code="key_not_found", range="1h")
    rows = counted(app)
    expected = {*sample_lake.CLIENTS}

    assert (0, expected) == (len(app.exception), set(rows["name"]))
    assert (0, True) == (int(rows["refused_before"].sum()), "Only code key_not_found." in said(app))
    assert {"failing_share", "passing_share"} <= {name for frame in app.dataframe for name in frame.value}
    assert {sample_lake.NEW_KID} == {
        kid for frame in app.dataframe if "trace_id" in frame.value for kid in frame.value["kid"]
    }


def test_no_match_says_so_and_offers_the_way_back(lake: Path, use: Use) -> None:
    """A filter of a link that matches nothing, and words that are no choice, are no trace and no dead end."""
    use(lake)
    app = show("explore", issuer="https://nobody.example'; DROP VIEW counts", by="colour", against="")

    assert (0, True) == (len(app.exception), "No request in this window matches these filters." in said(app))
    app.button("clear-here").click().run()

    assert ([], 0) == ([name for name in filters.COLUMNS if name in app.query_params], len(app.exception))


def test_a_link_with_a_range_of_its_own(lake: Path, use: Use) -> None:
    """From and to in the address: the figures are of that hour, whatever the clock says."""
    use(lake)
    end = datetime.now(UTC) - timedelta(minutes=60)
    app = show("explore", **{"from": filters.written(end - timedelta(minutes=50)), "to": filters.written(end)})

    assert (0, {"audience_mismatch", "token_expired"}) == (
        len(app.exception),
        {"audience_mismatch", "token_expired"} & set(counted(app)["name"]),
    )
    assert "key_not_found" not in set(counted(app)["name"])


@pytest.mark.parametrize(
    ("since", "until", "says"),
    [
        ("yesterday", "2026-11-30T15:00Z", "from is 'yesterday'"),
        ("2026-11-30T15:00Z", "", "to is missing"),
        ("2026-11-30T15:00Z", "2026-11-30T14:00Z", "ends before it begins"),
        ("2020-01-01T00:00Z", "2026-11-30T14:00Z", "at most 400 days"),
    ],
)
def test_a_broken_range_is_said(since: str, until: str, says: str) -> None:
    """Each in a sentence that names what is wrong; the page shows its default range below it."""
    assert says in str(filters.span({"from": since, "to": until}))


def test_a_link_keeps_everything_that_was_chosen() -> None:
    """Range, gateway and filters, each left out when it is the default."""
    made = scope.Scope(NOW - timedelta(hours=2), NOW, "kong", scope.CUSTOM, NOW, NOW, {"issuer": "https://a"})

    assert {
        "from": "2026-11-30T13:00Z",
        "to": "2026-11-30T15:00Z",
        "gateway": "kong",
        "issuer": "https://a",
    } == made.link


def test_issuers_and_keys_are_told(lake: Path, use: Use) -> None:
    """Who signs, with which keys, and how long tokens live."""
    use(lake)
    app = show("issuers")
    (issuers,) = [frame.value for frame in app.dataframe if "algs" in frame.value]
    (tokens,) = [frame.value for frame in app.dataframe if "lifetime" in frame.value]

    assert (0, sample_lake.LOGIN) == (len(app.exception), issuers.iloc[0]["issuer"])
    assert {"1 h"} == set(tokens["lifetime"])


def test_what_will_break_next_is_a_sentence_each() -> None:
    """A gateway that refuses the new key, a key that left the set, and times that only leeway forgives."""
    common = {"issuer": "https://a", "kid": "r3", "gateway": "envoy", "gateway_instance": "edge-1", "tokens": 50}
    unmet = {**common, "first_seen": NOW - timedelta(minutes=9), "passed": 0, "failed": 12}
    left = {**common, "gateways": ["kong"], "last_passed": NOW}
    late = {**common, "expired": 2, "early": 0, "longest_expired_s": 41.0, "most_early_s": 0.0}

    assert [
        "envoy edge-1 refuses every token with the new signing key r3 of https://a, first seen 9 min ago (12 so far): it has not fetched the key set since.",
        (
            "Key r3 is no longer in the key set of https://a, and tokens with it still pass at kong (50 in the sample, the last just now). "
            "They are refused as soon as the gateway fetches the key set again."
        ),
        (
            "At envoy edge-1, 2 of 50 sampled tokens of https://a passed only because of leeway: up to 41 s after exp. "
            "Check the clocks, and let clients renew earlier."
        ),
    ] == forecast.sentences([unmet], [left], [late], NOW)


def test_what_is_pasted_is_explained_and_kept_nowhere(lake: Path, use: Use) -> None:
    """A token: its code, its fix and its facts; neither the session nor the address has any of it afterwards."""
    use(lake)
    token = jwt.encode({"iss": "https://idp.example.com", "sub": "ana", "exp": 1}, "k" * 40, headers={"kid": "r1"})
    app = show("inspector")
    app.text_area[0].set_value(token)
    app.button[0].click().run()
    kept = str(app.session_state._state.filtered_state)

    assert (0, True) == (len(app.exception), "token_expired" in said(app))
    assert [False] * 3 == [token[:20] in text for text in (kept, str(dict(app.query_params)), said(app))]


@pytest.mark.parametrize(
    ("pasted", "says"), [("", "Paste a token"), ("a" * 1_000_000, "1,000,000 characters; at most 100,000")]
)
def test_what_cannot_be_inspected_is_said(pasted: str, says: str) -> None:
    """Nothing, and a megabyte: a sentence that quotes nothing."""
    with pytest.raises(NotInspected, match=says):
        inspection.inspect(pasted)


def test_downloads_are_the_rows(lake: Path, use: Use) -> None:
    """CSV, Parquet and JSON of the same rows; lists and times survive Parquet."""
    use(lake)
    rows = client.query("explore_events", **scope.at("1h", "", None, datetime.now(UTC)).params, group="")
    made = {kind: downloads.written(rows, kind) for kind in downloads.KINDS}

    assert (
        len(rows)
        == parquet.read_table(io.BytesIO(made["Parquet"])).num_rows
        == len(pd.read_json(io.BytesIO(made["JSON"])))
    )
    assert len(rows) + 1 == len(made["CSV"].splitlines())


def test_a_ticket_is_markdown_that_runs_nothing(hostile_lake: Path, use: Use) -> None:
    """Title, evidence, fix and the link, with what outsiders wrote as text."""
    use(hostile_lake)
    row = client.query("group", group=sample_lake.FAULTS[2].group_id).iloc[0].to_dict()
    text = ticket.markdown(row, NOW, {"range": "6h"})

    assert [True, True, True] == [part in text for part in ("## Evidence", "## Fix", "range=6h")]
    assert [] == [part for part in ("<script>", "![p](", "[go](") if part in text]


def test_the_filters_are_in_the_statement_that_is_shown() -> None:
    """What is behind a panel can be copied: only filters that are set, as literals."""
    seen = scope.Scope(NOW - timedelta(hours=1), NOW, "", "1h", NOW, NOW, {"route": "/it's"})
    shown = queries.rendered("trend_by_cause", seen.params)

    assert "if(route = '', '(none)', route) = '/it''s'" in shown
    assert "$" not in shown


def test_views_of_another_release_are_said(lake: Path, use: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    """An older or newer store, or one whose views are being made: a sentence with the next step."""
    use(lake)
    monkeypatch.setattr(queries, "text", lambda _: "SELECT * FROM views_of_tomorrow")
    client.forget()
    text = said(show("health"))

    assert ("another release than this page" in text, "views_of_tomorrow" in text) == (True, False)


def test_saved_statements_are_files_of_the_user(tmp_path: Path) -> None:
    """What is written is read; what is no statement is said and hides nothing."""
    mine = saved.Saved(title='Ana\'s "top" \x7f', sql="SELECT 1\nFROM failures", chart="bar")
    (tmp_path / "a.toml").write_text(saved.text(mine), encoding="utf-8")
    (tmp_path / "b.toml").write_text("title = 1", encoding="utf-8")
    (tmp_path / "c.toml").write_bytes(b"\xff")

    assert ([mine], ["b.toml: has no sql", "c.toml: is not TOML (UnicodeDecodeError)"]) == saved.load(str(tmp_path))


@pytest.mark.parametrize(
    ("shares", "change"), [([1, 1, 0.4, 0, 0], (2, False)), ([0, 0, 1], (2, True)), ([1, 0.5, 1], None), ([1], None)]
)
def test_a_claim_that_comes_or_goes_is_seen(shares: list[float], change: tuple[int, bool] | None) -> None:
    """Only when it is for good: a bar without it is no change."""
    assert change == charts.changed_presence(shares)


def test_any_result_is_a_chart_if_it_has_a_number() -> None:
    """Text and number, time and number; two texts are none."""
    rows = pd.DataFrame({"cause[0].x": ["a", "b"], "n": [1, 2], "at": [NOW, NOW]})

    assert [True, True, False] == [
        charts.of_result(part, "bar") is not None for part in (rows, rows[["at", "n"]], rows[["cause[0].x"]])
    ]


def test_who_waits_for_a_statement_may_end_it(lake: Path, use: Use) -> None:
    """Stop stops: the process that works is ended, and the next statement gets another."""

    class Stopped(Exception):
        pass

    def stop() -> None:
        raise Stopped

    use(lake)
    with pytest.raises(Stopped):
        client.ask("SELECT count(*) FROM range(100000000000)", stop)

    assert 1 == client.ask("SELECT 1 AS n")["n"][0]
