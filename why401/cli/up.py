"""`why401 up`: collector and analyzer in one process (embedded mode)."""

from __future__ import annotations

import click

from collector.settings import Settings
from why401 import process
from why401.cli import options
from why401.restarting import supervised


@click.command("up")
@options.config
@options.data_dir
@click.option(
    "--file", "files", multiple=True, help="Log file to read in addition (repeatable; - reads standard input)."
)
@click.option("--gateway", help="Gateway format of the files [detected per record].")
@click.option("--no-follow", is_flag=True, help="Stop at the end of the files.")
def command(
    config_file: str | None, data_dir: str | None, files: tuple[str, ...], gateway: str | None, no_follow: bool
) -> None:
    """Run collector and analyzer in one process; Kafka is not required.

    Receives OTLP logs on 127.0.0.1:4317 (gRPC) and :4318 (HTTP), reads the configured Kafka topics and files,
    and stores diagnosed refusals in the lake. Press Ctrl-C to shut down cleanly.
    """
    flags = {
        "files__paths": list(files) or None,
        "files__gateway": gateway,
        "files__follow": False if no_follow else None,
    }
    settings = options.settings(config_file, data_dir=data_dir, **flags)
    process.start_process(settings)
    if settings.files.follow:
        supervised(lambda: _work(settings))
    else:  # a second start would read the files again
        _work(settings)


def _work(settings: Settings) -> None:
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
        f"  lake       {settings.data_path.resolve()}\nready; press Ctrl-C to stop. Start the dashboard with: why401 dashboard",
        err=True,
    )
