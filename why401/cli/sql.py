"""`why401 sql`: the views, by SQL, from a reader process of its own."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any

import click
import orjson

from collector.visible import visible, visible_json
from why401.cli import options
from why401.cli.sql_options import is_remote, remote_options, run_remote

if TYPE_CHECKING:
    import duckdb

    from analyzer.lake.query import Result


class _Command(click.Command):
    """Lists the views at the end of its help; the folder is the list."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_paragraph()
        formatter.write_text(views_line())


@click.command("sql", cls=_Command)
@click.argument("query", required=False)
@options.config
@options.data_dir
@click.option("--json", "form", flag_value="json", help="Print one JSON object per row.")
@click.option("--csv", "form", flag_value="csv", help="Print CSV with a header.")
@click.option("--table", "form", flag_value="table", default="table", help="Print a table (the default).")
@click.option(
    "--timeout", type=options.POSITIVE, default=30.0, show_default=True, help="Seconds until a query is interrupted."
)
@click.option("--attach", is_flag=True, help="Print the SQL that attaches the lake in any DuckDB, and exit.")
@remote_options
def command(
    query: str | None,
    config_file: str | None,
    data_dir: str | None,
    form: str,
    timeout: float,
    attach: bool,
    **remote: Any,
) -> None:
    """Run one SELECT on the lake's views, beside the running writer. Without QUERY, start an interactive shell.

    \b
    why401 sql "SELECT code, failures, title FROM groups ORDER BY failures DESC"
    why401 sql --serve          # remote clients, over DuckDB's quack protocol
    """  # noqa: D301  # \b is click's mark for "keep these lines"
    settings = options.settings(config_file, data_dir=data_dir)
    if is_remote(remote):
        run_remote(settings, remote, timeout, config_file)
        return
    from analyzer.lake import attach_sql, connect_reader

    if attach:
        click.echo(attach_sql(settings))
        return
    con = connect_reader(settings, memory_mib=settings.dashboard.memory_mib)
    if query:
        sys.exit(0 if _answer(con, query, form, timeout) else 1)
    _shell(con, form, timeout)


def views_line() -> str:
    """Every view that a query can name."""
    from analyzer.lake.view_files import view_names

    return f"Views: {', '.join(view_names())}."


def _answer(con: duckdb.DuckDBPyConnection, query: str, form: str, timeout: float) -> bool:
    import duckdb

    from analyzer.lake.query import run_query
    from collector.errors import Why401Error

    try:
        result = run_query(con, query, timeout_s=timeout)
    except (duckdb.Error, Why401Error) as error:
        click.secho("\n".join(visible(line) for line in str(error).split("\n")), fg="red", err=True)
        return False
    _PRINTERS[form](result)
    return True


def _shell(con: duckdb.DuckDBPyConnection, form: str, timeout: float) -> None:
    """Read statements up to a semicolon; an empty line or Ctrl-D ends."""
    with contextlib.suppress(ImportError):  # not on every platform
        import readline  # noqa: F401  # line editing and history for input()

    click.echo(f"{views_line()}\nEnter one SELECT, terminated by a semicolon. Ctrl-D exits.")
    while True:
        try:
            query = _statement()
        except (EOFError, KeyboardInterrupt):
            click.echo()
            return
        if query:
            _answer(con, query, form, timeout)


def _statement() -> str:
    lines = [input("why401> ")]
    while lines[-1].strip() and not lines[-1].rstrip().endswith(";"):
        lines.append(input("    ...> "))
    return "\n".join(lines).strip()


def _print_json(result: Result) -> None:
    for row in result.dicts():
        line = orjson.dumps(row, default=str, option=orjson.OPT_NON_STR_KEYS)
        sys.stdout.buffer.write(visible_json(line) + b"\n")
    sys.stdout.flush()


def _print_csv(result: Result) -> None:
    from analyzer.lake.export import write_csv

    write_csv(sys.stdout, result.columns, result.rows)


def _print_table(result: Result) -> None:
    cells = [[_cell(value) for value in row] for row in result.rows]
    names = [visible(name, 80) for name in result.columns]
    widths = [max(map(len, column)) for column in zip(names, *cells, strict=True)]
    click.secho("  ".join(name.ljust(width) for name, width in zip(names, widths, strict=True)), bold=True)
    for row in cells:
        click.echo("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
    click.secho(f"({len(cells)} row{'' if len(cells) == 1 else 's'})", dim=True)


def _cell(value: Any) -> str:
    text = "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
    return visible(" ".join(text.split()), 80)


_PRINTERS = {"json": _print_json, "csv": _print_csv, "table": _print_table}
