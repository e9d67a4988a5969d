"""The life of a problem in the store: what is decided beside a running writer, and what the data makes of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from analyzer.lake.errors import NewerStore, NoStore, OlderStore
from analyzer.store import Store, deciding, open_store
from analyzer.store.changes import Change, ChangeKind
from analyzer.store.group_state import MAX_NAME, Decision, State, undone
from analyzer.store.writer_state import MAX_AFFECTED, MAX_PASSES, PASS_AGAIN_US, WriterState
from analyzer.verdicts import Verdict
from collector.settings import Settings, StoreSettings
from collector.telemetry import Telemetry
from tests.analyzer.verdict_samples import GROUP, START_S, failing, passing

Ask = Callable[..., list[tuple[Any, ...]]]
START = datetime.fromtimestamp(START_S, UTC)
OTHER = dataclasses.replace(GROUP, id="v1-00000000000000bb")


def of_version(verdict: Verdict, version: str) -> Verdict:
    """The same at another version of the gateway."""
    gateway = dataclasses.replace(verdict.event.gateway, version=version)
    return dataclasses.replace(verdict, event=dataclasses.replace(verdict.event, gateway=gateway))


def of_user(verdict: Verdict, user: str) -> Verdict:
    """The same by another person."""
    token = dataclasses.replace(verdict.event.token, user=user)
    return dataclasses.replace(verdict, event=dataclasses.replace(verdict.event, token=token))


def of_route(verdict: Verdict, route: str) -> Verdict:
    """The same on another route."""
    request = dataclasses.replace(verdict.event.request, route=route)
    return dataclasses.replace(verdict, event=dataclasses.replace(verdict.event, request=request))


def minutes(n: float) -> datetime:
    return START + timedelta(minutes=n)


def decided(at: float, **what: Any) -> Decision:
    return Decision(group_id=GROUP.id, author="ana", at=minutes(at), **what)


def test_a_mute_ends_by_the_clock_of_the_data(store: Store, ask: Ask) -> None:
    """Muted for ten minutes: until a request of the eleventh arrives, whatever the wall's clock says."""
    store.append([failing(0)], [], {})
    store.decide(decided(1, state=State.MUTED, muted_until=minutes(10)))
    store.append([passing(9 * 60)], [], {})
    before = ask(
        "SELECT state, (SELECT state FROM groups), (SELECT state FROM impact WHERE group_id <> '' AND gateway = '') FROM decisions"
    )
    store.append([failing(10 * 60 + 1)], [], {})

    assert [("muted", "muted", "muted")] == before
    assert [("open", "open", "ongoing")] == ask(
        "SELECT state, (SELECT state FROM groups), (SELECT replace(state, 'new', 'ongoing') FROM impact WHERE group_id <> '' AND gateway = '') FROM decisions"
    )


def test_of_each_kind_the_latest_counts(store: Store, ask: Ask) -> None:
    """A state leaves the assignee, an assignee leaves the state, a note leaves both."""
    store.append([failing(0)], [], {})
    for one in (
        decided(1, state=State.ARCHIVED), decided(2, assignee="ben"), decided(3, note="see the runbook"),
        decided(4, merged_into=OTHER.id),
    ):  # fmt: skip
        store.decide(one)

    assert [("archived", minutes(1), "ana", "ben", OTHER.id)] == ask(
        "SELECT state, decided_at, author, assignee, merged_into FROM decisions"
    )
    assert [("archived", "ben", OTHER.id)] == ask("SELECT state, assignee, merged_into FROM groups")


@pytest.mark.parametrize(
    ("version", "mark", "says"),
    [
        ("1.0", None, (False, True)),  # the old version goes on failing: nobody has released anything
        ("2.0", None, (True, False)),  # a version that was new after the decision fails so as well
        ("1.0", "", (True, False)),  # somebody said that it is released
        ("1.0", "envoy", (True, False)),
        ("1.0", "kong", (False, True)),  # of a gateway that has no part in it
    ],
)
def test_a_regression_knows_releases(
    version: str, mark: str | None, says: tuple[bool, bool], store: Store, ask: Ask
) -> None:
    """Resolved in the next release: failures of what runs today are no regression, those of the release are."""
    store.append([of_version(failing(0), "1.0"), of_version(passing(1), "1.0")], [], {})
    store.decide(decided(1, state=State.RESOLVED, next_release=True))
    if mark is not None:
        store.record(Change(at=minutes(3), kind=ChangeKind.MARKED, subject="shop 7.1", gateway=mark))
    store.append([of_version(failing(5 * 60), version)], [], {})
    state = "regressed" if says[0] else "waiting"

    assert [says] == ask("SELECT failed_again, is_waiting FROM decisions")
    assert [(state,)] == ask("SELECT DISTINCT state FROM impact WHERE group_id <> ''")


