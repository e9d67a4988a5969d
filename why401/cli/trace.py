"""`why401 trace`: a request through a gateway's configuration, before there is a log line."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from collector.visible import visible
from why401 import redact

if TYPE_CHECKING:
    from why401.trace.prediction import Credential, Prediction

MAX_CREDENTIAL: Final = 1 << 20
STDIN: Final = "-"
NONE: Final = "none"


@click.command("trace")
@click.argument("request", metavar="'METHOD /path'")
@click.option(
    "--from",
    "sources",
    multiple=True,
    required=True,
    metavar="FILE|DIR|-",
    help="Configuration of a gateway. Several: the request passes their gateways in this order.",
)
@click.option(
    "--token",
    "held_in",
    metavar="FILE|-|none",
    help="File with the token, or with `Header: value`; - is standard input, none a request without one [only the way is shown].",
)
@click.option("--fetch", is_flag=True, help="Ask for the key sets that the files name, to check the signature.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per gateway.")
def command(request: str, sources: tuple[str, ...], held_in: str | None, fetch: bool, as_json: bool) -> None:
    """Walk a request through a gateway's configuration, and say at which step it would be refused, and why.

    Reads what `why401 init --from` reads. Exit status 0: nothing that the files say refuses it; 1: it would be refused; 2: a
    file cannot be read.

    \b
    why401 trace 'GET /payments' --token - --from envoy.yaml < token.txt
    why401 trace 'POST https://api.example.com/orders' --token none --from /etc/nginx/nginx.conf
    """  # noqa: D301  # \b is click's mark for "keep these lines"
    if STDIN in sources and held_in == STDIN:
        raise click.UsageError("--token - and --from - cannot both read standard input")
    from why401.expectations.inputs import read
    from why401.trace.prediction import predict
    from why401.trace.walked import asked

    wanted, credential = asked(request), _credential(held_in)
    found = read(sources)
    for error in found.unread:
        click.echo(f"not read: {visible(str(error))}", err=True)
    predictions = list(predict(found, wanted, credential, fetch=fetch))
    for one in predictions:
        if as_json:
            click.echo(_shown(json.dumps(_mapping(one))))
        else:
            _print(one)
    sys.exit(int(any(one.code not in ("", "ok") for one in predictions)))


def _credential(place: str | None) -> Credential:
    from why401.trace.prediction import credential

    if place is None or place == NONE:
        return credential(None if place is None else "")
    try:
        with sys.stdin.buffer if place == STDIN else Path(place).open("rb") as file:
            return credential(file.read(MAX_CREDENTIAL).decode("utf-8", "replace"))
    except OSError as error:
        raise click.ClickException(f"{place}: {error.strerror}") from None


def _print(one: Prediction) -> None:
    from why401.cli.printing import print_explanation

    click.secho(f"{_shown(one.file)}: {one.title}", bold=True)
    for number, (name, says, place) in enumerate(_rows(one), 1):
        click.echo(
            f"  {number} {name:<9} {_shown(says)}" + click.style(f"  {_shown(place)}" if place else "", dim=True)
        )
    for says in one.unknown:
        click.echo(f"  {click.style('not told', dim=True)}    {_shown(says)}")
    if one.verdict:
        print_explanation(one.verdict)
    else:
        click.echo()


def _rows(one: Prediction) -> Sequence[tuple[str, str, str]]:
    steps = [(step.name, step.says, str(step.place or "")) for step in one.walked.steps]
    return [*steps, ("answer", one.answer, "")]


def _mapping(one: Prediction) -> dict[str, Any]:
    steps = [{"step": step.name, "says": step.says, "place": str(step.place or "")} for step in one.walked.steps]
    told: dict[str, Any] = {
        "gateway": one.gateway,
        "file": one.file,
        "code": one.code or None,
        "answer": one.answer,
        "steps": steps,
    }
    if one.verdict and (diagnosis := one.verdict.diagnosis):
        told |= {
            "confidence": diagnosis.confidence,
            "title": diagnosis.title,
            "evidence": [each.says for each in diagnosis.evidence],
            "fix": [each.says for each in diagnosis.fix],
        }
    return {**told, "not_told": list(one.unknown)}


def _shown(text: str) -> str:
    return visible(redact(text))
