"""Commits on their own thread: in order, one at a time, bounded, whatever the store answers."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.store import Store
from analyzer.store.commits import Commits
from analyzer.store.deltas import Given
from analyzer.store.write import merged
from analyzer.verdicts import Verdict
from collector.errors import Fenced, SinkUnavailable
from collector.events import Event, Origin, Outcome, gateway
from collector.records import Batch, Position
from collector.settings import StoreSettings
from collector.telemetry import Telemetry
from tests.waiting import HANG_S

SETTINGS = StoreSettings(commit_rows=4, commit_interval_ms=10, maintenance_seconds=86_400)


class Later(Executor):
    """Does what it was given when it is told to, or when somebody waits for it."""

    def __init__(self) -> None:
        self.calls: list[Callable[[], None]] = []

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        executor, call = self, lambda: fn(*args, **kwargs)

        class Waited(Future[Any]):
            def result(self, timeout: float | None = None) -> Any:
                executor.run()
                return super().result(timeout)

        made = Waited()

        def run() -> None:
            try:
                made.set_result(call())
            except Exception as error:
                made.set_exception(error)

        self.calls.append(run)
        return made

    def run(self) -> None:
        while self.calls:
            self.calls.pop(0)()


class AtOnce(Later):
    """Does it before it answers."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        made = super().submit(fn, *args, **kwargs)
        self.run()
        return made


@dataclass(slots=True)
class Lake:
    """A store that keeps what it took, and refuses as it is told: before it wrote, or after (the answer was lost)."""

    answers: list[str] = field(default_factory=list)
    next: dict[int, int] = field(default_factory=dict)
    sent: list[str] = field(default_factory=list)  # what came by OTLP
    taken: Counter[tuple[int, int]] = field(default_factory=Counter)

    def commit(self, given: Given, positions: Sequence[Position], counts: Mapping[Any, int], files: Any) -> None:
        answer = self.answers.pop(0) if self.answers else ""
        if answer == "away":
            raise SinkUnavailable("store", "away")
        for step in merged(positions):
            if self.next.get(step.partition, 0) != step.first:
                raise Fenced(step.topic, step.partition, step.first, self.next.get(step.partition, 0))
        self.next |= {step.partition: step.next for step in merged(positions)}
        origins = [verdict.event.origin for verdict in given.verdicts]
        self.taken.update((origin.partition, origin.offset) for origin in origins if origin.kind == "kafka")
        self.sent += [origin.source for origin in origins if origin.kind == "otlp"]
        if answer == "lost":
            raise SinkUnavailable("store", "no answer")


def batch(*positions: Position, sent: Sequence[str] = ()) -> tuple[Batch[Event], Given]:
    origins = [
        Origin("kafka", "t", each.partition, offset) for each in positions for offset in range(each.first, each.next)
    ]
    origins += [Origin("otlp", name) for name in sent]
    events = [Event(10**18, 10**18, origin, gateway("x"), Outcome.DENIED) for origin in origins]
    return Batch(events, positions), Given(verdicts=[Verdict(event) for event in events])


@dataclass(slots=True)
class Rig:
    """Commits before a lake, with sources that behave: Kafka's go back to the lake's position when a batch has failed."""

    lake: Lake = field(default_factory=Lake)
    thread: Later = field(default_factory=Later)
    now: float = 0.0
    commits: Any = None
    read: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    flying: dict[int, list[Future[None]]] = field(default_factory=lambda: defaultdict(list))
    offered: list[str] = field(default_factory=list)
    acknowledged: int = 0

    def __post_init__(self) -> None:
        telemetry = Telemetry()
        self.commits = Commits(
            SETTINGS, cast("Store", self.lake), telemetry, clock=lambda: self.now, thread=self.thread
        )

    def poll(self, partition: int) -> None:
        flying = self.flying[partition]
        if any(done.done() and done.exception() for done in flying):
            if not all(done.done() for done in flying):
                return  # nothing is read again while some of it is on its way
            self.read[partition] = self.lake.next.get(partition, 0)
            flying.clear()
        first = self.read[partition]
        self.read[partition] = first + 2
        made = batch(Position("t", partition, first, first + 2))
        flying.append(made[0].done)
        self.commits.add(*made)

    def post(self) -> None:
        name = str(len(self.offered))
        self.offered.append(name)
        self.commits.add(*batch(sent=[name]))

    def steal(self, partition: int) -> None:
        """Another member commits two records of the partition."""
        first = self.lake.next.get(partition, 0)
        self.lake.taken.update([(partition, first), (partition, first + 1)])
        self.lake.next[partition] = first + 2

    def tick(self) -> None:
        self.now += 1
        try:
            self.commits.tick()
        except SinkUnavailable:
            assert self.commits._under_way is None

    def flush(self) -> None:
        while True:
            try:
                return self.commits.flush()
            except SinkUnavailable:
                continue


STEPS = st.one_of(
    st.tuples(st.just("poll"), st.integers(0, 1)),
    st.tuples(st.just("steal"), st.integers(0, 1)),
    st.tuples(st.just("answer"), st.sampled_from(["away", "lost", "", ""])),
    st.sampled_from([("post",), ("tick",), ("tick",), ("run",)]),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(STEPS, max_size=40))
