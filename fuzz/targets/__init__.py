"""The targets, in the order of a record's way."""

from __future__ import annotations

from typing import Final

TARGETS: Final = (
    "otlp_json", "otlp_protobuf", "encodings", "messages", "lines", "envelope", "gateways", "tokens", "collect", "redact",
    "show", "events", "diagnosis", "knowledge", "meaning",
)  # fmt: skip
