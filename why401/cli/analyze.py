"""`why401 analyze`: the distributed mode's right half."""

from __future__ import annotations

import click

from why401 import process
from why401.cli import options


@click.command("analyze")
@options.config
@options.data_dir
def command(config_file: str | None, data_dir: str | None) -> None:
    """Events in from Kafka, diagnosed and grouped into the lake. Run as many as you like with a PostgreSQL catalog."""
    settings = options.settings(config_file, data_dir=data_dir)
    process.start_process(settings)
    from why401 import run

    run.analyze(settings)