def test_nothing_overtakes_and_nothing_is_lost(steps: list[tuple[Any, ...]]) -> None:
    """Whatever the store answers, and whenever: each offset once, senders' batches in order, every batch answered."""
    rig = Rig()
    for name, *arguments in steps:
        if name == "answer":
            rig.lake.answers += arguments
        elif name == "run":
            rig.thread.run()
        else:
            getattr(rig, name)(*arguments)
    rig.flush()

    assert all(count == 1 for count in rig.lake.taken.values())
    for partition, following in rig.lake.next.items():
        assert [(partition, offset) in rig.lake.taken for offset in range(following)] == [True] * following
    first_time = list(dict.fromkeys(rig.lake.sent))  # a commit whose answer was lost is made again
    assert first_time == rig.offered
    assert all(done.done() for flying in rig.flying.values() for done in flying)


def test_a_batch_is_collected_while_the_one_before_is_committed() -> None:
    """`tick` begins a commit and returns; the futures resolve without it."""
    started, may_end = threading.Event(), threading.Event()

    class Slow(Lake):
        def commit(self, *args: Any) -> None:
            started.set()
            assert may_end.wait(HANG_S)
            Lake.commit(self, *args)

    commits = Commits(SETTINGS, cast("Store", Slow()), Telemetry(), clock=iter(range(1000)).__next__)
    first, second = batch(Position("t", 0, 0, 2)), batch(Position("t", 0, 2, 4))
    commits.add(*first)
    commits.tick()
    assert started.wait(HANG_S)
    commits.add(*second)
    commits.tick()
    assert not first[0].done.done()

    may_end.set()
    first[0].done.result(HANG_S)
    assert not second[0].done.done()
    commits.flush()
    second[0].done.result(0)
    commits.close()


def test_whoever_is_a_commit_ahead_waits() -> None:
    """As many rows as a commit takes wait at most beside one under way; that is counted."""
    telemetry, thread, lake = Telemetry(), Later(), Lake()
    commits = Commits(SETTINGS, cast("Store", lake), telemetry, clock=lambda: 0.0, thread=thread)
    for first, waits in ((0, 0), (4, 1), (8, 2)):
        commits.add(*batch(Position("t", 0, first, first + 4)))
        commits.tick()
        assert (first, waits) == (lake.next.get(0, 0), telemetry.value("why401.store.waits"))


def test_nothing_more_is_taken_while_the_store_is_away() -> None:
    """After a failure each call waits for its commit and says how it ended, so the worker waits, too."""
    lake, thread, now = Lake(answers=["away"] * 3), Later(), iter(range(1000))
    commits = Commits(SETTINGS, cast("Store", lake), Telemetry(), clock=now.__next__, thread=thread)
    commits.add(*batch(Position("t", 0, 0, 1)))
    commits.tick()
    thread.run()
    for _ in range(3):
        with pytest.raises(SinkUnavailable):
            commits.tick()
    commits.tick()

    assert {0: 1} == lake.next


@dataclass(slots=True)
class SlowStore:
    """Each commit takes so long by its clock; upkeep has three steps."""

    takes: float = 0.0
    now: float = 0.0
    did: list[str] = field(default_factory=list)

    def commit(self, *_: Any) -> None:
        """Let the time pass."""
        self.now += self.takes
        self.did.append("commit")

    def upkeep(self) -> Generator[None]:
        """Three steps."""
        try:
            for number in range(3):
                self.did.append(f"step {number}")
                yield
        finally:
            self.did.append("released")


@pytest.mark.parametrize(
    ("takes", "early", "late"),
    [(0.01, 0.4, 0.51), (0.1, 0.85, 0.91), (5.0, 0.95, 1.01)],
    ids=["quick: the interval", "nine times what the last one took", "slow: a second"],
)
def test_commits_that_take_long_are_made_seldom(takes: float, early: float, late: float) -> None:
    """The share of time that goes into commits stays small, and nothing waits longer than a second for the next one."""
    slow, made = SlowStore(takes), []
    commits = Commits(StoreSettings(), cast("Store", slow), Telemetry(), clock=lambda: slow.now, thread=AtOnce())
    for offset, age in enumerate((0.6, early, late)):
        began = slow.now
        commits.add(*batch(Position("t", 0, offset, offset + 1)))
        slow.now = began + age
        commits.tick()
        made.append(len(slow.did))
        slow.now = began
        if offset == 1:
            commits.flush()

    assert made == [1, 1, 3]


@pytest.fixture
def kept() -> tuple[SlowStore, Later, Commits]:
    slow, thread = SlowStore(), Later()
    often = replace(SETTINGS, maintenance_seconds=5)
    return slow, thread, Commits(often, cast("Store", slow), Telemetry(), clock=lambda: slow.now, thread=thread)


def test_a_step_of_upkeep_is_between_two_commits(kept: tuple[SlowStore, Later, Commits]) -> None:
    """A commit that is due waits for one step, not for the round."""
    slow, thread, commits = kept
    slow.now = 5
    for offset in range(4):
        commits.add(*batch(Position("t", 0, offset, offset + 1)))
        slow.now += 1
        commits.tick()
        thread.run()
    commits.tick()

    assert slow.did == ["commit", "step 0", "commit", "step 1", "commit", "step 2", "commit", "released"]


def test_upkeep_that_is_interrupted_gives_the_lease_back(kept: tuple[SlowStore, Later, Commits]) -> None:
    """A process that stops leaves upkeep to the next one at once."""
    slow, thread, commits = kept
    slow.now = 5
    commits.tick()
    thread.run()
    commits.close()
    thread.run()

    assert slow.did == ["step 0", "released"]
