"""Rule `scheme`: what follows the name of an HTTP authentication scheme anywhere in a text.

Names from the IANA HTTP authentication scheme registry and common private ones. In free text the value must look
like a credential (`Bearer token missing` stays); behind an `Authorization` key rule `field` takes any value.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from collector.redaction import shapes
from collector.redaction.hits import TOKEN, Hit, is_mask
from collector.redaction.patterns import compiled
from collector.redaction.vocabulary import is_statement

_SEPARATOR: Final = rb"(?:[ \t\xa0:=+>]|%20){0,4}(?:\\{0,7}[\"'`]|[<\[({]){0,2}"
TRIGGER: Final = rb"(?i:bearer|basic|dpop|negotiate|ntlm|token|jwt|oauth|apikey|api-key)[ \t\xa0:=+>%\"'`<\[({\\]"
_SCHEME: Final = compiled(
    rb"(?i)(?:\b|_)(?:bearer|basic|dpop|negotiate|ntlm|token|jwt|oauth|apikey|api-key)" + _SEPARATOR
)
_VALUE: Final = compiled(rb"[A-Za-z0-9._~+/\-|:!*\x80-\xff]{8,}={0,2}")


def find(data: bytes) -> Iterator[Hit]:
    """Values behind schemes."""
    position = 0
    while scheme := _SCHEME.search(data, position):
        position = scheme.end()
        value = _VALUE.match(data, position)
        if value is None:
            continue
        text = value.group().rstrip(b".:")
        if scheme.group()[-1:].isalnum() and not shapes.is_random(text):  # nothing between: `OAuth2Exception`
            continue
        if not _is_credential(text, data[value.end() : value.end() + 1]):
            continue
        position = value.end()
        yield Hit(value.start(), value.start() + len(text), "scheme", TOKEN)


def _is_credential(value: bytes, following: bytes) -> bool:
    if following == b"=" or is_mask(value) or is_statement(value) or value.startswith((b"http", b"//", b"urn:")):
        return False
    return (shapes.is_credential(value) or (len(value) >= 16 and shapes.mixes(value) >= 3)) and b"://" not in value
