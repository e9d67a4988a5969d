"""Rule `field`, near its word: a value goes because a word for a credential is near it in the sentence (rules/nearby.toml).

No form is asked for: what follows the word, or leads to it, is judged by what it looks like, the more strictly the further
away it is. Names of things (`for orders-v2`, `kid 7Fq2`), numbers with units, versions, paths and hosts are none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from collector.redaction import chosen, shapes
from collector.redaction.field_names import STOP, is_error_name, kind_of
from collector.redaction.hits import SECRET, Hit
from collector.redaction.judges import NAME, says_nothing
from collector.redaction.meter import spend
from collector.redaction.patterns import compiled

STEPS: Final = 1
WORDS: Final = 8  # of a sentence that belong to the word for a credential
MAX_GAP: Final = 120
NEAR: Final = 1
MIN_VALUE: Final = 3
_BETWEEN: Final = frozenset(word.encode() for word in chosen.DATA["words"]["between"])
_NAMING: Final = frozenset(word.encode() for word in chosen.DATA["words"]["naming"])
_UNITS: Final = frozenset(word.encode() for word in chosen.DATA["words"]["units"])


def _nouns(kind: str) -> bytes:
    return "|".join(chosen.DATA["nouns"][kind]).encode("latin-1")


_ODD_TEXT: Final = rb"(?:[A-Za-z][0-9]|[0-9][A-Za-z]|[A-Za-z0-9][!#$%^&*@?+~]|[!#$%^&*@?+~][A-Za-z0-9]|[0-9]{4}|[A-Za-z0-9]{2}-[A-Za-z0-9]{2}|[\"'\x80][A-Za-z])"
_NOUN_TEXT: Final = (
    rb"(?i:(?:\b|_)(?:(" + _nouns("code") + rb")|(" + _nouns("word") + rb")|(" + _nouns("random") + rb"))\b)"
)
_PLAIN: Final = (
    _NOUN_TEXT.replace(b"(" + _nouns("code") + b")", _nouns("code"))
    .replace(b"(" + _nouns("word") + b")", _nouns("word"))
    .replace(b"(" + _nouns("random") + b")", _nouns("random"))
)
_PHRASE_TEXT: Final = (
    rb"(?i:\b(?:passphrase|pass phrase|(?:seed|recovery|secret|backup) (?:phrase|words)|mnemonic|passwords?|pwd|pw)[\"']?(?: is| was)?[ :=]{1,3}[\"']?)"
    rb"([a-z]{3,12}(?:[ ][a-z]{3,12}){2,23})(?:[\"'\r\n,;.)(]|$| [^a-z])"
)
TRIGGER: Final = (
    _PLAIN + rb"[^\r\n]*" + _ODD_TEXT
    + rb"|" + _ODD_TEXT + rb"[^\r\n]*" + _PLAIN
    + rb"|(?i:passw[a-z]*|token|secret|key|code|pin)[ \t]*:?[ \t]*\r?\n"
    + rb"|(?i:phrase|words|mnemonic|password|pwd|pw)[\"']?(?: is| was)?[ :=]+[\"']?[a-z]+ [a-z]+ [a-z]"
)  # fmt: skip
_ODD: Final = compiled(_ODD_TEXT)
_NOUN: Final = compiled(_NOUN_TEXT)
_PHRASE: Final = compiled(_PHRASE_TEXT)
_WORD: Final = compiled(rb"[^\s\x00]+")
MAX_LEAD: Final = 12
_LEADING: Final = frozenset(b"as the a an his her their your my wrong invalid valid new old known no not".split())
_BEFORE: Final = compiled(
    rb"([^\s]{4,256}) (?i:(?:was |is |were |has been )?(?:given|used|sent|entered|typed|supplied|provided|passed|presented|accepted|rejected|tried|set|guessed)? ?(?:as|for the|is not an?|is no|is an?|isn't an?)"
    rb" (?:the |an? |his |her |their |your |my |wrong |invalid |valid |new |old |known )*)$|([^\s]{8,256}) \((?:an? |the |as )?$"
)
_OPENERS: Final = b"\"'`([{<>\x80\x93\x84"
_CLOSERS: Final = b"\"'`)]}>,.;:\x80\x94\x93"
_QUOTES: Final = b"\"'`\x80"
_PROSE: Final = (b" ", b": ", b"\t", b":\t", b"(", b"->", b"~", b"s ", b", ", b" ", b"\x80", b"...", b":=")
_STRUCTURE: Final = frozenset(b"\"'`<>{}[]()\\|,;")
_KINDS: Final = ("code", "word", "random")


class _Word(NamedTuple):
    start: int
    end: int
    text: bytes
    is_quoted: bool


_NO_WORD: Final = _Word(0, 0, b"", is_quoted=False)


def find(data: bytes) -> Iterator[Hit]:
    """Values near words for credentials."""
    for match in _PHRASE.finditer(data):
        text = match.group(1)
        if STOP.isdisjoint(text.split()):
            yield Hit(match.start(1), match.end(1), NAME, SECRET)
    nouns = [match for match in _NOUN.finditer(data) if not _is_in_a_name(data, match.start(), match.end())]
    for index, match in enumerate(nouns):
        spend(STEPS)
        kind = next(kind for kind, span in zip(_KINDS, match.spans[1:], strict=True) if span[0] >= 0)
        following = nouns[index + 1].start() if index + 1 < len(nouns) else len(data)
        yield from _after(data, match.end(), following, kind)
        yield from _before(data, match.start(), kind)


def _is_in_a_name(data: bytes, start: int, end: int) -> bool:
    """`org.jose4j.jwt.consumer`, `/token/`."""
    return data[start - 1 : start] in (b".", b"/") or (
        data[end : end + 1] in (b".", b"/") and data[end + 1 : end + 2].isalnum()
    )


def _after(data: bytes, start: int, following: int, kind: str) -> Iterator[Hit]:
    end = _line_end(data, start, min(following, start + MAX_GAP))
    if not data[start:end].strip(b" \t:\"'"):
        yield from _next_line(data, end, following, kind)
    elif (
        data.startswith(_PROSE, start) and _ODD.find(data, start, end)[0] >= 0
    ):  # anything else is a notation, which rule `fields` reads
        yield from _in_sentence(data, list(_words(data, start, end)), kind)


def _in_sentence(data: bytes, words: list[_Word], kind: str) -> Iterator[Hit]:
    distance = 0
    previous = b""
    for word, behind in zip(words, [*words[1:], _NO_WORD], strict=True):
        if distance > WORDS or not _STRUCTURE.isdisjoint(word.text) or _is_bar(data, word):
            return
        plain = word.text.lower()
        if _is_secret(word, kind, distance) and not _names(previous) and behind.text.lower() not in _UNITS:
            yield Hit(word.start, word.end, NAME, SECRET)
            distance += NEAR + 1
        elif not _is_between(plain):
            distance += 1
        previous = plain.lstrip(b"(") or previous


def _names(previous: bytes) -> bool:
    """The word before says that a name follows: `for orders-v2`, `kid 7Fq2`."""
    return previous in _NAMING or kind_of(previous) == "safe"


def _is_bar(data: bytes, word: _Word) -> bool:
    """The border of a table's cell."""
    return not word.text and b"|" in data[max(0, word.start - 1) : word.start + 1]


