"""Verdicts to sums: what one commit adds to `store.rollups`, `store.deltas`, `store.changes`, `store.descriptions`.

Summed here, before the insert, so that a commit of 5,000 requests writes some dozens of rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from msgspec import Struct

from analyzer.store import habits
from analyzer.store.habits import Change, Habit, Seen, Sent, Sight, Who
from analyzer.store.rows import INT, LONG, TEXT, TEXTS, TIME, event_us, table
from analyzer.store.writer_state import MAX_NEW_SUBJECTS, Member, Subject, WriterState
from analyzer.verdicts import Verdict
from collector.counted import Allowed, is_accepted
from collector.events import Event, Outcome, Verification
from collector.safe import OTHER

MINUTE_US: Final = 60_000_000
HOUR_US: Final = 60 * MINUTE_US
UNCLASSIFIED: Final = "unclassified"

ROLLUPS: Final = {"minute": TIME} | dict.fromkeys(
    ("gateway", "gateway_instance", "route", "issuer", "client_id", "outcome", "responder", "cause", "code", "group_id"),
    TEXT,
) | {"requests": LONG}  # fmt: skip
_KEYS: Final = {
    "kind": TEXT, "minute": TIME, "group_id": TEXT, "gateway": TEXT, "issuer": TEXT, "client_id": TEXT, "kid": TEXT,
    "alg": TEXT, "typ": TEXT, "token_kind": TEXT, "claim_names": TEXTS, "name": TEXT, "value": TEXT,
}  # fmt: skip
DELTAS: Final = _KEYS | {
    "records": LONG, "passing": LONG, "failing": LONG,
    "first_seen": TIME, "last_seen": TIME, "first_passed": TIME, "last_passed": TIME,
}  # fmt: skip
CHANGES: Final = {"changed_at": TIME, "kind": TEXT, "subject": TEXT, "gateway": TEXT, "detail": TEXT}
OFFSETS: Final = {"topic": TEXT, "partition": INT, "next": LONG, "epoch": LONG}
KINDS: Final[dict[str, tuple[str, ...]]] = {
    "credential": ("gateway", "issuer", "kid", "alg"),
    "shape": ("issuer", "client_id", "token_kind", "alg", "typ", "claim_names"),
    "group": ("group_id",),
    "release": ("group_id", "gateway", "value"),
    "passed": ("gateway", "name", "value"),
    "member": ("group_id", "name", "value"),
    "unclassified": ("gateway", "name", "value"),
    "pipeline": ("minute", "name", "value"),
}
Key = tuple[Any, ...]


class _Labels(Struct, frozen=True, gc=False):
    """The values of a request that its sums are kept by, each bounded."""

    issuer: str
    client: str
    kid: str
    route: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Requests of one minute that are counted together; times are microseconds."""

    count: int
    first: int
    last: int


