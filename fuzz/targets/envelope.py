"""Peeling: shippers' wrappings come off, and what is left was there before."""

from __future__ import annotations

import json
from collections.abc import Iterable

from collector.shippers import peel
from fuzz.stages import every, fixture_lines, must, raw, text_of


def check(data: bytes) -> None:
    """As text, and as a record whose object is known already."""
    text = text_of(data)
    peeled = peel(raw(text))
    must(len(peeled.text) <= len(text), "peeling adds nothing")
    must(peeled.fields is None or isinstance(peeled.fields, dict), "fields are an object")
    again = peel(raw(peeled.text))
    must(len(again.text) <= len(peeled.text), "peeling adds nothing the second time")
    peel(raw(fields={"log": text, "stream": "stderr"}))


def seeds() -> Iterable[bytes]:
    """Syslog, CRI, docker, and shippers around lines."""
    for line in every(25, fixture_lines()):
        text = text_of(line)
        yield line
        yield json.dumps({"log": text + "\n", "stream": "stderr", "time": "2026-03-03T10:00:00Z"}).encode()
        yield f"2026-03-03T10:00:00.000000000Z stdout F {text}".encode()
        yield f"<134>Mar  3 10:00:00 host tag[1]: {text}".encode()
        yield f'<165>1 2026-03-03T10:00:00Z host app 1 ID [a b="c"] {text}'.encode()
