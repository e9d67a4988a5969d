"""Rule `vendor`: credentials known by the prefix that their vendor gives them (rules/vendors.toml)."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any, Final

from collector.redaction.hits import SECRET, Hit
from collector.redaction.patterns import compiled
from collector.redaction.vocabulary import RULES

VENDORS: Final[list[dict[str, Any]]] = tomllib.loads((RULES / "vendors.toml").read_text(encoding="utf-8"))["vendor"]
TRIGGER: Final = b"|".join(f"(?:{vendor['pattern']})".encode() for vendor in VENDORS)
_VENDORS: Final = compiled(TRIGGER)


def find(data: bytes) -> Iterator[Hit]:
    """Vendors' credentials."""
    for match in _VENDORS.finditer(data):
        yield Hit(match.start(), match.end(), "vendor", SECRET)
