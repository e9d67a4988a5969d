"""Verdicts to sums: what one commit adds to `store.rollups`, `store.deltas`, `store.changes`, `store.descriptions`.

Summed here, before the insert, so that a commit of 5,000 requests writes some dozens of rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from analyzer.store.rows import INT, LONG, TEXT, TEXTS, TIME, event_us, table
from analyzer.store.writer_state import MAX_NEW_SUBJECTS, Member, Subject, WriterState
from analyzer.verdicts import Verdict
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
        self.first = at if self.first is None or at < self.first else self.first
        self.last = max(self.last, at)
        if not passing:
            self.failing += 1
            return
        self.passing += 1
        self.first_passed = at if self.first_passed is None or at < self.first_passed else self.first_passed
        self.last_passed = max(self.last_passed or 0, at)


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
    pipeline: Counter[tuple[str, str]] = field(default_factory=Counter)
    allowed: int = 0

    def sum(self, at: int, *key: Any, passing: bool = False) -> None:
        """Count one request under a kind of KINDS and the values of its columns."""
        found = self.sums.get(key)
        if found is None:
            found = self.sums[key] = Sum()
        found.add(at, passing=passing)


def plan(verdicts: Iterable[Verdict], state: WriterState, sample_allowed: int) -> Plan:
    """Add up a commit. `state` gives bounds and what earlier commits wrote; only its labels change here."""
    out = Plan(allowed=state.allowed)
    for verdict in verdicts:
        if verdict.event.outcome is Outcome.UNREAD:
            _unread(out, verdict.event, state)
            continue
        out.pipeline["stored", ""] += 1
        _request(out, verdict, state, sample_allowed)
    _members(out, state)
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
    return table(CHANGES, [(at, kind, name, gw, more) for (kind, name, more), (at, gw) in done.changes.items()])


def _unread(out: Plan, event: Event, state: WriterState) -> None:
    out.pipeline["dropped", event.words.reason] += 1
    template = state.fold("template", event.words.message, passing=False)
    out.sum(event_us(event), "unclassified", event.gateway.kind, event.words.reason, template)


def _request(out: Plan, verdict: Verdict, state: WriterState, sample_allowed: int) -> None:
    event, at = verdict.event, event_us(verdict.event)
    passing = event.outcome is Outcome.ALLOWED
    token, gateway = event.token, event.gateway
    issuer = state.fold("issuer", token.iss, passing=passing)
    client = state.fold("client", token.client, passing=passing)
    kid = state.fold("kid", token.kid, passing=passing)
    route = state.fold("route", event.request.route, passing=passing)
    code, cause, group_id = _identity(verdict)
    minute = at - at % MINUTE_US
    out.rollups[
        minute, gateway.kind, gateway.instance, route, issuer, client, event.outcome.value, event.responder.value,
        cause, code, group_id,
    ] += 1  # fmt: skip
    out.sum(at, "credential", gateway.kind, issuer, kid, token.alg, passing=passing)
    _first_sights(out, event, at, (issuer, kid), state)
    if passing and state.is_news((gateway.kind, route, token.user), at):
        out.sum(at, "passed", gateway.kind, route, token.user, passing=True)
    is_sampled = passing and out.allowed % sample_allowed == 0
    out.allowed += passing
    if passing and not is_sampled:
        return
    out.kept.append(verdict)
    _shape(out, event, at, (issuer, client), state)
    if not passing:
        _failure(out, verdict, at, (issuer, client, route), state)


def _identity(verdict: Verdict) -> tuple[str, str, str]:
    diagnosis, group = verdict.diagnosis, verdict.group
    return (diagnosis.code if diagnosis else "", diagnosis.cause if diagnosis else "", group.id if group else "")


def _shape(out: Plan, event: Event, at: int, who: tuple[str, str], state: WriterState) -> None:
    token = event.token
    passing = event.outcome is Outcome.ALLOWED
    names: tuple[str, ...] = tuple(sorted(name for name, _ in token.claims))
    if state.fold("shape", "\0".join(names), passing=passing) == OTHER:
        names = (OTHER,)
    out.sum(at, "shape", *who, token.kind.value, token.alg, token.typ, names, passing=passing)


def _failure(out: Plan, verdict: Verdict, at: int, labels: tuple[str, str, str], state: WriterState) -> None:
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
    issuer, client, route = labels
    values = {
        "gateway": event.gateway.kind,
        "issuer": issuer,
        "route": route,
        "client": client,
        "user": event.token.user,
    }
    for name, value in values.items():
        if value:
            out.members[group.id, name, value] += 1
    newest = out.latest.get(group.id)
    if newest is None or at >= newest[1]:
        out.latest[group.id] = (verdict, at)


def _first_sights(out: Plan, event: Event, at: int, labels: tuple[str, str], state: WriterState) -> None:
    """Issuers and keys count when a gateway let them pass or their signature holds: anybody can write any other name."""
    is_trusted = event.outcome is Outcome.ALLOWED or event.token.verification is Verification.VERIFIED
    issuer, kid = labels if is_trusted else ("", "")
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
