"""Rule `scheme`: what follows the name of an HTTP authentication scheme anywhere in a text.

Names from the IANA HTTP authentication scheme registry and common private ones. In free text the value must look
like a credential (`Bearer token missing` stays); behind an `Authorization` key rule `field` takes any value.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from collector.redaction import shapes
from collector.redaction.field_names import is_statement
from collector.redaction.hits import TOKEN, Hit, is_mask
from collector.redaction.meter import spend
from collector.redaction.patterns import compiled

_SEPARATOR: Final = rb"(?:[ \t\xa0:=+>]|%20){0,4}(?:\\{0,7}[\"'`]|[<\[({]){0,2}"
_NAMES: Final = rb"(?i:bearer|basic|dpop|negotiate|ntlm|token|jwt|oauth|apikey|api-key)"
_VALUES: Final = rb"[A-Za-z0-9._~+/\-|:!*\x80-\xff]{8,}"
TRIGGER: Final = _NAMES + rb"(?:[ \t\xa0:=+>\"'`<\[({\\]|%20)+" + _VALUES
SCHEME_STEPS: Final = 4
_SHORTEST: Final = 8  # characters of a value
_SCHEME: Final = compiled(rb"(?:\b|_)" + _NAMES + _SEPARATOR)
_VALUE: Final = compiled(_VALUES + rb"={0,2}")


def find(data: bytes) -> Iterator[Hit]:
    """Values behind schemes."""
    done = end = stop = 0
    for scheme, start in _SCHEME.spans(data):
        if start + _SHORTEST > end:  # `Bearer:Bearer:Bearer:…` is one run, whose end is looked for once
            end = _VALUE.end_at(data, start)
            stop = start + len(data[start:end].rstrip(b".:"))
        if start < done or end < 0:
            continue
        spend(SCHEME_STEPS)
        text = data[start : min(stop, start + shapes.WINDOW)]
        # Nothing between, or two colons, is what names have: `OAuth2Exception`, `JWT::Base64DecodeError`.
        is_name = data[start - 1 : start].isalnum() or data.find(b"::", scheme, start) >= 0
        if is_name and not shapes.is_random(text):
            continue
        if not _is_credential(text, data[end : end + 1]):
            continue
        done = end
        yield Hit(start, stop, "scheme", TOKEN)


def _is_credential(value: bytes, following: bytes) -> bool:
    if following == b"=" or is_mask(value) or is_statement(value) or value.startswith((b"http", b"//", b"urn:")):
        return False
    return (
        shapes.is_credential(value) or (len(value) >= 16 and shapes.mixes(value) * 5 >= len(value))
    ) and b"://" not in value
