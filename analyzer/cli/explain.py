"""`why401 explain`: a log line or a token in, the diagnosis out. A contract that other tools rely on."""

from __future__ import annotations

import sys

import click
import orjson

from analyzer.cli import options, records


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
    kubectl logs gateway | why401 explain
    why401 explain eyJhbGciOi…          (better from standard input: arguments stay in the shell's history)
    """  # noqa: D301  # \b is click's mark for "keep these lines"
    from analyzer.cli.explainer import Explainer, as_mapping
    from analyzer.cli.words import print_explanation

    settings = options.settings(config_file)
    explainer = Explainer(settings, gateway)
    write = sys.stdout.buffer.write
    for text in records.read(record, form):
        verdict = explainer.explain(text)
        if as_json:
            write(orjson.dumps(as_mapping(verdict)) + b"\n")
        else:
            print_explanation(verdict)
    sys.stdout.flush()
