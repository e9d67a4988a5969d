"""`why401 explain`: a log line or a token in, the diagnosis out. A contract that other tools rely on."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import click

from collector.visible import visible_json
from why401 import process
from why401.cli import options

if TYPE_CHECKING:
    from analyzer.verdicts import Diagnosis, Verdict
    from why401.explainer import Explainer, Explanation
    from why401.tally import Tally

MANY: Final = 10  # answers: of fewer, a summary would say the same twice
ASSUMED: Final = (
    "name the format (--gateway or [[formats]]): none that why401 knows matches this record, so it was read as an "
    "application's message about a refused request"
)
NOT_ADMITTED: Final = (
    "look for the line that says why: `why401 up` reads this one and does not store it, because by its words and level it "
    "does not report a refused request (`why401.records.dropped`, reason `not_admitted`)"
)
LEFT_OUT: Final = (
    "look for the refusal's own record as well: `why401 up` does not store this line, because its gateway writes it beside "
    "other lines, mostly at debug level"
)


def _once(verdicts: Iterable[Explanation]) -> Iterator[Explanation]:
    """Lines about one request share a verdict: it is shown in the place of the first of them."""
    shown: set[int] = set()
    for verdict in verdicts:
        if id(verdict) not in shown:
            shown.add(id(verdict))
            yield verdict


def _marked(verdict: Explanation) -> Verdict:
    """For a person, what was assumed is the first thing that more information would settle."""
    if not verdict.is_assumed or verdict.diagnosis is None:
        return verdict
    return replace(
        verdict, diagnosis=replace(verdict.diagnosis, missing=(_assumption(verdict), *verdict.diagnosis.missing))
    )


def _assumption(verdict: Explanation) -> str:
    if verdict.is_not_admitted:
        return NOT_ADMITTED
    return LEFT_OUT if verdict.is_left_out else ASSUMED


@click.command("explain")
@click.argument("record", nargs=-1)
@options.config
@click.option("--gateway", default="", help="Gateway that wrote the records [detected].")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per record, in input order.")
@click.option(
    "--github", "as_annotations", is_flag=True, help="Print each cause once, as an annotation of GitHub's runner."
)
@click.option("--failed", is_flag=True, help="Show refusals only.")
@click.option(
    "--records",
    "form",
    type=click.Choice(["lines", "json"]),
    default="lines",
    help="How to split the input. lines: a record per line, a stack trace is one record. json: a JSON string per line is one record.",
)
def command(
    record: tuple[str, ...],
    config_file: str | None,
    gateway: str,
    as_json: bool,
    as_annotations: bool,
    failed: bool,
    form: str,
) -> None:
    """Explain why requests were refused.

    RECORD is a file of log records, a log record, a bare token, or - for standard input (the default). Several files
    are read as one stream, in the order of the records' times.

    \b
    why401 explain access.log
    why401 explain --failed error.log access.log      (two lines about one request: one answer)
    kubectl logs gateway | why401 explain
    why401 explain eyJhbGciOi…          (prefer standard input: arguments stay in the shell's history)
    """  # noqa: D301  # \b is click's mark for "keep these lines"
    from why401.cli.printing import print_explanation
    from why401.explainer import Explainer, Writer
    from why401.tally import Tally, refusal

    _expect_one_output(as_json, as_annotations)
    settings = options.settings(config_file)
    explainer = Explainer(settings, gateway)
    writer, write = Writer(), sys.stdout.buffer.write
    process.settle_memory()
    tally = Tally()
    for verdicts in _explained(explainer, record, form):
        shown = [verdict for verdict in verdicts if refusal(verdict)] if failed else verdicts
        if as_json:
            write(visible_json(b"".join(map(writer.line, shown))))
        else:
            for verdict in () if as_annotations else _once(shown):
                print_explanation(_marked(verdict))
            for verdict in _once(verdicts):
                tally.add(verdict)
        sys.stdout.flush()
    _print_end(tally, as_annotations=as_annotations)


def _expect_one_output(*asked: bool) -> None:
    if sum(asked) > 1:
        raise click.UsageError("--json and --github are two outputs; expected one")


def _print_end(tally: Tally, *, as_annotations: bool) -> None:
    """Annotations, or a summary where there are many answers."""
    if as_annotations:
        click.echo("".join(f"{_annotated(*one)}\n" for one in tally.refused()), nl=False)
    elif tally.records >= MANY:
        click.echo("\n".join(tally.lines()))


def _annotated(diagnosis: Diagnosis, number: int) -> str:
    from why401.cli.annotations import annotation
    from why401.cli.printing import counted

    lines = [f"{counted(number, 'refusal')}: {diagnosis.title}", *(fix.says for fix in diagnosis.fix[:1])]
    return annotation("\n".join(lines), title=f"{diagnosis.code} ({diagnosis.cause})")


def _explained(explainer: Explainer, record: tuple[str, ...], form: str) -> Iterator[list[Explanation]]:
    from why401.cli import input_text  # what splits records is not needed for --help

    if input_text.are_files(record):
        return explainer.explain_streams(input_text.read([name], form) for name in record)
    return explainer.explain_runs(input_text.read_together(record, form))
