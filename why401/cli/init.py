"""`why401 init`: a commented configuration, written from the settings table, and from what the gateways' own configurations tell."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from collector.settings import Entry, entries
from collector.visible import visible

if TYPE_CHECKING:
    from why401.expectations.inputs import Found

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
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path), default="why401.toml")
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@click.option(
    "--from",
    "sources",
    multiple=True,
    metavar="FILE|DIR|-",
    help="Configuration of a gateway: write what it expects of tokens into [[issuers]]. May be given several times.",
)
def command(file: Path, force: bool, sources: tuple[str, ...]) -> None:
    """Create a why401.toml with every setting, commented out, with its default and a description.

    With --from, [[issuers]] is filled in from the gateways' own configurations, with a comment that says where each value
    comes from. Secrets are not copied and nothing is fetched. FILE "-" prints to standard output.
    """
    is_printed = str(file) == "-"
    if not is_printed and file.exists() and not force:
        raise click.ClickException(f"{file} already exists; use --force to overwrite it")
    found = _found(sources) if sources else None
    text = document() + (_issuers(found) if found else "")
    if is_printed:
        click.echo(text, nl=False)
    else:
        file.write_text(text, encoding="utf-8")
    click.echo(_summary(file, found), err=is_printed)


def _found(sources: tuple[str, ...]) -> Found:
    """What the gateways' configurations tell. Raises Unreadable."""
    from why401.expectations.formats import Unreadable
    from why401.expectations.inputs import read

    found = read(sources)
    for error in found.unread:
        click.echo(f"not read: {visible(str(error))}", err=True)
    if not found.documents:
        raise Unreadable(", ".join(sources), "no configuration of a gateway in it")
    return found


def _issuers(found: Found) -> str:
    from why401 import redact
    from why401.expectations.toml_text import issuers_text

    return (
        "\n\n# What the gateways' configurations say. The comment behind a value is where it stands.\n"
        + issuers_text(found, redact)
    )


def _summary(file: Path, found: Found | None) -> str:
    created = "Printed a configuration" if str(file) == "-" else f"Created {file}"
    if found is None:
        return f"{created}. Set [[issuers]] to what your gateways expect, then run `why401 check`."
    from why401.expectations.joined import entries

    written = entries(found.documents)
    issuers = sum(1 for entry in written if entry.issuer)
    titles = ", ".join(dict.fromkeys(document.title for document in found.documents))
    what = f"{issuers} [[issuers]] entr{'y' if issuers == 1 else 'ies'} from {titles}"
    return f"{created} with {what}. Read its comments, then run `why401 check`."


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
