"""What was said already and what is said next: pure, over every order of events that hypothesis thinks of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.alerts import ledger
from analyzer.alerts.finding import CRITICAL, WARNING, Finding, Seen
from analyzer.alerts.ledger import Channel, Judge, Step, added_up, next_steps
from analyzer.situation.impact import Measured, Problem, Window
from collector.settings import AlertSettings

NOW = datetime(2026, 3, 2, 10, 40, tzinfo=UTC)
CHAT = Channel(name="chat")
PAGER = Channel(name="pager", only_critical=True)


def finding(*groups: str, **changes: Any) -> Finding:
    """Of a problem; without groups of a gateway's silence."""
    about = {"rule": "new", "subject": groups[0]} if groups else {"rule": "silence", "subject": "kong"}
    return Finding(**{**about, "since": NOW, "title": "The key `r3`", "says": "It fails.", "groups": groups, **changes})


def judge(*findings: Finding, minute: float = 0, gone: frozenset[str] = frozenset(), **changes: Any) -> Judge:
    """What one process knows at a minute."""
    about = {name: changes.pop(name) for name in ("is_late", "problems", "sending") if name in changes}
    seen = Seen(now=NOW + timedelta(minutes=minute), findings=findings, **about)
    how = {"settings": AlertSettings(), "channels": [CHAT], "holder": "one", **changes}
    return Judge(seen=seen, gone=gone, **how)


def said(steps: Sequence[Step]) -> list[tuple[str, str]]:
    """Steps, without what names them."""
    return [(step.step, step.phase or step.title) for step in steps]


def taken(steps: Sequence[Step], minute: float = 0, step: str = "sent") -> list[Step]:
    """What follows the claims among steps."""
    at = NOW + timedelta(minutes=minute, seconds=1)
    return [replace(one, step=step, noted_at=at, until=None) for one in steps if one.step == "claimed"]


def told(*findings: Finding, **changes: Any) -> list[Step]:
    """A ledger in which these were told to everybody."""
    made = next_steps([], judge(*findings, **changes))
    return [*made, *taken(made)]


def test_a_problem_is_told_once() -> None:
    """Opened and claimed; once it is sent, the next rounds have nothing to say, whoever judges."""
    made = next_steps([], judge(finding("a")))

    assert [("opened", "New: The key `r3`"), ("claimed", "firing")] == said(made)
    assert [] == next_steps(made, judge(finding("a"), holder="another"))
    assert [] == next_steps([*made, *taken(made)], judge(finding("a"), minute=60, holder="another"))


def test_what_is_over_is_told_to_those_who_know() -> None:
    """With how long it took; the pager, which takes critical ones only, heard of neither."""
    both = {"channels": [CHAT, PAGER]}
    steps = told(finding("a"), **both)
    gone = frozenset(added_up(steps).alerts)
    made = next_steps(steps, judge(minute=30, gone=gone, **both))

    assert [("resolved", "Over: The key `r3`"), ("claimed", "resolved")] == said(made)
    assert "Back to usual after 30 min." == made[0].says
    assert [] == next_steps([*steps, *made, *taken(made, 30)], judge(minute=31, gone=gone, **both))


@pytest.mark.parametrize(
    ("state", "says"),
    [("muted", "It is muted and no longer alerted."), ("resolved", "Over since 10:50 UTC. It lasted 10 min.")],
)
def test_how_a_problem_ended_is_said(state: str, says: str) -> None:
    """A person put it aside, or it stopped."""
    windows = (Window(minutes=60, requests=100, failures=0),)
    one = Problem(
        title="T", cause="issuer", state=state, since=NOW, last_failed=NOW + timedelta(minutes=10), is_urgent=False,
        measured=Measured(windows=windows), groups=("a",),
    )  # fmt: skip
    steps = told(finding("a"))
    made = next_steps(steps, judge(minute=30, gone=frozenset(added_up(steps).alerts), problems={"a": one}))

    assert says == made[0].says


def test_an_incident_that_grows_or_splits_stays_one_alert() -> None:
    """More groups join, later only some of them fail, in two lines: nothing more is said."""
    steps = told(finding("a", "b"))
    grown = next_steps(steps, judge(finding("b", "c"), minute=1))
    split = next_steps([*steps, *grown], judge(finding("c"), finding("a"), minute=2))

    assert [("grown", "")] == said(grown)
    assert [] == split


def test_what_gets_worse_is_told_again() -> None:
    """A warning that becomes critical reaches the pager; it is said once, and not taken back when it gets better."""
    both = {"channels": [CHAT, PAGER]}
    steps = told(finding("a"), **both)
    made = next_steps(steps, judge(finding("a", severity=CRITICAL), minute=1, **both))
    after = [*steps, *made, *taken(made, 1)]

    assert [("worse", "Worse: The key `r3`"), ("claimed", "worse"), ("claimed", "worse")] == said(made)
    assert [] == next_steps(after, judge(finding("a", severity=WARNING), minute=2, **both))
    assert [] == next_steps(after, judge(finding("a", severity=CRITICAL), minute=3, **both))