def _is_between(plain: bytes) -> bool:
    return not plain or plain in _BETWEEN or not plain.strip(b".:=->~|/\\\x80\x92\"'")


def _words(data: bytes, start: int, end: int) -> Iterator[_Word]:
    for first, last in _WORD.spans(data, start, end):
        raw = data[first:last]
        left = raw.lstrip(_OPENERS + b":=-~|")
        opened = first + len(raw) - len(left)
        text = left.rstrip(_CLOSERS)
        is_quoted = bool(opened > first and data[opened - 1 : opened] in (b'"', b"'", b"`", b"\x80"))
        yield _Word(opened, opened + len(text), text, is_quoted)


def _next_line(data: bytes, end: int, following: int, kind: str) -> Iterator[Hit]:
    """`Enter password:` and the value on a line of its own."""
    start = end + len(data[end : end + 8]) - len(data[end : end + 8].lstrip(b"\r\n \t"))
    if start == end or b"\n" not in data[end:start] or start >= following:
        return
    stop = _line_end(data, start, min(len(data), start + MAX_GAP))
    words = list(_words(data, start, stop))
    if len(words) == 1 and _is_secret(words[0], kind, 0) and data[stop - 1 : stop] not in (b":", b"{", b"["):
        yield Hit(words[0].start, words[0].end, NAME, SECRET)


def _before(data: bytes, start: int, kind: str) -> Iterator[Hit]:
    lead = data[max(0, start - MAX_LEAD) : start]
    if not (lead.endswith(b"(") or (lead.endswith(b" ") and lead.rstrip().rpartition(b" ")[2].lower() in _LEADING)):
        return
    first = max(0, start - MAX_GAP)
    match = _BEFORE.search(data[first:start])
    if match:
        at = first + (match.start(1) if match.group(1) else match.start(2))
        raw = match.group(1) or match.group(2)
        word = next(_words(data, at, at + len(raw)))
        if _is_secret(word, kind, NEAR):
            yield Hit(word.start, word.end, NAME, SECRET)


def _line_end(data: bytes, start: int, limit: int) -> int:
    end = data.find(b"\n", start, limit)
    return limit if end < 0 else end


def _is_secret(word: _Word, kind: str, distance: int) -> bool:
    text = word.text
    if len(text) < MIN_VALUE or says_nothing(text) or is_error_name(text) or (text.isalpha() and kind_of(text)):
        return False
    return _JUDGES[kind](text, distance, distance <= NEAR or word.is_quoted)


def _is_made(text: bytes, _distance: int, is_near: bool) -> bool:
    return chosen.is_made(text) and (is_near or shapes.is_random(text))


def _is_chosen(text: bytes, distance: int, is_near: bool) -> bool:
    if distance == 0 and chosen.is_numbered_word(text):
        return True
    return not chosen.is_other(text) and (chosen.is_strong(text) or (is_near and chosen.is_medium(text)))


_JUDGES: Final[dict[str, Callable[[bytes, int, bool], bool]]] = {
    "code": lambda text, distance, _near: chosen.is_code(text, distance),
    "word": _is_chosen,
    "random": _is_made,
}
