"""`why401 dashboard`: Streamlit in this process, started by path."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import click

from why401.cli import options
from why401.extras import need


@click.command("dashboard")
@options.config
@options.data_dir
@click.option("--address", help="Listen on host:port [dashboard.address].")
def command(config_file: str | None, data_dir: str | None, address: str | None) -> None:
    """Serve the dashboard. It only reads: run it beside `why401 up`, or on any machine that can reach the lake."""
    settings = options.settings(config_file, data_dir=data_dir, dashboard__address=address)
    need("why401 dashboard", "dashboard")
    from dashboard import config, login

    login.check(settings)
    app = Path(__file__).parents[2] / "dashboard" / "served.py"
    os.environ["WHY401_DATA_DIR"] = str(settings.data_path.resolve())
    if config_file:
        os.environ["WHY401_CONFIG"] = str(Path(config_file).resolve())
    click.echo(f"dashboard: http://{settings.dashboard.address}", err=True)
    from streamlit.web.cli import main as streamlit

    os.umask(0o077)
    # uvicorn ends in order and then sends itself the signal again: the file below must go with the process.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with login.streamlit_flags(settings.dashboard.login) as secrets:
        arguments = ["run", str(app), *config.streamlit_flags(settings), *secrets]
        # In this process: a signal reaches Streamlit itself.
        streamlit(arguments, prog_name="streamlit", standalone_mode=False)
