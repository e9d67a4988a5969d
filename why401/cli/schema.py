"""`why401 schema`: prints a JSON Schema, for editors and for programs that read or write events."""

from __future__ import annotations

from importlib.resources import files

import click


@click.command("schema")
@click.argument("name", type=click.Choice(["config", "event"]), metavar="config|event")
def command(name: str) -> None:
    """Print the JSON Schema of why401.toml or of the event on the event topic (draft 2020-12).

    \b
    why401 schema config > why401.schema.json    # and on top of why401.toml: #:schema why401.schema.json
    """  # noqa: D301  # \b is click's mark for "keep these lines"
    click.echo(files("why401").joinpath("schemas", f"{name}.json").read_text(encoding="utf-8"), nl=False)
