"""`why401 collect`: the distributed mode's left half."""

from __future__ import annotations

import click

from why401 import process
from why401.cli import options
from why401.run import collector_of, need_brokers, raw_sources, run


@click.command("collect")
@options.config
@options.data_dir
def command(config_file: str | None, data_dir: str | None) -> None:
    """Raw records in, safe events out to the Kafka topic `why401.events`. Run as many as you like."""
    settings = options.settings(config_file, data_dir=data_dir)
    process.start_process(settings)
    need_brokers(settings, "the brokers that take the events")
    from collector.joining.stage import Joining
    from collector.sinks.kafka import KafkaSink
    from collector.telemetry import Telemetry

    telemetry = Telemetry()
    with collector_of(settings, telemetry) as collector:
        sink = KafkaSink(settings.kafka, telemetry)
        run(
            settings,
            telemetry,
            raw_sources(settings, telemetry),
            Joining(collector, settings.joining, telemetry),
            sink,
        )
