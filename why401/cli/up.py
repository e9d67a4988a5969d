"""`why401 up`: embedded mode."""

from __future__ import annotations

import click

from collector.settings import Settings
from why401 import process
from why401.cli import options


@click.command("up")
@options.config
@options.data_dir
@click.option("--file", "files", multiple=True, help="Also read this log file (repeatable; - is standard input).")
@click.option("--gateway", help="Format of the files' records; empty: detected.")
@click.option("--no-follow", is_flag=True, help="Stop at the files' end.")
def command(
    config_file: str | None, data_dir: str | None, files: tuple[str, ...], gateway: str | None, no_follow: bool
) -> None:
    """Collector and analyzer in one process, no Kafka needed.

    Receives OTLP logs on 127.0.0.1:4317 (gRPC) and :4318 (HTTP), reads the Kafka topics and files of the
    configuration, and stores what it learns in the lake. Ctrl-C stops it in order.
    """
    flags = {
        "files__paths": list(files) or None,
        "files__gateway": gateway,
        "files__follow": False if no_follow else None,
    }
    settings = options.settings(config_file, data_dir=data_dir, **flags)
    process.start_process(settings)
    from why401 import run

    run.up(settings, ready=lambda: _say_ready(settings))


def _say_ready(settings: Settings) -> None:
    for name, address in (("OTLP/gRPC", settings.otlp.grpc), ("OTLP/HTTP", settings.otlp.http)):
        if address:
            click.echo(f"  {name:<10} {address}", err=True)
    if settings.kafka.topics:
        click.echo(
            f"  Kafka      {', '.join(settings.kafka.topics)} at {', '.join(settings.kafka.bootstrap)}", err=True
        )
    for path in settings.files.paths:
        click.echo(f"  file       {path}", err=True)
    click.echo(
        f"  lake       {settings.data_path.resolve()}\nready; Ctrl-C stops. The page: why401 dashboard", err=True
    )
