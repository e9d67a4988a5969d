"""`why401 analyze`: the analyzer of the distributed mode."""

from __future__ import annotations

import click

from collector.settings import Settings
from why401 import process
from why401.cli import options
from why401.restarting import supervised


@click.command("analyze")
@options.config
@options.data_dir
def command(config_file: str | None, data_dir: str | None) -> None:
    """Read events from Kafka, diagnose and group them, and write the lake.

    With a PostgreSQL catalog you can run any number of analyzers.
    """
    settings = options.settings(config_file, data_dir=data_dir)
    process.start_process(settings)
    supervised(lambda: _work(settings))


def _work(settings: Settings) -> None:
    from why401 import run

    run.analyze(settings)
