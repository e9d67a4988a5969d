"""`why401 problems`: list them, and resolve, mute, archive, assign, merge, split or note one, as on the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any, Final, TypeVar

import click

from collector.settings import Settings
from collector.settings.private import os_user
from collector.visible import visible
from why401.cli import moments, options

F = TypeVar("F", bound=Callable[..., Any])
TIMEOUT_S: Final = 60.0
_group: Callable[[F], F] = click.argument("group")
_note: Callable[[F], F] = click.option("--note", default="", help="Why; kept in the audit trail.")


@click.group("problems", invoke_without_command=True)
@options.config
@options.data_dir
@click.option("--all", "all_states", is_flag=True, help="Also those that are over, muted or archived.")
@click.pass_context
def command(ctx: click.Context, config_file: str | None, data_dir: str | None, all_states: bool) -> None:
    """List the problems of the last 24 hours, those with the most failures in the last hour first.

    The subcommands decide about one of them, by its group ID. Whoever may write to the store may decide; the name of the
    user who runs the command is kept with every decision.
    """
    ctx.obj = options.settings(config_file, data_dir=data_dir)
    if ctx.invoked_subcommand:
        return
    rows = _rows(ctx.obj, "problems", (all_states,))
    if not rows:
        click.echo("No problem in the last 24 hours.")
    for row in rows:
        who = f"  [{visible(row['assignee'])}]" if row["assignee"] else ""
        click.echo(
            f"{visible(row['group_id'])}  {row['state']:<10} since {row['since']:%d %b %H:%M}  {row['failures_60']:>7,}/h"
            f"  {row['users']:>6,} users  {visible(row['title'], 120)}{who}"
        )


@command.command("show")
@_group
@click.pass_obj
def show(settings: Settings, group: str) -> None:
    """Show what was decided about a problem, whether its users pass again, and its history."""
    from dashboard import life

    rows = _rows(settings, "problem", (group,))
    if not rows:
        raise click.ClickException(f"there is no group {group!r}")
    row, now = rows[0], datetime.now(UTC)
    click.echo(f"{visible(row['title'], 200)} ({visible(row['code'])}, {row['failures']:,} failures, {row['status']})")
    decided = life.decided(row, now) if row["author"] is not None else ""
    for sentence in filter(None, (decided, _recovery(row))):
        click.echo(f"  {sentence}")
    for entry in _rows(settings, "problem_notes", (group,)):
        said = life.entry(entry, group)
        note = f": {visible(entry['note'], 500)}" if entry["note"] else ""
        click.echo(f"  {entry['noted_at']:%Y-%m-%d %H:%M:%S}  {visible(entry['author'])}  {visible(said)}{note}")


@command.command("resolve")
@_group
@click.option(
    "--next-release", is_flag=True, help="Failures count again from the next gateway version or `why401 mark` on."
)
@_note
@click.pass_obj
def resolve(settings: Settings, group: str, next_release: bool, note: str) -> None:
    """Say that a problem is solved. If it fails again, it has regressed."""
    from analyzer.store.group_state import State

    _decide(settings, group, note=note, state=State.RESOLVED, next_release=next_release)


@command.command("reopen")
@_group
@_note
@click.pass_obj
def reopen(settings: Settings, group: str, note: str) -> None:
    """Take a problem up again that was resolved, muted or archived."""
    from analyzer.store.group_state import State

    _decide(settings, group, note=note, state=State.OPEN)


@command.command("mute")
@_group
@click.option("--until", help="30m, 8h, 2d, 1w, or a time like 2026-03-02T14:00Z [for good].")
@_note
@click.pass_obj
def mute(settings: Settings, group: str, until: str | None, note: str) -> None:
    """Do not call a problem urgent, for a time or for good."""
    from analyzer.store.group_state import State

    end = moments.later(until, datetime.now(UTC)) if until else None
    _decide(settings, group, note=note, state=State.MUTED, muted_until=end)


@command.command("archive")
@_group
@_note
@click.pass_obj
def archive(settings: Settings, group: str, note: str) -> None:
    """Take a problem out of every list, whatever it does."""
    from analyzer.store.group_state import State

    _decide(settings, group, note=note, state=State.ARCHIVED)


@command.command("assign")
@_group
@click.argument("who", default="")
@_note
@click.pass_obj
def assign(settings: Settings, group: str, who: str, note: str) -> None:
    """Say whose task a problem is; without WHO it is nobody's."""
    _decide(settings, group, note=note, assignee=who)


@command.command("note")
@_group
@click.argument("text")
@click.pass_obj
def note_(settings: Settings, group: str, text: str) -> None:
    """Keep a note with a problem."""
    _decide(settings, group, note=text)


@command.command("merge")
@_group
@click.argument("into")
@_note
@click.pass_obj
def merge(settings: Settings, group: str, into: str, note: str) -> None:
    """Show a problem as one with another; a state of that one is then for both."""
    if group == into:
        raise click.UsageError("a group cannot be merged into itself; `split` shows it by itself")
    _decide(settings, group, note=note, merged_into=into)


@command.command("split")
@_group
@_note
@click.pass_obj
def split(settings: Settings, group: str, note: str) -> None:
    """Always show a problem by itself: neither merged nor folded into an incident."""
    _decide(settings, group, note=note, merged_into=group)


@command.command("undo")
@_group
@click.pass_obj
def undo(settings: Settings, group: str) -> None:
    """Take back the latest decision about a problem; a second time does it again."""
    from analyzer.store import deciding

    click.echo(visible(_worded(lambda: deciding.undo(settings, group, os_user())).note))


def _decide(settings: Settings, group: str, **what: Any) -> None:
    from analyzer.store import deciding
    from analyzer.store.group_state import Decision

    made = _worded(lambda: deciding.decide(settings, Decision(group_id=group, author=os_user(), **what)))
    for group_id in made:
        click.echo(f"{visible(group_id)}: {visible(Decision(group_id=group_id, author='', **what).says or 'noted')}")


Made = TypeVar("Made")


def _worded(call: Callable[[], Made]) -> Made:
    try:
        return call()
    except ValueError as error:
        raise click.ClickException(visible(error)) from None


def _recovery(row: dict[str, Any]) -> str:
    from dashboard import life

    if row["users_known"] is None or not (row["status"] == "quiet" or row["state"] == "resolved"):
        return ""
    return life.recovered(
        {"users": row["users_known"], **{name: row[name] for name in ("passing", "failing", "unseen")}}
    )


def _rows(settings: Settings, name: str, params: Sequence[Any]) -> list[dict[str, Any]]:
    from analyzer.lake import connect_reader
    from analyzer.lake.query import run_query

    sql = files("why401").joinpath("queries", f"{name}.sql").read_text(encoding="utf-8")
    with closing(connect_reader(settings, memory_mib=settings.dashboard.memory_mib)) as con:
        return run_query(con, sql, params, timeout_s=TIMEOUT_S).dicts()
