"""`why401 check`: validates the configuration, including listeners and key sets."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence

import click

from collector.errors import ConfigurationError, Why401Error
from collector.settings import KafkaSettings, Settings
from collector.settings.checks import is_loopback
from why401.cli import options


@click.command("check")
@options.config
@click.option("--offline", is_flag=True, help="Do not fetch key sets from the network.")
def command(config_file: str | None, offline: bool) -> None:
    """Validate the configuration and show how each listener is protected.

    All mistakes are reported, each with the file, the key, the value and what is expected. Exit status 2 if the configuration is invalid.
    """
    settings = options.settings(config_file)
    wrong = list(_wrong(settings, () if offline else (_check_key_sets, _reach_clouds)))
    for error in wrong:
        click.secho(f"why401: {error}", fg="red", err=True)
    if wrong:
        sys.exit(2)
    click.echo(f"{settings.file or 'defaults (no why401.toml in this folder)'}: valid")


def _wrong(settings: Settings, more: Sequence[Callable[[Settings], None]]) -> Iterator[Why401Error]:
    """What cannot be used, of every part: nobody is to come back for each."""
    for check in (_check_doors, _check_clouds, _check_knowledge, _check_alerts, _check_export, *more):
        try:
            check(settings)
        except Why401Error as error:
            yield error


def _check_doors(settings: Settings) -> None:
    """What listens where, and how it is protected. Raises ConfigurationError for what cannot start."""
    from collector.sources.otlp.door import Door
    from collector.sources.syslog.networks import Senders
    from collector.telemetry import Telemetry
    from dashboard import login

    door = Door(settings.otlp, Telemetry(), base=settings.base, insecure=settings.insecure)
    for key, address in (("otlp.grpc", settings.otlp.grpc), ("otlp.http", settings.otlp.http)):
        if address:
            door.address(key, address)
            _door(key, address, door.describe())
    senders = Senders(settings.syslog, Telemetry(), base=settings.base, insecure=settings.insecure)
    for name, _, _ in senders.addresses():
        _door(f"syslog.{name}", getattr(settings.syslog, name), senders.describe(name))
    login.check(settings)
    _door("dashboard", settings.dashboard.address, login.describe(settings))
    if settings.telemetry.prometheus:
        _door("prometheus", settings.telemetry.prometheus, "metrics only, no authentication")
    if settings.kafka.bootstrap:
        _check_kafka(settings.kafka)


def _check_kafka(kafka: KafkaSettings) -> None:
    from collector.sources.kafka import refusals

    refusals.check(kafka)
    as_whom = f", {kafka.sasl_mechanism} as {kafka.sasl_username}" if kafka.sasl_mechanism else ""
    _door("kafka", ", ".join(kafka.bootstrap), kafka.security_protocol + as_whom)


def _check_clouds(settings: Settings) -> None:
    """What is read from clouds. Raises ExtraMissing."""
    from why401.extras import need

    aws, pubsub = settings.aws, settings.pubsub
    if aws.s3 or aws.sqs or aws.log_groups:
        need("aws.s3, aws.sqs, aws.log_groups", "aws")
        _door("aws", ", ".join((*aws.s3, *aws.sqs, *aws.log_groups)), "credentials as boto3 finds them")
    if pubsub.subscriptions:
        need("pubsub.subscriptions", "google")
        _door("pubsub", ", ".join(pubsub.subscriptions), "application default credentials")


def _reach_clouds(settings: Settings) -> None:
    """Each of AWS's is asked for once: what the credentials may not read is better known now."""
    if not (settings.aws.s3 or settings.aws.sqs or settings.aws.log_groups):
        return
    from collector.sources.aws.clients import reached

    for what, trouble in reached(settings.aws):
        if trouble:
            click.secho(f"  {what}: cannot be read ({trouble}); why401 retries while it runs", fg="yellow")
        else:
            click.echo(f"  {what}: can be read")


def _door(name: str, address: str, how: str) -> None:
    host = address.rpartition(":")[0]
    where = ", loopback" if is_loopback(host) else ""
    exposed = not where and "no " in how
    click.secho(f"  {name:<10} {address}{where}: {how}", fg="yellow" if exposed else None)


def _check_knowledge(settings: Settings) -> None:
    """Checks the message signatures of the user. Raises KnowledgeError, which names the file and the entry."""
    from analyzer.knowledge.user_files import knowledge

    knowledge(settings.knowledge_files)  # all together first: an id may occur only once
    for path in settings.knowledge_files:
        own = len(knowledge([path]).signatures) - len(knowledge().signatures)
        click.echo(
            f"  knowledge  {path}: {own} message signature{'' if own == 1 else 's'}, verified with their examples"
        )


def _check_alerts(settings: Settings) -> None:
    """The channels of alerts by name; their URLs hold secrets. Raises ConfigurationError, ExtraMissing."""
    from analyzer.alerts.channels import APPRISE, misread, targets
    from why401.extras import need

    found = targets(settings)
    if any(target.kind == APPRISE for target in found):
        need("alerts.urls", "alerts")
    for target in found:
        if misread(target):
            right = "expected a URL that apprise knows"
            raise ConfigurationError("alerts.urls", f"the URL of {target.name}", right, file=settings.file)
        only = ", critical alerts only" if target.only_critical else ""
        click.echo(f"  alerts     {target.name}: {target.kind}{only}")
    if found:
        click.echo(f"  alerts     about {', '.join(settings.alerts.rules) or 'nothing'}; try `why401 alerts test`")


def _check_export(settings: Settings) -> None:
    """Where failures go. Raises ConfigurationError for a destination that cannot be used, ExtraMissing."""
    from collector.telemetry import Telemetry
    from why401.outputs.leaving import FORMATS, outlets

    outlets(settings, Telemetry())
    for name in FORMATS:
        if where := getattr(settings.export, name):
            click.echo(f"  export     each failure as {name.upper()} to {where}")


def _check_key_sets(settings: Settings) -> None:
    from collector.telemetry import Telemetry
    from collector.token.verification import KeySets

    key_sets = KeySets(settings.issuers, settings.base, Telemetry())
    key_sets.load()
    for issuer in settings.issuers:
        keys = key_sets.of(issuer.issuer)
        if keys is None:
            click.echo(f"  {issuer.issuer}: no key set configured; signatures are not checked")
        elif keys.error:
            click.secho(
                f"  {issuer.issuer}: key set unreachable ({keys.error}); why401 retries while it runs",
                fg="yellow",
            )
        else:
            click.echo(
                f"  {issuer.issuer}: {len(keys.keys)} key{'' if len(keys.keys) == 1 else 's'} ({', '.join(keys.kids) or 'no kid'})"
            )
