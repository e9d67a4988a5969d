"""The analyzer's results for an event: diagnosis, group, and the two together with the event."""

from __future__ import annotations

from dataclasses import dataclass

from collector.events import Event


@dataclass(frozen=True, slots=True)
class Evidence:
    """One checked fact as a sentence. `source` is token, time, configuration, key set, message, status, request or traffic."""

    source: str
    says: str


@dataclass(frozen=True, slots=True)
class Rival:
    """Another code that had evidence, and why it was ruled out."""

    code: str
    why_not: str


@dataclass(frozen=True, slots=True)
class Fix:
    """What to change, and where that is documented."""

    says: str
    source: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
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
    discriminant: str = ""  # FROZEN: what, besides the code, one change would touch; part of the group's id


@dataclass(frozen=True, slots=True)
class Group:
    """Failures that one change would fix. `id` is stable: version, then 16 hex digits of the parts' hash."""

    id: str
    version: str
    parts: tuple[tuple[str, str], ...]  # what went into the fingerprint


@dataclass(frozen=True, slots=True)
class Verdict:
    """An event with its results; allowed and unread events have neither diagnosis nor group."""

    event: Event
    diagnosis: Diagnosis | None = None
    group: Group | None = None
