r"""Which lines are one record: the one splitter, for every source and for `why401 explain` and `why401 propose`.

Files, standard input and Kafka text messages hold lines. A line belongs to the record before it when it is indented, is a
stack frame, closes what that record opened, or continues its exception: Python, Java, .NET, Node, Go, Ruby and PHP traces,
JSON over several lines, Oathkeeper's dumps. Each line is looked at once and by its beginning and end, so a source can join
as it reads, in linear time and bounded memory.

An OTLP LogRecord is one record by definition: a string body of several lines is never split, and neither is a JSON string
that `why401 explain --records json` reads.

>>> records_of('{"a":1}\n{"b":2}\n')
['{"a":1}', '{"b":2}']
>>> records_of("ERROR no user\nTraceback (most recent call last):\n  File \"a.py\", line 1\nKeyError: 'sub'\nINFO next")
['ERROR no user\nTraceback (most recent call last):\n  File "a.py", line 1\nKeyError: \'sub\'', 'INFO next']
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import orjson

from collector.sources.line_prefixes import is_part, prefix_of

PAUSE_SECONDS: Final = 0.2  # programs write the lines of a record at once: after such a pause the record has ended
MAX_LINE_BYTES: Final = 1 << 20  # a longer line is no log record; its beginning is kept, the rest is counted
MAX_LINES: Final = 500
MAX_BYTES: Final = 1 << 17
MAX_BLANK: Final = 20  # a record does not go on behind more blank lines
_HEAD: Final = 200
_SPACES: Final = (b" ", b"\t")
_TRACEBACK: Final = b"Traceback (most recent call last)"
# "During handling of the above exception, another exception occurred:" and its kin: another traceback follows.
_CHAINED: Final = (
    b"During handling of the above exception",
    b"The above exception was the direct cause",
)
_MARKERS: Final = (*_CHAINED, b"... ", b"--- End of ", b"> File ", b"Stack trace:", b"stack backtrace:")
# Beginnings that no record has: what they say belongs to the exception above.
_FOLLOWING: Final = (
    *_MARKERS, b"Caused by:", b"Wrapped by:", b"Suppressed:", b"future: <", b"PHP Stack trace:", b"PHP   ", b"Error #",
    b"DETAIL:  ", b"DETAIL: ", b"HINT:  ", b"HINT: ", b"CONTEXT:  ",  # PostgreSQL and its kin
    b"Node.js v", b"note: run with ", b"exit status ",
    b"[stacktrace]",  # Monolog, with includeStacktraces
    b"stack traceback:", b"coroutine 0:",  # Lua in nginx
    b"Response: {",  # golang.org/x/oauth2, below the status
    # Microsoft.IdentityModel breaks its messages at every value.
    b", dynamicMetadata:",  # Envoy's RBAC filter, behind the headers
    b"Exceptions caught:", b"Number of keys in ", b"token: '", b"kid: '", b"'.", b"Algorithm: '", b"Keys tried: '",
)  # fmt: skip
_INDENTED: Final = (b"at ", b"from ", b"File ", b"Exception Group Traceback")
_GUTTER: Final = b" \t|+-"
# One line by nature: logfmt, a token, what PHP and Rust print themselves.
_WHOLE: Final = (b"time=", b"level=", b"ts=", b"eyJ", b"PHP ", b"thread '")
_CLOSERS: Final = b"}]) \t,;>"
_JSON: Final = (b"{", b"[{", b"[[", b'["')
_OPENERS: Final = (b"{", b"[", b",", b":")  # how a line of unfinished JSON ends
_OPEN_MAP: Final = b" error=map["
_MAP_END: Final = b" status_code:"
_ENDINGS: Final = (b"Exception", b"Error", b"Fault", b"Failure", b"Throwable", b"ExpiredSignature")
_LEVELS: Final = (
    b"ERROR", b"WARN", b"INFO", b"DEBUG", b"TRACE", b"FATAL", b"CRITICAL", b"SEVERE", b"error", b"warn", b"fail",
    b"info", b" ERR]", b" WRN]", b" INF]", b" FTL]", b" DBG]",
)  # fmt: skip
_TIME_COLUMN: Final = b" " * 10  # the shortest time that rich writes, in brackets
_PADDED: Final = tuple(level.ljust(9) for level in (b"DEBUG", b"INFO", b"WARNING", b"ERROR", b"CRITICAL"))
# koa-logger indents every line of its own, plain and coloured.
_ARROWS: Final = (
    b"  <-- ", b"  --> ", b"  xxx ", b"  -x- ",
    b"  \x1b[90m<--", b"  \x1b[90m-->", b"  \x1b[31mxxx", b"  \x1b[33m-x-",
)  # fmt: skip
# What a block begins with or its first line ends with, and how its other lines begin, blank ones between them or not.
_BLOCKS: Final = (
    # minio/minio internal/logger/console.go
    (b"API: ", b"", (b"Time: ", b"DeploymentID: ", b"RequestID: ", b"RemoteHost: ", b"Host: ", b"UserAgent: ", b"Error: ", b"Client: ", b"Bucket: ", b"Object: ")),
    (b"< HTTP/", b"", (b"< ",)),  # an answer that curl -v printed
    # hashicorp/vault api/response.go
    (b"", b"Error making API request.", (b"URL: ", b"Namespace: ", b"Code: ", b"* ", b"Raw Message:")),
)  # fmt: skip
_ITEMS: Final = (b"- ", b"* ", b"\xe2\x80\xa2 ")  # below a line that announces a list: `… some constraints, details:`
_DOCKER: Final = (b'{"log":"', b'{"log": "')
_DOCKER_KEYS: Final = frozenset(("log", "stream", "time"))
_STATUS_LINES: Final = (b"HTTP/1.0 ", b"HTTP/1.1 ", b"HTTP/2 ")  # of an answer that a client printed
_PAGES: Final = (b"<html", b"<!doctype html", b"<head", b"<body", b"<div", b"<h1", b"<title")
_MARKUP: Final = (b"<", b" ", b"\t")
_FIELD_LISTS: Final = (b" validation error for ", b" validation errors for ")  # pydantic names one field a line


@dataclass(slots=True, repr=False)
class Lines:
    """Cuts bytes into lines with the offset where each begins. A line beyond MAX_LINE_BYTES keeps its beginning."""

    offset: int = 0
    cut: int = 0  # lines shortened so far
    _kept: bytearray = field(default_factory=bytearray)
    _skipped: int = 0

    def feed(self, chunk: bytes) -> Iterator[tuple[int, bytes]]:
        """(offset, line) of every line that ends in the chunk."""
        start = 0
        while (end := chunk.find(b"\n", start)) >= 0:
            self._keep(chunk[start:end])
            yield self._end(1)
            start = end + 1
        self._keep(chunk[start:])

    @property
    def begun(self) -> bytes:
        """What is there of a line that no line break has ended yet."""
        return bytes(self._kept)

    def rest(self) -> Iterator[tuple[int, bytes]]:
        """The last line, when no line break ends it."""
        if self._kept:
            yield self._end(0)

    def _keep(self, piece: bytes) -> None:
        room = MAX_LINE_BYTES - len(self._kept)
        self._kept += piece[:room]
        self._skipped += max(len(piece) - room, 0)

    def _end(self, terminator: int) -> tuple[int, bytes]:
        line = self.offset, bytes(self._kept)
        self.offset += len(self._kept) + self._skipped + terminator
        self.cut += self._skipped > 0
        self._kept.clear()
        self._skipped = 0
        return line


@dataclass(slots=True, repr=False)
class MultiLine:
    """Feed lines with their offsets; a record comes out when the next one begins, or from `rest`.

    A record beyond `max_lines` or `max_bytes` keeps its beginning; the rest of it is dropped and the record counted in
    `cut`. With `keeps_blank`, a blank line that belongs to no record is an empty record; else it is nothing.
    """

    max_lines: int = MAX_LINES
    max_bytes: int = MAX_BYTES
    keeps_blank: bool = False
    cut: int = 0
    _offset: int = 0
    _lines: list[bytes] = field(default_factory=list)
    _last: bytes = b""
    _size: int = 0
    _blank: list[int] = field(default_factory=list)  # where blank lines stood; the record's only if it goes on
    _undecided: tuple[int, bytes] | None = None  # a Go function's name, if a file and line number follow it
    _is_cut: bool = False
    _is_json: bool = False
    _is_map: bool = False
    _is_traceback: bool = False  # the exception that ends it has not been seen yet
    _is_whole: bool = False  # a traceback below it is another writer's
    _has_exception: bool = False  # it, or it is not a log line, below which an exception could be printed
    _lists_fields: bool = False
    _is_page: bool = False
    _is_answer: bool = False
    _block: tuple[bytes, ...] = ()  # how the other lines of a block begin
    _stream: bytes = b""  # what a shipper's prefix of the record's lines names
    _is_part: bool = False  # its last line goes on: the container runtime writes a long one in parts

    @property
    def is_pending(self) -> bool:
        """Whether a record waits for its end; a source that has been idle takes it from `rest`."""
        return bool(self._lines)

    @property
    def begins_at(self) -> int | None:
        """Offset of the first line that waits; None when none does."""
        return self._offset if self._lines else None

    def feed(self, offset: int, line: bytes) -> Iterator[tuple[int, bytes]]:
        """(offset, record) of the records that this line ends by not belonging to them, if any."""
        line = _unwrapped(line.rstrip(b"\r"))
        stream, end = prefix_of(line)
        if self._undecided:
            yield from self._decide(line)
        if not self._lines:
            yield from self._first(offset, line)
        elif stream and stream != self._stream:
            yield from self._end()
            self._begin(offset, line)
        elif self._is_part and end:
            self._glue(line[end:])
        else:
            yield from self._next(offset, line, line[end:] if end else line)
        self._is_part = bool(end) and is_part(line, end)

    def _glue(self, said: bytes) -> None:
        """The next part of a line: no line break is between them, and a token may be on both sides of the cut."""
        self._size += len(said)
        self._is_cut = self._is_cut or self._size > self.max_bytes
        if not self._is_cut:
            self._lines[-1] += said
            self._last += said

    def _next(self, offset: int, line: bytes, said: bytes) -> Iterator[tuple[int, bytes]]:
        """A line of the record's own stream, or without a prefix; `said` is what stands behind it."""
        if self._belongs(said):
            self._add(said)
        elif not said.strip():
            yield from self._note_blank(offset)
        elif said is line and _may_be_go_function(line):
            self._undecided = offset, line
        else:
            yield from self._end()
            self._begin(offset, line)

    def takes(self, line: bytes) -> bool:
        """Whether a line, or what is there of it, goes on with the record that waits for its end."""
        line = _unwrapped(line)
        stream, end = prefix_of(line)
        if not self._lines or not line[end:].strip() or (stream and stream != self._stream):
            return False
        return (self._is_part and end > 0) or self._belongs(line[end:])

    def rest(self) -> Iterator[tuple[int, bytes]]:
        """What was not ended yet."""
        undecided, self._undecided = self._undecided, None
        yield from self._end()
        if undecided:
            yield undecided

    def _end(self) -> Iterator[tuple[int, bytes]]:
        if self._lines:
            yield self._offset, b"\n".join(self._lines)
            self.cut += self._is_cut
        self._lines = []
        if self.keeps_blank:
            yield from ((offset, b"") for offset in self._blank)
        self._blank = []

    def _decide(self, line: bytes) -> Iterator[tuple[int, bytes]]:
        """The line below a possible Go function says whether it was one."""
        offset, held = self._undecided or (0, b"")
        self._undecided = None
        if line.startswith(b"\t") and b".go:" in line:
            self._add(held)
            return
        yield from self._end()
        self._begin(offset, held)

    def _first(self, offset: int, line: bytes) -> Iterator[tuple[int, bytes]]:
        if line.strip():
            self._begin(offset, line)
        elif self.keeps_blank:
            yield offset, b""

    def _note_blank(self, offset: int) -> Iterator[tuple[int, bytes]]:
        self._blank.append(offset)
        if len(self._blank) > MAX_BLANK:
            yield from self._end()

    def _begin(self, offset: int, line: bytes) -> None:
        self._offset, self._lines, self._last, self._size = offset, [line], line, len(line)
        self._blank, self._is_cut, self._lists_fields = [], False, False
        self._stream, end = prefix_of(line)
        line = self._last = line[end:] if end else line
        self._is_json = line.startswith(_JSON) or line.rstrip() == b"["
        self._is_page = _opens_page(line)
        self._is_answer = line.startswith(_STATUS_LINES)
        self._is_map = line.startswith(b"time=") and _OPEN_MAP in line and _MAP_END not in line
        self._is_traceback = line.startswith(_TRACEBACK)
        self._is_whole = self._is_traceback or self._is_json or _is_whole(line)
        self._has_exception = self._is_whole or not _is_log_line(line)
        self._block = _block_of(line)

    def _belongs(self, line: bytes) -> bool:
        if self._is_map:
            return not line.startswith(b"time=")
        if not line.strip():
            return False
        if self._is_page or self._is_answer:
            return self._goes_on(line)
        if line[:1] in _SPACES:
            return not (_is_timed(line.lstrip()) or _is_levelled(line) or line.startswith(_ARROWS))
        return is_continuation(line) or self._continues(line)

    def _goes_on(self, line: bytes) -> bool:
        """A line of a page, or of an answer: its headers, and its body behind the blank line."""
        if self._is_page:
            return line[:1] in _MARKUP and not self._last.rstrip().endswith(b"</html>")
        if not self._blank:
            return _is_header(line)
        self._is_answer, self._is_page, self._is_json = False, _opens_page(line), line.startswith(_JSON)
        return self._is_page or self._is_json

    def _continues(self, line: bytes) -> bool:
        """A line at the margin that could begin a record elsewhere."""
        return bool(self._block and line.startswith(self._block)) or self._is_printed_below(line, self._last)

    def _is_printed_below(self, line: bytes, last: bytes) -> bool:
        """A trace, or more of one, of an object, or of a list of fields."""
        if line.startswith(_TRACEBACK):
            return last.startswith(_CHAINED) or not (self._is_whole or self._blank)
        if self._is_json:
            return line[:1] == b'"' and last[-_HEAD:].rstrip().endswith(_OPENERS)
        if self._is_traceback:
            return is_exception(line) or _is_raised(line)
        if self._lists_fields:
            return _is_field_name(line)
        return self._is_next(line, last)

    def _is_next(self, line: bytes, last: bytes) -> bool:
        """An exception below a log line, below the source line that Node marks, or in PHP's chain."""
        if not self._has_exception and _is_thrown(line):
            return True
        is_marked = last[:1] in _SPACES and not last[:MAX_BYTES].strip(b" \t^~")
        return (is_marked and is_exception(line)) or (last.startswith(b"#") and line.startswith(b"Next "))

    def _add(self, line: bytes) -> None:
        if self._is_map and _MAP_END in line:
            self._is_map = False
        if _is_frame(line):
            self._is_whole = self._has_exception = True
        elif line[:1] not in _SPACES:
            self._note(line)
        blank, self._blank, self._last = len(self._blank), [], line
        self._size += len(line) + 1 + blank
        if len(self._lines) + blank >= self.max_lines or self._size > self.max_bytes:
            self._is_cut = True
        else:
            self._lines += [b""] * blank + [line]

    def _note(self, line: bytes) -> None:
        """What a line at the margin changes: a traceback begins, or ends with its exception."""
        if line.startswith(_TRACEBACK):
            self._is_traceback = self._has_exception = self._is_whole = True
        elif not is_continuation(line):
            self._lists_fields = self._lists_fields or any(sign in line[:_HEAD] for sign in _FIELD_LISTS)
            self._is_traceback, self._has_exception, self._is_whole = False, True, True


