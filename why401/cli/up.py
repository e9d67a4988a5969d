"""`why401 up`: collector and analyzer in one process (embedded mode)."""

from __future__ import annotations

from typing import Any

import click

from collector.errors import ConfigurationError
from collector.settings import Settings
from why401 import process
from why401 import workers as side_by_side
from why401.cli import options


@click.command("up")
@options.config
@options.data_dir
@click.option(
    "--file", "files", multiple=True, help="Log file to read in addition (repeatable; - reads standard input)."
)
@click.option("--gateway", help="Gateway format of the files [detected per record].")
@click.option("--syslog", metavar="ADDRESS", help='Take syslog over UDP and TCP, such as "127.0.0.1:5514".')
@options.workers
@click.option("--no-follow", is_flag=True, help="Read the files only, up to their ends, and print a summary.")
def command(
    config_file: str | None,
    data_dir: str | None,
    files: tuple[str, ...],
    gateway: str | None,
    syslog: str | None,
    workers: int,
    no_follow: bool,
) -> None:
    """Run collector and analyzer in one process; Kafka is not required.

    Receives OTLP logs on 127.0.0.1:4317 (gRPC) and :4318 (HTTP), takes syslog where it is
    configured, reads the configured Kafka topics and files, and stores diagnosed refusals in the lake. Press Ctrl-C to shut down cleanly.

    \b
    zcat access.log.2.gz | why401 up --file - --no-follow      (old logs: read, stored, summed up)
    """  # noqa: D301  # \b is click's mark for "keep these lines"
    flags: dict[str, Any] = {
        "files__paths": list(files) or None,
        "files__gateway": gateway,
        "syslog__udp": syslog,
        "syslog__tcp": syslog,
    }
    if no_follow:
        flags |= {"files__follow": False, "otlp__grpc": "", "otlp__http": ""}
        flags |= {"syslog__udp": "", "syslog__tcp": "", "syslog__tls": ""}
        others = ("kafka__topics", "aws__s3", "aws__sqs", "aws__log_groups", "pubsub__subscriptions")
        flags |= {name: [] for name in others}
    settings = options.settings(config_file, data_dir=data_dir, **flags)
    process.start_process(settings)
    if settings.files.follow:
        side_by_side.run(_work, settings, workers)
    elif workers > 1:
        raise ConfigurationError("--workers", workers, "expected 1 with --no-follow: files are read by one process")
    else:  # a second start would read the files again
        _read_once(settings)


def _work(settings: Settings) -> None:
    from why401 import run

    run.up(settings, ready=(lambda: _say_ready(settings)) if settings.share.is_first else (lambda: None))


def _read_once(settings: Settings) -> None:
    from collector.sources.file import expect_readable
    from why401 import run
    from why401.tally import Tally

    expect_readable(settings.files.paths, settings.file)
    tally = Tally()
    run.up(settings, ready=lambda: _say_ready(settings), committed=tally.add)
    for line in tally.lines():
        click.echo(line)


def _say_ready(settings: Settings) -> None:
    syslog = settings.syslog
    doors = (
        ("OTLP/gRPC", settings.otlp.grpc),
        ("OTLP/HTTP", settings.otlp.http),
        ("syslog", ", ".join(f"{name} {at}" for name in ("udp", "tcp", "tls") if (at := getattr(syslog, name)))),
    )
    for name, address in doors:
        if address:
            click.echo(f"  {name:<10} {address}", err=True)
    if settings.kafka.topics:
        click.echo(
            f"  Kafka      {', '.join(settings.kafka.topics)} at {', '.join(settings.kafka.bootstrap)}", err=True
        )
    for address in (*settings.aws.s3, *settings.aws.sqs):
        click.echo(f"  S3         {address}", err=True)
    for group in settings.aws.log_groups:
        click.echo(f"  CloudWatch {group}", err=True)
    for subscription in settings.pubsub.subscriptions:
        click.echo(f"  Pub/Sub    {subscription}", err=True)
    for path in settings.files.paths:
        click.echo(f"  file       {path}", err=True)
    click.echo(
        f"  lake       {settings.data_path.resolve()}\nready; press Ctrl-C to stop. Start the dashboard with: why401 dashboard",
        err=True,
    )
