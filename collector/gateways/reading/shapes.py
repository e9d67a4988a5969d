"""Where time, level, logger, thread and sentence stand in a log line: the table of layouts in `shapes.toml`, compiled.

A line is read by the first layout that fits. What names a place in a program (logger, thread, class, file) is a field of the line and
no part of its sentence, so that a class named after keys or tokens is no evidence for anything.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

import re2
from msgspec import Struct, field

from collector.gateways.reading.errors_said import error_text
from collector.gateways.reading.named import Named, first_of
from collector.gateways.reading.stamps import FORMS, stamp
from collector.gateways.reading.tails import TAILS
from collector.structs import Unshown

MAX_LINE: Final = 4096  # characters of a first line whose layout is looked for
_QUIET: Final = frozenset(
    "TRACE TRC TRAC TRCE DEBUG DBG DEBU DBUG D T V VERBOSE VRB VERB FINE FINER FINEST CONFIG .".split()  # noqa: SIM905
)
_CALM: Final = frozenset(
    "INFO INF INFORMATION NORMAL I NOTICE NOTE N LOG SUCCESS DEFAULT HINT STATEMENT - *".split()  # noqa: SIM905
)
_LOUD: Final = frozenset(
    [
        "WARN",
        "WRN",
        "WARNING",
        "W",
        "ERROR",
        "ERR",
        "ERRO",
        "EROR",
        "E",
        "FAIL",
        "SEVERE",
        "CRITICAL",
        "CRIT",
        "CRT",
        "C",
        "FATAL",
        "FTL",
        "FATA",
        "F",
        "PANIC",
        "PNC",
        "PANI",
        "DPANIC",
        "ALERT",
        "A",
        "EMERGENCY",
        "EMERG",
        "#",
    ]
)
_TIME_ALONE: Final = "time alone"
_WORDS: Final = "|".join(sorted((w for w in _QUIET | _CALM | _LOUD if len(w) > 2), key=len, reverse=True))
_PLACEHOLDERS: Final = {
    "level": rf"(?P<level>(?i:{_WORDS})\b)",
    "LEVEL": rf"(?P<level>(?:{_WORDS})\b)",
    "L": r"(?P<level>[TDIVNWEFCA])",
    "TTY": r"(?P<level>TRAC|DEBU|INFO|WARN|ERRO|FATA|PANI)",
    "dotnet": r"(?P<level>trce|dbug|info|warn|fail|crit)",
    "three": r"(?P<level>TRC|DBG|INF|WRN|ERR|FTL|PNC)",
    "mark": r"(?P<level>[.*#-])",
    "logger": r"""(?P<logger>[^\s\[\](){}|,;="']+?)""",
    "class": r"(?P<logger>[A-Za-z_$][\w.$<>/\[\]-]*)",
    "scope": r"(?P<logger>[A-Za-z_][\w.-]*)",
    "channel": r"(?P<logger>[A-Za-z_][\w-]*)",
    "dotted": r"(?P<logger>[A-Za-z_]\w*(?:(?:\.|::|/)[\w$-]+)+)",
    "path": r"(?P<logger>[A-Za-z_]\w*(?:::\w+)+)",
    "hex": r"[0-9a-f]{8}",
    "target": r"(?P<logger>[A-Za-z_]\w*(?:::\w+)*)",
    "camel": r"(?P<logger>[A-Z]\w*[a-z]\w*[A-Z]\w*)",
    "dashes": r"-{2,3}",
    "spans": r"(?:\w+(?:\{[^{}]*\})?:){0,8}\w+\{[^{}]*\}",
    "name": r"(?P<logger>[^\[\]|:\n\"]+?)",
    "module": r"(?P<logger>\w*)",
    "thread": r"(?P<thread>[^\]\n]+?)",
    "any": r"[^\]>)\n]*?",
    "other": r" [^\]\n]+?",
    "word": r"[^\s\]\[]+?",
    "role": r"[XCSM]",
    "pid": r"\d+",
    "file": r"[\w./\\@+<>$-]+:\d{1,6}",
    "place": r"[\w./-]+:\d{1,6}",
    "age": r"(?:\d+[smhd]){1,3}(?: \(x\d+ over (?:\d+[smhd]){1,3}\))?",
    "event": r"(?P<level>Warning|Normal)",
    "gap": r"[ \t]{2,}",
    "id": r"(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32})",
    "date": r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}",
    "clock": r"\d{1,2}:\d{2}:\d{2}(?: [AP]M)?",
    "badge": r"[^\w\s\[\]]\S{0,8}",
    "pairs": r"(?:[\w.]+=\S+ ?){1,8}",
    "phplevel": r"(?P<level>Fatal error|Parse error|Warning|Notice|Deprecated|Recoverable fatal error)",
    "time": rf"(?P<time>{FORMS})",
    "message": r"(?P<message>.*)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One layout, as `shapes.toml` has it."""

    name: str
    pattern: Named
    timed: bool = False
    whole: bool = False
    tail: str = ""
    level: str = ""


class Line(Unshown, Struct, frozen=True, kw_only=True, gc=False):
    """A log line in its parts. `level` is in capitals, "" when none is named; `message` may span lines."""

    message: str
    time_ns: int = 0
    level: str = ""
    logger: str = ""
    thread: str = ""
    shape: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_quiet(self) -> bool:
        """Below INFO."""
        return self.level in _QUIET

    @property
    def is_calm(self) -> bool:
        """At INFO: what it reports is mostly no fault."""
        return self.level in _CALM

    @property
    def is_loud(self) -> bool:
        """At WARN or above: what it reports is a fault."""
        return self.level in _LOUD


def level_of(text: str) -> str:
    """A level's name in capitals; numbers are those of pino and bunyan (10 trace … 60 fatal) and of syslog (0 … 7)."""
    word = text.strip().upper()
    if not word.isascii() or not word.isdigit():
        return word
    number = int(word[:4])
    if number < 10:
        return "ERROR" if number <= 4 else "INFO" if number <= 6 else "DEBUG"
    return "DEBUG" if number <= 20 else "INFO" if number <= 30 else "ERROR"


def is_quiet(level: str) -> bool:
    """Whether a level is below INFO."""
    return level in _QUIET


def is_calm(level: str) -> bool:
    """Whether a level is INFO or one of its names."""
    return level in _CALM


def read_line(text: str, near_ns: int = 0, observed_ns: int = 0) -> Line | None:
    """The line in its parts by the first layout that fits; None when none does. Never raises.

    `near_ns` is the transport's time, by which a wall clock's zone shows; `observed_ns` the arrival's, by which a year does.

    >>> line = read_line("2026-03-03 10:00:00,123 - carts.auth - ERROR - token refused")
    >>> line.level, line.logger, line.message
    ('ERROR', 'carts.auth', 'token refused')
    """
    line, rest = _read(text, near_ns, observed_ns)
    if line is None or line.shape != _TIME_ALONE:
        return line
    inner, _ = _read(
        text[rest:], line.time_ns, observed_ns
    )  # whoever showed the line wrote a time of its own, as Docker Desktop does
    return inner if inner is not None and inner.time_ns and inner.shape != _TIME_ALONE else line


def _read(text: str, near_ns: int, observed_ns: int) -> tuple[Line | None, int]:
    """The line, and where the text behind its time begins."""
    first, newline, below = text[:MAX_LINE].partition("\n")
    begin = 1 if first[:1] in ("[", "(") else 0
    end, time_ns = stamp(first, begin, near_ns, observed_ns)
    is_timed = end > begin
    rest = _behind_time(first, end) if is_timed else 0
    shape = min(_fitting(first, first[rest:] if is_timed else None), default=-1)
    below = newline + below + text[MAX_LINE:] if newline else text[MAX_LINE:]
    if shape < 0:
        return (Line(message=text[rest:], time_ns=time_ns, shape=_TIME_ALONE) if is_timed else None), rest
    parts = _parts(shape, first if SHAPES[shape].whole else first[rest:])
    if "time" in parts:
        time_ns = stamp(parts["time"], 0, near_ns, observed_ns)[1]
    return _line(SHAPES[shape], parts, time_ns, below), rest


@lru_cache(maxsize=2048)
def _parts(shape: int, text: str) -> Mapping[str, str]:
    """The parts of a text that a layout fits; behind the time, lines of one statement are often equal."""
    return SHAPES[shape].pattern.match(text)


def _fitting(first: str, rest: str | None) -> Iterator[int]:
    """The places in the table of the layouts that fit the line, or what follows its time."""
    yield from (_WHOLE[at] for at in _FIND_WHOLE(first)[:1])
    if rest is not None:
        yield from (_TIMED[at] for at in _FIND_TIMED(rest)[:1])


def _behind_time(text: str, end: int) -> int:
    """`]`, blanks, and a dash, comma, colon or bar between the time and what follows."""
    end += text[end : end + 1] == "]"
    rest = text[end:].lstrip(" \t")
    mark = rest[:1]
    if mark == "|" or (mark in ("-", ",", ":") and rest.lstrip(mark)[:1] in (" ", "\t")):
        rest = rest.lstrip(mark).lstrip(" \t")
    return len(text) - len(rest)


def _line(shape: Shape, parts: Mapping[str, str], time_ns: int, below: str) -> Line:
    sentence, fields = TAILS[shape.tail](parts.get("message", ""))
    if error := error_text(fields):
        sentence = f"{sentence.rstrip(':')}: {error}" if sentence else error
    logger = parts.get("logger", "").strip() or str(fields.get("logger", ""))
    return Line(
        message=(sentence + below).strip(), time_ns=time_ns, level=level_of(parts.get("level") or shape.level), logger=logger,
        thread=parts.get("thread", "").strip(), shape=shape.name, fields=fields,
    )  # fmt: skip


# --- the table ---------------------------------------------------------------------------------------------


def _compiled() -> Iterator[tuple[Shape, str]]:
    table = tomllib.loads(files(__package__ or "").joinpath("shapes.toml").read_text(encoding="utf-8"))
    for row in table["shape"]:
        expression = _expression(row["pattern"])
        is_timed, is_whole = row.get("timed", False), row.get("whole", False)
        tail, level = row.get("tail", ""), row.get("level", "")
        shape = Shape(
            name=row["name"], pattern=Named(expression), timed=is_timed, whole=is_whole, tail=tail, level=level
        )
        yield shape, expression


def _expression(pattern: str) -> str:
    """The pattern as an RE2 expression."""
    out: list[str] = []
    named: set[str] = set()
    at = 0
    while at < len(pattern):
        piece = _next(pattern, at)
        out.append(_SYNTAX.get(piece) or _piece(piece, named))
        at += len(piece)
    return "".join(out) + r"\z"


def _next(pattern: str, at: int) -> str:
    """What stands next: `«»`, a placeholder, a run of blanks, or a character."""
    if pattern.startswith("«»", at):
        return "«»"
    if pattern[at] == "{":
        return pattern[
            at : pattern.find("}", at + (2 if pattern[at + 1] == '"' else 1))
            + 1
            + 2 * (pattern[at + 1 : at + 3] == '"}')
        ]
    if pattern[at] == " ":
        return pattern[at : len(pattern) - len(pattern[at:].lstrip(" "))]
    return "(,)" if pattern.startswith("(,)", at) else pattern[at]


def _piece(piece: str, named: set[str]) -> str:
    if piece.isspace() and piece != "\t":
        return r"[ \t]+"
    if piece[0] != "{":
        return str(re2.escape(piece))
    if piece[1] == '"':
        return str(re2.escape(piece[2]))
    return _once(_PLACEHOLDERS[piece[1:-1]], named)


_SYNTAX: Final = {"«»": r"[ \t]*", "«": "(?:", "»": ")?", "(,)": ",?"}


def _once(expression: str, named: set[str]) -> str:
    """A group's name may stand once in an expression."""
    name = expression[4 : expression.find(">")] if expression.startswith("(?P<") else ""
    if name and name in named:
        return "(?:" + expression[5 + len(name) :]
    named.add(name)
    return expression


_TABLE: Final = tuple(_compiled())
SHAPES: Final[tuple[Shape, ...]] = tuple(shape for shape, _ in _TABLE)
_WHOLE: Final = tuple(place for place, shape in enumerate(SHAPES) if shape.whole)
_TIMED: Final = tuple(place for place, shape in enumerate(SHAPES) if shape.timed)
_FIND_WHOLE: Final = first_of([_TABLE[place][1] for place in _WHOLE])
_FIND_TIMED: Final = first_of([_TABLE[place][1] for place in _TIMED])
