"""The manual pages, from the help: `why401.1`, and `why401-NAME.1` for each command. `python -m docs.generate` writes them to why401/man.

groff's language, of which man(7) is the vocabulary: a line that begins with a dot or an apostrophe is a request, a backslash an escape.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any, Final

import click

from why401 import __version__
from why401.cli import COMMANDS, main

_KEPT: Final = "\b"  # click's mark in front of a paragraph whose lines are kept
_STATUS: Final = (
    ("0", "Success."),
    ("1", "Something was found, where a command looks for something; its help says what."),
    ("2", "A mistake in the command, the configuration or a file, in one sentence."),
)
_FILES: Final = (
    ("why401.toml", "The configuration, in the current folder or where --config or WHY401_CONFIG says."),
    ("why401-data/", "The lake and the pseudonym key, where data_dir does not say otherwise."),
)


def pages() -> dict[str, str]:
    """File name → text of each page."""
    root = click.Context(main, info_name="why401", **main.context_settings)
    found = {"why401.1": _page(root, "Why did the gateway say no?", tuple(COMMANDS.items()))}
    for name, short in COMMANDS.items():
        command = main.get_command(root, name)
        assert command is not None
        context = click.Context(command, info_name=name, parent=root)
        found[f"why401-{name}.1"] = _page(context, short.rstrip("."), _commands(command))
    return found


def _commands(command: click.Command) -> tuple[tuple[str, str], ...]:
    """Names and summaries of a group's own commands."""
    if not isinstance(command, click.Group):
        return ()
    return tuple((name, one.get_short_help_str(200)) for name, one in sorted(command.commands.items()))


def _page(context: click.Context, short: str, commands: tuple[tuple[str, str], ...]) -> str:
    name = context.command_path.replace(" ", "-")
    usage = " ".join(context.command.collect_usage_pieces(context))
    lines = [
        f'.TH "{_text(name.upper())}" 1 "" "why401 {__version__}" "why401"',
        ".SH NAME", f"{_text(name)} \\- {_text(short)}",
        ".SH SYNOPSIS", f"\\fB{_text(context.command_path)}\\fR {_text(usage)}",
        ".SH DESCRIPTION", *_prose(context.command.help or ""),
        ".SH OPTIONS", *_options(context),
    ]  # fmt: skip
    if commands:
        lines += [".SH COMMANDS", *_terms(commands)]
    if context.parent is None:
        lines += [".SH FILES", *_terms(_FILES), ".SH EXIT STATUS", *_terms(_STATUS)]
        others = [f"why401\\-{_text(one)}(1)" for one in COMMANDS]
    else:
        others = ["why401(1)"]
    return "\n".join([*lines, ".SH SEE ALSO", ", ".join(others)]) + "\n"


def _prose(text: str) -> Iterator[str]:
    """Paragraphs; one that click is to leave alone keeps its lines."""
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        kept, _, rest = paragraph.partition("\n")
        if kept.strip(" ") == _KEPT:
            yield from (".PP", ".nf", *map(_line, rest.split("\n")), ".fi")
        else:
            yield from (".PP", *map(_line, paragraph.split("\n")))


def _options(context: click.Context) -> Iterator[str]:
    for parameter in context.command.params:
        record = parameter.get_help_record(context)
        if record is not None and record[1]:
            yield from _terms([record])
    yield from _terms([("-h, --help", "Show the help and exit.")])


def _terms(rows: Any) -> Iterator[str]:
    for term, says in rows:
        yield from (".TP", f"\\fB{_text(term)}\\fR", _line(says))


def _line(text: str) -> str:
    """A line of text: never a request."""
    return ("\\&" if text[:1] in (".", "'") else "") + _text(text)


def _text(text: str) -> str:
    """Backslashes as themselves, hyphens as one types them."""
    return text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq")
