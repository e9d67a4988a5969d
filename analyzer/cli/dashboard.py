"""`why401 dashboard`: Streamlit as a process of its own, started by path."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from analyzer.cli import options


@click.command("dashboard")
@options.config
@options.data_dir
@click.option("--address", help="host:port [dashboard.address].")
def command(config_file: str | None, data_dir: str | None, address: str | None) -> None:
    """Serve the page. It only reads; run it beside `why401 up` or anywhere that reaches the lake."""
    settings = options.settings(config_file, data_dir=data_dir, dashboard__address=address)
    from dashboard.config import streamlit_flags

    app = Path(__file__).parents[2] / "dashboard" / "app.py"
    environment = {**os.environ, "WHY401_DATA_DIR": str(settings.data_path.resolve())}
    if config_file:
        environment["WHY401_CONFIG"] = str(Path(config_file).resolve())
    click.echo(f"the page: http://{settings.dashboard.address}", err=True)
    arguments = [sys.executable, "-m", "streamlit", "run", str(app), *streamlit_flags(settings)]
    sys.stderr.flush()
    os.execve(sys.executable, arguments, environment)  # noqa: S606  # one process: a signal reaches Streamlit itself
