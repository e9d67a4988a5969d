"""`why401 redact`: a filter for anyone's log stream."""

from __future__ import annotations

import sys

import click
import orjson

from analyzer.cli import records


@click.command("redact")
@click.argument("record", nargs=-1)
@click.option(
    "--records",
    "form",
    type=click.Choice(["lines", "json"]),
    default="lines",
    help="json: JSON string in, JSON string out.",
)
def command(record: tuple[str, ...], form: str) -> None:
    """Lines in, the same number of lines without secrets out, flushed line by line on a terminal.

    \b
    tail -f access.log | why401 redact
    """  # noqa: D301  # \b is click's mark for "keep these lines"
    from collector.redaction import redact

    out = sys.stdout.buffer
    flush = out.flush if sys.stdout.isatty() else lambda: None
    for text in records.read(record, form):
        safe = redact(text).text
        out.write((orjson.dumps(safe) if form == "json" else _line(safe)) + b"\n")
        flush()
    sys.stdout.flush()


def _line(text: str) -> bytes:
    return text.encode("utf-8", "replace")
