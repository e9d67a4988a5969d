"""The analyzer's results for an event: diagnosis, group, and the two together with the event."""

from __future__ import annotations

from msgspec import Struct

from collector.events import Event
from collector.structs import Dataclass


class Evidence(Dataclass, Struct, frozen=True, gc=False):
    """One checked fact as a sentence. `source` is token, time, configuration, key set, message, status, request or traffic."""

    source: str
    says: str


class Rival(Dataclass, Struct, frozen=True, gc=False):
    """Another code that had evidence, and why it was ruled out."""

    code: str
    why_not: str


class Fix(Dataclass, Struct, frozen=True, gc=False):
    """What to change, and where that is documented."""

    says: str
    source: str


class Diagnosis(Dataclass, Struct, frozen=True, gc=False):
    """Exactly one code of the taxonomy; its cause follows. `confidence` is 0..1."""

    code: str
    cause: str
    confidence: float
    title: str
    evidence: tuple[Evidence, ...] = ()
    rivals: tuple[Rival, ...] = ()
    missing: tuple[str, ...] = ()
    fix: tuple[Fix, ...] = ()
    also: tuple[str, ...] = ()  # codes of later checks that would also fail
    near_miss: str = ""  # how two values differ that almost agree
    library: str = ""
    expected: str = ""  # the value that was compared with what came; a list when several would do
    received: str = ""
    missing_scope: str = ""  # scopes that the token lacks, with spaces between them
    discriminant: str = ""  # FROZEN: what, besides the code, one change would touch; part of the group's id


class Group(Dataclass, Struct, frozen=True, gc=False):
    """Failures that one change would fix. `id` is stable: version, then 16 hex digits of the parts' hash."""

    id: str
    version: str
    parts: tuple[tuple[str, str], ...]  # what went into the fingerprint


class Verdict(Dataclass, Struct, frozen=True, gc=False):
    """An event with its results; allowed and unread events have neither diagnosis nor group."""

    event: Event
    diagnosis: Diagnosis | None = None
    group: Group | None = None
