"""What a rule finds: bytes that go and the word that replaces them; and how the text is put together again."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from operator import attrgetter
from typing import Final, NamedTuple

from collector.redaction.patterns import compiled

TOKEN: Final = "[token]"  # noqa: S105  # the replacement, not a credential
SECRET: Final = "[secret]"  # noqa: S105
COOKIE: Final = "[cookie]"
KEY: Final = "[key]"
USER: Final = "[user]"
EMAIL: Final = "[email]"
PHONE: Final = "[phone]"
CARD: Final = "[card]"
MAC: Final = "[mac]"
SHORT: Final = "[-]"  # replaces values shorter than 4, so that redaction cannot double a text
SHORT_VALUE: Final = 4

# Ours, and the masks that gateways and other redactors leave behind: [REDACTED], ***, <masked>, {{token}}, xxxx.
_WORDS: Final = (
    rb"(?:token|secret|cookie|key|user|email|phone|card|mac|redaction failed|too deep|jwt|password|credentials?"
    rb"|(?:redacted|masked|filtered|hidden|removed|sensitive|scrubbed|omitted|deleted|protected|private)[a-z0-9 _:-]{0,24})"
)
BRACKETED: Final = rb"(?i:\[(?:-|" + _WORDS + rb")\]|<" + _WORDS + rb">)"
_MASK: Final = compiled(
    rb"(?i)(?:(?:bearer|basic|dpop) )?(?:"
    + BRACKETED
    + rb"|\*{1,64}|x{3,64}|\.{2,8}|-{1,8}|\$?\{{1,2}[\w. -]{1,40}\}{1,2})(?:\.{2,3})?"
)


_MASK_STARTS: Final = tuple(bytes((byte,)) for byte in b"[<*xX.-${bBdD")
_SPACES: Final = frozenset(b"\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0")  # what str.strip takes, in a view
MAX_LABEL: Final = 8
_START: Final = attrgetter("start")
_OURS: Final = compiled(rb"\[(?:token|secret|cookie|key|user|email|phone|card|mac|-)\]")


class Hit(NamedTuple):
    """A span of a text or view, the rule that found it and what replaces it."""

    start: int
    end: int
    rule: str
    label: str


class Spans:
    """Where hits are, to ask whether one of them holds a span."""

    __slots__ = ("_ends", "_starts")

    def __init__(self, hits: Iterable[Hit]) -> None:
        ordered = sorted(hits, key=_START)
        self._starts: Final = [hit.start for hit in ordered]
        self._ends: Final = list(accumulate((hit.end for hit in ordered), max))

    def hold(self, start: int, end: int) -> bool:
        """One hit holds all of it."""
        index = bisect_right(self._starts, start)
        return index > 0 and self._ends[index - 1] >= end


def is_ours(data: bytes, start: int) -> bool:
    """One of our own words in brackets is there."""
    return _OURS.end_at(data, start) > 0


def whole(data: bytes, hit: Hit) -> Hit:
    """The hit, widened so that it cuts none of our own words: redacting `[token]` again must not leave half of it."""
    if data.find(b"[", max(0, hit.start - MAX_LABEL), hit.end) < 0:
        return hit
    first = data.rfind(b"[", max(0, hit.start - MAX_LABEL), hit.start + 1)
    last = data.rfind(b"[", max(0, hit.end - MAX_LABEL), hit.end)
    start = hit.start if first < 0 or _label_end(data, first) <= hit.start else first
    end = hit.end if last < 0 else max(hit.end, _label_end(data, last))
    return Hit(start, end, hit.rule, hit.label)


def _label_end(data: bytes, start: int) -> int:
    return max(_OURS.end_at(data, start), 0)


def is_mask(value: bytes) -> bool:
    """The value says that something was removed already."""
    # A mask is short; the bound and its first character keep this cheap.
    return len(value) <= 80 and value.startswith(_MASK_STARTS) and _MASK.fits(value)


def merge(hits: Iterable[Hit]) -> list[Hit]:
    """Disjoint hits in order; hits that overlap become one, named for the longest."""
    merged: list[Hit] = []
    for hit in sorted(hits, key=_START):
        if merged and hit.start < merged[-1].end:
            merged[-1] = _joined(merged[-1], hit)
        else:
            merged.append(hit)
    return merged


def _joined(first: Hit, second: Hit) -> Hit:
    longest = first if first.end - first.start >= second.end - second.start else second
    return Hit(first.start, max(first.end, second.end), longest.rule, longest.label)


def render(text: str, hits: Sequence[Hit]) -> str:
    """The text with its hits (disjoint, in order) replaced. Every line break inside a hit stays."""
    pieces: list[str] = []
    position = 0
    for hit in hits:
        label, breaks = _label(hit, text[hit.start : hit.end])
        pieces += text[position : hit.start], label, breaks, _last(text, hit.end, breaks)
        position = hit.end
    return "".join(pieces) + text[position:]


def _last(text: str, end: int, breaks: str) -> str:
    """What keeps a hit's last line a line: a break at the very end opens none, and CR before LF would be one break."""
    is_needed = breaks and (end == len(text) or (breaks[-1] == "\r" != text[end - 1] and text[end] == "\n"))
    return SHORT if is_needed else ""


def _label(hit: Hit, removed: str) -> tuple[str, str]:
    label = SHORT if len(removed) < SHORT_VALUE else hit.label
    return label, _breaks(removed)


def _breaks(removed: str) -> str:
    """Every line break as it was: what counts as one (a vertical tab, U+2028) depends on who reads."""
    if removed.isprintable():
        return ""
    lines = zip(removed.splitlines(keepends=True), removed.splitlines(), strict=True)
    breaks = [kept[len(bare) :] for kept, bare in lines]
    if "\r" not in breaks:
        return "".join(breaks)
    pairs = zip(breaks, [*breaks[1:], ""], strict=True)
    return "".join(f"\r{SHORT}" if one == "\r" and following == "\n" else one for one, following in pairs)


def trim(data: bytes, hit: Hit) -> Hit:
    """The hit without white space at its ends, so that a break at the border stays what it was."""
    start, end = hit.start, hit.end
    while start < end and data[start] in _SPACES:
        start += 1
    while start < end and data[end - 1] in _SPACES:
        end -= 1
    return hit if end - start == hit.end - hit.start else Hit(start, end, hit.rule, hit.label)
