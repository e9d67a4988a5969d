"""`why401 alerts`: send a test message, list what was said, and silence it for a time."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any, Final

import click

from collector.errors import ConfigurationError
from collector.settings import ALERT_RULES, Settings
from collector.settings.private import os_user
from collector.visible import visible
from why401.cli import moments, options

TIMEOUT_S: Final = 60.0
MAX_NOTE: Final = 500


@click.group("alerts", invoke_without_command=True)
@options.config
@options.data_dir
@click.pass_context
def command(ctx: click.Context, config_file: str | None, data_dir: str | None) -> None:
    """List alerts, send a test message, or silence alerts for a time.

    Alerts are sent by `why401 up` and `why401 analyze` to the channels of [alerts] urls.
    """
    ctx.obj = options.settings(config_file, data_dir=data_dir)
    if not ctx.invoked_subcommand:
        ctx.invoke(show, every=False)


@command.command("test")
@click.argument("channel", required=False)
@click.pass_obj
def test(settings: Settings, channel: str | None) -> None:
    """Send a test message to every channel, or to one. Exit status 1 when one did not take it."""
    from analyzer.alerts.channels import targets
    from analyzer.alerts.trial import trial

    found = [target for target in targets(settings) if channel in (None, target.name)]
    if not found:
        raise ConfigurationError("alerts.urls", channel, "expected a channel", file=settings.file)
    _need_apprise(settings)
    failed = False
    for name, why in trial(settings, found):
        click.secho(f"{name}: {why or 'sent'}", fg="red" if why else None)
        failed = failed or bool(why)
    if failed:
        raise SystemExit(1)


@command.command("list")
@click.option("--all", "every", is_flag=True, help="Also those that ended more than a day ago.")
@click.pass_obj
def show(settings: Settings, every: bool) -> None:
    """List alerts that fire or ended in the last 24 hours, and silences."""
    rows = _rows(settings, "alerts", [every])
    if not rows:
        click.echo("No alert in the last 24 hours.")
    for row in rows:
        ended = f" to {row['resolved_at']:%d %b %H:%M}" if row["resolved_at"] else ""
        told = f"sent to {', '.join(map(visible, row['sent_to']))}" if row["sent_to"] else "not sent"
        failures = f", {row['failures']} failed" if row["failures"] else ""
        click.echo(
            f"{row['alert_id']}  {row['state']:<8}  {row['severity']:<8}  {row['opened_at']:%d %b %H:%M}{ended}  "
            f"{row['title']}  [{told}{failures}]"
        )
    for row in _rows(settings, "silences", []):
        note = f": {visible(row['note'], MAX_NOTE)}" if row["note"] else ""
        click.echo(f"silent until {row['until']:%d %b %H:%M} UTC: {row['subject']}, by {visible(row['author'])}{note}")


@command.command("silence")
@click.argument("what")
@click.option("--until", default="2h", show_default=True, help="30m, 2h, 1d, or a time like 2026-03-02T14:00Z.")
@click.option("--end", is_flag=True, help="End the silence now.")
@click.option("--note", default="", help="Why; shown with the silence.")
@click.pass_obj
def silence(settings: Settings, what: str, until: str, end: bool, note: str) -> None:
    """Send nothing about WHAT for a time: a rule, the ID of an alert, or `all`.

    What fires when the silence ends is sent then. A single problem is better muted: why401 problems mute GROUP.
    """
    from analyzer.alerts import keeping
    from analyzer.alerts.ledger import EVERYTHING, Step

    if len(note) > MAX_NOTE:
        raise click.UsageError(f"expected a note of at most {MAX_NOTE} characters")
    now = datetime.now(UTC)
    ids = {row["alert_id"] for row in _rows(settings, "alerts", [True])}
    if what not in {EVERYTHING, *ALERT_RULES, *ids}:
        raise click.ClickException(
            f"{visible(what, 80)}: expected all, an alert's ID, or a rule: {', '.join(ALERT_RULES)}"
        )
    ends = now if end else moments.later(until, now)
    step = Step(alert_id="", noted_at=now, step="silenced", subject=what, until=ends, says=note, author=os_user())
    keeping.append(settings, now, lambda _: [step])
    click.echo(f"{what}: {'alerts are sent again' if end else f'silent until {ends:%Y-%m-%d %H:%M} UTC'}")


def _need_apprise(settings: Settings) -> None:
    from analyzer.alerts.channels import APPRISE, targets
    from why401.extras import need

    if any(target.kind == APPRISE for target in targets(settings)):
        need("alerts.urls", "alerts")


def _rows(settings: Settings, name: str, params: list[Any]) -> list[dict[str, Any]]:
    import duckdb

    from analyzer.lake import connect_reader
    from analyzer.lake.errors import OlderStore
    from analyzer.lake.query import run_query

    sql = files("why401").joinpath("queries", f"{name}.sql").read_text(encoding="utf-8")
    with closing(connect_reader(settings, memory_mib=settings.dashboard.memory_mib)) as con:
        try:
            return run_query(con, sql, params, timeout_s=TIMEOUT_S).dicts()
        except duckdb.CatalogException:  # a store that no writer of this version opened yet
            raise OlderStore from None
