"""OTLP/protobuf requests: what Google's decoder reads, ours reads with the same records; the rest is refused."""

from __future__ import annotations

from collections.abc import Iterable

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from collector.events import Origin
from collector.safe import Safe
from collector.sources.otlp import protobuf_decoder
from collector.sources.otlp.receiver import Harvest, Refused
from fuzz.stages import collector, must
from fuzz.targets import otlp_json


def check(data: bytes) -> None:
    """Decode with both, compare, collect."""
    harvest, refused = Harvest(Origin(kind=Safe("otlp"), source=Safe("fuzz")), "", 1), False
    try:
        protobuf_decoder.decode(data, harvest)
    except Refused:
        refused = True
    _agrees(data, harvest, refused=refused)
    for record in harvest.records[:20]:
        event = collector().collect(record)
        must(event.words.reason != "failed", "no record makes the collector fail")


def _agrees(data: bytes, harvest: Harvest, *, refused: bool) -> None:
    try:
        known = ExportLogsServiceRequest.FromString(data)
    except DecodeError:
        return
    if refused or harvest.rejected:  # ours is stricter: depth, sizes, counts
        return
    count = sum(len(scope.log_records) for logs in known.resource_logs for scope in logs.scope_logs)
    must(count == harvest.total, "as many records as Google's decoder finds")


def seeds() -> Iterable[bytes]:
    """The JSON seeds in protobuf."""
    from google.protobuf import json_format

    for seed in otlp_json.seeds():
        try:
            request = json_format.Parse(seed, ExportLogsServiceRequest(), ignore_unknown_fields=True)
        except (json_format.ParseError, UnicodeError):
            continue
        yield request.SerializeToString()
        yield request.SerializeToString() * 2
