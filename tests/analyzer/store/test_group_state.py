"""The state of a group and its audit trail: appended, never changed, the latest counts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from analyzer.store import Store
from analyzer.store.group_state import MAX_NOTE, Decision, State
from tests.analyzer.verdict_samples import GROUP, failing

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
Ask = Callable[..., list[tuple[Any, ...]]]


def decided(minutes: int, state: State | None, author: str = "ana", note: str = "") -> Decision:
    return Decision(group_id=GROUP.id, author=author, state=state, note=note, at=NOW + timedelta(minutes=minutes))


def test_a_group_is_open_until_somebody_decides(store: Store) -> None:
    """Without a decision there is a state, and an empty trail."""
    store.append([failing()], [], {})

    assert (State.OPEN, ()) == (store.group_state(GROUP.id), store.decisions(GROUP.id))


def test_the_latest_state_counts(store: Store, ask: Ask) -> None:
    """The module and the view agree after every decision; a note without a state leaves it."""
    store.append([failing()], [], {})
    seen = []
    for decision in (
        decided(0, State.RESOLVED), decided(1, State.MUTED, note="known"), decided(2, None, "ben", "see the runbook"),
        decided(3, State.OPEN),
    ):  # fmt: skip
        store.decide(decision)
        seen.append((store.group_state(GROUP.id), *ask("SELECT state FROM groups")[0]))

    states = [State.RESOLVED, State.MUTED, State.MUTED, State.OPEN]
    assert [(state, state.value) for state in states] == seen


def test_the_trail_says_who_decided_what_when_and_why(store: Store, ask: Ask) -> None:
    """Nothing is replaced, and the view `notes` shows the same rows."""
    trail = (decided(0, State.MUTED), decided(1, None, "ben", "it's known"), decided(2, State.OPEN, "cleo"))
    for decision in trail:
        store.decide(decision)

    assert trail == store.decisions(GROUP.id)
    assert [("ana", "muted", ""), ("ben", None, "it's known"), ("cleo", "open", "")] == ask(
        "SELECT author, state, note FROM notes ORDER BY noted_at"
    )


def test_a_resolved_group_that_fails_again_has_regressed(store: Store, ask: Ask) -> None:
    """What follows from the data is derived in the view; the decision stays as it was."""
    seconds = int(datetime.now(UTC).timestamp())
    store.append([failing(at_s=seconds - 600)], [], {})
    store.decide(Decision(group_id=GROUP.id, author="ana", state=State.RESOLVED))
    before = ask("SELECT state, status FROM groups")
    store.append([failing(at_s=seconds + 60)], [], {})

    assert [[("resolved", "new")], [("resolved", "regressed")]] == [before, ask("SELECT state, status FROM groups")]
    assert State.RESOLVED is store.group_state(GROUP.id)


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({}, "needs a state, an assignee, a merge or a note"),
        ({"note": "x" * (MAX_NOTE + 1)}, "at most 10,000"),
        ({"state": "closed"}, "closed"),
    ],
)
def test_what_is_not_a_decision_is_refused(facts: dict[str, str], why: str) -> None:
    """Before it reaches the store."""
    with pytest.raises(ValueError, match=why):
        Decision(group_id=GROUP.id, author="ana", note=facts.get("note", ""), state=_state(facts.get("state")))


def _state(name: str | None) -> State | None:
    return State(name) if name else None
