"""`why401 redact`: a filter for anyone's log stream."""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

from why401.cli.annotations import annotation
from why401.cli.input_text import STDIN
from why401.filter import FORMS, MAX_LINE, Saw, Tally, blocks

Read = Callable[[bytes, Saw | None], tuple[bytes, Mapping[str, int]]]
Finding = Callable[[str, int, Sequence[str]], str]
"""The text for a line with findings: from the file's name, the line's number and the rules."""
FOUND, USAGE, INTERRUPTED, BROKEN_PIPE = 1, 2, 130, 141  # exit statuses; the last two are those of a shell


@click.command("redact")
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, readable=True, allow_dash=True))
@click.option(
    "--check",
    is_flag=True,
    help="Print no text, only which lines hold what; exit with status 1 if any line holds a secret.",
)
@click.option(
    "--ignore",
    multiple=True,
    metavar="RULE",
    help="Ignore findings of this rule with --check, for example ip (repeatable).",
)
@click.option(
    "--format",
    "output",
    type=click.Choice(["text", "github"]),
    default="text",
    help="Output of --check [text]. github: annotations of its runner.",
)
@click.option("--report", is_flag=True, help="Print counts by rule, lines and bytes to standard error at the end.")
@click.option(
    "--records",
    "form",
    type=click.Choice(["lines", "json"]),
    default="lines",
    help="How to read the input. lines: each line by itself. json: each line is a JSON string that holds a record.",
)
@click.option(
    "--profile",
    type=click.Choice(["strict", "standard", "diagnosis"]),
    default="standard",
    help="What to trade. strict: every unknown opaque word goes, request and key ids too. standard: what keys, forms and looks"
    " tell. diagnosis: only what keys and forms tell; a secret in plain words may stay.",
)
def command(
    files: tuple[str, ...],
    check: bool,
    ignore: tuple[str, ...],
    output: str,
    report: bool,
    form: str,
    profile: str,
) -> None:
    """Remove secrets from a log stream, line by line.

    Each line is written as soon as it is read, without credentials and personal data. FILES default to standard input.

    \b
    tail -f access.log | why401 redact | grep 401
    why401 redact --check --ignore ip build.log || echo "the log holds a secret"
    """  # noqa: D301  # \b is click's mark for "keep these lines"
    if output != "text" and not check:
        raise click.UsageError("--format is the output of --check")
    read, tally, ignored = _reader(form, profile), Tally(), _rules(ignore)
    with _quiet() as end:
        for name in files or (STDIN,):
            if check:
                _check(name, read, tally, ignored, FINDINGS[output])
            else:
                _write(name, read, tally)
    if report:
        click.echo(_report(tally), err=True)
    is_dirty = check and tally.rules.keys() - ignored
    sys.exit(end[0] if end else FOUND if is_dirty else 0)


def _reader(form: str, profile: str) -> Read:
    return lambda block, saw: FORMS[form](block, saw, profile)


def _rules(ignore: Sequence[str]) -> frozenset[str]:
    from collector.redaction import NAMES

    for name in ignore:
        if name not in NAMES:
            raise click.UsageError(f"--ignore {name}: unknown rule; expected one of {', '.join(NAMES)}")
    return frozenset(ignore)


def _write(name: str, read: Read, tally: Tally) -> None:
    """Redacted lines to standard output; what was read is flushed before more is waited for."""
    out = sys.stdout.buffer
    for block in _blocks(name, tally):
        safe, found = read(block, None)
        tally.add(block, found)
        out.write(safe)
        out.flush()


def _text(name: str, number: int, rules: Sequence[str]) -> str:
    return f"{name}:{number}: {', '.join(rules)}"


def _annotation(name: str, number: int, rules: Sequence[str]) -> str:
    file = "" if name == STDIN else name
    return annotation(f"This line holds: {', '.join(rules)}", file=file, line=number, title="secret")


FINDINGS: Final[dict[str, Finding]] = {"text": _text, "github": _annotation}


def _check(name: str, read: Read, tally: Tally, ignored: frozenset[str], finding: Finding) -> None:
    """A line of output for every line with a finding."""
    before = tally.lines
    for block in _blocks(name, tally):
        lines: defaultdict[int, set[str]] = defaultdict(set)
        _, found = read(block, _into(lines))
        for number, rules in lines.items():
            if shown := sorted(rules - ignored):
                sys.stdout.write(finding(name, tally.lines - before + number + 1, shown) + "\n")
        tally.add(block, found)
        sys.stdout.flush()


def _into(lines: defaultdict[int, set[str]]) -> Saw:
    return lambda number, found: lines[number].update(rule for rule, _ in found)


def _blocks(name: str, tally: Tally) -> Iterator[bytes]:
    """Whole lines as they arrive; the file's last one may lack its line feed."""
    if name == STDIN:
        yield from blocks(sys.stdin.buffer, tally)
        return
    with Path(name).open("rb") as file:
        yield from blocks(file, tally)


@contextmanager
def _quiet() -> Iterator[list[int]]:
    """Ctrl-C and a reader that went away end the work, not with a traceback; the exit status is given."""
    end: list[int] = []
    try:
        yield end
    except KeyboardInterrupt:
        end.append(INTERRUPTED)
    except BrokenPipeError:
        # What is left in the buffer must not raise again when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        end.append(BROKEN_PIPE)
    except OSError as error:
        click.echo(f"why401 redact: {error.filename or STDIN}: {error.strerror}", err=True)
        end.append(USAGE)


def _report(tally: Tally) -> str:
    values = sum(tally.rules.values())
    head = f"{values:,} found in {tally.lines:,} lines, {tally.size:,} bytes"
    cut = [f"  {'(cut)':<9} {tally.cut:>9,}  lines longer than {MAX_LINE:,} bytes"] if tally.cut else []
    return "\n".join([head, *(f"  {rule:<9} {count:>9,}" for rule, count in tally.rules.most_common()), *cut])
