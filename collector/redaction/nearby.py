"""Rule `field`, near its word: a value goes because a word for a credential is near it in the sentence (rules/nearby.toml).

No form is asked for: what follows the word, or leads to it, is judged by what it looks like, the more strictly the further
away it is. Names of things (`for orders-v2`, `kid 7Fq2`), numbers with units, versions, paths and hosts are none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain, pairwise
from typing import Final, NamedTuple

from collector.redaction import chosen, shapes
from collector.redaction.field_names import STOP, SURE, is_error_name, kind_of
from collector.redaction.hits import SECRET, Hit, is_ours
from collector.redaction.judges import MAX_CODE, MIN_CODE, NAME, says_nothing
from collector.redaction.meter import spend
from collector.redaction.patterns import Match, compiled

STEPS: Final = 1
WORDS: Final = 8  # of a sentence that belong to the word for a credential
MAX_GAP: Final = 120
NEAR: Final = 1
MIN_VALUE: Final = 3
_KINDS: Final = ("code", "word", "random")
_BETWEEN: Final = frozenset(word.encode("latin-1") for word in chosen.DATA["words"]["between"])
_NAMING: Final = frozenset(word.encode() for word in chosen.DATA["words"]["naming"])
_UNITS: Final = frozenset(word.encode() for word in chosen.DATA["words"]["units"])


def _nouns(kind: str) -> bytes:
    return "|".join(chosen.DATA["nouns"][kind]).encode("latin-1")


def _any_noun(opened: bytes) -> bytes:
    """A word for a credential; each kind of them in brackets that begin so, since a group costs an automaton that needs none."""
    kinds = b"|".join(opened + _nouns(kind) + rb")" for kind in _KINDS)
    return rb"(?i:(?:\b|_)(?:" + kinds + rb")\b)"


_ODD_TEXT: Final = rb"(?:[A-Za-z][0-9]|[0-9][A-Za-z]|[A-Za-z0-9][!#$%^&*@?+~]|[!#$%^&*@?+~][A-Za-z0-9]|[0-9]{4}|[A-Za-z0-9]{2}-[A-Za-z0-9]{2}|[a-z0-9][A-Z][A-Za-z0-9]*[A-Z]|[A-Z]{2}[a-z]+[A-Z])"
_PLAIN: Final = _any_noun(rb"(?:")
_PHRASE_TEXT: Final = (
    rb"(?i:\b(?:passphrase|pass phrase|(?:seed|recovery|secret|backup) (?:phrase|words)|seed|mnemonic|passwords?|pwd|pw)[\"']?(?: is| was)?[ :=]{1,3}[\"']?)"
    rb"([a-z]{3,12}(?:[ ][a-z]{3,12}){2,23})(?:[\"'\r\n,;.)(]|$| [^a-z])"
)
TRIGGER: Final = (
    _PLAIN
    + rb"|(?i:passw[a-z]*|token|secret|key|code|pin)[ \t]*:?[ \t]*\r?\n"
    + rb"|(?i:phrase|words|mnemonic|seed|password|pwd|pw)[\"']?(?: is| was)?[ :=]+[\"']?[a-z]+ [a-z]+ [a-z]"
)  # fmt: skip
_ODD: Final = compiled(_ODD_TEXT)
_NOUN: Final = compiled(_any_noun(rb"("))
_PHRASE: Final = compiled(_PHRASE_TEXT)
_LOUD: Final = compiled(rb"[A-Za-z0-9][!$%^&*]")
_WORD: Final = compiled(rb"[^\s\x00\x80]+")
MAX_LEAD: Final = 12
_LEADING: Final = frozenset(b"as the a an his her their your my wrong invalid valid new old known no not".split())
_BEFORE: Final = compiled(
    rb"([^\s]{4,256}) (?i:(?:was |is |were |has been )?(?:given|used|sent|entered|typed|supplied|provided|passed|presented|accepted|rejected|tried|set|guessed)? ?(?:as|for the|is not an?|is no|is an?|isn't an?|is|was)"
    rb" (?:the |an? |his |her |their |your |my |wrong |invalid |valid |new |old |known )*)$|([^\s]{8,256}) \((?:an? |the |as )?$"
)
_WORD_BYTES: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
MAX_USER: Final = 32  # characters of a user's name in a URL
_OPENERS: Final = b"\"'`([{<>\x80\x93\x84\xab"
_CLOSERS: Final = b"\"'`)]}>,.;:\x80\x94\x93\xbb"
_QUOTES: Final = frozenset(b"\"'`\x80\x93\x84\xab")
# Whatever may stand between a noun and its value; two colons join names, `JWT::Base64DecodeError`.
_CONNECTOR: Final = compiled(rb"(?:[ \t\"'`:=~|#*<>(){}\[\],.\\\x80-\xff\-]|%3[ADad]){1,12}")
_NAMESPACE: Final = b"::"
_ASSIGNED: Final = compiled(rb"[\\\"'\]]{0,4}[ \t]{0,2}(?:=>?|:)[ \t]{0,2}[\\]{0,4}[\"'\[{<(]|=")
_STRUCTURE: Final = frozenset(b"\"'`<>{}[]()\\|,;")
_PARAMETERS: Final = compiled(rb"[^&]{1,200}&[\w.\-]{1,40}=")


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
        kind = next(kind for kind, span in zip(_KINDS, match.spans[1:], strict=True) if span[0] >= 0)
        following = nouns[index + 1].start() if index + 1 < len(nouns) else len(data)
        if not _is_assigned(data, match):
            yield from _after(data, match.end(), following, kind)
        yield from _ahead(data, match.start(), kind)


def _is_in_a_name(data: bytes, start: int, end: int) -> bool:
    """`org.jose4j.jwt.consumer`, `/token/`, `https://x-access-token:…@`, and `[token]`, which is ours."""
    before = data[start - 1 : start]
    address = data.rfind(b"://", max(0, start - MAX_USER), start)
    return (
        (address >= 0 and not data[address:start].translate(None, _WORD_BYTES + b":/"))
        or before in (b".", b"/")
        or (before == b"[" and is_ours(data, start - 1))
        or (data[end : end + 1] in (b".", b"/") and data[end + 1 : end + 2].isalnum())
    )


def _is_assigned(data: bytes, match: Match) -> bool:
    """A key that rule `fields` reads; it knows none of two words, `mot de passe=`."""
    return b" " not in match.group() and _ASSIGNED.end_at(data, match.end()) > 0


def _after(data: bytes, start: int, following: int, kind: str) -> Iterator[Hit]:
    end = _line_end(data, start, min(following, start + MAX_GAP))
    if not data[start:end].strip(b" \t:\"'"):
        yield from _next_line(data, end, following, kind)
    elif _is_connected(data, start, end) and _ODD.find(data, start, end)[0] >= 0:
        spend(STEPS)
        yield from _in_sentence(data, _words(data, start, end), kind)


def _is_connected(data: bytes, start: int, end: int) -> bool:
    return _CONNECTOR.end_at(data, start, end) > 0 and not data.startswith(_NAMESPACE, start)


def _in_sentence(data: bytes, words: Iterator[_Word], kind: str) -> Iterator[Hit]:
    distance = bars = 0
    previous = b""
    for word, behind in pairwise(chain(words, (_NO_WORD,))):
        bars += _is_bar(data, word)
        if distance > WORDS or bars > 1 or _is_notation(word.text):
            return
        plain = word.text.lower()
        if _is_secret(word, kind, distance) and not _names(previous) and behind.text.lower() not in _UNITS:
            yield Hit(word.start, word.end, NAME, SECRET)
        elif not _is_between(plain):
            distance += 1
        previous = plain.lstrip(b"(") or previous


def _is_notation(text: bytes) -> bool:
    """Pieces of JSON, of a call or of a query: `id":"7`, `x&lang=de`."""
    return not _STRUCTURE.isdisjoint(text) or (b"&" in text and _PARAMETERS.end_at(text) > 0)


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
        left = raw.lstrip(_OPENERS + b":=-~|#*.")
        if raw[:1] == b"-" and raw[1:2].isalpha():  # an option
            left = raw
        opened = first + len(raw) - len(left)
        text = left.partition(b",")[0].rstrip(_CLOSERS)
        is_quoted = opened > 0 and data[opened - 1] in _QUOTES
        yield _Word(opened, opened + len(text), text, is_quoted)


def _next_line(data: bytes, end: int, following: int, kind: str) -> Iterator[Hit]:
    """`Enter password:` and the value on a line of its own."""
    start = end + len(data[end : end + 8]) - len(data[end : end + 8].lstrip(b"\r\n \t"))
    if start == end or b"\n" not in data[end:start] or start >= following:
        return
    stop = _line_end(data, start, min(len(data), start + MAX_GAP))
    words = list(_words(data, start, stop))
    is_digits = len(words) == 1 and words[0].text.isdigit() and MIN_CODE <= len(words[0].text) <= MAX_CODE
    if (
        len(words) == 1
        and (is_digits or _is_secret(words[0], kind, 0))
        and data[stop - 1 : stop] not in (b":", b"{", b"[")
    ):
        yield Hit(words[0].start, words[0].end, NAME, SECRET)


def _ahead(data: bytes, start: int, kind: str) -> Iterator[Hit]:
    yield from _before(data, start, kind)
    if kind == "word":
        yield from _earlier(data, start)


def _before(data: bytes, start: int, kind: str) -> Iterator[Hit]:
    lead = data[max(0, start - MAX_LEAD) : start]
    if not (lead.endswith(b"(") or (lead.endswith(b" ") and lead.rstrip().rpartition(b" ")[2].lower() in _LEADING)):
        return
    spend(STEPS)
    first = max(0, start - MAX_GAP)
    match = _BEFORE.search(data[first:start])
    if match:
        at = first + (match.start(1) if match.group(1) else match.start(2))
        raw = match.group(1) or match.group(2)
        word = next(_words(data, at, at + len(raw)))
        if _is_secret(word, kind, NEAR):
            yield Hit(word.start, word.end, NAME, SECRET)


def _earlier(data: bytes, start: int) -> Iterator[Hit]:
    """`rotated: … for the password`: somewhere before the noun only what has a sign that no name has."""
    first = max(0, start - MAX_GAP, data.rfind(b"\n", 0, start) + 1)
    if _LOUD.find(data, first, start)[0] < 0:
        return
    previous = b""
    for word in _words(data, first, start):
        is_loud = _LOUD.find(word.text)[0] >= 0 and chosen.is_strong(word.text)
        if is_loud and not (chosen.is_other(word.text) or _is_notation(word.text) or _names(previous)):
            yield Hit(word.start, word.end, NAME, SECRET)
        previous = word.text.lower()


def _line_end(data: bytes, start: int, limit: int) -> int:
    end = data.find(b"\n", start, limit)
    return limit if end < 0 else end


def _is_secret(word: _Word, kind: str, distance: int) -> bool:
    if _is_word(word.text):
        return False
    if word.is_quoted and distance <= NEAR:
        distance = 0
    return _JUDGES[kind](word.text, distance, distance <= NEAR or word.is_quoted)


def _is_word(text: bytes) -> bool:
    """A word of the sentence, an option of a command, a mask, the name of an error or of a key."""
    if text.isalpha() and (text.islower() or kind_of(text) in SURE):
        return True
    return len(text) < MIN_VALUE or text[:1] == b"-" or says_nothing(text) or is_error_name(text)


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
