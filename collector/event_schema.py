"""The JSON Schema of the event on the event topic, from its types."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from collector.events import _TOP, _TYPES, _WIRE, SCHEMA_VERSION, Event, Outcome, Responder

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"


def event_schema() -> dict[str, Any]:
    """One event. Further keys are allowed: a later version adds some, and readers of this one ignore them."""
    properties, definitions = _top(), dict[str, Any]()
    for group in _WIRE:
        made = msgspec.json.schema(_TYPES[group])
        found = made.pop("$defs")
        properties |= found.pop(_TYPES[group].__name__)["properties"]
        definitions |= found
    required = [key for name, key in _TOP.items() if name != "zone_known"]
    return {
        "$schema": DRAFT,
        "$id": f"urn:why401:event:{SCHEMA_VERSION}",
        "title": "why401 event",
        "description": (Event.__doc__ or "").strip(),
        "type": "object",
        "properties": properties,
        "required": [*required, "why401.origin.kind", "gateway.name"],
        "$defs": definitions,
    }


def _top() -> dict[str, Any]:
    whole = {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1}
    pair = {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}], "minItems": 2, "maxItems": 2}
    types: dict[str, Any] = {
        "schema": {"const": SCHEMA_VERSION},
        "time_ns": whole,
        "observed_ns": whole,
        "time_known": {"type": "boolean"},
        "zone_known": {"type": "boolean"},
        "outcome": {"enum": [each.value for each in Outcome]},
        "responder": {"enum": [each.value for each in Responder]},
        "redactions": {"type": "array", "items": pair},
    }
    return {key: types[name] for name, key in _TOP.items()}
