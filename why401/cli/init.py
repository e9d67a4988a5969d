"""`why401 init`: a commented configuration, written from the settings table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import click

from collector.settings import Entry, entries

EXAMPLES: Final[dict[str, dict[str, Any]]] = {
    "issuers[]": {"issuer": "https://idp.example.com/", "audiences": ["orders-api"], "jwks": "discovery"},
    "formats[]": {
        "name": "my-gateway",
        "match": {"service": "edge"},
        "status": "http.status",
        "authorization": "http.auth",
    },
}


@click.command("init")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), default="why401.toml")
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
def command(file: Path, force: bool) -> None:
    """Create a why401.toml with every setting, commented out, with its default and a description."""
    if file.exists() and not force:
        raise click.ClickException(f"{file} already exists; use --force to overwrite it")
    file.write_text(document(), encoding="utf-8")
    click.echo(f"Created {file}. Set [[issuers]] to what your gateways expect, then run `why401 check`.")


def document() -> str:
    """The whole file; every line but the section names is a comment, so it is valid without changes."""
    head = "# why401: every setting with its default. To change a setting, remove the # in front of it.\n"
    head += "# Environment variables override this file: WHY401_STORE_CATALOG sets [store] catalog.\n"
    return head + "".join(_section(name, list(group)) for name, group in groupby(entries(), key=lambda e: e.section))


def _section(name: str, rows: list[Entry]) -> str:
    return "".join(_lines(name, rows)) + "\n"


def _lines(name: str, rows: list[Entry]) -> Iterator[str]:
    if name.endswith("[]"):
        yield f"\n# [[{name[:-2]}]]\n"
    elif name:
        yield f"\n[{name}]\n"
    for row in rows:
        value = EXAMPLES.get(name, {}).get(row.name, row.default)
        yield f"# {row.name} = {_toml(value):<28} # {row.help}\n"


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return (
            "{ " + ", ".join(f"{json.dumps(k)} = {json.dumps(v)}" for k, v in value.items()) + " }" if value else "{}"
        )
    if isinstance(value, tuple):
        return json.dumps(list(value))
    return '""' if value is None else json.dumps(value)