def records_of(text: str) -> list[str]:
    """The records of a whole text, as any source would split it."""
    text = text.strip("\r\n")
    if "\n" not in text:
        return [text] if text.strip() else []
    joiner = MultiLine()
    lines = text.encode("utf-8", "surrogatepass").split(b"\n")
    records = [record for line in lines for _, record in joiner.feed(0, line)]
    records += [record for _, record in joiner.rest()]
    return [record.decode("utf-8", "surrogatepass") for record in records]


def _unwrapped(line: bytes) -> bytes:
    """A line of Docker's json-file driver as the container runtime interface writes it, so that a trace's lines find each other."""
    if not (line.startswith(_DOCKER) and line.endswith(b"}")):
        return line
    try:
        entry = orjson.loads(line)
    except ValueError:
        return line
    if set(entry) != _DOCKER_KEYS or not all(isinstance(value, str) for value in entry.values()):
        return line
    said = entry["log"].rstrip("\r\n")
    if "\n" in said or entry["stream"] not in ("stdout", "stderr"):
        return line
    return f"{entry['time']} {entry['stream']} F {said}".encode("utf-8", "surrogatepass")


def _opens_page(line: bytes) -> bool:
    return line[:1] == b"<" and line[:16].lower().startswith(_PAGES)


def _is_header(line: bytes) -> bool:
    """`Content-Type: text/html`, which is no `ERROR: …`."""
    name, colon, _ = line[:_HEAD].partition(b":")
    return bool(colon) and name not in _LEVELS and name.replace(b"-", b"").isalnum()


