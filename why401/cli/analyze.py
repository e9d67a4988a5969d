"""`why401 analyze`: the analyzer of the distributed mode."""

from __future__ import annotations

import click

from collector.settings import Settings
from why401 import process
from why401 import workers as side_by_side
from why401.cli import options


@click.command("analyze")
@options.config
@options.data_dir
@options.workers
def command(config_file: str | None, data_dir: str | None, workers: int) -> None:
    """Read events from Kafka, diagnose and group them, and write the lake.

    With a PostgreSQL catalog you can run any number of analyzers.
    """
    settings = options.settings(config_file, data_dir=data_dir)
    process.start_process(settings)
    side_by_side.run(_work, settings, workers, takes_raw=False)


def _work(settings: Settings) -> None:
    from why401 import run

    run.analyze(settings)