def test_a_version_that_was_known_is_no_release(store: Store, ask: Ask) -> None:
    """A rollback to a version of last week does not prove that the release is bad."""
    store.append([of_version(passing(0), "0.9"), of_version(failing(1), "1.0")], [], {})
    store.decide(decided(1, state=State.RESOLVED, next_release=True))
    store.append([of_version(failing(5 * 60), "0.9")], [], {})

    assert [(False, None)] == ask("SELECT failed_again, released_at FROM decisions")


def test_recovery_tells_who_passes_again(store: Store, ask: Ask) -> None:
    """Of five users two pass on the route, one fails, one passes elsewhere, one is not seen; strangers do not count."""
    users = [f"u{n}" for n in range(5)]
    store.append([of_user(failing(0), user) for user in users], [], {})
    store.decide(decided(1, state=State.RESOLVED))
    later = [
        of_user(passing(120), "u0"),
        of_user(passing(125), "u1"),
        of_user(failing(130), "u2"),
        of_user(passing(125), "stranger"),
    ]
    store.append([*later, of_route(of_user(passing(140), "u3"), "/elsewhere")], [], {})

    assert [(minutes(1), 5, 2, 1, 2, ["u0", "u1"])] == ask(
        "SELECT since, users, passing, failing, unseen, sample FROM recovery"
    )


def test_who_fails_after_it_passed_fails(store: Store, ask: Ask) -> None:
    """The last word counts."""
    store.append([of_user(failing(0), "u0"), of_user(failing(0), "u1")], [], {})
    store.decide(decided(1, state=State.RESOLVED))
    store.append([of_user(passing(70), "u0"), of_user(failing(80), "u1")], [], {})
    store.append([of_user(failing(90), "u0"), of_user(passing(100), "u1")], [], {})

    assert [(1, 1)] == ask("SELECT passing, failing FROM recovery")


def test_a_new_writer_knows_whom_earlier_ones_saw_fail(settings: Settings) -> None:
    """After a restart, passes of affected users are still noted."""
    for verdict in (failing(0), passing(70)):
        store = open_store(settings, Telemetry())
        store.append([verdict], [], {})
        found = store.rows("SELECT users, passing FROM recovery")
        store.close()

    assert [(1, 1)] == found


def test_passes_are_noted_within_bounds() -> None:
    """Nobody but the affected, once in ten minutes, so many an hour; the affected are bounded as well."""
    state = WriterState()
    state.learn_affected(f"u{n}" for n in range(MAX_AFFECTED + 1))
    state.passes = {("envoy", "/r", f"u{n}"): 0 for n in range(1, MAX_PASSES)}
    asked = [("u0", 0), ("u1", PASS_AGAIN_US - 1), ("u1", PASS_AGAIN_US), ("u49999", 0)]
    one_left = [state.is_news(("envoy", "/r", user), at) for user, at in asked]
    state.passes["envoy", "/r", "u49999"] = 0

    assert ([False, False, True, True], False) == (one_left, state.is_news(("envoy", "/r", "u49998"), 0))
    assert MAX_AFFECTED == len(state.affected)


