"""`why401 lint`: faults of gateways' configurations, before a request fails."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any, Final

import click

from collector.visible import visible
from why401 import __version__, redact
from why401.cli.annotations import annotation
from why401.expectations.lint import ERROR, NOTE, RULES, WARNING, Fault, lint

LEVELS: Final = (ERROR, WARNING, NOTE)
_COLOURS: Final = {ERROR: "red", WARNING: "yellow", NOTE: "blue"}
_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
MAX_SHOWN: Final = 1_000


@click.command("lint")
@click.argument("files", nargs=-1, required=True, metavar="FILE|DIR|-…")
@click.option("--fetch", is_flag=True, help="Also ask the issuers in the files for their metadata and key sets.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "sarif", "github"]),
    default="text",
    help="Output [text]. github: annotations of its runner.",
)
@click.option("--fail-on", type=click.Choice(LEVELS), default=ERROR, help="Exit with 1 from this level on [error].")
def command(files: tuple[str, ...], fetch: bool, form: str, fail_on: str) -> None:
    """Find faults in gateways' configurations: issuers in two spellings, key sets that cannot serve, open routes and more.

    Reads what `why401 init --from` reads. Exit status 0: nothing of the level of --fail-on; 1: something; 2: a file cannot be read.
    """
    from why401.expectations.inputs import read
    from why401.expectations.issuer_facts import ask

    found = read(files)
    for error in found.unread:
        click.echo(f"not read: {visible(str(error))}", err=True)
    expectations = [one for document in found.documents for one in document.expectations]
    faults = lint(found, ask(expectations) if fetch else None)
    if form == "sarif":
        click.echo(json.dumps(sarif(faults), indent=2))
    elif form == "github":
        _annotate(faults)
    else:
        _print(faults, len(found.documents))
    sys.exit(int(any(LEVELS.index(fault.level) <= LEVELS.index(fail_on) for fault in faults)))


def _print(faults: tuple[Fault, ...], documents: int) -> None:
    for fault in faults[:MAX_SHOWN]:
        level = click.style(fault.level, fg=_COLOURS[fault.level])
        where = f"{fault.place.file}:{fault.place.line}" if fault.place.line else str(fault.place)
        click.echo(f"{_shown(where)}: {level}: {_shown(fault.says)} [{fault.rule}]")
    counts = ", ".join(f"{sum(fault.level == level for fault in faults)} {level}s" for level in LEVELS)
    click.echo(f"{documents} document{'' if documents == 1 else 's'}: {counts}")


def _annotate(faults: Iterable[Fault]) -> None:
    for fault in list(faults)[:MAX_SHOWN]:
        place = fault.place
        says = redact(fault.says) + (f" ({redact(place.path)})" if place.path and not place.line else "")
        click.echo(annotation(says, level=fault.level, file=redact(place.file), line=place.line, title=fault.rule))


def _shown(text: str) -> str:
    return visible(redact(text))


def sarif(faults: Iterable[Fault]) -> dict[str, Any]:
    """SARIF 2.1.0, as code scanning takes it."""
    rules = [{"id": name, "shortDescription": {"text": (rule.__doc__ or "").strip()}} for name, rule in RULES.items()]
    driver = {"name": "why401", "version": __version__, "rules": rules}
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": [_result(fault) for fault in list(faults)[:MAX_SHOWN]]}],
    }


def _result(fault: Fault) -> dict[str, Any]:
    physical = {
        "artifactLocation": {"uri": _shown(fault.place.file)},
        "region": {"startLine": max(fault.place.line, 1)},
    }
    logical = [{"fullyQualifiedName": _shown(fault.place.path)}] if fault.place.path else []
    return {
        "ruleId": fault.rule,
        "level": fault.level,
        "message": {"text": _shown(fault.says)},
        "locations": [{"physicalLocation": physical} | ({"logicalLocations": logical} if logical else {})],
    }
