"""The `why401` command: the only composition root. One command per file; COMMANDS is the table of contents."""

from __future__ import annotations

import errno
import sys
from importlib import import_module
from typing import Final

import click

from collector.errors import SeveralMistakes, Why401Error
from why401 import __version__

# What a person can mend at the file that the error names; everything else is a fault of ours, and its trace is needed.
_OF_THE_MACHINE: Final = frozenset({
    errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.ENOTDIR, errno.EISDIR, errno.EIO, errno.EMFILE, errno.ENFILE,
    errno.ENAMETOOLONG, errno.ELOOP,
})  # fmt: skip
# Name -> module that holds `command`; imported when asked for, so that `why401 --help` does not load duckdb and grpc.
COMMANDS: Final[dict[str, str]] = {
    "demo": "Run a real Envoy with valid and broken tokens, and show the results.",
    "up": "Run collector and analyzer in one process: read OTLP, Kafka and files, write the lake.",
    "collect": "Run the collector: read raw records, write redacted events to Kafka.",
    "analyze": "Run the analyzer: read events from Kafka, write the lake.",
    "dashboard": "Serve the dashboard.",
    "explain": "Explain why a request or token was refused.",
    "propose": "List unexplained messages as templates, or write a knowledge entry for one.",
    "redact": "Remove secrets from a stream of lines.",
    "keys": "List, rotate or destroy pseudonym keys.",
    "problems": "List problems; resolve, mute, archive, assign, merge, split or note one.",
    "alerts": "List alerts, send a test message, or silence them for a time.",
    "mark": "Keep a change that logs do not show, such as a release.",
    "whois": "Show which failure groups affect a user (audited).",
    "sql": "Query the lake, or open an interactive SQL shell.",
    "mcp": "Answer assistants over the Model Context Protocol.",
    "tail": "Print refusals as they are stored, one per line.",
    "snapshot": "Export the lake to a plain DuckDB file.",
    "backup": "Copy one moment of the lake to a folder or to S3, while writers run.",
    "restore": "Make the lake from a backup, where there is none.",
    "repair": "Detach damaged files from the lake, so that the rest can be read.",
    "init": "Create a commented why401.toml.",
    "check": "Validate the configuration.",
    "schema": "Print the JSON Schema of the configuration or of the event.",
    "recipe": "Print what to paste into a gateway's configuration, and what to run then.",
    "trace": "Walk a request through a gateway's configuration, and say where it would be refused.",
    "lint": "Find faults in gateways' configurations before a request fails.",
    "completions": "Print the script that completes commands in a shell.",
    "doctor": "Check that this machine can run why401.",
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
            lines = str(error).splitlines() if isinstance(error, SeveralMistakes) else [str(error)]
        except OSError as error:
            if error.errno not in _OF_THE_MACHINE or error.filename is None:
                raise
            lines = [f"{error.filename}: {error.strerror}"]
        for line in lines:
            click.secho(f"why401: {line}", fg="red", err=True)
        sys.exit(2)


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version=__version__, prog_name="why401")
def main() -> None:
    """Find out why an API gateway refused a request."""
