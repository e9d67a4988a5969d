"""`why401 keys`: list the epochs of the pseudonym key, add one, destroy one."""

from __future__ import annotations

import click

from collector.errors import Why401Error
from collector.redaction import key_file
from collector.settings import Settings
from why401.cli import options


@click.group("keys", invoke_without_command=True)
@options.config
@options.data_dir
@click.pass_context
def command(ctx: click.Context, config_file: str | None, data_dir: str | None) -> None:
    """List the epochs of the pseudonym key with their dates; the keys themselves are never printed.

    Users are stored as HMAC-SHA-256 with the newest epoch's key. Pseudonyms of two epochs cannot be joined.
    """
    ctx.obj = options.settings(config_file, data_dir=data_dir)
    if ctx.invoked_subcommand:
        return
    epochs, _ = key_file.read(ctx.obj.pseudonym_key_path)
    for epoch in epochs:
        in_use = "  in use" if epoch is epochs[-1] else ""
        click.echo(f"epoch {epoch.number:<4} since {epoch.created or 'an unknown date'}{in_use}")


@command.command("rotate")
@click.pass_obj
def rotate(settings: Settings) -> None:
    """Start a new epoch with a new key. Running collectors use it from their next batch; older epochs are kept for `whois`."""
    fresh = key_file.rotate(settings.pseudonym_key_path)
    click.echo(f"epoch {fresh.number} is in use; to destroy an older one: why401 keys forget EPOCH")


@command.command("forget")
@click.argument("epoch", type=click.IntRange(min=1))
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@click.pass_obj
def forget(settings: Settings, epoch: int, yes: bool) -> None:
    """Destroy an epoch's key, so that its pseudonyms can never again be linked to a person (GDPR Art. 17)."""
    path = settings.pseudonym_key_path
    key_file.check_forgettable(path, epoch)
    click.echo(f"{_rows(settings, epoch)} of epoch {epoch} become unlinkable. Delete backups of {path} as well.")
    if not yes:
        click.confirm("Destroy the key? This cannot be undone.", abort=True)
    key_file.forget(path, epoch)
    click.echo(f"epoch {epoch} destroyed")


def _rows(settings: Settings, epoch: int) -> str:
    """How many stored rows carry pseudonyms of the epoch."""
    import duckdb

    from analyzer.lake import connect_reader, run_query

    try:
        con = connect_reader(settings, memory_mib=settings.dashboard.memory_mib)
        count = run_query(con, "SELECT count(*) FROM store.events WHERE key_epoch = ?", (epoch,), timeout_s=60).rows[0][
            0
        ]
    except (duckdb.Error, Why401Error) as error:
        return f"An unknown number of stored rows ({error})"
    return f"{count:,} stored row{'' if count == 1 else 's'}"
