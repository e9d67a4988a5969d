"""`why401 repair`: detaches the damaged files that `why401 doctor --lake` finds."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from why401.cli import options
from why401.cli.printing import counted

if TYPE_CHECKING:
    from analyzer.lake.damage import Damage


@click.command("repair")
@options.config
@options.data_dir
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def command(config_file: str | None, data_dir: str | None, yes: bool) -> None:
    """Detach damaged files from the lake, so that everything else can be read and maintained. Writers may keep running.

    The rows in these files are lost, if no backup has them. The files themselves are kept in DATA_DIR/damaged; objects on S3
    stay where they are for a day, then upkeep deletes them. Exit status 1 if a damaged file remains.
    """
    from analyzer.lake import damage
    from analyzer.store import repair

    settings = options.settings(config_file, data_dir=data_dir)
    found = damage.find(settings)
    if not found:
        click.echo("no damaged file found; nothing to repair")
        return
    for one in found:
        click.echo(told(one))
    needed = [one for one in found if one.table in repair.NEEDED]
    if len(needed) < len(found):
        if not yes:
            click.confirm(f"Detach {counted(len(found) - len(needed), 'file')}? The rows are then lost.", abort=True)
        click.echo(f"detached {counted(len(repair.detach(settings, found)), 'file')}")
    for one in needed:
        click.secho(
            f"not detached: {one.path} {repair.NEEDED[one.table]}. Restore a backup",
            fg="red",
            err=True,
        )
    sys.exit(1 if needed else 0)


def told(damage: Damage) -> str:
    """One damaged file in a sentence: which rows of which time."""
    span = ""
    if damage.since and damage.until:
        span = f" from {damage.since:%Y-%m-%d %H:%M:%S} to {damage.until:%Y-%m-%d %H:%M:%S} UTC"
    return f"{damage.table}: {counted(damage.rows, 'row')}{span} are hurt: {damage.path} {damage.why}"
