"""Rule `field`, in sentences: a value goes because of the word before it, with no `=` nor `:` between them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from collector.redaction import shapes
from collector.redaction.extents import end_of, limit
from collector.redaction.field_names import kind_of
from collector.redaction.hits import SECRET, Hit
from collector.redaction.judges import JUDGES, NAME, Value
from collector.redaction.meter import spend
from collector.redaction.patterns import compiled

SENTENCE_STEPS: Final = 4
_QUOTED_TEXT: Final = rb"(?i:\b(?:user|username|account|principal|password|passphrase|passwd)[ \t]+[\"'`])"
_SPOKEN_TEXT: Final = (
    rb"(?i:\b(?:otp|one[- ]time (?:code|password|passcode)|verification code|passcode)(?: is|:)?[ \t]+)[0-9]{4,8}\b"
)
_BARE_WORD_TEXT: Final = rb"(?i:\b(?:password|secret|api key)[ \t]+)[A-Za-z0-9][^\s\"'`,;:()=<>\[\]]{7,}"
_BARE_USER_TEXT: Final = rb"(?i:\b(?:invalid|illegal) user[ \t]+)[^\s\"'`]{2,64}[ \t]+from[ \t]"
TRIGGER: Final = b"|".join((_QUOTED_TEXT, _SPOKEN_TEXT, _BARE_WORD_TEXT, _BARE_USER_TEXT))
_QUOTED: Final = compiled(_QUOTED_TEXT)
_SPOKEN: Final = compiled(_SPOKEN_TEXT)
_BARE_WORD: Final = compiled(_BARE_WORD_TEXT)
_BARE_USER: Final = compiled(_BARE_USER_TEXT)
_LETTER_AND_DIGIT: Final = compiled(rb"[A-Za-z][^A-Za-z0-9]{0,4}[0-9]|[0-9][^A-Za-z0-9]{0,4}[A-Za-z]")


def find(data: bytes) -> Iterator[Hit]:
    """Users, passwords and one-time codes that a sentence names."""
    yield from _quoted(data)
    for first, end in _SPOKEN.spans(data):
        start = first + len(data[first:end].rstrip(b"0123456789"))
        yield Hit(start, end, NAME, SECRET)
    yield from _bare(data)
    for first, end in _BARE_USER.spans(data):
        spend(SENTENCE_STEPS)
        value = data[first:end].split()[2]
        start = data.index(value, first + 12, end)
        yield from JUDGES["user"](Value(data, start, start + len(value), quoted=False, prose=False))


def _quoted(data: bytes) -> Iterator[Hit]:
    """`user 'jane'`, `password "…"`."""
    for first, start in _QUOTED.spans(data):
        spend(SENTENCE_STEPS)
        end = end_of(data, start, data[start - 1 : start], limit(data, start))
        if not data[start:end].count(b" "):
            kind = kind_of(data[first:start].rstrip(b" \t\"'`"))
            yield from JUDGES["secret" if kind == "secret" else "user"](
                Value(data, start, end, quoted=True, prose=False)
            )


def _bare(data: bytes) -> Iterator[Hit]:
    """`with password q1w2!e3`: what no word looks like."""
    for first, end in _BARE_WORD.spans(data):
        spend(SENTENCE_STEPS)
        value = data[first:end].split()[-1].rstrip(b".!?")
        start = first + data[first:end].rindex(value)
        is_mixed = not value.isalnum() and _LETTER_AND_DIGIT.find(value)[0] >= 0
        if b"/" not in value and (is_mixed or shapes.is_credential(value)):
            yield Hit(start, start + len(value), NAME, SECRET)
