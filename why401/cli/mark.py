"""`why401 mark`: keep a change that logs do not show, such as a release."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from collector.visible import visible
from why401.cli import moments, options

MAX_TEXT = 200


@click.command("mark")
@click.argument("text")
@options.config
@options.data_dir
@click.option("--gateway", default="", help="Kind of the gateway that it is about [all].")
@click.option("--at", help="When it happened, like 2026-03-02T14:00Z [now].")
@click.option("--detail", default="", help="Further details.")
def command(
    text: str, config_file: str | None, data_dir: str | None, gateway: str, at: str | None, detail: str
) -> None:
    """Keep a change that logs do not show: a release, a migration, a switch.

    It is shown in every chart, can be the suspect change of a problem, and is a release for problems that were resolved
    in the next one. For a deployment's last step: why401 mark "shop 7.1"
    """
    from analyzer.store import deciding
    from analyzer.store.changes import Change, ChangeKind

    if not text or max(len(text), len(gateway), len(detail)) > MAX_TEXT:
        raise click.UsageError(f"expected 1 to {MAX_TEXT} characters")
    settings = options.settings(config_file, data_dir=data_dir)
    moment = moments.exact(at) if at else datetime.now(UTC)
    deciding.mark(settings, Change(at=moment, kind=ChangeKind.MARKED, subject=text, gateway=gateway, detail=detail))
    click.echo(f"marked {visible(text)} at {moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC")
