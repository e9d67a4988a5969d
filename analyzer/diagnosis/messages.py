"""The gateway's message, reason and challenge, interpreted with the knowledge base; or a body whose length identifies its text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, lru_cache
from typing import Final

import re2
from msgspec.structs import replace

from analyzer.diagnosis import aggregates
from analyzer.diagnosis.columns import columns
from analyzer.diagnosis.weigh import VAGUE
from analyzer.knowledge import Reading, read_words
from analyzer.knowledge.opinion import is_opinion, read_unlisted, without_numbers
from analyzer.knowledge.products import facts, relatives
from analyzer.knowledge.signatures import INNER, title
from collector.events import Event

Read = Callable[[str, str], tuple[Reading, ...]]  # a text and the kind of its gateway -> interpretations, best first
ReadUnlisted = Callable[[str], tuple[Reading, ...]]  # a text that no signature knows -> interpretations, best first
MAX_READ: Final = 2_000
_OPINION: Final = 0.1  # what a signature of one text is ahead of an opinion on another
_AHEAD: Final = 0.1  # what a column has to be surer by than the line
_OF_A_COLUMN: Final = 0.9  # the surest of several is surer than it should be
_CAUSED: Final = "Caused by:"
_LAST_WORDS: Final = 3  # that the last of several causes has at least
PART: Final = 0.5  # certainty from which one of several listed errors counts
_STANDARDS: Final = frozenset(("any", "rfc6750"))  # whose words are no product's own
_ABROAD: Final = 0.5  # of a vague signature's certainty, in the record of a product that it is not about
KNOWN: Final = 0.3  # a text that no signature interprets with this certainty is interpreted by its meaning as well

_LONGEST_STATUS: Final = 80
# The phrases are those of RFC 9110, and gRPC's for 401 and 403 in HTTP; around them, what clients and frameworks put there.
_BARE_STATUS: Final = re2.compile(
    r"(?i)^[\s\"'\[{(]*(?:(?:[a-z.]*(?:error|exception)|http(?:/[0-9.]+)?|request|response|failed|with|status|code|statuscode|message|"
    r"returned|answered|[345][0-9]{2}|unauthori[sz]ed|authorization required|forbidden|bad request|internal server error|proxy authentication required|"
    r"service unavailable|bad gateway|found|see other|moved temporarily|temporary redirect|redirecting to [^\s<>]+)[\s:;,.\"'\]})=(-]*)+$"
)
_TELLING: Final = re2.compile(
    r"(?i)(?:token|jwt|issuer|audience|signature|expir|claim|scope|key|algorithm|credential|revoke)[a-z]*(?:error|exception)"
)  # of a class that names what was wrong: "SecurityTokenInvalidIssuerException:" alone
_TAGS: Final = re2.compile(r"<[/?!]?[A-Za-z][^<>]{0,300}>")
_MARKUP: Final = "<"
_ASKED_OF: Final = ("jwks_unreachable", "introspection_failed")  # what another service did not answer
_GUESS: Final = 0.25  # below every threshold
_ANSWERED: Final = re2.compile(r"(?i)\b(?:401|403|unauthori[sz]ed|forbidden)\b")
_KEYS: Final = re2.compile(
    r"(?i)jwk|introspect|keys?\b|cert|metadata|discovery (?:doc|end|url|conf)|well.?known|openid|oidc|oauth|issuer|\bidp\b|provider|keycloak|auth0|okta"
)


def read_event(event: Event, read: Read = read_words, unlisted: ReadUnlisted = read_unlisted) -> tuple[Reading, ...]:
    """Interpretations of every text of an event, the most certain and most specific first."""
    kind = event.gateway.kind
    # Within a text the knowledge base's order holds (wrapped before wrapper); the most informative text comes first.
    by_text = [readings for text in _texts(event) for readings in _readings(text, kind, read, unlisted) if readings]
    by_text.sort(key=lambda readings: _OPINION * is_opinion(readings[0]) - readings[0].certainty)
    return tuple(reading for readings in by_text for reading in readings)


def _texts(event: Event) -> tuple[str, ...]:
    words = event.words
    texts = tuple(text for text in (words.reason, words.message, words.challenge) if text)
    if not texts and event.request.status in (401, 403):
        return body_texts(event.gateway.kind, words.body_bytes)
    return texts


def _readings(text: str, kind: str, read: Read, unlisted: ReadUnlisted) -> Iterator[tuple[Reading, ...]]:
    is_bare, listed, is_chain = _form(text[:MAX_READ])
    if is_bare:
        yield tuple(reading for reading in read(text, kind) if reading.gateway in relatives("gateway", kind))
        return
    lead = text[: text.find("[")] if is_chain else ""
    parts = [found for part in listed for found in _surest(_of_part(lead, part, kind, read, unlisted))]
    if len(parts) > 1:
        yield tuple(aggregates.deciding(parts, is_chain=is_chain))
    else:
        yield from _of_sentence(text, kind, read, unlisted)


@lru_cache(maxsize=2048)
def _form(text: str) -> tuple[bool, tuple[str, ...], bool]:
    """Whether a text is nothing but a status, the errors that it lists, and whether they are of a chain."""
    return (is_bare_status(text), *aggregates.parts(text))


def _surest(readings: Iterable[tuple[Reading, ...]]) -> list[Reading]:
    """What one of several errors says, where it says something."""
    found = [some[0] for some in readings if some and some[0].certainty >= PART]
    return [max(found, key=lambda reading: reading.certainty)] if found else []


def _of_part(lead: str, part: str, kind: str, read: Read, unlisted: ReadUnlisted) -> Iterator[tuple[Reading, ...]]:
    """One of several errors: as its product writes it when it is the only one, else by itself."""
    alone = (
        tuple(reading for reading in read(lead + part, kind) if reading.gateway and knows(reading, kind))
        if lead
        else ()
    )
    by_itself = read(part, kind)
    if alone and (not by_itself or alone[0].matched > by_itself[0].matched) and alone[0].certainty >= PART:
        yield alone
    else:
        yield from _of_sentence(part, kind, read, unlisted)


def _of_sentence(text: str, kind: str, read: Read, unlisted: ReadUnlisted) -> Iterator[tuple[Reading, ...]]:
    known = _of_keys(tuple(_at_home(reading, kind) for reading in read(text, kind)), text)
    yield _narrowed(known, text, kind, read, unlisted)
    if not any(knows(reading, kind) for reading in known):
        whole = _of_keys(unlisted(without_numbers(_untagged(text[:MAX_READ]))), text)
        yield _of_column(whole, text, kind, read, unlisted)
    elif (wrapped := dict(known[0].captures).get(INNER)) and all(reading.certainty < VAGUE for reading in known):
        yield unlisted(without_numbers(wrapped[:MAX_READ]))


def _narrowed(
    known: tuple[Reading, ...], text: str, kind: str, read: Read, unlisted: ReadUnlisted
) -> tuple[Reading, ...]:
    """Of the codes that a known sentence leaves open, the one that the last cause behind it names: "cannot verify: key 0: no such kid".

    What a program calls the cause itself ("Caused by: …") decides whatever the sentence leaves open.
    """
    if not _leaves_open(known, text):  # most sentences end here
        return known
    head, last = _last_cause(text[:MAX_READ])
    if len(last.split(None, _LAST_WORDS)) < _LAST_WORDS or not _is_first_of(known, read(head, kind)):
        return known
    inner = next(iter(read(last, kind) or unlisted(without_numbers(_untagged(last)))), None)
    if inner is None or inner.certainty < PART or not (inner.code in known[0].also or _CAUSED in text):
        return known
    return (_with_code(known[0], inner.code), *known[1:])


def _leaves_open(known: tuple[Reading, ...], text: str) -> bool:
    return bool(known) and (bool(known[0].also) or _CAUSED in text)


def _is_first_of(known: tuple[Reading, ...], readings: tuple[Reading, ...]) -> bool:
    """Whether the known sentence stands before the last cause, and is not that cause."""
    return any(reading.signature_id == known[0].signature_id for reading in readings)


def _with_code(reading: Reading, code: str) -> Reading:
    others = tuple(one for one in (reading.code, *reading.also) if one != code)
    return replace(reading, code=code, also=others, says=title(code))


def _of_column(
    whole: tuple[Reading, ...], text: str, kind: str, read: Read, unlisted: ReadUnlisted
) -> tuple[Reading, ...]:
    """What the most telling column says, where the line as a whole says nothing certain."""
    least = whole[0].certainty if whole else 0.0
    if least >= PART:
        return whole
    found = (_alone(part, kind, read, unlisted) for part in columns(text))
    best = max(filter(None, found), key=lambda readings: readings[0].certainty, default=())
    if not best or best[0].certainty < max(PART, least + _AHEAD):
        return whole
    return tuple(replace(reading, certainty=round(reading.certainty * _OF_A_COLUMN, 2)) for reading in best)


def _alone(part: str, kind: str, read: Read, unlisted: ReadUnlisted) -> tuple[Reading, ...]:
    """What a column says by itself."""
    known = tuple(_at_home(reading, kind) for reading in read(part, kind))
    return known if known and knows(known[0], kind) else unlisted(without_numbers(part))


def _last_cause(text: str) -> tuple[str, str]:
    """What stands before the last cause that a text gives, and that cause."""
    head, caused, below = text.rpartition(_CAUSED)
    if caused:
        lines = [line.strip(" \t0123456789:") for line in below.replace("\\n", "\n").split("\n")]
        return head, next((line for line in reversed(lines) if line), "")
    head, _, last = text.rpartition(": ")
    return head, last


def _of_keys(readings: tuple[Reading, ...], text: str) -> tuple[Reading, ...]:
    """Without a sure fault of the key set where another service refused the program's request ("cannot list berths: 401 Unauthorized")."""
    if not any(map(_is_of_keys, readings)):
        return readings
    text = text[:MAX_READ].encode("ascii", "replace").decode()  # RE2 takes no lone surrogates
    if _ANSWERED.search(text) is None or _KEYS.search(text) is not None:
        return readings
    return tuple(_guess(reading) if _is_of_keys(reading) else reading for reading in readings)


