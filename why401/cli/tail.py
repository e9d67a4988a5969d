"""`why401 tail`: refusals as they are stored."""

from __future__ import annotations

import time
from contextlib import closing
from importlib.resources import files
from typing import Final

import click
import orjson

from collector.visible import visible, visible_json
from why401.cli import options
from why401.cli.printing import COLOURS

PAUSE_S: Final = 0.5
MAX_ROUNDS: Final = (
    600  # of one connection: DuckLake keeps every snapshot that it planned with until its database is closed
)


@click.command("tail")
@options.config
@options.data_dir
@click.option(
    "-n", "count", type=click.IntRange(0), default=10, show_default=True, help="Start with the last N refusals."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per refusal.")
@click.option("--no-follow", is_flag=True, help="Print and exit.")
def command(config_file: str | None, data_dir: str | None, count: int, as_json: bool, no_follow: bool) -> None:
    """Print refusals with their causes, newest last; follow until Ctrl-C."""
    from analyzer.lake import connect_reader
    from analyzer.lake.query import run_query

    settings = options.settings(config_file, data_dir=data_dir)
    query = files("why401").joinpath("queries", "tail.sql").read_text(encoding="utf-8")
    since, limit = "epoch", count
    while True:
        with closing(connect_reader(settings, memory_mib=settings.dashboard.memory_mib)) as con:
            for _ in range(MAX_ROUNDS):
                rows = run_query(con, query, (since, limit)).dicts()
                for row in rows:
                    _print(row, as_json=as_json)
                if no_follow:
                    return
                since, limit = (str(rows[-1]["observed_time"]) if rows else since), 10_000
                time.sleep(PAUSE_S)


def _print(row: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        click.echo(visible_json(orjson.dumps(row, default=str)))
        return
    at = str(row["event_time"])[11:19]
    code = click.style(f"{visible(row['code']):<22}", fg=COLOURS.get(str(row["cause"]), "white"))
    says = visible(row["says"] or row["title"])
    where = f"{visible(row['gateway']):<10} {visible(row['method'])} {visible(row['route'])}"
    click.echo(f"{at}  {code} {row['status']:<4} {where}  {says}")
