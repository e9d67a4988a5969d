"""The pages in process: real content, clear words, a scope that stays in the address, and no markup from data."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from analyzer.situation import impact
from dashboard import client, scope, wording
from dashboard.screens import overview
from tests.dashboard import sample_lake
from tests.waiting import HANG_S

DASHBOARD = Path(overview.__file__).parents[1]
NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


def script(page: str) -> str:
    return f"from dashboard.screens import {page}\n{page}.page()\n"


def show(page: str, **params: str) -> AppTest:
    app = AppTest.from_string(script(page), default_timeout=HANG_S)
    for key, value in params.items():
        app.query_params[key] = value
    return app.run()


def said(app: AppTest) -> str:
    """Everything a reader sees as text."""
    kinds = ("header", "subheader", "text", "caption", "markdown", "warning", "code", "metric")
    parts = [str(getattr(item, "value", "")) for kind in kinds for item in app.get(kind)]
    parts += [item.proto.label for item in app.get("page_link")]
    return "\n".join(parts).replace("\u2060", "").replace("\\", "")


def test_the_app_starts_on_the_overview(lake: Path, use: Callable[..., None]) -> None:
    """`streamlit run dashboard/app.py` shows the opening page."""
    use(lake)
    app = AppTest.from_file(str(DASHBOARD / "app.py"), default_timeout=HANG_S).run()

    assert (0, True) == (len(app.exception), "of requests pass" in said(app))


def test_the_first_line_says_what_matters(lake: Path, use: Callable[..., None]) -> None:
    """At 3 am the first line is enough: how many requests pass and usually do, the worst problem, since when, whom."""
    use(lake)
    app = show("overview")
    words = app.header[0].value.replace("\u2060", "").replace("\\", "")

    expected = (
        r"Only \d\d\.\d % of requests pass, 9\d\.\d % in the best half hours of the last day\. Since [^:]*\d\d:\d\d \(\d+ min\): "
        r"Envoy has not learned the issuer's new signing key; \d+ users and 4 clients affected\. \d more problems? (is|are) urgent\."
    )
    assert re.fullmatch(expected, words), words


def test_silence_is_told_first(lake: Path, use: Callable[..., None]) -> None:
    """Nothing arrives any more: that, and how things stood when it stopped."""
    use(lake)
    rows = client.query("problems", gateway="").to_dict("records")
    silent = scope.at("1h", "", NOW - timedelta(minutes=12), NOW)

    assert overview.sentence(silent, impact.situation(rows)).startswith(
        "No data received for 12 min. As of 02:48 UTC: Only "
    )


def test_the_first_screen_holds_ten_lines(lake: Path, use: Callable[..., None]) -> None:
    """The most urgent ones, with links; what remains is folded by cause and still there."""
    use(lake)
    app = show("overview")
    links = [item for item in app.get("page_link") if "group" in str(item.proto)]
    folded = [frame.value for frame in app.dataframe if "previous_hour" in frame.value]

    assert (overview.MAX_LINES, len(sample_lake.FAULTS)) == (len(links), len(links) + sum(map(len, folded)))


def test_data_that_stopped_freezes_the_window() -> None:
    """When nothing arrives the figures stand still instead of falling to zero."""
    newest = NOW - timedelta(hours=9)
    frozen = scope.at("1h", "", newest, NOW)

    assert (True, True, True) == (frozen.is_frozen, frozen.since < newest < frozen.until, frozen.until < NOW)


def test_every_urgent_group_is_told_with_its_suspect(lake: Path, use: Callable[..., None]) -> None:
    """Title, cause, code, since when, who is affected and the change before it."""
    use(lake)
    text = said(show("overview"))
    users = client.query("group", group=sample_lake.FAULTS[0].group_id)["users"][0]
    expected = [
        "key_not_found",
        "confidence 95 % · envoy",
        f"{users} users",
        f"Suspect change: new signing key {sample_lake.NEW_KID} at ",
    ]

    assert [] == [part for part in expected if part not in text]
    suspects = [
        re.search(r"Suspect change: new signing key [^\n]*", page)
        for page in (text, said(show("group", group=sample_lake.FAULTS[0].group_id)))
    ]
    assert [True, True] == [bool(found) for found in suspects]
    assert 1 == len({found[0] for found in suspects if found})  # one way to say it


def test_what_is_unexplained_is_told_by_template(lake: Path, use: Callable[..., None]) -> None:
    """Each with the id that `why401 propose` takes, its count and its gateways."""
    use(lake)
    app = show("overview")
    (rows,) = [frame.value for frame in app.dataframe if "template_id" in frame.value]

    assert {"upstream prematurely closed connection while reading <*> bytes"} <= set(rows["template"])
    assert [] == [name for name in rows["template_id"] if not name.startswith("t-") or len(name) != 10]


def test_a_group_page_tells_the_whole_story(lake: Path, use: Callable[..., None]) -> None:
    """What it says, evidence, near miss, fix, rivals and the statements behind the panels."""
    use(lake)
    fault = sample_lake.FAULTS[1]
    app = show("group", group=fault.group_id)
    text = said(app)
    expected = [
        fault.title,
        *("Received", "Expected", ":red-background[/]"),  # of the near miss: a trailing slash
        *(says for _, says in fault.evidence + fault.rivals + fault.fix),
        f"'{fault.group_id}'",
    ]

    assert ([], 0) == ([part for part in expected if part.replace("\\", "") not in text], len(app.exception))


def test_a_groups_badge_is_that_of_the_overview(lake: Path, use: Callable[..., None]) -> None:
    """One rule decides whether a problem escalates: that of the first sentence, not the list's."""
    use(lake)
    rows = client.query("problems", gateway="").to_dict("records")
    states = {row["group_id"]: row["state"] for row in rows if row["gateway"] == "" and row["group_id"]}
    other = client.query("attention", **scope.at("24h", "", None, datetime.now(UTC)).params, state="all")
    differs = [one.group_id for one in other.itertuples() if one.status != states.get(one.group_id, one.status)]
    group = differs[0]  # by the list's own rule it is something else
    badges = [item.value for item in show("group", group=group).markdown if "badge[" in item.value]

    assert f"badge[{wording.STATUSES[states[group]]}]" in badges[0]


