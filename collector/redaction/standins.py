"""Long tokens as short ones: rules read a fixed token in the place of every JWS that is surely one.

Every rule reads a token's thousand characters, and an automaton builds states for what is random. What a JWS is
changes nothing about what is around it, so the rules see the same one each time, and what they find is mapped back.
"""

from __future__ import annotations

from typing import Final

from collector.redaction import shapes
from collector.redaction.fields import FIELD
from collector.redaction.patterns import compiled
from collector.redaction.views import View

TOKEN: Final = b"eyJ"  # how every JWS begins that may be shortened
_PART: Final = rb"[A-Za-z0-9_\-]"
_JWS: Final = compiled(rb"eyJ" + _PART + rb"{10,}\." + _PART + rb"{24,}\." + _PART + rb"{24,}")
# At either side: what a token may be glued to, and what an escape or a further part would begin with.
_GLUED: Final = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+/~.=%\\&#;\x00\x1b@\r\n"
    + bytes(range(0x80, 0x100))
)
_ARMOUR: Final = b"-----"  # of PEM, which may be glued to a token
_MAX_KEY: Final = 40  # characters of a key, and of what may be between it and its value
_STANDIN: Final = b"eyJhbGciOiJub25lIn0.eyJzdWIiOiIwIiwiaWF0IjowfQ.c2lnbmF0dXJlLXRoYXQtaXMtbm9uZQ"


def shortened(data: bytes) -> View:
    """The first view of a text: the text, with a fixed token for each of its own."""
    if data.find(TOKEN) < 0:
        return View(data)
    short = View(b"", View(data))
    position = 0
    for start, end in _JWS.spans(data):
        if _stands_alone(data, start, end) and shapes.is_json_object(data[start : data.index(b".", start)]):
            short.add(position, data[position:start])
            short.add(start, _STANDIN)
            position = end
    return short.finish(position, data[position:]) if position else View(data)


def _stands_alone(data: bytes, start: int, end: int) -> bool:
    is_glued = (start and data[start - 1] in _GLUED) or (end < len(data) and data[end] in _GLUED)
    return not is_glued and data.find(_ARMOUR, start, end) < 0 and not _ends_in_a_key(data, end)


def _ends_in_a_key(data: bytes, end: int) -> bool:
    """`…4fVxPassword: x`: what looks like the token's end is the key of what follows."""
    begin, _ = FIELD.find(data, end - _MAX_KEY, min(end + _MAX_KEY, len(data)))
    return 0 <= begin < end
