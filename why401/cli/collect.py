"""`why401 collect`: the collector of the distributed mode."""

from __future__ import annotations

import click

from collector.settings import Settings
from why401 import process
from why401 import workers as side_by_side
from why401.cli import options


@click.command("collect")
@options.config
@options.data_dir
@options.workers
def command(config_file: str | None, data_dir: str | None, workers: int) -> None:
    """Read raw records and write redacted events to the Kafka topic `why401.events`.

    Run any number of collectors; Kafka distributes the partitions among them.
    """
    settings = options.settings(config_file, data_dir=data_dir)
    process.start_process(settings)
    side_by_side.run(_work, settings, workers)


def _work(settings: Settings) -> None:
    from why401 import run

    run.collect(settings)
