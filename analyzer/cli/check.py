"""`why401 check`: is the configuration right, down to the key sets?"""

from __future__ import annotations

import click

from analyzer.cli import options
from collector.settings import Settings


@click.command("check")
@options.config
@click.option("--offline", is_flag=True, help="Do not fetch key sets over the network.")
def command(config_file: str | None, offline: bool) -> None:
    """Validate the configuration; errors name file, key, value and what would be right. Exit status 2 when it is wrong."""
    settings = options.settings(config_file)
    click.echo(f"{settings.file or 'defaults (no why401.toml here)'}: well formed")
    if not offline:
        _check_key_sets(settings)


def _check_key_sets(settings: Settings) -> None:
    from collector.telemetry import Telemetry
    from collector.verification import KeySets

    key_sets = KeySets(settings.issuers, settings.base, Telemetry())
    key_sets.load()
    for issuer in settings.issuers:
        keys = key_sets.of(issuer.issuer)
        if keys is None:
            click.echo(f"  {issuer.issuer}: no key set configured, signatures are not checked")
        elif keys.error:
            click.secho(
                f"  {issuer.issuer}: key set not reachable now ({keys.error}); it is tried again while running",
                fg="yellow",
            )
        else:
            click.echo(f"  {issuer.issuer}: {len(keys.keys)} keys ({', '.join(keys.kids) or 'without kid'})")
