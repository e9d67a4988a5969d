"""What `why401 propose` mines: messages that nothing explains, from the lake or from log records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any, Final

from analyzer.diagnosis.messages import knows
from analyzer.knowledge.match import Knowledge
from analyzer.lake import connect_reader, run_query
from analyzer.templates import MAX_MESSAGES, Message
from analyzer.templates.value_forms import shape
from analyzer.verdicts import Verdict
from collector.pipeline import UNREAD_REASONS
from collector.safe import OTHER
from collector.settings import Settings
from why401.explainer import Explainer

UNSURE: Final = 0.9  # confidence under which an explanation may be guessed; whoever knows the wording is asked too
TIMEOUT_S: Final = 60.0
PER_SHAPE: Final = 20
_Key = tuple[str, str]  # a text or shape, and the kind of its gateway


@dataclass(frozen=True, slots=True)
class Asked:
    """Which messages: of how many seconds, of which gateway ("": any), and whether guessed ones count too."""

    seconds: float
    gateway: str = ""
    guessed: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """Messages, and how many records were left out: without a message, or beyond MAX_MESSAGES."""

    messages: tuple[Message, ...]
    left_out: int = 0


def in_lake(settings: Settings, asked: Asked, known: Knowledge) -> Found:
    """Messages of the lake. Raises NoStore."""
    con = connect_reader(settings, memory_mib=settings.dashboard.memory_mib)
    params = (asked.seconds, asked.gateway, MAX_MESSAGES)
    queries = ("unexplained", "unexplained_guessed") if asked.guessed else ("unexplained",)
    found = [_found(run_query(con, _sql(name), params, timeout_s=TIMEOUT_S).dicts()) for name in queries]
    messages = (message for each in found for message in each.messages)
    # What was stored before its entry was written is no longer unknown.
    unknown = (each for each in messages if each.unread or not _is_known(known, each.text, each.gateway))
    return Found(tuple(unknown), sum(each.left_out for each in found))


def in_records(settings: Settings, records: Iterable[str], asked: Asked, known: Knowledge) -> Found:
    """Messages of raw records, which pass the collector first: nothing unredacted gets here."""
    explainer = Explainer(settings, asked.gateway)
    kept = _Kept()
    for record in records:
        verdict = explainer.explain(record)
        if _is_unexplained(verdict, asked, known):
            kept.add(_message(verdict))
    return Found(tuple(kept.messages.values()), kept.left_out)


@dataclass(slots=True)
class _Kept:
    """Messages by text and gateway; of one shape PER_SHAPE texts; further ones count as the first of them."""

    messages: dict[_Key, Message] = field(default_factory=dict)
    shapes: dict[_Key, list[_Key]] = field(default_factory=dict)
    left_out: int = 0

    def add(self, message: Message) -> None:
        """Count one message."""
        key = self._key(message)
        if key is None:
            self.left_out += 1
        else:
            self.messages[key] = _added(self.messages.get(key), message)

    def _key(self, message: Message) -> _Key | None:
        """As which message it counts; None: it has no text, or there is no room for another shape."""
        key = (message.text, message.gateway)
        if key in self.messages or not message.text:
            return key if message.text else None
        alike = self._alike((shape(message.text), message.gateway))
        if len(alike) < PER_SHAPE and len(self.messages) < MAX_MESSAGES:
            alike.append(key)
            return key
        return alike[0] if alike else None

    def _alike(self, name: _Key) -> list[_Key]:
        """The messages of one shape."""
        if len(self.shapes) >= 2 * MAX_MESSAGES:  # shapes without room are of no use
            self.shapes = {name: keys for name, keys in self.shapes.items() if keys}
        return self.shapes.setdefault(name, [])


def _sql(name: str) -> str:
    return files("why401").joinpath("queries", f"{name}.sql").read_text(encoding="utf-8")


def _found(rows: Sequence[dict[str, Any]]) -> Found:
    messages = tuple(
        Message(
            text=row["text"],
            gateway=row["gateway"],
            records=row["records"],
            first_seen=row["first_seen"],
            last_seen=row["last_seen"],
            unread=row["reason"] in UNREAD_REASONS,
        )
        for row in rows
        if row["text"] not in ("", OTHER)
    )
    return Found(messages, (rows[0]["all_records"] if rows else 0) - sum(message.records for message in messages))


def _is_unexplained(verdict: Verdict, asked: Asked, known: Knowledge) -> bool:
    diagnosis = verdict.diagnosis
    if diagnosis is None or diagnosis.code == "ok":
        return False
    if diagnosis.code == "unclassified":
        return True
    message = _message(verdict)
    return asked.guessed and diagnosis.confidence < UNSURE and not _is_known(known, message.text, message.gateway)


def _is_known(known: Knowledge, text: str, gateway: str) -> bool:
    return any(knows(reading, gateway) for reading in known.read(text, gateway))


def _message(verdict: Verdict) -> Message:
    event = verdict.event
    at = datetime.fromtimestamp(event.time_ns / 1e9, UTC) if event.time_known else None
    return Message(event.words.message or event.words.reason, event.gateway.kind, first_seen=at, last_seen=at)


def _added(one: Message | None, other: Message) -> Message:
    if one is None:
        return other
    firsts = [at for at in (one.first_seen, other.first_seen) if at]
    lasts = [at for at in (one.last_seen, other.last_seen) if at]
    return replace(
        one, records=one.records + 1, first_seen=min(firsts, default=None), last_seen=max(lasts, default=None)
    )
