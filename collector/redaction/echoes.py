"""What a finding says about the rest of the text: the same value elsewhere, in base64 too, and the user before a password.

A rule finds a value by its key once; `prepared: 'Granit98!'` on the next line has no key. Values that a program may have written
are not looked for: `user=orders` says nothing about `/v1/orders`.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from typing import Final

from collector.redaction.chosen import is_likely, is_numbered_word, is_other
from collector.redaction.hits import SECRET, TOKEN, USER, Hit
from collector.redaction.judges import NAME, says_nothing
from collector.redaction.logins import has_form, is_unknown
from collector.redaction.meter import spend
from collector.redaction.patterns import compiled

MAX_HITS: Final = 16
MIN_VALUE, MAX_VALUE = 6, 64
MAX_USER: Final = 48
STEPS: Final = 2
_USER: Final = compiled(rb"(?:^|[\s\"'(\[=,])([A-Za-z][A-Za-z0-9._\-]{2,40})[\"']? ?[/:|,] ?[\"']?$")
_VALUE: Final = rb"[\"'`]?([^\s\"'`,;|(){}\[\]<>]{5,64}?)(?:@[\w.\-]{1,60}(?::[0-9]{1,5})?)?(?:$|[\s\"'`,;|)}\]])"
_BEHIND: Final = compiled(rb"[\"'`]?(?: ?[:/=|] ?| (?:with|tried|tries|using|and|pass|password|pw|pwd) )" + _VALUE)
_IN_BRACKETS: Final = compiled(rb"[\"'`]?(?: ?[:/=|,] ?| (?:with|and) )" + _VALUE)
_NEXT: Final = compiled(rb"[\"'`]?, ?" + _VALUE)
MAX_BEHIND: Final = 100
_WORD: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"


def of(data: bytes, hits: Sequence[Hit]) -> Iterator[Hit]:
    """Further hits that those of this text tell."""
    told = [hit for hit in hits if hit.rule == NAME and MIN_VALUE <= hit.end - hit.start <= MAX_VALUE]
    for hit in told[:MAX_HITS]:
        spend(STEPS)
        value = data[hit.start : hit.end]
        if hit.label in (SECRET, TOKEN):
            yield from _user_before(data, hit.start)
        if hit.label == USER:
            yield from _password_behind(data, hit.start, hit.end)
        if _is_rare(value, hit.label):
            yield from _elsewhere(data, value, hit)
            yield from _elsewhere(data, base64.b64encode(value).rstrip(b"="), hit)


def _is_rare(value: bytes, label: str) -> bool:
    """No program writes it for something else."""
    if label == USER:
        return has_form(value) and is_unknown(value)
    return is_likely(value) or is_numbered_word(value) or (value.isdigit() and label == SECRET)


def _elsewhere(data: bytes, value: bytes, hit: Hit) -> Iterator[Hit]:
    position = 0
    while (start := data.find(value, position)) >= 0:
        spend(1)
        position = end = start + len(value)
        if start != hit.start and not (data[start - 1 : start] in _BORDERS or data[end : end + 1] in _BORDERS):
            yield Hit(start, end, hit.rule, hit.label)


_BORDERS: Final = frozenset(bytes((byte,)) for byte in _WORD)


def _user_before(data: bytes, start: int) -> Iterator[Hit]:
    """`t.moreau / `, `tmoreau:`, right before a password."""
    first = max(0, start - MAX_USER)
    match = _USER.search(data[first:start])
    if match and not says_nothing(match.group(1)) and has_form(match.group(1)) and is_unknown(match.group(1)):
        yield Hit(first + match.start(1), first + match.end(1), NAME, USER)


def _password_behind(data: bytes, start: int, end: int) -> Iterator[Hit]:
    """`: …`, ` with …`, ` tried …, …` right behind a user; in brackets also behind a comma."""
    if data[start - 3 : start] == b"://":  # rule `url` keeps the host
        return
    opened = data[start - 1 : start] in (b"(", b"{", b"[")
    match = (_IN_BRACKETS if opened else _BEHIND).match(data, end, end + MAX_BEHIND)
    while match:
        value = match.group(1)
        if says_nothing(value) or is_other(value) or not (is_likely(value) or is_numbered_word(value)):
            return
        yield Hit(match.start(1), match.end(1), NAME, SECRET)
        match = _NEXT.match(data, match.end(1), match.end(1) + MAX_BEHIND)
