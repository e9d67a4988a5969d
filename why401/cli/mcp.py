"""`why401 mcp`: answers assistants over the Model Context Protocol."""

from __future__ import annotations

import sys

import click

from why401.cli import options
from why401.extras import need


@click.command("mcp")
@options.config
@options.data_dir
@click.option("--http", "address", metavar="HOST:PORT", help="Serve HTTP at /mcp instead of standard input and output.")
@click.option(
    "--insecure", is_flag=True, help="With --http: allow an address that other machines reach, in plain HTTP."
)
def command(config_file: str | None, data_dir: str | None, address: str | None, insecure: bool) -> None:
    """Let an assistant explain requests and query the lake, over the Model Context Protocol. It only reads.

    Without --http it serves the program that starts it. Over HTTP each client needs a token of remote SQL:

    \b
    why401 sql --grant assistant
    why401 mcp --http 127.0.0.1:9495          (clients send: Authorization: Bearer why401_sql_…)
    """  # noqa: D301  # \b is click's mark for "keep these lines"
    settings = options.settings(config_file, data_dir=data_dir)
    need("why401 mcp", "mcp")
    from collector import logs
    from why401.mcp_server.serving import PATH, serve_http, serve_stdio

    logs.start("warning", sys.stderr)
    if address is None:
        serve_stdio(settings, config_file)
        return
    say = f"ready; MCP at http://{address}{PATH}, with a token of `why401 sql --grant`; press Ctrl-C to stop"
    serve_http(settings, config_file, address, insecure=insecure, ready=lambda: click.echo(say, err=True))
