"""`why401 recipe`: what to paste into a gateway's configuration, and what to run then. The pages of docs/gateways."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import click

from why401.expectations.readers import READERS

PAGES: Final = (
    Path(__file__).parent.parent / "recipes"
)  # a link to docs/gateways in the repository, files in the package
_COMMENT: Final = re.compile(r"<!--.*?-->\n?", re.DOTALL)
_LABEL: Final = re.compile(r"(?m)^(```\w+) \S+$")  # the second word behind a fence is for the tests
_SAME_AS: Final = {
    "httpd": "apache",
    "spring-cloud-gateway": "spring",
    "nginx-plus": "nginx",
    "nginx-oss": "nginx",
    "openresty": "nginx",
}


@click.command("recipe")
@click.argument(
    "name",
    required=False,
    metavar="[GATEWAY]",
    shell_complete=lambda _ctx, _param, typed: [one for one in recipes() if one.startswith(typed)],
)
def command(name: str | None) -> None:
    """Print the lines to paste into a gateway's configuration, the commands to run, and what why401 can tell then.

    Without GATEWAY, list the gateways that have a recipe.
    """
    if name is None:
        click.echo("\n".join(f"{one:<20} {_title(one)}" for one in recipes()))
        return
    page = PAGES / f"{_SAME_AS.get(name, name)}.md"
    if page.stem not in recipes():
        raise click.ClickException(_unknown(name))
    click.echo(text(page), nl=False)


def recipes() -> tuple[str, ...]:
    """The gateways that have one.

    >>> "nginx" in recipes()
    True
    """
    return tuple(sorted(path.stem for path in PAGES.glob("*.md")))


def text(page: Path) -> str:
    """A page as a person reads it in a terminal."""
    return _LABEL.sub(r"\1", _COMMENT.sub("", page.read_text(encoding="utf-8")))


def _title(name: str) -> str:
    return (PAGES / f"{name}.md").read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")


def _unknown(name: str) -> str:
    known = ", ".join(recipes())
    is_read = any(reader.gateway == name for reader in READERS)
    hint = "; its configuration is read by `why401 init --from`" if is_read else ""
    return f"no recipe for {name!r}{hint}. There are recipes for {known}. docs/gateways.md says what is read of every gateway and what to log"