@dataclass(slots=True)
class Sum:
    """Counts and times of one key; times are microseconds."""

    passing: int = 0
    failing: int = 0
    first: int | None = None
    last: int = 0
    first_passed: int | None = None
    last_passed: int | None = None

    def add(self, at: int, *, passing: bool) -> None:
        """Count one request."""
        self.add_all(Run(count=1, first=at, last=at), passing=passing)

    def add_all(self, run: Run, *, passing: bool) -> None:
        """Count several."""
        self.first = run.first if self.first is None or run.first < self.first else self.first
        self.last = max(self.last, run.last)
        if not passing:
            self.failing += run.count
            return
        self.passing += run.count
        self.first_passed = (
            run.first if self.first_passed is None or run.first < self.first_passed else self.first_passed
        )
        self.last_passed = max(self.last_passed or 0, run.last)


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What one commit is made of: verdicts on events, and allowed requests that are counted, of which the samples are some."""

    verdicts: Sequence[Verdict] = ()
    allowed: Sequence[Allowed] = ()
    samples: Sequence[Verdict] = ()

    @property
    def records(self) -> int:
        """How many records it stands for."""
        return len(self.verdicts) + sum(each.count for each in self.allowed)

    @property
    def entries(self) -> int:
        """What of it waits in memory."""
        return len(self.verdicts) + len(self.allowed) + len(self.samples)

    @property
    def arrival_ns(self) -> int:
        """When one of the first arrived; 0 when there is none."""
        events = (*(each.event for each in self.verdicts[:1]), *(each.event for each in self.allowed[:1]))
        return min((event.observed_ns for event in events), default=0)


def together(given: Sequence[Given]) -> Given:
    """All of them as one, in order."""
    return Given(
        verdicts=[verdict for one in given for verdict in one.verdicts],
        allowed=[allowed for one in given for allowed in one.allowed],
        samples=[sample for one in given for sample in one.samples],
    )


@dataclass(slots=True)
class Plan:
    """Everything that one commit writes, and what the writer's state learns when it succeeded."""

    kept: list[Verdict] = field(default_factory=list)
    rollups: Counter[Key] = field(default_factory=Counter)
    sums: dict[Key, Sum] = field(default_factory=dict)
    members: Counter[Member] = field(default_factory=Counter)
    totals: dict[Member, tuple[int, int]] = field(default_factory=dict)
    latest: dict[str, tuple[Verdict, int]] = field(default_factory=dict)
    changes: dict[Subject, tuple[int, str]] = field(default_factory=dict)
    sent: dict[tuple[Any, ...], Seen] = field(default_factory=dict)  # the fields of Sent, and whether it is trusted
    habits: dict[Who, Habit] = field(default_factory=dict)  # as they will be
    news: list[Change] = field(default_factory=list)
    pipeline: Counter[tuple[str, str]] = field(default_factory=Counter)
    allowed: int = 0

    def sum(self, at: int, *key: Any, passing: bool = False) -> None:
        """Count one request under a kind of KINDS and the values of its columns."""
        self.sum_all(Run(count=1, first=at, last=at), *key, passing=passing)

    def sum_all(self, run: Run, *key: Any, passing: bool = False) -> None:
        """Count several."""
        found = self.sums.get(key)
        if found is None:
            found = self.sums[key] = Sum()
        found.add_all(run, passing=passing)


def plan(given: Given, state: WriterState, sample_allowed: int) -> Plan:
    """Add up a commit. `state` gives bounds and what earlier commits wrote; only its labels change here."""
    out = Plan(allowed=state.allowed)
    for allowed in given.allowed:
        _allowed(out, allowed, state)
    for sample in given.samples:
        _sampled(out, sample, state, sample_allowed)
    for verdict in given.verdicts:
        if verdict.event.outcome is Outcome.UNREAD:
            _unread(out, verdict.event, state)
            continue
        _request(out, verdict, state, sample_allowed)
    _members(out, state)
    out.habits, out.news = state.habits.planned(_sights(out))
    out.latest = {group_id: entry for group_id, entry in out.latest.items() if _has_new_words(entry, state)}
    return out


def learn(state: WriterState, done: Plan) -> None:
    """Take over what a commit wrote."""
    state.allowed = done.allowed
    due = _due(done)
    state.learn_members({m: (total, total if m in due else written) for m, (total, written) in done.totals.items()})
    state.learn_words({group_id: (verdict.diagnosis, at) for group_id, (verdict, at) in done.latest.items()})
    for subject in done.changes:
        state.learn_subject(subject)
    state.habits.learn(done.habits, done.news)
    state.learn_affected(user for _, name, user in done.members if name == "user")
    for key, total in done.sums.items():
        if key[0] == "passed":
            state.passes[key[1], key[2], key[3]] = total.last


def rollup_table(done: Plan) -> Any:
    """Arrow rows of `store.rollups`."""
    return table(ROLLUPS, [(*key, n) for key, n in done.rollups.items()])


def delta_table(done: Plan, minute_us: int) -> Any:
    """Arrow rows of `store.deltas`."""
    rows = [_summed(key, total) for key, total in done.sums.items()]
    rows += [_counted(("member", *member), total - written) for member, (total, written) in _due(done).items()]
    rows += [_counted(("pipeline", minute_us, *key), n) for key, n in done.pipeline.items()]
    return table(DELTAS, rows)


def change_table(done: Plan) -> Any:
    """Arrow rows of `store.changes`."""
    rows = [(at, kind, name, gw, more) for (kind, name, more), (at, gw) in done.changes.items()]
    return table(CHANGES, rows + [(new.at, new.kind, new.subject, "", new.detail) for new in done.news])


def _unread(out: Plan, event: Event, state: WriterState) -> None:
    out.pipeline["dropped", event.words.reason] += 1
    template = state.fold("template", event.words.message, passing=False)
    out.sum(event_us(event), "unclassified", event.gateway.kind, event.words.reason, template)


