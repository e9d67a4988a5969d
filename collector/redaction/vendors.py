"""Rule `vendor`: credentials known by the prefix that their vendor gives them (rules/vendors.toml)."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any, Final

from collector.redaction.field_names import RULES
from collector.redaction.hits import SECRET, Hit
from collector.redaction.patterns import compiled, shortened_counts

VENDORS: Final[list[dict[str, Any]]] = tomllib.loads((RULES / "vendors.toml").read_text(encoding="utf-8"))["vendor"]
_ALL: Final = b"|".join(f"(?:{vendor['pattern']})".encode() for vendor in VENDORS)
_VENDORS: Final = compiled(_ALL)
TRIGGER: Final = shortened_counts(_ALL)


def find(data: bytes) -> Iterator[Hit]:
    """Vendors' credentials."""
    for start, end in _VENDORS.spans(data):
        yield Hit(start, end, "vendor", SECRET)
