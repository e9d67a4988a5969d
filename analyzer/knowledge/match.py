"""Words in, readings out: one Aho-Corasick pass over the anchors, then bounded `str.find` for the rest of a pattern.

The work is linear in the text whatever the text is: at most CONSIDERED characters are looked at, each signature is
tried at most TRIES times, and each try looks no farther than its holes allow.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

from ahocorasick_rs import AhoCorasick, Implementation
from msgspec import Struct

from analyzer.knowledge.products import relatives
from analyzer.knowledge.signatures import HOLE_LIMITS, INNER, Signature, Template, signatures, title
from collector.structs import Dataclass

CONSIDERED: Final = 16_384  # characters of a message
CAPTURED: Final = 200  # characters of a hole that a reading keeps
READINGS: Final = 8
TRIES: Final = 4  # places at which one wording is tried in one text
_CACHED: Final = 1024  # longer texts are not remembered: 4096 of these are 4 MB
_OWN_GATEWAY: Final = 12  # literal characters by which a wording of the record's own gateway leads
_OTHER_GATEWAY: Final = -30
_NAMED_EXCEPTION: Final = 20
_SURE: Final = 0.5
_OPENERS: Final = frozenset(":\"'=[{(>\n\t,|;`/")
_CLOSERS: Final = frozenset("\"'\n\\,]})<|;`")


class Reading(Dataclass, Struct, frozen=True, gc=False):
    """What one signature makes of a text; `matched` counts literal characters, `captures` are (hole, text)."""

    signature_id: str
    code: str
    also: tuple[str, ...]
    certainty: float
    library: str
    gateway: str
    says: str
    matched: int
    captures: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class _Hit:
    signature: Signature
    template: Template
    start: int
    end: int
    holes: tuple[tuple[int, int], ...]

    def wraps(self, other: _Hit) -> bool:
        """The other stands in the hole that this one keeps for a wrapped message."""
        spans = zip(self.template.holes, self.holes, strict=True)
        return any(name == INNER and low <= other.start and other.end <= high for (name, _), (low, high) in spans)

    def covers(self, other: _Hit) -> bool:
        """The other is a part of this one's own words, or of a value that this one quotes."""
        if self is other or not self.start <= other.start or not other.end <= self.end or self.wraps(other):
            return False
        quoted = any(low <= other.start and other.end <= high for low, high in self.holes)
        return quoted or (self.template.size > other.template.size and self.signature.certainty >= _SURE)


class Knowledge:
    """Signatures, ready to be searched all at once. Immutable but for its memory of texts; threads may share it."""

    def __init__(self, signatures: Sequence[Signature]) -> None:
        self.signatures = tuple(signatures)
        self._pairs = tuple((signature, template) for signature in signatures for template in signature.templates)
        anchors = [template.texts[template.anchor] for _, template in self._pairs]
        # Not the DFA: of 6,500 anchors it is 80 MiB and ten times slower to build, and its cache misses make it slower to search.
        self._automaton = AhoCorasick(anchors, implementation=Implementation.ContiguousNFA)
        self._known_gateways = frozenset(signature.gateway for signature in signatures)
        self._remembered = lru_cache(maxsize=4096)(self._read)

    def read(self, text: str, gateway: str = "") -> tuple[Reading, ...]:
        """Readings of a verifier's words, best first, at most READINGS; wrapped messages come before their wrappers."""
        considered = text[:CONSIDERED]
        return self._remembered(considered, gateway) if len(considered) <= _CACHED else self._read(considered, gateway)

    def _read(self, text: str, gateway: str) -> tuple[Reading, ...]:
        hits = list(self._hits(text))
        kept = [hit for hit in hits if not any(other.covers(hit) for other in hits)]
        names = self._gateways(gateway)
        ranked = sorted(kept, key=lambda hit: (_is_wrapper(hit, kept), -_weight(hit, text, names), hit.signature.id))
        readings = dict.fromkeys(_reading(hit, text) for hit in ranked)
        return tuple(readings)[:READINGS]

    def is_gateway(self, kind: str) -> bool:
        """Whether facts are known of this kind of gateway."""
        return bool(self._gateways(kind))

    def _gateways(self, kind: str) -> frozenset[str]:
        """The gateway and its parents; nothing when no fact is known of any of them, so that all facts are equal."""
        names = set(relatives("gateway", kind))
        return frozenset(names & self._known_gateways) - {""}

    def _hits(self, text: str) -> Iterator[_Hit]:
        tries: dict[int, int] = {}
        found: set[int] = set()
        for index, start, _ in self._automaton.find_matches_as_indexes(text, overlapping=True):
            if index in found or tries.get(index, 0) >= TRIES:
                continue
            tries[index] = tries.get(index, 0) + 1
            hit = _fit(*self._pairs[index], text, start)
            if hit:
                found.add(index)
                yield hit


@cache
def shipped() -> Knowledge:
    """What the package knows. Raises KnowledgeError."""
    return Knowledge(signatures())


def read_words(text: str, gateway: str = "") -> tuple[Reading, ...]:
    """`Knowledge.read` of what the package knows."""
    return shipped().read(text, gateway)


