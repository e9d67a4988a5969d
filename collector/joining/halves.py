"""What of a record makes it findable for the other lines about its request."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from collector.events import Event, Outcome, Responder, TokenKind
from collector.gateways import family_of, has_shared_format, is_echo, is_embedded
from collector.gateways.reading import reasons
from collector.gateways.reading.log_lines import is_exception
from collector.joining import marks
from collector.records import Parsed, RawRecord
from collector.redaction.hits import COOKIE, KEY, SECRET
from collector.structs import Unshown

_REFUSED: Final = (Outcome.DENIED, Outcome.ERROR)
_SECOND: Final = 10**9
_MAX_WORDS: Final = 400
_MIN_CLAUSE: Final = 8  # characters: a shorter one is in many sentences
_MAX_CLAUSES: Final = 8
_BREAK: Final = "\\n"  # as redaction makes a line break visible
_EDGES: Final = " .\"'[](){}"
_MASKS: Final = (SECRET, KEY, COOKIE)  # our own words, which name no cause
_MAX_OWN_ID: Final = 15  # a shorter id ("req-7") is one of its program's own


class Half(Unshown, Struct, frozen=True, gc=False):
    """By what the lines about one request find each other. Raw: never stored.

    A line is an access line, of which a request has one, or it is words. Words say why something was refused, or they are
    an echo: only that it was. What several lines said so far is one half again.
    """

    kind: str  # the gateway's
    family: str  # gateway kinds that write each other's lines are one (`lines_like` of their registration)
    stream: str  # the file, topic or peer, and the instance, that the line came from
    is_access: bool
    kinds: frozenset[str]  # of the causes that its words name; empty: an echo
    shapes: frozenset[str]  # of the statements that wrote its words
    clauses: frozenset[str]  # of its sentences, between their colons
    ends: frozenset[
        str
    ]  # the clauses that say it last: a line that repeats another has one of them, whatever frames it
    is_spoken: bool  # it has words, were it only a code
    is_cause: bool  # it tells of what broke, not of a request
    status: int
    ids: tuple[str, ...]
    is_anonymous: bool  # its format names the id of each request that has one
    has_no_token: bool  # known: the request had none
    thread: str
    place: int
    client: str
    token: str
    method: str
    path: str
    time_ns: int
    time_known: bool
    number: int  # of the line, in the order in which lines arrived
    last: int  # of the last line that it is made of
    is_ended: bool = (
        False  # its words, then its access line, in one stream: a program that says first, and ends with the request
    )

    @property
    def program(self) -> str:
        """Whose threads they are. The lines of one program may be read as an application's and as a product's."""
        return f"\0{self.stream}" if is_embedded(self.family) else self.family

    @property
    def has_line(self) -> bool:
        """Whether a line of words is in it, beside what the access line says itself."""
        return bool(self.shapes)

    @property
    def says_why(self) -> bool:
        """Whether its words name a cause."""
        return bool(self.kinds)

    @property
    def is_complete(self) -> bool:
        """Status and reason are both known: nothing but an echo can be missing."""
        return self.is_access and self.says_why

    @property
    def is_exact(self) -> bool:
        """Whether its time is finer than a second."""
        return self.time_ns % _SECOND != 0

    def and_also(self, later: Half) -> Half:
        """What both lines say together. The time is the exacter one: the lines of a connection are compared by it."""
        timed = max((self, later), key=lambda half: (half.time_known, half.has_line, half.is_exact))
        first = {name: getattr(self, name) or getattr(later, name) for name in _FIRST_KNOWN}
        every = {name: getattr(self, name) | getattr(later, name) for name in ("kinds", "shapes", "clauses", "ends")}
        return replace(
            self,
            kind=later.kind if has_shared_format(self.kind) else self.kind,
            is_cause=self.is_cause and later.is_cause,
            ids=tuple(dict.fromkeys((*self.ids, *later.ids)))[: 2 * marks.MAX_IDS],
            is_anonymous=self.is_anonymous and later.is_anonymous,
            place=max(self.place, later.place),
            time_ns=timed.time_ns,
            time_known=timed.time_known,
            last=max(self.last, later.last),
            is_ended=self.is_ended or (later.is_access and self.has_line and later.stream == self.stream),
            **first,
            **every,
        )


_FIRST_KNOWN: Final = ("is_access", "status", "has_no_token", "thread", "client", "token", "method", "path")


class Line(Unshown, Struct, frozen=True, gc=False):
    """A refused record, before anybody has looked closer at it: most are whole, and nobody ever does."""

    family: str
    stream: str
    is_access: bool
    has_words: bool
    parsed: Parsed
    record: RawRecord
    event: Event

    @property
    def is_whole(self) -> bool:
        """Status and reason in one line, and nobody behind it has more to say."""
        is_said = self.is_access and self.has_words and self.event.responder is not Responder.UPSTREAM
        return is_said and bool(self._kinds(self._said()))

    def half(self, number: int) -> Half:
        """By what the other lines about its request are found."""
        parsed, event = self.parsed, self.event
        said = self._said()
        clauses, ends = (frozenset[str](), frozenset[str]()) if self.is_access else _clauses(said)
        ids = self._ids()
        return Half(
            kind=event.gateway.kind,
            family=self.family,
            stream=self.stream,
            is_access=self.is_access,
            kinds=self._kinds(said),
            shapes=frozenset() if self.is_access else frozenset((marks.shape(self.record, said),)),
            clauses=clauses,
            ends=ends,
            is_spoken=self.has_words,
            is_cause=event.outcome is Outcome.ERROR and parsed.status == 0,
            status=parsed.status,
            ids=ids,
            is_anonymous=not ids and marks.is_anonymous(self.record),
            has_no_token=self.is_access and event.token.kind is TokenKind.ABSENT,
            thread=parsed.thread[:60] or marks.thread(self.record),
            place=parsed.place,
            client=parsed.client[:60],
            token=parsed.token_ends[:60],
            method=parsed.method[:20],
            path=parsed.path.partition("?")[0][:500],
            time_ns=event.time_ns,
            time_known=event.time_known,
            number=number,
            last=number,
        )

    def _said(self) -> tuple[str, ...]:
        """The sentences, redacted: what they mean is remembered."""
        words = self.event.words
        challenge = words.challenge.partition("error")[2]  # in front of it are the scheme and the realm
        return tuple(text[:_MAX_WORDS] for text in (words.message, words.reason, challenge) if text)

    def _kinds(self, said: tuple[str, ...]) -> frozenset[str]:
        if not said or (not self.is_access and is_echo(self.event.gateway.kind, self.event.words.message)):
            return reasons.NOTHING
        return _kinds_of(" ".join(said))

    def _ids(self) -> tuple[str, ...]:
        named = [one for one in self._named() if one]
        return tuple(dict.fromkeys([_own(one.lower(), self.stream) for one in named]))[: marks.MAX_IDS] if named else ()

    def _named(self) -> tuple[str, ...]:
        named = (self.parsed.request_id[:100], self.parsed.trace_id, self.record.trace_id)
        is_enough = self.is_access and any(named)
        return named if is_enough else (*named, *marks.ids(self.record))


def line_of(record: RawRecord, parsed: Parsed, event: Event) -> Line | None:
    """The line, for joining; None where nothing is left to join: a request that passed, or no request at all."""
    if not (event.outcome in _REFUSED or (parsed.status >= 400 and event.outcome is not Outcome.UNREAD)):
        return None
    family = family_of(event.gateway.kind)
    origin, instance = event.origin, event.gateway.instance
    return Line(
        family=family,
        stream=f"{origin.kind}\0{origin.source}\0{origin.partition}\0{instance}",
        is_access=not parsed.is_fragment and parsed.status > 0 and _names_request(parsed, event, family),
        has_words=bool(event.words) and not is_echo(event.gateway.kind, parsed.message),
        parsed=parsed,
        record=record,
        event=event,
    )


def _names_request(parsed: Parsed, event: Event, family: str) -> bool:
    """Whether a line with a status is an access line.

    An application's words under a request's id are none, were the status beside them: what tells of the request's end says nothing.
    """
    if parsed.method or parsed.path or parsed.client:
        return True
    return bool(parsed.request_id) and not (event.words and is_embedded(family))


@lru_cache(maxsize=4096)
def _kinds_of(text: str) -> frozenset[str]:
    for mask in _MASKS:
        text = text.replace(mask, " ")
    return reasons.kinds(text)


@lru_cache(maxsize=4096)
def _clauses(said: tuple[str, ...]) -> tuple[frozenset[str], frozenset[str]]:
    """Those that name a cause, or all when none does: programs begin many sentences alike. And of them each sentence's last."""
    sentences = [parts for text in said for line in _sentences(text) if (parts := _parts(line))]
    is_one = len(sentences) == 1 and len(sentences[0]) == 1
    found = sentences if is_one else list(filter(None, map(_telling, sentences))) or sentences
    return frozenset(chain.from_iterable(found)), frozenset(parts[-1] for parts in found)


def _telling(parts: Sequence[str]) -> list[str]:
    return [part for part in parts if reasons.kinds(part)]


def _sentences(text: str) -> list[str]:
    """The first line and the exceptions below it; what else stands there is what an object holds."""
    first, *below = text.replace("\n", _BREAK).split(_BREAK)
    return [first, *(line for line in below if is_exception(line))]


def _parts(line: str) -> list[str]:
    return [part for one in line.split(": ", _MAX_CLAUSES) if len(part := _bare(one)) >= _MIN_CLAUSE]


def _bare(part: str) -> str:
    """Without what some loggers set in brackets before it, and without quotes."""
    while part.startswith("[") and "]" in part:
        part = part.partition("]")[2]
    return part.strip(_EDGES).lower()


def _own(identifier: str, stream: str) -> str:
    if identifier.startswith(marks.SESSION):
        return f"{marks.SESSION}{_own(identifier.removeprefix(marks.SESSION), stream)}"
    return identifier if len(identifier) > _MAX_OWN_ID else f"{stream}\0{identifier}"
