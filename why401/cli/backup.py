"""`why401 backup`: one moment of the lake, in a folder or on S3, read back and compared."""

from __future__ import annotations

import click

from why401.cli import options
from why401.cli.printing import counted


@click.command("backup")
@click.argument("target", metavar="DIR|s3://…")
@options.config
@options.data_dir
def command(target: str, config_file: str | None, data_dir: str | None) -> None:
    """Copy the lake as of now to DIR, a new folder, or to a new prefix on S3. Writers may keep running.

    A backup has all tables of one moment, with the Kafka positions of that moment, whatever the kind of catalog. The pseudonym
    keys are not in it: who has both can look users up, and a key that is forgotten must not come back. Keep a copy of the key file
    elsewhere. For S3, the credentials are those of [store] s3_*.
    """
    from analyzer.store.backup import backup

    settings = options.settings(config_file, data_dir=data_dir)
    made = backup(settings, target, lambda words: click.echo(words, err=True))
    click.echo(
        f"{target}: {counted(made.tables['events'].rows, 'event')} in {counted(len(made.files), 'file')}, {made.size / 1e6:.1f} MB, as of "
        f"{made.made_at:%Y-%m-%d %H:%M:%S} UTC (snapshot {made.snapshot}); every file was read back"
    )
    if made.key_epochs:
        click.echo(f"not in it: {settings.pseudonym_key_path}, without which users cannot be looked up")
