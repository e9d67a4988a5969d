"""`why401 demo`: real Envoys refuse real tokens, for reasons that one knows."""

from __future__ import annotations

import sys

import click

from why401.cli import options
from why401.extras import need


@click.command("demo")
@click.option(
    "--seconds", type=options.POSITIVE, help="Stop after this many seconds and print the summary [run until Ctrl-C]."
)
@click.option("--no-dashboard", is_flag=True, help="Do not start the dashboard.")
@click.option("--all-faults", is_flag=True, help="Drive every kind of fault at once, and compare found with made.")
@click.option("--rate", type=options.POSITIVE, default=60.0, show_default=True, help="Requests per second.")
def command(seconds: float | None, no_dashboard: bool, all_faults: bool, rate: float) -> None:
    """Live through a working day: real Envoys, why401 and the dashboard after a normal week, and what breaks one after the other.

    The terminal says what was just broken; page and alert say what why401 makes of it. Press Ctrl-C to stop everything
    and print a summary.
    """
    need("why401 demo", "demo")
    from why401.demo.lifecycle import run_demo

    sys.exit(run_demo(seconds=seconds, dashboard=not no_dashboard, rate=rate, all_faults=all_faults, out=sys.stdout))