def _allowed(out: Plan, allowed: Allowed, state: WriterState) -> None:
    """Requests that are counted, and no events."""
    verdict = Verdict(allowed.event)
    run = Run(count=allowed.count, first=allowed.first_us, last=allowed.last_us)
    labels = _labels(allowed.event, state)
    _counted_request(out, verdict, run, labels, state)
    for user, at in allowed.users:
        _user_passed(out, allowed.event, user, at, labels, state)


def _sampled(out: Plan, sample: Verdict, state: WriterState, sample_allowed: int) -> None:
    """An event of a request that is counted already."""
    event, at, labels = sample.event, event_us(sample.event), _labels(sample.event, state)
    out.kept.append(sample)
    _shape(out, event, at, labels, state)
    seen = Seen(times=1, first=at, last=at, requests=sample_allowed)
    _habits(out, event, seen, labels, is_sample=True)


def _request(out: Plan, verdict: Verdict, state: WriterState, sample_allowed: int) -> None:
    event, at = verdict.event, event_us(verdict.event)
    passing = event.outcome is Outcome.ALLOWED
    labels = _labels(event, state)
    _counted_request(out, verdict, Run(count=1, first=at, last=at), labels, state)
    if passing:
        _user_passed(out, event, event.token.user, at, labels, state)
    is_candidate = passing and is_accepted(event.request.status)
    is_sampled = is_candidate and out.allowed % sample_allowed == 0
    out.allowed += is_candidate
    if passing and not is_sampled:
        return
    out.kept.append(verdict)
    _shape(out, event, at, labels, state)
    if not passing:
        _failure(out, verdict, at, labels, state)


def _labels(event: Event, state: WriterState) -> _Labels:
    token, passing = event.token, event.outcome is Outcome.ALLOWED
    return _Labels(
        issuer=state.fold("issuer", token.iss, passing=passing),
        client=state.fold("client", token.client, passing=passing),
        kid=state.fold("kid", token.kid, passing=passing),
        route=state.fold("route", event.request.route, passing=passing),
    )


def _counted_request(out: Plan, verdict: Verdict, run: Run, labels: _Labels, state: WriterState) -> None:
    """What is counted of every request."""
    event, gateway = verdict.event, verdict.event.gateway
    passing = event.outcome is Outcome.ALLOWED
    code, cause, group_id = _identity(verdict)
    out.pipeline["stored", ""] += run.count
    out.rollups[
        run.first - run.first % MINUTE_US, gateway.kind, gateway.instance, labels.route, labels.issuer, labels.client,
        event.outcome.value, event.responder.value, cause, code, group_id,
    ] += run.count  # fmt: skip
    out.sum_all(run, "credential", gateway.kind, labels.issuer, labels.kid, event.token.alg, passing=passing)
    _first_sights(out, event, run.first, labels, state)
    _habits(out, event, Seen(times=run.count, first=run.first, last=run.last, requests=run.count), labels)


def _habits(out: Plan, event: Event, seen: Seen, labels: _Labels, *, is_sample: bool = False) -> None:
    """Note what was sent: few things, many times."""
    token, request = event.token, event.request
    # A sample was counted already, without its user agent.
    aud, claims = ((), ()) if is_sample else (token.aud, token.claims)
    sent = (
        labels.issuer, labels.client, request.user_agent, request.client_version, request.user_agent_version, aud, claims,
        _is_trusted(event),
    )  # fmt: skip
    known = out.sent.get(sent)
    out.sent[sent] = known.and_also(seen) if known else seen


def _sights(out: Plan) -> dict[Sight, Seen]:
    found: dict[Sight, Seen] = {}
    for (*sent, claims, is_trusted), seen in out.sent.items():
        names = tuple(name for name, _ in claims)
        for sight in habits.sights(Sent._make((*sent, names)), is_trusted=is_trusted):
            found[sight] = found[sight].and_also(seen) if sight in found else seen
    return found


def _user_passed(out: Plan, event: Event, user: str, at: int, labels: _Labels, state: WriterState) -> None:
    """A user that was refused before passes."""
    place = event.gateway.kind, labels.route, user
    if state.is_news(place, at):
        out.sum(at, "passed", *place, passing=True)