def _is_of_keys(reading: Reading) -> bool:
    """A fault of a key set or an introspection in no product's own words."""
    return reading.code in _ASKED_OF and not reading.gateway


def _guess(reading: Reading) -> Reading:
    return replace(reading, certainty=min(reading.certainty, _GUESS))


def _untagged(text: str) -> str:
    """An answer's body without its markup, whose names are no words: `<Message>no such role</Message>`."""
    return str(_TAGS.sub(" ", text)) if text.lstrip().startswith(_MARKUP) else text


def is_bare_status(text: str) -> bool:
    """Nothing but a status and its phrase, which says that the request was refused and not why.

    >>> is_bare_status("Error: HTTP 401 Unauthorized"), is_bare_status("Request failed with status code 403")
    (True, True)
    >>> is_bare_status("Found. Redirecting to /login"), is_bare_status("no key found")
    (True, False)
    >>> is_bare_status("Unauthorized: token expired"), is_bare_status("401: no api key")
    (False, False)
    """
    return len(text) <= _LONGEST_STATUS and _is_bare(text)


@lru_cache(maxsize=2048)
def _is_bare(text: str) -> bool:
    return _BARE_STATUS.match(text) is not None and _TELLING.search(text) is None


def knows(reading: Reading, kind: str) -> bool:
    """Another gateway's signature that matches by chance counts only when it is certain enough."""
    return reading.certainty >= (VAGUE if _is_foreign(reading, kind) else KNOWN)


def _at_home(reading: Reading, kind: str) -> Reading:
    """What a phrase of many causes ("Unauthorized") means to one product is a guess in the record of another."""
    if reading.certainty >= VAGUE or reading.gateway in _STANDARDS or not _is_foreign(reading, kind):
        return reading
    return replace(reading, certainty=reading.certainty * _ABROAD)


def _is_foreign(reading: Reading, kind: str) -> bool:
    return reading.gateway not in ("", *relatives("gateway", kind))


def body_texts(kind: str, body_bytes: int) -> tuple[str, ...]:
    """The texts of a gateway's own responses that have this many bytes."""
    return tuple(text for text in _bodies().get(kind, ()) if len(text.encode()) == body_bytes)


@cache
def _bodies() -> Mapping[str, tuple[str, ...]]:
    rows = [row for _, content in facts("gateway", "bodies") for row in content["body"]]
    return {kind: tuple(row["texts"]) for row in rows for kind in row["gateways"]}