def _block_of(line: bytes) -> tuple[bytes, ...]:
    """How the lines of the block begin that a line opens; () for none."""
    bare = line.rstrip()
    known = (rest for first, last, rest in _BLOCKS if bare.startswith(first) and bare.endswith(last))
    return next(known, _ITEMS if bare.endswith(b":") else ())


def _is_levelled(line: bytes) -> bool:
    """`          WARNING  message`: rich leaves a time out that is the one of the line above, and keeps its column."""
    return line.startswith(_TIME_COLUMN) and line.lstrip(b" ")[:9] in _PADDED


def is_continuation(line: bytes) -> bool:
    """Whether a line never begins a record: it is indented, a stack frame, or what programs print between frames."""
    first = line[:1]
    return (
        first in _SPACES
        or line.startswith(_FOLLOWING)
        or _is_frame(line)
        or not line.strip(_CLOSERS)
        or (first == b"'" and _is_dumped_header(line))
    )


def _is_dumped_header(line: bytes) -> bool:
    """`':status', '401'`: Envoy's dump of a request's or an answer's headers, one a line."""
    return line.rstrip().endswith(b"'") and b"', '" in line[:_HEAD]


def says_nothing(line: bytes) -> bool:
    """Whether a line has no meaning without the lines above it, wherever it is found: a frame, a marker, a bracket."""
    return _is_frame(line) or line.startswith(_MARKERS) or not line.strip(_CLOSERS + b"^~")


