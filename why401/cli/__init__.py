"""The `why401` command: the only composition root. One command per file; COMMANDS is the table of contents."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Final

import click

from collector.errors import Why401Error

# Name -> module that holds `command`; imported when asked for, so that `why401 --help` does not load duckdb and grpc.
COMMANDS: Final[dict[str, str]] = {
    "demo": "A real Envoy refuses real tokens; the dashboard shows why.",
    "up": "Collector and analyzer in one process: OTLP, Kafka and files in, the lake out.",
    "collect": "Collector alone: raw records in, safe events out to Kafka.",
    "analyze": "Analyzer alone: events in from Kafka, the lake out.",
    "dashboard": "Serve the page.",
    "explain": "Log lines or tokens in, the reason of each refusal out.",
    "propose": "What nothing explains yet, as templates, and the knowledge entry for one.",
    "redact": "A filter: lines in, the same lines without secrets out.",
    "keys": "Pseudonym keys: list the epochs, rotate, forget one.",
    "whois": "In which groups of failures is this user? Asked by value, answered by pseudonym, written down.",
    "sql": "Ask the lake; without a query, an interactive shell.",
    "tail": "Refusals as they are stored, one line each.",
    "snapshot": "Write a plain DuckDB file with tables and views.",
    "init": "Write a commented why401.toml.",
    "check": "Validate the configuration.",
    "doctor": "Is this machine able to run why401?",
}


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"why401.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except Why401Error as error:
            click.secho(f"why401: {error}", fg="red", err=True)
            sys.exit(2)


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="why401")
def main() -> None:
    """Why did the gateway say no?"""
