"""`why401 analyze`: the distributed mode's right half."""

from __future__ import annotations

import click

from why401 import process
from why401.cli import options
from why401.run import event_source, event_stage, need_brokers, run


@click.command("analyze")
@options.config
@options.data_dir
def command(config_file: str | None, data_dir: str | None) -> None:
    """Events in from Kafka, diagnosed and grouped into the lake. Run as many as you like with a PostgreSQL catalog."""
    settings = options.settings(config_file, data_dir=data_dir)
    process.start_process(settings)
    need_brokers(settings, "the brokers that hold the events")
    from analyzer.store import open_store
    from analyzer.store.sink import StoreSink
    from collector.telemetry import Telemetry

    telemetry = Telemetry()
    sink = StoreSink(settings, open_store(settings, telemetry), telemetry)
    run(settings, telemetry, [event_source(settings, telemetry)], event_stage(telemetry), sink)