# One of each look: what a page shows depends on the status, on what there is of a credential, and on whether a library is known.
LOOKS = {(fault.status, fault.kind, bool(fault.library)): fault for fault in sample_lake.FAULTS}


@pytest.mark.parametrize("fault", LOOKS.values(), ids=lambda fault: fault.code)
def test_every_look_of_a_group_is_drawn(fault: sample_lake.Fault, lake: Path, use: Callable[..., None]) -> None:
    """Absent tokens, unknown causes and quiet groups draw like any other."""
    use(lake)
    app = show("group", group=fault.group_id, range="6h")

    assert (0, True) == (len(app.exception), fault.title in said(app))


def test_the_difference_between_failing_and_passing_tokens_is_found(lake: Path, use: Callable[..., None]) -> None:
    """Tokens without sub differ in exactly that claim, and in the two that replace it."""
    use(lake)
    app = show("group", group="v1-4be1c0ffee000005")
    (found,) = [frame.value for frame in app.dataframe if "failing_share" in frame.value]
    claims = set(found.loc[found["field"] == "Claim", "value"])

    assert {"sub", "azp", "client_id"} == claims


def test_an_unknown_group_is_told_in_words(lake: Path, use: Callable[..., None]) -> None:
    """A cut link is no traceback."""
    use(lake)
    app = show("group", group="v1-nothing")

    assert (0, "Group not found") == (len(app.exception), app.subheader[1].value)


def test_the_address_sets_the_scope(lake: Path, use: Callable[..., None]) -> None:
    """?range and ?gateway bring a colleague to the same picture."""
    use(lake)
    text = said(show("overview", range="6h", gateway="nginx"))

    assert (True, False) == ("Tokens carry no sub" in text, "Envoy has not learned" in text)


@pytest.mark.parametrize("bad", ["9y", "", "1h'; DROP TABLE failures"])
def test_a_made_up_range_falls_back(bad: str, lake: Path, use: Callable[..., None]) -> None:
    """What the address cannot mean is the default."""
    use(lake)

    assert 0 == len(show("overview", range=bad, gateway=bad).exception)


def test_health_tells_drops_by_reason(lake: Path, use: Callable[..., None]) -> None:
    """Received, stored, dropped and why."""
    use(lake)
    app = show("health")
    reasons = [set(frame.value["reason"]) for frame in app.dataframe if {"reason", "value"} <= set(frame.value)]

    assert (0, [{"no_parser", "bad_json"}]) == (len(app.exception), reasons)


def test_health_names_gateways_that_log_whole_credentials(lake: Path, use: Callable[..., None]) -> None:
    """With the place and the setting that stops it."""
    use(lake)
    app = show("health")
    told = [frame.value for frame in app.dataframe if "setting" in frame.value]

    assert [("envoy", "authorization", True)] == [
        (row.gateway, row.place, "%REQ(AUTHORIZATION)%" in row.setting) for frame in told for row in frame.itertuples()
    ]


def test_the_explorer_runs_a_statement(lake: Path, use: Callable[..., None]) -> None:
    """Rows come back as a grid."""
    use(lake)
    app = show("sql")
    app.text_area[0].set_value("SELECT count(*) AS n FROM groups")
    app.button[0].click().run()

    assert (0, len(sample_lake.FAULTS)) == (len(app.exception), app.dataframe[0].value["n"][0])


def test_the_explorer_refuses_in_words_and_keeps_the_statement_out_of_the_address(
    lake: Path, use: Callable[..., None]
) -> None:
    """A pasted secret must not end in browser histories or proxy logs."""
    use(lake)
    app = show("sql")
    app.text_area[0].set_value("DROP TABLE failures")
    app.button[0].click().run()

    assert (True, {}) == ("Only SELECT statements run here" in said(app), dict(app.query_params))


@pytest.mark.parametrize("page", ["overview", "groups", "group", "explore", "issuers", "health", "sql"])
def test_without_a_store_every_page_says_how_to_start(page: str, tmp_path: Path, use: Callable[..., None]) -> None:
    """First start: words and a command, no traceback."""
    use(tmp_path / "nowhere")
    app = show(page)

    assert (0, True) == (len(app.exception), "why401 up" in said(app))


@pytest.mark.parametrize("page", ["overview", "groups", "group", "explore", "issuers", "health"])
def test_an_empty_store_is_no_error(page: str, tmp_path: Path, use: Callable[..., None]) -> None:
    """Views without rows: the page waits."""
    with sample_lake.opened(tmp_path):
        pass
    use(tmp_path)

    assert 0 == len(show(page).exception)


def test_no_folder_is_served_behind_the_navigation() -> None:
    """Streamlit serves a folder called pages by file: a link to /group would be empty in a fresh process."""
    assert not (DASHBOARD / "pages").exists()


def test_a_fixs_snippet_keeps_its_lines(lake: Path, use: Callable[..., None]) -> None:
    """A setting over several lines is code to copy, not one line with escapes."""
    use(lake)
    fault = next(fault for fault in sample_lake.FAULTS if any("\n" in says for says, _ in fault.fix))
    says, _, snippet = next(says for says, _ in fault.fix if "\n" in says).partition("\n")
    app = show("group", group=fault.group_id)

    assert snippet in [code.value for code in app.code]
    assert f"1. {says}" in said(app)
