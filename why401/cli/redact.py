"""`why401 redact`: a filter for anyone's log stream."""

from __future__ import annotations

import os
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

import click
import orjson

from why401.cli.records import STDIN, decode

CHUNK: Final = 1 << 18  # bytes read at once, as far as they are there
MAX_LINE: Final = 1 << 20  # bytes of a line that are kept
CUT: Final = b" [line too long: the rest was dropped]"
_WORD: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.+/~=%"
FOUND, USAGE, INTERRUPTED, BROKEN_PIPE = 1, 2, 130, 141  # exit statuses; the last two are those of a shell


Found = tuple[tuple[str, int], ...]
# Called with the number of a line in its block (from 0) and the rules that found something there.
Saw = Callable[[int, Found], None]
# From a block of lines to what is written in its place, and how often each rule found something.
Form = Callable[[bytes, Saw | None], tuple[bytes, Mapping[str, int]]]


@dataclass(slots=True)
class Tally:
    """What went through. Numbers only: nothing of the text."""

    lines: int = 0
    size: int = 0
    cut: int = 0
    rules: Counter[str] = field(default_factory=Counter)

    def add(self, block: bytes, found: Mapping[str, int]) -> None:
        """Count a block of lines, and what was found in it."""
        self.lines += block.count(b"\n") + (not block.endswith(b"\n"))
        self.rules.update(found)


@click.command("redact")
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, readable=True, allow_dash=True))
@click.option("--check", is_flag=True, help="Print no line, only which hold what; exit status 1 when any does.")
@click.option("--ignore", multiple=True, metavar="RULE", help="Findings that --check passes over, as ip (repeatable).")
@click.option("--report", is_flag=True, help="At the end, counts by rule, lines and bytes on standard error.")
@click.option(
    "--records",
    "form",
    type=click.Choice(["lines", "json"]),
    default="lines",
    help="json: JSON string in, JSON string out.",
)
def command(files: tuple[str, ...], check: bool, ignore: tuple[str, ...], report: bool, form: str) -> None:
    """Lines in, the same number of lines without secrets out, as soon as they come.

    \b
    tail -f access.log | why401 redact | grep 401
    why401 redact --check --ignore ip build.log || echo "the log holds a secret"
    """  # noqa: D301  # \b is click's mark for "keep these lines"
    read, tally, ignored = _FORMS[form], Tally(), _rules(ignore)
    with _quiet() as end:
        for name in files or (STDIN,):
            if check:
                _check(name, read, tally, ignored)
            else:
                _write(name, read, tally)
    if report:
        click.echo(_report(tally), err=True)
    is_dirty = check and tally.rules.keys() - ignored
    sys.exit(end[0] if end else FOUND if is_dirty else 0)


def _rules(ignore: Sequence[str]) -> frozenset[str]:
    from collector.redaction import NAMES

    for name in ignore:
        if name not in NAMES:
            raise click.UsageError(f"--ignore {name}: no such rule; there are {', '.join(NAMES)}")
    return frozenset(ignore)


def _write(name: str, read: Form, tally: Tally) -> None:
    """Redacted lines to standard output; what came is flushed before more is waited for."""
    out = sys.stdout.buffer
    for block in _blocks(name, tally):
        safe, found = read(block, None)
        tally.add(block, found)
        out.write(safe)
        out.flush()


def _check(name: str, read: Form, tally: Tally, ignored: frozenset[str]) -> None:
    """`file:line: rules` for every line with a finding."""
    before = tally.lines
    for block in _blocks(name, tally):
        lines: defaultdict[int, set[str]] = defaultdict(set)
        _, found = read(block, _into(lines))
        for number, rules in lines.items():
            told = sorted(rules - ignored)
            if told:
                sys.stdout.write(f"{name}:{tally.lines - before + number + 1}: {', '.join(told)}\n")
        tally.add(block, found)
        sys.stdout.flush()


def _into(lines: defaultdict[int, set[str]]) -> Saw:
    return lambda number, found: lines[number].update(rule for rule, _ in found)


def _blocks(name: str, tally: Tally) -> Iterator[bytes]:
    """Whole lines as they arrive; the file's last one may lack its line feed."""
    if name == STDIN:
        yield from _lines(sys.stdin.buffer, tally)
        return
    with Path(name).open("rb") as file:
        yield from _lines(file, tally)


def _lines(stream: BinaryIO, tally: Tally) -> Iterator[bytes]:
    begun = bytearray()  # a line that has not ended yet, and one byte more than is kept when it is too long
    while chunk := stream.read1(CHUNK):  # type: ignore[attr-defined]
        tally.size += len(chunk)
        first = 0
        if begun:
            end = chunk.find(b"\n")
            begun += chunk[: end if end >= 0 else None][: MAX_LINE + 1 - len(begun)]
            if end < 0:
                continue
            yield _kept(begun, tally) + b"\n"
            begun.clear()
            first = end + 1
        last = chunk.rfind(b"\n") + 1
        if last > first:
            yield chunk[first:last]
        begun += chunk[max(first, last) :]
    if begun:
        yield _kept(begun, tally)


def _kept(line: bytearray, tally: Tally) -> bytes:
    """The line, or as much as is kept: the word that the cut went through may be half a secret, and goes."""
    if len(line) <= MAX_LINE:
        return bytes(line)
    tally.cut += 1
    return bytes(line[:MAX_LINE].rstrip(_WORD)) + CUT


def _text_lines(block: bytes, saw: Saw | None) -> tuple[bytes, Mapping[str, int]]:
    from collector.redaction import redact_lines

    return redact_lines(block, saw)


def _json_lines(block: bytes, saw: Saw | None) -> tuple[bytes, Mapping[str, int]]:
    """Each line a JSON string that holds a record, which may span lines."""
    from collector.redaction import redact

    rules: Counter[str] = Counter()
    safe: list[bytes] = []
    for number, line in enumerate(block.removesuffix(b"\n").split(b"\n")):
        redacted = redact(decode(line.removesuffix(b"\r").decode("utf-8", "replace")))
        safe.append(orjson.dumps(redacted.text.encode("utf-8", "replace").decode()) + b"\n")
        rules.update(dict(redacted.found))
        if saw and redacted.found:
            saw(number, redacted.found)
    return b"".join(safe), rules


_FORMS: Final[dict[str, Form]] = {"lines": _text_lines, "json": _json_lines}


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