def _is_wrapper(hit: _Hit, hits: list[_Hit]) -> bool:
    """It decides nothing, or what it wraps says more; a wrapper that is sure goes before an unclear message in it."""
    return hit.signature.certainty < _SURE or any(
        hit.wraps(other) and other.signature.certainty >= min(_SURE, hit.signature.certainty) for other in hits
    )


def _weight(hit: _Hit, text: str, gateways: frozenset[str]) -> float:
    signature = hit.signature
    weight = hit.template.size + signature.certainty
    if signature.exception and signature.exception in text:
        weight += _NAMED_EXCEPTION
    if signature.gateway and gateways:
        weight += _OWN_GATEWAY if signature.gateway in gateways else _OTHER_GATEWAY
    return weight


def _reading(hit: _Hit, text: str) -> Reading:
    spans = zip(hit.template.holes, hit.holes, strict=True)
    captures = tuple((name, text[low : min(high, low + CAPTURED)]) for (name, _), (low, high) in spans)
    signature = hit.signature
    code, *also = _codes(signature, captures)
    return Reading(
        signature_id=signature.id,
        code=code,
        also=tuple(also),
        certainty=signature.certainty,
        library=signature.library,
        gateway=signature.gateway,
        says=signature.says or title(code),
        matched=hit.template.size,
        captures=captures,
    )


def _codes(signature: Signature, captures: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    values = {(name, value.casefold()) for name, value in captures}
    for hole, value, codes in signature.by:
        if (hole, value) in values:
            return codes
    return (signature.code, *signature.also)


def _fit(signature: Signature, template: Template, text: str, start: int) -> _Hit | None:
    anchor = template.anchor
    left = _leftwards(template, text, start, anchor)
    right = _rightwards(template, text, start + len(template.texts[anchor]), anchor)
    if left is None or right is None:
        return None
    (low, before), (high, after) = left, right
    holes = (*before, *after)
    fits = all(_allows(kind, text[a:b]) for (_, kind), (a, b) in zip(template.holes, holes, strict=True))
    if not fits or not _stands(signature, template, text, low, high):
        return None
    return _Hit(signature, template, low, high, holes)


_Side = tuple[int, tuple[tuple[int, int], ...]]  # where the match ends on this side, and its holes


def _leftwards(template: Template, text: str, start: int, anchor: int) -> _Side | None:
    holes: list[tuple[int, int]] = []
    for index in range(anchor - 1, -1, -1):
        literal = template.texts[index]
        limit = HOLE_LIMITS[template.holes[index][1]]
        if literal:
            at = text.rfind(literal, max(0, start - limit - len(literal)), start)
        else:
            at = _run_start(text, start, template.holes[index][1])
        if at < 0:
            return None
        holes.insert(0, (at + len(literal), start))
        start = at
    return start, tuple(holes)


def _rightwards(template: Template, text: str, end: int, anchor: int) -> _Side | None:
    holes: list[tuple[int, int]] = []
    for index in range(anchor + 1, len(template.texts)):
        literal = template.texts[index]
        kind = template.holes[index - 1][1]
        limit = HOLE_LIMITS[kind]
        at = text.find(literal, end, end + limit + len(literal)) if literal else _run_end(text, end, kind)
        if at < 0:
            return None
        holes.append((end, at))
        end = at + len(literal)
    return end, tuple(holes)


def _run_start(text: str, end: int, kind: str) -> int:
    """Where a pattern's first hole begins: at the line's start, and a word after the white space."""
    low = max(0, end - HOLE_LIMITS[kind])
    start = max(low, text.rfind("\n", low, end) + 1)
    if kind in {"", "long"}:
        return start
    word = text[start:end].rsplit(maxsplit=1)
    return end - len(word[-1].lstrip("([{'\"")) if word and not text[end - 1].isspace() else end


def _run_end(text: str, start: int, kind: str) -> int:
    """Where a pattern's last hole ends: at the line's end, and a word before the white space."""
    high = min(len(text), start + HOLE_LIMITS[kind])
    newline = text.find("\n", start, high)
    end = high if newline < 0 else newline
    if kind in {"", "long"}:
        return end
    word = text[start:end].split(maxsplit=1)
    return start + len(word[0].rstrip(".,;:)]}'\"")) if word and not text[start].isspace() else start


def _allows(kind: str, value: str) -> bool:
    if len(value) > HOLE_LIMITS[kind]:
        return False
    if kind == "word":
        return not any(map(str.isspace, value))
    return kind != "int" or value.lstrip("-").isdigit()


def _stands(signature: Signature, template: Template, text: str, low: int, high: int) -> bool:
    """The match does not begin or end inside a word; with anchored = "full" it is a message of its own."""
    first, last = template.texts[0][:1], template.texts[-1][-1:]
    if first.isalnum() and text[low - 1 : low].isalnum() and text[max(0, low - 2) : low] not in {"\\n", "\\t"}:
        return False
    if last.isalnum() and text[high : high + 1].isalnum():
        return False
    if signature.anchored != "full":
        return True
    before = text[max(0, low - 4) : low].rstrip(" \\")
    after = text[high : high + 4].lstrip(" .!")
    return (not before or before[-1] in _OPENERS) and (not after or after[0] in _CLOSERS)
