"""The life of a problem on the page: decided by a click, told in a sentence, kept in the store, and only by an operator."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from analyzer.lake import connect_reader, run_query
from analyzer.situation import impact, incidents
from analyzer.situation.impact import Measured, Problem, Window
from analyzer.store.group_state import Decision, State
from collector.settings import load
from dashboard import life, roles
from tests.dashboard import outage, sample_lake
from tests.dashboard.conftest import Served, Visit
from tests.dashboard.outage import EXPIRED, NO_KEY, NOW
from tests.waiting import HANG_S

Use, Serve, Open = Callable[..., None], Callable[[Path], Served], Callable[..., Visit]
PAGE = "from dashboard.screens import group\ngroup.page()\n"
# What decisions are about, without the statements of the other panels.
CONTROLS = """
from dashboard import client, controls, scope
from dashboard.screens import group
seen = scope.current()
params = {**seen.params, "group": group.chosen()}
row = client.query("group", **params).iloc[0].to_dict()
controls.draw(row, seen, params)
controls.history(row, params)
"""


@pytest.fixture(scope="module")
def young(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with half an hour of an outage."""
    data_dir = tmp_path_factory.mktemp("young")
    outage.build(data_dir, outage.Outage(30), days=(7, 14), hours=3, rate=10)
    return data_dir


@pytest.fixture
def own(young: Path, tmp_path: Path) -> Path:
    """A copy of it, to decide about."""
    shutil.copytree(young, tmp_path / "lake")
    return tmp_path / "lake"


def asked(data_dir: Path, sql: str) -> list[tuple[Any, ...]]:
    """Rows, asked beside the page."""
    with connect_reader(load(None, flags={"data_dir": str(data_dir)}, environ={}), memory_mib=256) as con:
        return run_query(con, sql).rows


def group_page(group: str = NO_KEY[0], script: str = PAGE) -> AppTest:
    app = AppTest.from_string(script, default_timeout=HANG_S)
    app.query_params["group"] = group
    return app.run()


def words(app: AppTest) -> str:
    parts = [str(item.value) for kind in ("markdown", "caption", "success", "error") for item in app.get(kind)]
    return "\n".join(parts).replace("\u2060", "").replace("\\", "")


def click(app: AppTest, label: str) -> AppTest:
    return next(button for button in app.button if button.label == label).click().run()


VERBS = {
    "Resolve": ("resolved", "resolved"),
    "1 day": ("muted", "muted until"),
    "For good": ("muted", "muted"),
    "Archive": ("archived", "archived"),
    "Resolve in the next release": ("resolved", "resolved in the next release"),
    "Always show by itself": ("open", "kept apart"),
}


@pytest.mark.parametrize(("label", "expected"), VERBS.items(), ids=VERBS)
def test_a_click_decides_and_is_undone(label: str, expected: tuple[str, str], own: Path, use: Use) -> None:
    """Each verb is stored with its author and told; undo takes it back, and both stay in the history."""
    use(own)
    app = click(group_page(script=CONTROLS), label)
    said, state = (
        words(app),
        asked(own, "SELECT d.state, n.author FROM decisions AS d JOIN notes AS n USING (group_id)"),
    )
    back = click(app, "Undo the last decision")

    assert ([(expected[0], roles.os_user())], True) == (state, expected[1] in said.lower())
    assert ("undid" in words(back).lower(), [("open", "")]) == (
        True,
        asked(own, "SELECT state, merged_into FROM decisions"),
    )
    assert [(2,)] == asked(own, "SELECT count(*) FROM notes")
    assert (0, True) == (len(back.exception), any("what" in frame.value for frame in back.dataframe))


def test_a_note_goes_with_a_decision_and_by_itself(own: Path, use: Use) -> None:
    """Typed once, kept once; the field is empty afterwards."""
    use(own)
    app = group_page(script=CONTROLS)
    app.text_area[0].set_value("key set was stale").run()
    app = click(app, "Resolve")
    left = app.text_area[0].value
    app.text_area[0].set_value("<b>see</b> [runbook](https://evil.example)").run()
    click(app, "Add note")

    assert ("", [("resolved", "key set was stale"), (None, "<b>see</b> [runbook](https://evil.example)")]) == (
        left, asked(own, "SELECT state, note FROM notes ORDER BY noted_at"),
    )  # fmt: skip


