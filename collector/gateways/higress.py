"""Higress: its default JSON access log, which is Envoy's with `ai_log`; a plugin's reason is in `response_code_details`.

Keys after alibaba/higress `helm/core/templates/configmap.yaml`; everything else it writes is Istio's and Envoy's.
"""

from __future__ import annotations

from typing import Final

from collector.gateways import envoy
from collector.gateways.reading.contract import NO_TEXTS
from collector.gateways.reading.json_fields import mapping, plan
from collector.records import Parsed, RawRecord

NAME: Final = "higress"
_OWN: Final = "ai_log"
TEXTS: Final = NO_TEXTS


def parse(record: RawRecord) -> Parsed | None:
    """A record of the default format, from a file or as OTLP attributes."""
    fields = mapping(record)
    if _OWN not in fields:
        return None
    keys = plan(fields)
    if keys.dialect != envoy.NAME or not keys.status:
        return None
    return envoy.read_fields(NAME, fields, keys, record)
