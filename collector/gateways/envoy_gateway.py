"""Envoy Gateway: its default JSON access log, whose keys are header names (`:authority`, `x-envoy-origin-path`).

Keys after envoyproxy/gateway `internal/xds/translator/accesslog.go`; everything else it writes is Envoy's.
"""

from __future__ import annotations

from typing import Final

from collector.gateways import envoy
from collector.gateways.reading.contract import NO_TEXTS
from collector.gateways.reading.json_fields import mapping, plan
from collector.records import Parsed, RawRecord

NAME: Final = "envoy-gateway"
TEXTS: Final = NO_TEXTS


def parse(record: RawRecord) -> Parsed | None:
    """A record of Envoy Gateway's default JSON format, from a file or as OTLP attributes."""
    fields = mapping(record)
    if ":authority" not in fields:
        return None
    keys = plan(fields)
    if keys.dialect != NAME or not keys.status:
        return None
    return envoy.read_fields(NAME, fields, keys, record)
