"""`why401 snapshot`: the lake as one plain DuckDB file."""

from __future__ import annotations

import os
from pathlib import Path

import click

from why401.cli import options


@click.command("snapshot")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@options.config
@options.data_dir
def command(file: Path, config_file: str | None, data_dir: str | None) -> None:
    """Write all tables and views to FILE, a DuckDB file that opens without extensions. The writer may keep running."""
    from analyzer.lake import snapshot

    os.umask(0o077)
    settings = options.settings(config_file, data_dir=data_dir)
    snapshot(settings, file)
    click.echo(f"{file}: {file.stat().st_size / 1e6:.1f} MB")