def _identity(verdict: Verdict) -> tuple[str, str, str]:
    diagnosis, group = verdict.diagnosis, verdict.group
    return (diagnosis.code if diagnosis else "", diagnosis.cause if diagnosis else "", group.id if group else "")


def _shape(out: Plan, event: Event, at: int, labels: _Labels, state: WriterState) -> None:
    token = event.token
    passing = event.outcome is Outcome.ALLOWED
    names: tuple[str, ...] = tuple(sorted(name for name, _ in token.claims))
    if state.fold("shape", "\0".join(names), passing=passing) == OTHER:
        names = (OTHER,)
    out.sum(at, "shape", labels.issuer, labels.client, token.kind.value, token.alg, token.typ, names, passing=passing)


def _failure(out: Plan, verdict: Verdict, at: int, labels: _Labels, state: WriterState) -> None:
    event, group = verdict.event, verdict.group
    if verdict.diagnosis and verdict.diagnosis.code == UNCLASSIFIED:
        words = event.words
        template = state.fold("template", words.message or words.reason, passing=False)
        out.sum(at, "unclassified", event.gateway.kind, words.reason, template)
    if group is None:
        return
    out.sum(at, "group", group.id)
    if event.gateway.version:
        out.sum(at, "release", group.id, event.gateway.kind, event.gateway.version)
    values = {
        "gateway": event.gateway.kind,
        "issuer": labels.issuer,
        "route": labels.route,
        "client": labels.client,
        "user": event.token.user,
    }
    for name, value in values.items():
        if value:
            out.members[group.id, name, value] += 1
    newest = out.latest.get(group.id)
    if newest is None or at >= newest[1]:
        out.latest[group.id] = (verdict, at)


def _first_sights(out: Plan, event: Event, at: int, labels: _Labels, state: WriterState) -> None:
    """Issuers and keys count when a gateway let them pass or their signature holds: anybody can write any other name."""
    issuer, kid = (labels.issuer, labels.kid) if _is_trusted(event) else ("", "")
    gateway = event.gateway
    sights = (
        ("issuer_first_seen", issuer, ""),
        ("kid_first_seen", kid, issuer),
        ("gateway_first_seen", f"{gateway.kind} {gateway.version}".strip(), ""),
    )
    for sight in sights:
        kind, subject, _ = sight
        if sight in state.subjects.get(kind, ()) or subject in ("", OTHER):
            continue
        known = out.changes.get(sight)
        if known is None and not _has_room(out, kind, state):
            continue
        if known is None or at < known[0]:
            out.changes[sight] = (at, gateway.kind)


def _is_trusted(event: Event) -> bool:
    return event.outcome is Outcome.ALLOWED or event.token.verification is Verification.VERIFIED


def _has_room(out: Plan, kind: str, state: WriterState) -> bool:
    return state.has_room(kind) and sum(sight[0] == kind for sight in out.changes) < MAX_NEW_SUBJECTS


def _members(out: Plan, state: WriterState) -> None:
    """A member is written when new and whenever its count doubled: enough for an order, and few rows."""
    room: Counter[tuple[str, str]] = Counter()
    for member, n in out.members.items():
        if member not in state.members:
            if not state.has_room_for(member, room[member[:2]]):
                continue
            room[member[:2]] += 1
        total, written = state.members.get(member, (0, 0))
        out.totals[member] = (total + n, written)


def _due(done: Plan) -> dict[Member, tuple[int, int]]:
    return {member: totals for member, totals in done.totals.items() if totals[0] >= 2 * totals[1]}


def _has_new_words(entry: tuple[Verdict, int], state: WriterState) -> bool:
    verdict, at = entry
    known = state.words.get(verdict.group.id) if verdict.group else None
    return known is None or (at >= known[1] + MINUTE_US and verdict.diagnosis != known[0])


def _summed(key: Key, total: Sum) -> Key:
    times = (total.first, total.last, total.first_passed, total.last_passed)
    return (*_keys(key), total.passing + total.failing, total.passing, total.failing, *times)


def _counted(key: Key, n: int) -> Key:
    return (*_keys(key), n, 0, 0, None, None, None, None)


def _keys(key: Key) -> Key:
    kind, *values = key
    named = dict(zip(KINDS[kind], values, strict=True)) | {"kind": kind}
    return tuple(named.get(name) for name in _KEYS)
