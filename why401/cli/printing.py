"""Prints a verdict for a person at a terminal."""

from __future__ import annotations

from collections.abc import Iterable

import click

from analyzer.verdicts import Verdict
from collector.events import Event, Outcome
from collector.visible import visible

LABEL = len("to be certain")
COLOURS = {
    "issuer": "magenta",
    "format": "yellow",
    "library": "cyan",
    "gateway": "blue",
    "policy": "green",
    "unknown": "white",
}


def counted(number: int, noun: str) -> str:
    """A number with its noun, which has a regular plural."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def print_explanation(verdict: Verdict) -> None:
    """A headline, then the evidence, what else was considered, and what to change."""
    event, diagnosis = verdict.event, verdict.diagnosis
    if diagnosis is None:
        click.echo(f"{click.style('?', bold=True)} not a refusal: {visible(event.words.reason or event.outcome)}")
        return
    if diagnosis.code == "ok":
        click.echo(f"{click.style('✓ ok', fg='green', bold=True)}  {where(event)}\n")
        return
    mark = click.style(f"✗ {diagnosis.code}", fg=COLOURS[diagnosis.cause], bold=True)
    sure = f"{diagnosis.cause}, {diagnosis.confidence:.0%} sure"
    click.echo(f"{mark}  ({sure})  {click.style(where(event), dim=True)}")
    click.echo(f"  {click.style(visible(diagnosis.title), bold=True)}")
    _rows("evidence", ((e.source, e.says) for e in diagnosis.evidence))
    _rows("near miss", [("", diagnosis.near_miss)] if diagnosis.near_miss else [])
    _rows("considered", ((r.code, r.why_not) for r in diagnosis.rivals))
    _rows("also failing", [("", ", ".join(diagnosis.also))] if diagnosis.also else [])
    _rows("to be certain", (("", text) for text in diagnosis.missing))
    _rows("fix", ((" ", f"{fix.says}\n{fix.source}") for fix in diagnosis.fix[:2]), dim_last=True)
    click.echo()


def where(event: Event) -> str:
    """Gateway, request and status in one line."""
    request = event.request
    parts = [event.gateway.kind, f"{request.method} {request.route}".strip(), str(request.status or "")]
    if event.outcome is Outcome.UNREAD:
        parts.append("unread")
    return " · ".join(visible(part) for part in parts if part)


def _rows(label: str, rows: Iterable[tuple[str, str]], *, dim_last: bool = False) -> None:
    rows = list(rows)
    width = max((len(visible(name)) for name, _ in rows), default=0)
    for name, text in rows:
        # Our own line breaks are \n; every other line break is part of the data.
        first, *rest = [visible(line) for line in text.split("\n")]
        if dim_last:
            rest[-1:] = [click.style(line, dim=True) for line in rest[-1:]]
        head = f"{visible(name):<{width}}  " if name.strip() else ""
        click.echo(f"  {click.style(f'{label:<{LABEL}}', dim=True)} {head}{first}")
        for line in rest:
            click.echo(f"  {'':<{LABEL}} {' ' * len(head)}{line}")
        label = ""
