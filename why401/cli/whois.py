"""`why401 whois`: which failure groups affect a user? The value is hashed, looked up, and never written anywhere."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from collector.redaction import key_file
from collector.redaction.pseudonyms import Pseudonyms
from collector.visible import visible
from why401.cli import options

if TYPE_CHECKING:
    from why401.whois import Membership


@click.command("whois")
@click.argument("kind", type=click.Choice(["user"]), default="user")
@click.argument("value", required=False)
@options.config
@options.data_dir
@click.option("--stdin", "from_stdin", is_flag=True, help="Read values from standard input, one per line.")
@click.option(
    "--issuer", "issuers", multiple=True, help="Also try this issuer, beside those configured and seen (repeatable)."
)
def command(
    kind: str,
    value: str | None,
    config_file: str | None,
    data_dir: str | None,
    from_stdin: bool,
    issuers: tuple[str, ...],
) -> None:
    """Show which failure groups affect a user (audited).

    VALUE is the content of the token's user claim (`sub`, unless configured otherwise). Leave it out to be prompted:
    other users of this machine can read command lines. The value is hashed under every epoch of the pseudonym key with
    every issuer. Each question is recorded in whois-audit.jsonl in the data directory before it is answered.
    """
    if value is not None and from_stdin:
        raise click.UsageError("use either VALUE or --stdin")
    settings = options.settings(config_file, data_dir=data_dir)
    epochs, _ = key_file.read(settings.pseudonym_key_path)
    from why401.whois import opened

    with opened(settings, [Pseudonyms(epoch.key, epoch.number) for epoch in epochs], issuers) as whois:
        for number, asked in enumerate(_values(value, from_stdin=from_stdin), 1):
            _print(whois.groups(kind, asked), f"{number}: " if from_stdin else "")


def _values(value: str | None, *, from_stdin: bool) -> Iterable[str]:
    if from_stdin:
        return (line.rstrip("\r\n") for line in sys.stdin if line.strip())
    return [value if value is not None else click.prompt("Value of the user claim", hide_input=True, err=True)]


def _print(answer: Iterable[Membership], prefix: str) -> None:
    rows = list(answer)
    if not rows:
        click.echo(f"{prefix}in no group")
    for row in rows:
        state = f" ({row.state})" if row.state else ""
        click.echo(f"{prefix}{row.group_id}  {_counted(row)}  {visible(row.title)}{state}".rstrip())


def _counted(row: Membership) -> str:
    if row.failures is None:
        return "events past their retention"
    times = "once" if row.failures == 1 else f"{row.failures:,} times"
    return f"{times} since {row.since:%Y-%m-%d %H:%M:%S %Z}"