def test_a_merge_and_an_assignee_are_chosen(own: Path, use: Use) -> None:
    """The other group's page names what was merged into it; the overview has one line for both."""
    use(own)
    app = group_page(EXPIRED[0], script=CONTROLS)
    app.text_input[0].set_value("ben").run()
    app.selectbox(key=f"merge-{EXPIRED[0]}").set_value(NO_KEY[0]).run()
    outage.forget_cache()
    problems = incidents.folded(outage.situation().problems, {})
    other = group_page()

    assert [("ben", NO_KEY[0])] == asked(own, "SELECT assignee, merged_into FROM decisions")
    assert [(NO_KEY[0], EXPIRED[0])] == [problem.groups for problem in problems]
    assert problems[0].title == f"{NO_KEY[3]}, with 1 merged problem"
    assert any("Merged into this one" in item.proto.label for item in other.get("page_link"))


def test_a_viewer_sees_and_decides_nothing(own: Path, use: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    """No control is drawn for a viewer, and a callback that is called all the same is refused."""
    use(own)
    drawn = group_page()
    monkeypatch.setattr(roles, "current", lambda: roles.Role.VIEWER)
    viewer = group_page()
    refused = AppTest.from_string(
        f"import streamlit as st\nfrom dashboard import controls\nfrom analyzer.store.group_state import State\n"
        f"controls.decide({NO_KEY[0]!r}, state=State.RESOLVED)\nst.text(str(st.session_state['decision_told']))\n",
        default_timeout=HANG_S,
    ).run()

    labels = [{button.label for button in app.button} & {"Resolve", "Archive", "1 day"} for app in (drawn, viewer)]
    assert [{"Resolve", "Archive", "1 day"}, set()] == labels
    assert "(False, 'Only an operator may do this.')" == refused.text[0].value
    assert [(0,)] == asked(own, "SELECT count(*) FROM notes")


def test_a_store_that_cannot_be_written_is_told(own: Path, use: Use) -> None:
    """Nothing is changed, and the page says so in a sentence."""
    use(own)
    app = group_page()
    data = own / "data"
    catalog = next(own.glob("catalog.sqlite"))
    catalog.rename(own / "gone")
    app = click(app, "Resolve")
    (own / "gone").rename(catalog)

    assert data.exists()
    assert 0 == len(app.exception)


STATES = {
    State.MUTED: ("muted", "Most of it is muted: The gateway does not know the key `r3`."),
    State.ARCHIVED: ("archived", "Most of it is archived: The gateway does not know the key `r3`."),
}


@pytest.mark.parametrize(("state", "expected"), STATES.items(), ids=str)
def test_the_first_sentence_says_what_was_put_aside(
    state: State, expected: tuple[str, str], own: Path, use: Use
) -> None:
    """What is muted is not urgent, and still explains why so few requests pass."""
    with sample_lake.opened(own) as store:
        store.decide(Decision(group_id=NO_KEY[0], author="ana", state=state, at=NOW))
    use(own)
    found = outage.situation()
    said = outage.sentence(own)

    states = {problem.groups: problem.state for problem in found.problems}

    assert (expected[0], False) == (states[NO_KEY[0],], any(problem.is_urgent for problem in found.problems))
    assert said.startswith("Only ")
    assert said.endswith(expected[1])


def test_the_first_sentence_says_that_it_is_back(own: Path, use: Use) -> None:
    """Resolved in the middle of it, and it went on."""
    with sample_lake.opened(own) as store:
        store.decide(Decision(group_id=NO_KEY[0], author="ana", state=State.RESOLVED, at=NOW - timedelta(minutes=10)))
    use(own)

    assert "Again since " in outage.sentence(own)


def problem(group: str, into: str = "", state: str = "ongoing", failures: int = 10) -> Problem:
    windows = tuple(Window(minutes=n, requests=1000, failures=failures) for n in impact.MINUTES)
    return Problem(
        title=group, cause="issuer", state=state, since=NOW, last_failed=NOW, measured=Measured(windows=windows), is_urgent=False,
        groups=(group,), merged_into=into,
    )  # fmt: skip


def test_merges_are_followed_to_their_end() -> None:
    """A chain is one problem, a circle too, what is kept apart stays alone, and a root that is not there does no harm."""
    made = incidents.merged(
        [
            problem("a"),
            problem("b", "a"),
            problem("c", "b"),
            problem("d", "e"),
            problem("e", "d"),
            problem("f", "f"),
            problem("g", "gone"),
        ]
    )

    assert [("a", "b", "c"), ("d", "e"), ("f",), ("g",)] == [tuple(sorted(one.groups)) for one in made]
    assert 30 == made[0].measured.windows[-1].failures


def test_a_merged_problem_is_as_active_as_its_parts() -> None:
    """The root is over, another part fails: the line says so."""
    (one,) = incidents.merged([problem("a", state="resolved"), problem("b", "a", state="new")])

    assert ("new", "a, with 1 merged problem") == (one.state, one.title)


def test_what_is_kept_apart_is_not_folded() -> None:
    """By hand beats by likeness."""
    shared = {name: (incidents.Value("kid", "r3"),) for name in ("a", "b")}
    both = [replace(problem(name), was_unusual=True) for name in ("a", "b")]
    apart = [both[0], replace(both[1], merged_into="b")]

    assert [1, 2] == [len(incidents.folded(found, shared)) for found in (both, apart)]


@pytest.mark.parametrize(
    ("figures", "says"),
    [
        ((198, 198, 0, 0), "Verified: 198 of 198 affected users pass again, and none fails."),
        (
            (198, 171, 3, 24),
            "Not fixed for everybody: 171 of 198 affected users pass again, 3 still fail. 24 have not been seen since.",
        ),
        ((5, 0, 0, 5), "Not verified yet: none of 5 affected users has been seen since."),
        (
            (2, 1, 0, 1),
            "Verified so far: 1 of 2 affected users passes again, and none fails. 1 has not been seen since.",
        ),
        ((1, 0, 1, 0), "Not fixed for everybody: 0 of 1 affected user pass again, 1 still fails."),
    ],
)
def test_the_fix_is_verified_in_words(figures: tuple[int, ...], says: str) -> None:
    """From verified to not at all."""
    assert says == life.recovered(dict(zip(("users", "passing", "failing", "unseen"), figures, strict=True)))


def test_states_in_words() -> None:
    """Until when, with which release, whose, and with what."""
    row = {
        "group_id": "a",
        "state": "muted",
        "author": "ana",
        "decided_at": NOW,
        "muted_until": NOW + timedelta(hours=2),
    }
    waiting = {"group_id": "a", "state": "resolved", "author": "ana", "decided_at": NOW, "next_release": True}

    assert "Muted by ana at 10:40 (just now), until 12:40." == life.decided(row, NOW)
    assert "Resolved in the next release by ana at 10:40 (just now); no release was seen since." == life.decided(
        waiting | {"is_waiting": True}, NOW
    )
    assert "Resolved in the next release by ana at 10:40 (just now), and it failed with that release." == life.decided(
        waiting | {"failed_again": True}, NOW
    )
    assert "Merged into b." == life.decided({"group_id": "a", "state": "open", "merged_into": "b"}, NOW)
    assert "" == life.decided({"group_id": "a", "state": "open"}, datetime.now(UTC))


@pytest.fixture(scope="module")
def shown(young: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy for the browser: one server for what is decided there."""
    shutil.copytree(young, lake := tmp_path_factory.mktemp("shown") / "lake")
    return lake


@pytest.mark.browser
@pytest.mark.parametrize("width", [1440, 400])
def test_a_problem_is_resolved_in_the_browser(width: int, shown: Path, serve: Serve, visit: Open) -> None:
    """Clicked at a desk and on a phone: told, badged, kept, and undone."""
    seen = visit(serve(shown), f"/group?group={NO_KEY[0]}", width=width)
    seen.page.get_by_role("button", name="Resolve", exact=True).click()
    seen.page.get_by_text("Resolved by").first.wait_for()
    stored = asked(shown, "SELECT state FROM decisions")
    seen.page.get_by_role("button", name="More").click()
    seen.page.get_by_role("button", name="Undo the last decision").click()
    seen.page.locator('[data-testid="stAlert"]').filter(has_text="Undid").wait_for()

    assert ([("resolved",)], [("open",)], []) == (stored, asked(shown, "SELECT state FROM decisions"), seen.off_origin)
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.browser
def test_groups_are_found_by_their_state(shown: Path, serve: Serve, visit: Open) -> None:
    """An archived group is in no list but that of the archive, and a link leads there."""
    with sample_lake.opened(shown) as store:
        store.decide(Decision(group_id=NO_KEY[0], author="ana", state=State.ARCHIVED))
    seen = visit(serve(shown), "/groups?range=7d")
    seen.page.get_by_role("radio", name="Archived").click()
    seen.page.wait_for_url("**state=archived*")
    seen.page.get_by_text("Groups with failures in this window").wait_for()

    assert [] == seen.off_origin
