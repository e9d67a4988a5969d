"""Apinto, the data plane of APIPark: its node log, and its access log as JSON and as lines.

An access log's fields are the operator's choice (`formatter.fields` of an output); their names are those of Apinto's readers
(eolinker/apinto entries/http-entry/reader.go) unless an alias is given.
"""

from __future__ import annotations

from typing import Final

from collector.gateways.apinto import access_json, access_line, node_log
from collector.gateways.apinto.source import ECHO, NAME
from collector.gateways.reading.contract import Texts
from collector.gateways.reading.json_fields import finish, mapping
from collector.records import Parsed, RawRecord

__all__ = ["ECHO", "NAME", "TEXTS", "parse"]

TEXTS: Final = Texts(begins="[", holds=("\t",))


def parse(record: RawRecord) -> Parsed | None:
    """A request in the access log, or a verdict in the node's log."""
    is_named = record.gateway == NAME
    if record.fields is None and record.text:
        near_ns, text = record.time_ns, record.text
        parsed = node_log.read(text, near_ns) or access_line.read(text, near_ns, is_named=is_named)
    else:
        parsed = access_json.read(mapping(record), record.time_ns, is_named=is_named)
    return finish(parsed, record) if parsed else None
