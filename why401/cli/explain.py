"""`why401 explain`: a log line or a token in, the diagnosis out. A contract that other tools rely on."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click

from collector.visible import visible_json
from why401 import process
from why401.cli import options, records

if TYPE_CHECKING:
    from analyzer.verdicts import Verdict


def _once(verdicts: Iterable[Verdict]) -> Iterator[Verdict]:
    """Lines about one request share a verdict: it is shown where the first of them stands."""
    shown: set[int] = set()
    for verdict in verdicts:
        if id(verdict) not in shown:
            shown.add(id(verdict))
            yield verdict


@click.command("explain")
@click.argument("record", nargs=-1)
@options.config
@click.option("--gateway", default="", help="The records' gateway; empty: detected.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per record, in the same order.")
@click.option(
    "--records", "form", type=click.Choice(["lines", "json"]), default="lines", help="json: each line is a JSON string."
)
def command(record: tuple[str, ...], config_file: str | None, gateway: str, as_json: bool, form: str) -> None:
    """Explain log records or bare tokens, from arguments, files or standard input.

    \b
    why401 explain access.log
    cat error.log access.log | why401 explain      (two lines about one request: one answer)
    kubectl logs gateway | why401 explain
    why401 explain eyJhbGciOi…          (better from standard input: arguments stay in the shell's history)
    """  # noqa: D301  # \b is click's mark for "keep these lines"
    from why401.cli.printing import print_explanation
    from why401.explainer import Explainer, Writer

    settings = options.settings(config_file)
    explainer = Explainer(settings, gateway)
    writer, write = Writer(), sys.stdout.buffer.write
    process.settle_memory()
    for texts in records.read_together(record, form):
        verdicts = explainer.explain_all(texts)
        if as_json:
            write(visible_json(b"".join(map(writer.line, verdicts))))
        else:
            for verdict in _once(verdicts):
                print_explanation(verdict)
        sys.stdout.flush()
