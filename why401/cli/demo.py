"""`why401 demo`: a real Envoy refuses real tokens."""

from __future__ import annotations

import sys

import click

from why401.extras import need


@click.command("demo")
@click.option("--seconds", type=float, help="End by itself after this long, with the summary as last lines.")
@click.option("--no-dashboard", is_flag=True, help="Do not serve the page.")
@click.option("--rate", default=60.0, show_default=True, help="Requests per second.")
def command(seconds: float | None, no_dashboard: bool, rate: float) -> None:
    """Start a real Envoy, why401 and the page, drive good and broken tokens through, show why they are refused.

    Ctrl-C stops everything and prints what was found.
    """
    need("why401 demo", "demo")
    from why401.demo.run import run_demo

    sys.exit(run_demo(seconds=seconds, dashboard=not no_dashboard, rate=rate, out=sys.stdout))
