"""What the analyzer makes of an event: a diagnosis, a group, and the row pair that the store takes."""

from __future__ import annotations

from dataclasses import dataclass

from collector.events import Event


@dataclass(frozen=True, slots=True)
class Evidence:
    """One checked fact in words. `source` is token, time, configuration, key set, message, status, request, traffic."""

    source: str
    says: str


@dataclass(frozen=True, slots=True)
class Rival:
    """A code that had evidence too, and why it lost."""

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
    also: tuple[str, ...] = ()  # codes of later checks that would fail too
    near_miss: str = ""
    library: str = ""
    discriminant: str = ""  # what, besides the code, one change would touch: grouping reads it


@dataclass(frozen=True, slots=True)
class Group:
    """Failures that one change would fix. `id` is stable: version, then 16 hex digits of the parts' hash."""

    id: str
    version: str
    parts: tuple[tuple[str, str], ...]  # what went into the fingerprint, in words


@dataclass(frozen=True, slots=True)
class Verdict:
    """An event and what was made of it; passing and unread events have neither diagnosis nor group."""

    event: Event
    diagnosis: Diagnosis | None = None
    group: Group | None = None