def _is_frame(line: bytes) -> bool:
    """A stack frame, indented or not."""
    if line[:1] in _SPACES:
        return line.lstrip(_GUTTER).startswith(_INDENTED)
    frame = _FRAMES.get(line[:1])
    return frame is not None and frame(line.rstrip())


def _is_java_frame(line: bytes) -> bool:
    """`at org.example.A.b(A.java:1)`, from which a shipper took the indentation."""
    return line.startswith(b"at ") and line.endswith(b")") and b"(" in line


def _is_php_frame(line: bytes) -> bool:
    """`#0 /app/auth.php(12): decode()`."""
    number, space, _ = line[1:8].partition(b" ")
    return bool(space) and number.isdigit()


def _is_path_frame(line: bytes) -> bool:
    """Ruby's ``/app/auth.rb:31:in `decode'``, and what gin prints of Go: `/app/main.go:31 (0x43a5b1)`."""
    head = line[-_HEAD:]
    return (line.endswith(b"'") and b".rb:" in head and b":in " in head) or (line.endswith(b")") and b".go:" in head)


def _is_goroutine(line: bytes) -> bool:
    return line.startswith(b"goroutine ") and line.endswith(b"]:")


_FRAMES: Final = {b"a": _is_java_frame, b"#": _is_php_frame, b"/": _is_path_frame, b"g": _is_goroutine}


