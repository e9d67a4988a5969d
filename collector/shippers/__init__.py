"""Peels what log shippers wrap around a record: prefixes, envelopes of JSON, colours, nested as deep as MAX_LAYERS.

What is left is the gateway's own record: text, and the JSON object in it when it is one. Time, level and program that the wrapping names
stay with the record. `prefixes` and `envelopes` know the forms.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson
from msgspec.structs import replace

from collector.gateways.reading.times import WallClock, wall_ns
from collector.records import RawRecord
from collector.shippers import envelopes
from collector.shippers.broken_lines import made_whole
from collector.shippers.odd_forms import as_fields
from collector.shippers.prefixes import behind_prefix

__all__ = ["MAX_LAYERS", "MAX_TEXT", "inner_records", "peel"]

MAX_TEXT: Final = 1 << 20  # characters of one record that are looked at
MAX_LAYERS: Final = 4
WRAPPED: Final = "DEFAULT"  # the level of a line whose wrapping names none: a log line all the same
_MAX_SGR: Final = 20  # ESC [ 38;2;255;255;255 m
_SGR: Final = frozenset("0123456789;:")
_MAX_TAIL: Final = 24
_MAX_HEAD: Final = 2_000  # characters in front of an object within a line


def peel(record: RawRecord) -> RawRecord:
    """The record itself, without its wrapping; `fields` is set when the text is a JSON object. Never raises.

    Changes the record in place: it has one owner, and a copy per record is a tenth of the collector's time.
    """
    if record.fields is not None:
        return _inner_of_fields(record, record.fields, 0)
    return _peel_text(record, record.text[:MAX_TEXT].strip("\r\n\ufeff\x00 "), 0)


def _peel_text(record: RawRecord, text: str, depth: int) -> RawRecord:
    text = _without_colours(text)
    while depth < MAX_LAYERS and (found := behind_prefix(text)):
        depth += 1
        text = found.rest.strip("\r\n ")
        _note(record, found.time_ns, found.level, found.program)
    record.text = made_whole(text)
    record.fields = _object(record.text) or as_fields(record.text)
    return record if record.fields is None else _inner_of_fields(record, record.fields, depth)


def _inner_of_fields(record: RawRecord, fields: Mapping[str, Any], depth: int) -> RawRecord:
    line = envelopes.own_line(fields)
    if line is None or depth >= MAX_LAYERS:
        return record
    _note_envelope(record, fields)
    return _peel_text(record, line.strip("\r\n "), depth + 1)


def inner_records(record: RawRecord, *, with_sentences: bool = True) -> Iterator[RawRecord]:
    """Records that may stand inside of a peeled one, the likeliest first, for a parser to judge: each is peeled, too.

    Without `with_sentences`, only what begins like a record. In an object's strings and objects (`envelopes.inner`); in a line, the object that it ends with.
    """
    if record.fields is None:
        yield from _in_line(record)
        return
    for candidate in envelopes.inner(record.fields, with_sentences=with_sentences):
        copy = replace(record, text="", fields=None)
        _note_envelope(copy, record.fields)
        if isinstance(candidate, str):
            yield _peel_text(copy, candidate[:MAX_TEXT].strip("\r\n "), 1)
        else:
            copy.fields = candidate
            yield _inner_of_fields(copy, candidate, 1)


def _in_line(record: RawRecord) -> Iterator[RawRecord]:
    at = record.text.find("{", 0, _MAX_HEAD) if record.text[-1:] == "}" else -1
    fields = _object(record.text[at:]) if at > 0 else None
    if fields:
        yield replace(record, text=record.text[at:], fields=fields)


def _note_envelope(record: RawRecord, fields: Mapping[str, Any]) -> None:
    _note(record, envelopes.time_of(fields), envelopes.level_of(fields), envelopes.program_of(fields))


def _note(record: RawRecord, time_ns: int, level: str, program: str) -> None:
    """The innermost wrapping knows best, except that a level or name, once known, is not lost."""
    record.time_ns = wall_ns(time_ns, record.time_ns) if type(time_ns) is WallClock else time_ns or record.time_ns
    record.level = level or record.level or WRAPPED
    record.program = program[:100] or record.program


def _object(text: str) -> Mapping[str, Any] | None:
    if text[:1] != "{":
        return None
    if text[-1:] != "}":
        text = _without_tail(text)
    try:
        value = orjson.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _without_tail(text: str) -> str:
    """Without what zsh (`%`) and Nest (` +12ms`) print behind an object."""
    end = text.rfind("}", -_MAX_TAIL) + 1
    tail = text[end:].strip()
    return text[:end] if end and (tail == "%" or (tail[:1] == "+" and tail[1:-2].isdigit())) else ""


def _without_colours(text: str) -> str:
    """Without the SGR sequences (ECMA-48) of programs that take their log for a terminal: Traefik, KrakenD and gin do.

    rsyslog writes a control character as its octal number behind `#`.
    """
    if "#033[" in text:
        text = text.replace("#033[", "\x1b[")
    if "\x1b[" not in text:
        return text
    first, *rest = text.split("\x1b[")
    return first + "".join(map(_after_sgr, rest))


def _after_sgr(piece: str) -> str:
    end = piece.find("m", 0, _MAX_SGR)
    return piece[end + 1 :] if end >= 0 and _SGR.issuperset(piece[:end]) else "\x1b[" + piece
