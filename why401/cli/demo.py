"""`why401 demo`: a real Envoy refuses real tokens."""

from __future__ import annotations

import sys

import click

from why401.extras import need


@click.command("demo")
@click.option("--seconds", type=float, help="Stop after this many seconds and print the summary [run until Ctrl-C].")
@click.option("--no-dashboard", is_flag=True, help="Do not start the dashboard.")
@click.option("--rate", default=60.0, show_default=True, help="Requests per second.")
def command(seconds: float | None, no_dashboard: bool, rate: float) -> None:
    """Start a real Envoy, why401 and the dashboard, send valid and broken tokens, and show why requests are refused.

    Press Ctrl-C to stop everything and print a summary.
    """
    need("why401 demo", "demo")
    from why401.demo.lifecycle import run_demo

    sys.exit(run_demo(seconds=seconds, dashboard=not no_dashboard, rate=rate, out=sys.stdout))