def catalogs(settings: Settings, request: pytest.FixtureRequest, kind: str) -> Settings:
    if kind == "sqlite":
        return settings
    return dataclasses.replace(settings, store=StoreSettings(catalog=request.getfixturevalue("postgres_catalog")))


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def shared(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    """A lake of either catalog."""
    return catalogs(settings, request, request.param)


def test_many_decide_beside_a_writer(shared: Settings) -> None:
    """Four people at pages of their own while the writer commits: every row is there once, on either catalog."""
    store = open_store(shared, Telemetry())
    store.append([failing(0)], [], {})

    def person(name: str) -> None:
        for n in range(3):
            deciding.decide(shared, Decision(group_id=GROUP.id, author=name, note=f"{n}"))

    with ThreadPoolExecutor(5) as pool:
        people = [pool.submit(person, f"p{n}") for n in range(4)]
        for n in range(8):
            store.append([failing(n)], [], {})
        store.maintain()
        assert [None] * 4 == [one.result() for one in people]
    found = store.rows("SELECT author, count(*), count(DISTINCT note) FROM notes GROUP BY author ORDER BY author")
    counted = store.rows("SELECT count(*), (SELECT sum(failures)::INT FROM groups) FROM failures")
    store.close()

    assert ([(f"p{n}", 3, 3) for n in range(4)], [(9, 9)]) == (found, counted)


def test_a_state_is_for_what_was_merged_too(shared: Settings) -> None:
    """Resolve one and all of it is resolved; a note stays with its group; undo takes all of it back."""
    store = open_store(shared, Telemetry())
    store.append([failing(0), failing(0, group=OTHER)], [], {})
    deciding.decide(shared, Decision(group_id=OTHER.id, author="ana", merged_into=GROUP.id))
    both = deciding.decide(shared, Decision(group_id=GROUP.id, author="ben", state=State.RESOLVED, note="deployed"))
    alone = deciding.decide(shared, Decision(group_id=GROUP.id, author="ben", note="again"))
    back = deciding.undo(shared, GROUP.id, "cleo")
    states = store.rows("SELECT group_id, state FROM decisions ORDER BY group_id")
    trail = [decision.says for decision in store.decisions(GROUP.id)]
    store.close()

    assert ((GROUP.id, OTHER.id), (GROUP.id,), "undid: resolved") == (both, alone, back.note)
    assert {GROUP.id: "open", OTHER.id: "open"} == dict(states)
    assert ["resolved", "", "opened"] == trail


def test_what_cannot_be_decided_is_refused(settings: Settings) -> None:
    """No store, no group, no decision to take back: a sentence, and no store that was made by asking."""
    with pytest.raises(NoStore):
        deciding.decide(settings, decided(0, note="x"))
    assert not Path(settings.data_dir).exists()
    store = open_store(settings, Telemetry())
    for refused in (
        lambda: deciding.decide(settings, decided(0, note="x")),
        lambda: deciding.undo(settings, GROUP.id, "ana"),
    ):
        with pytest.raises(ValueError, match=r"there is no group|nothing was decided"):
            refused()
    store.append([failing(0)], [], {})
    with pytest.raises(ValueError, match="there is no group 'nowhere'"):
        deciding.decide(settings, decided(0, merged_into="nowhere"))
    store.close()


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("DELETE FROM store.applied WHERE name LIKE '0003%'", OlderStore),
        ("INSERT INTO store.applied VALUES ('9999_future.sql', '', now())", NewerStore),
    ],
)
def test_a_lake_of_another_version_is_left_alone(sql: str, error: type[Exception], settings: Settings) -> None:
    """Whoever writes a row migrates nothing: the writer is upgraded first."""
    store = open_store(settings, Telemetry())
    store.append([failing(0)], [], {})
    store._called(lambda con: con.execute(sql))
    store.close()

    with pytest.raises(error):
        deciding.decide(settings, decided(0, note="x"))


def test_the_connection_of_a_decision_reaches_nothing_else(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is locked like a reader's, and its note is a value."""
    store = open_store(settings, Telemetry())
    store.append([failing(0)], [], {})
    note = "'); DROP TABLE store.notes; --"
    deciding.decide(settings, decided(0, note=note))
    asked: list[Any] = []

    def look(con: duckdb.DuckDBPyConnection, group_id: str) -> None:
        for sql in ("COPY (SELECT 1) TO '/tmp/why401-out.csv'", "SET enable_external_access = true"):
            with pytest.raises(duckdb.Error):
                con.execute(sql)
            asked.append(sql)

    monkeypatch.setattr(deciding, "_expect_group", look)
    deciding.decide(settings, decided(1, note="y"))

    assert ([(note,), ("y",)], 2) == (store.rows("SELECT note FROM notes ORDER BY noted_at"), len(asked))
    store.close()


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ({"state": State.OPEN, "muted_until": START}, "only a mute"),
        ({"state": State.MUTED, "next_release": True}, "only a resolution"),
        ({"assignee": "x" * (MAX_NAME + 1)}, "at most 200"),
    ],
)
def test_what_does_not_fit_together_is_no_decision(what: dict[str, Any], why: str) -> None:
    """Before it reaches the store."""
    with pytest.raises(ValueError, match=why):
        decided(0, **what)


def test_undo_restores_all_of_what_was_before() -> None:
    """A mute with its end, an assignee, a merge; notes are passed over, and nothing is left to undo in notes alone."""
    muted = decided(0, state=State.MUTED, muted_until=minutes(9))
    trail = [
        muted,
        decided(1, assignee="ben", merged_into=OTHER.id),
        decided(2, state=State.RESOLVED, next_release=True),
        decided(3, note="n"),
    ]
    back = undone(trail, "cleo")
    first = undone(trail[:2], "cleo")

    assert back
    assert first
    assert (State.MUTED, minutes(9), False, None, None, "cleo") == (
        back.state, back.muted_until, back.next_release, back.assignee, back.merged_into, back.author,
    )  # fmt: skip
    assert (None, "", "") == (first.state, first.assignee, first.merged_into)
    assert undone([decided(0, note="n")], "cleo") is None
