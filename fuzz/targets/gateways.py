"""Parsers: each one reads any record, or says in two ways that it does not; no complaint quotes the record."""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from collector.errors import UnreadableRecord
from collector.gateways import PARSERS, NotAuth, parse
from collector.records import Parsed, RawRecord
from fuzz.stages import PLANTED, fixture_lines, leaked, must, raw, text_of

_KNOWN = (*(known.parse for known in PARSERS), parse)


def check(data: bytes) -> None:
    """As a line; when it is an object, as fields and as attributes, too."""
    text = text_of(data)
    records = [raw(text)]
    try:
        value = orjson.loads(data)
    except ValueError:
        value = None
    if isinstance(value, dict):
        records += [raw(text, fields=value), raw("401", attributes=value, resource=value)]
    for record in records:
        for parser in _KNOWN:
            _one(parser, record)


def _one(parser: object, record: RawRecord) -> None:
    try:
        parsed = parser(record)  # type: ignore[operator]
    except (NotAuth, UnreadableRecord) as error:
        must(not leaked(str(error)), "a complaint quotes no record")
        return
    if parsed is None:
        return
    must(isinstance(parsed, Parsed), "a parser answers Parsed")
    must(isinstance(parsed.status, int) and 0 <= parsed.status <= 999, "a status is a status")
    texts = (parsed.method, parsed.path, parsed.host, parsed.client, parsed.user_agent, parsed.reason, parsed.message)
    must(
        all(isinstance(text, str) for text in (*texts, parsed.challenge, parsed.trace_id, parsed.request_id)),
        "texts are text",
    )
    must(all(isinstance(k, str) and isinstance(v, str) for k, v in parsed.headers.items()), "headers are text")


def seeds() -> Iterable[bytes]:
    """Every fixture, and some with a token in them."""
    for n, line in enumerate(fixture_lines()):
        yield line
        if n % 10 == 0:
            yield line.replace(b'"', b'" ' + PLANTED.encode() + b' "', 1)