def test_late_data_freezes_everything_else() -> None:
    """Nothing begins and nothing ends; that data is late is said once."""
    steps = told(finding("a"))
    late = finding(rule="late", subject="all")
    frozen = judge(late, minute=10, is_late=True)
    made = next_steps(steps, frozen)

    assert {"opened", "claimed"} == {step.step for step in made}
    assert set() == ledger.absent(added_up([*steps, *made]), frozen.seen)
    assert [] == next_steps([*steps, *made, *taken(made, 10)], judge(late, minute=20, is_late=True))


def test_a_failed_delivery_is_tried_again_with_growing_pauses() -> None:
    """By any process, and no more after a day."""
    steps: list[Step] = []
    tries: list[int] = []
    for minute in range(26 * 60):
        made = next_steps(steps, judge(finding("a"), minute=minute, holder=f"process {minute}"))
        tries += [minute for step in made if step.step == "claimed"]
        steps = [*steps, *made, *taken(made, minute, "failed")]

    pauses = [after - before for before, after in pairwise(tries)]
    assert pauses[:4] == sorted(pauses[:4])
    assert (True, True) == (max(pauses) <= 31, tries[-1] <= 24 * 60)


def test_a_claim_of_a_dead_process_is_taken_over() -> None:
    """Not before its time is over: two processes never send one message."""
    made = next_steps([], judge(finding("a")))

    assert [] == next_steps(made, judge(finding("a"), minute=1.9, holder="two"))
    assert [("claimed", "firing")] == said(next_steps(made, judge(finding("a"), minute=2, holder="two")))


def test_a_flood_is_limited_and_said_so() -> None:
    """Twenty messages and one that says that more are held back; an hour later the rest that still fires."""
    many = [finding(f"g{n}") for n in range(30)]
    steps = told(*many)
    begun = [step.step for step in steps if step.step in ("opened", "held")]
    limit = next(step for step in steps if step.rule == "limit")
    later = next_steps(steps, judge(*many, minute=61))

    assert (21, 10) == (begun.count("opened"), begun.count("held"))
    assert "10 more alerts of the last hour were not sent" in limit.says
    assert (10, 1) == ([s.step for s in later].count("released"), [s.step for s in later].count("resolved"))


def test_a_silence_holds_back_and_ends() -> None:
    """By rule, by alert and altogether; what fires when it ends is told then."""

    def silence(what: str) -> Step:
        return Step(alert_id="", noted_at=NOW, step="silenced", subject=what, until=NOW + timedelta(hours=1))

    for what in ("all", "new"):
        assert [] == next_steps([silence(what)], judge(finding("a"), minute=5))
        assert "opened" in {step.step for step in next_steps([silence(what)], judge(finding("a"), minute=61))}
    assert next_steps([silence("silence")], judge(finding("a")))
    steps = told(finding("a"))
    (alert,) = added_up(steps).alerts
    assert [] == next_steps([*steps, silence(alert)], judge(minute=5, gone=frozenset([alert])))
    assert next_steps([*steps, silence(alert)], judge(minute=65, gone=frozenset([alert])))


def test_a_rule_that_is_off_says_nothing() -> None:
    """And what only keeps an alert open opens none."""
    off = replace(AlertSettings(), rules=("late",))

    assert [] == next_steps([], judge(finding("a"), settings=off))
    assert [] == next_steps([], judge(finding("a", opens=False)))


GROUPS = st.lists(st.sampled_from("abcd"), unique=True, min_size=1, max_size=3).map(tuple)
ROUND = st.tuples(st.lists(GROUPS, max_size=3), st.sampled_from(["sent", "failed", "dies"]), st.booleans())


def disjoint(found: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Each group is in one line of the page at most."""
    return [groups for n, groups in enumerate(found) if not any(set(groups) & set(other) for other in found[:n])]


@given(st.lists(ROUND, max_size=25))
def test_no_message_is_sent_twice(rounds: list[tuple[list[tuple[str, ...]], str, bool]]) -> None:
    """Whatever is found, delivered, failed or left by a process that died: per alert, phase and channel one message at most,
    no claim beside a live one, and no end without a beginning."""
    steps: list[Step] = []
    for n, (found, how, is_gone) in enumerate(rounds):
        seen = [finding(*groups) for groups in disjoint(found)]
        gone = (
            frozenset(ledger.absent(added_up(steps), Seen(now=NOW, findings=tuple(seen)))) if is_gone else frozenset()
        )
        made = next_steps(steps, judge(*seen, minute=n, gone=gone, holder=how))
        steps += [*made, *(taken(made, n, how) if how != "dies" else [])]
        if how != "dies":
            again = next_steps(steps, judge(*seen, minute=n + 0.05, gone=gone))
            assert {"claimed"} >= {step.step for step in again}

    sent = [(step.alert_id, step.phase, step.channel) for step in steps if step.step == "sent"]
    assert len(sent) == len(set(sent))
    for one in added_up(steps).alerts.values():
        begun = {phase for phase, _ in one.deliveries}
        assert begun <= {"firing"} or ("firing", "chat") in one.deliveries
