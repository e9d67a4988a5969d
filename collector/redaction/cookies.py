"""Cookies: every value goes, names and harmless settings stay."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from collector.redaction import shapes
from collector.redaction.extents import end_of, limit, line_end
from collector.redaction.field_names import KEPT_COOKIES
from collector.redaction.hits import COOKIE, Hit, is_mask
from collector.redaction.meter import spend
from collector.redaction.patterns import compiled

NAME: Final = "cookie"
COOKIE_STEPS: Final = 4
MAX_COOKIES: Final = 16_384  # twice what servers accept in a header
_PAIR: Final = compiled(rb"[ \t]{0,4}([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128})[ \t]{0,2}=[ \t]{0,2}(\"?[^\s;,\"']*\"?)(;?)")
_MEMBER: Final = compiled(rb"[\"']([^\"'\\]{1,128})\\{0,7}[\"'][ \t]{0,4}:[ \t]{0,4}\\{0,7}[\"']([^\"'\\]+)")


def cookies(data: bytes, start: int, quote: bytes) -> Iterator[Hit]:
    """Each value of `a=1; b=2` or `{"a":"1"}`; a value without a name is one value."""
    bound = min(len(data), start + MAX_COOKIES)
    end = end_of(data, start, quote, bound) if quote else line_end(data, start, bound)
    if data[start : start + 1] == b"{" or data[max(0, start - 2) : start].strip(b" ") in (b"{", b'{"'):
        yield from _members(data, start, end)
    elif _PAIR.match(data, start, end):
        yield from _pairs(data, start, end)
    else:
        yield from _bare(data, start, end_of(data, start, quote, limit(data, start)))


def _pairs(data: bytes, position: int, end: int) -> Iterator[Hit]:
    while pair := _PAIR.match(data, position, end):
        spend(COOKIE_STEPS)
        yield from _cookie(pair.group(1), data, *pair.span(2))
        position = pair.end()
        if not pair.group(3) and data[position : position + 1] != b",":
            return
        position += data[position : position + 1] == b","


def _bare(data: bytes, start: int, end: int) -> Iterator[Hit]:
    if shapes.is_credential(data[start:end]):
        yield Hit(start, end, NAME, COOKIE)


def _members(data: bytes, start: int, end: int) -> Iterator[Hit]:
    stop = data.find(b"}", start)
    for member in _MEMBER.finditer(data, start, end if stop < 0 else min(stop, end)):
        yield from _cookie(member.group(1), data, *member.span(2))


def _cookie(name: bytes, data: bytes, start: int, end: int) -> Iterator[Hit]:
    value = data[start:end].strip(b'"')
    if value and name.lower() not in KEPT_COOKIES and not is_mask(value):
        yield Hit(start, end, NAME, COOKIE)