def _may_be_go_function(line: bytes) -> bool:
    """`main.decode(0x0)`, `github.com/ory/herodot.(*DefaultError).WithTrace`, `created by net/http.(*Server).Serve`."""
    if line.startswith(b"created by "):
        return True
    if not line[:1].isalpha() or line.startswith(b"eyJ") or not (b"." in line[:_HEAD] or line.startswith(b"panic(")):
        return False
    name, space, _ = line.partition(b" ")
    return not space or (b"(" in name and line.endswith(b")"))


def is_exception(line: bytes) -> bool:
    """Whether a line begins with the name of an exception class."""
    name = line[:_HEAD].partition(b": ")[0].partition(b" ")[0].rstrip(b":\r")
    return name[:1].isalpha() and name.endswith(_ENDINGS) and _is_name(name)


def _is_name(name: bytes) -> bool:
    return name.translate(None, b"._:$").isalnum()


def _is_raised(line: bytes) -> bool:
    """What ends a traceback, whatever the class is called: `carts.Refused: no user`, `carts.Refused`."""
    name, colon, _ = line[:_HEAD].rstrip().partition(b": ")
    return _is_name(name) and (bool(colon) or b"." in name) and not _is_log_line(name)


def _is_field_name(line: bytes) -> bool:
    return len(line) <= _HEAD and _is_name(line) and not line.startswith(b"eyJ")


def _is_thrown(line: bytes) -> bool:
    """What logback, JBoss and .NET print below a message: a qualified name, as Node's and Go's are not."""
    name = line[:_HEAD].partition(b":")[0]
    is_named = name.endswith((b"Exception", b"Throwable")) or name.startswith(b"java.")
    return b"." in name and is_named and is_exception(line)


def _is_timed(line: bytes) -> bool:
    """A log line that a shipper or a writer indented."""
    head = line[:24].lstrip(b"[")
    return head[:4].isdigit() and head[4:5] in (b"-", b"/") and head[5:7].isdigit()


def _is_log_line(line: bytes) -> bool:
    return _is_timed(line) or any(level in line[:80] for level in _LEVELS)


def _is_whole(line: bytes) -> bool:
    """A line whose writer prints no traceback below it: it names the request (access and error logs), or is an exception."""
    return b" HTTP/" in line or line.startswith(_WHOLE) or is_exception(line)
