"""`why401 restore`: a lake from a backup, where there is none."""

from __future__ import annotations

import click

from collector.errors import ConfigurationError
from collector.redaction import key_file
from collector.settings import Settings
from why401.cli import options
from why401.cli.printing import counted


@click.command("restore")
@click.argument("source", metavar="DIR|s3://…")
@options.config
@options.data_dir
@click.option("--check", "only_check", is_flag=True, help="Read the backup whole and compare it; restore nothing.")
def command(source: str, config_file: str | None, data_dir: str | None, *, only_check: bool) -> None:
    """Make the lake of the configuration from a backup. There must be none yet: nothing is overwritten.

    The catalog may be of the other kind, and the data elsewhere. Kafka is read on from the positions in the backup, so each
    record after it is stored once, if the topic still has it.
    """
    from analyzer.store import restore

    settings = options.settings(config_file, data_dir=data_dir)
    made = (restore.check if only_check else restore.restore)(settings, source)
    done = "is whole" if only_check else "was restored"
    click.echo(
        f"{source} {done}: {counted(made.tables['events'].rows, 'event')}, {made.size / 1e6:.1f} MB, as of "
        f"{made.made_at:%Y-%m-%d %H:%M:%S} UTC (snapshot {made.snapshot})"
    )
    if missing := _lost_epochs(settings, made.key_epochs):
        epochs = f"epoch{'' if len(missing) == 1 else 's'} {', '.join(map(str, missing))}"
        click.echo(f"users of {epochs} cannot be looked up: {settings.pseudonym_key_path} has no key of theirs")


def _lost_epochs(settings: Settings, stored: tuple[int, ...]) -> list[int]:
    """Epochs under which users are stored and whose keys are not here. A new key begins after them."""
    try:
        epochs, _ = key_file.read(settings.pseudonym_key_path)
    except ConfigurationError:
        return list(stored)
    return sorted(set(stored) - {epoch.number for epoch in epochs})
