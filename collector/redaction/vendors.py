"""Rule `vendor`: credentials known by the prefix that their vendor gives them (rules/vendors.toml)."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any, Final

from collector.redaction.field_names import RULES
from collector.redaction.hits import SECRET, Hit
from collector.redaction.patterns import compiled

VENDORS: Final[list[dict[str, Any]]] = tomllib.loads((RULES / "vendors.toml").read_text(encoding="utf-8"))["vendor"]
_ALL: Final = b"|".join(f"(?:{vendor['pattern']})".encode() for vendor in VENDORS)
_VENDORS: Final = compiled(_ALL)
# The engine asks for a few characters where a rule asks for forty: each count multiplies its automaton's states.
_COUNT: Final = compiled(rb"\{[0-9]+(?:,[0-9]*)?\}")
MAX_COUNT: Final = 4


def _shortened(pattern: bytes) -> bytes:
    """A pattern that occurs wherever the given one does: `{36}` and `{20,40}` become `{4,}`."""
    pieces: list[bytes] = []
    position = 0
    for start, end in _COUNT.spans(pattern):
        least = int(pattern[start + 1 : end - 1].partition(b",")[0])
        pieces += pattern[position:start], b"{%d,}" % min(least, MAX_COUNT)
        position = end
    return b"".join(pieces) + pattern[position:]


TRIGGER: Final = _shortened(_ALL)


def find(data: bytes) -> Iterator[Hit]:
    """Vendors' credentials."""
    for start, end in _VENDORS.spans(data):
        yield Hit(start, end, "vendor", SECRET)
