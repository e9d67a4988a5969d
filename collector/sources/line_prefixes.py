r"""What a shipper or tool writes in front of every line of a stream, so that a stack trace's lines still find each other.

`docker compose logs`, foreman, syslog, journald, the container runtime interface, kubectl and stern name the stream on each line. Two lines
belong together only if they are of the same stream; what follows the prefix says whether they do (`lines.py`). The prefix of
a record's first line stays and is read later (`collector/shippers/prefixes.py`). Every line is looked at, hence no expressions.

>>> prefix_of(b"web-1  |     at verify (a.js:1:2)")
(b'web-1', 9)
>>> prefix_of(b"Mar  3 10:00:00 host carts[12]:   File \"a.py\", line 1")
(b'host carts[12]', 32)
>>> prefix_of(b'{"level":"error"}')
(b'', 0)
"""

from __future__ import annotations

from typing import Final

MAX_HEAD: Final = 300  # bytes in which a prefix ends
_NONE: Final = (b"", 0)
_NAME: Final = b"-._/@"  # what the names of containers, hosts and programs hold besides letters and digits
_POD_SUFFIX: Final = 5
_MONTHS: Final = frozenset(b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split())
_STREAMS: Final = (b"stdout", b"stderr")
_NANOSECONDS: Final = 29  # 2026-03-03T10:00:00.123456789


def prefix_of(line: bytes) -> tuple[bytes, int]:
    """(the stream that the line's prefix names, where the prefix ends); (b"", 0) for a line that has none."""
    first = line[:1]
    if first == b"[":
        return _kubectl(line) if line.startswith(b"[pod/") else _NONE
    if not first.isalnum():
        return _NONE
    if first.isdigit():
        return _timed(line) if line[10:11] == b"T" else _NONE
    if line[3:4] == b" " and line[:3] in _MONTHS:
        return _syslog(line, 16) if line[9:10] == line[12:13] == b":" else _NONE
    return _named(line)


def is_part(line: bytes, end: int) -> bool:
    """Whether the line behind its prefix goes on in the stream's next one: the container runtime cuts after 16 KiB and tags `P`.

    >>> line = b"2026-03-03T10:00:00.123456789Z stdout P {"
    >>> is_part(line, prefix_of(line)[1])
    True
    """
    tag = line.rfind(b" ", 0, end - 1)
    return line[tag + 1 : tag + 2] == b"P" and line[:tag].endswith(_STREAMS)


def _syslog(line: bytes, begin: int) -> tuple[bytes, int]:
    """`host program[pid]: ` behind the time."""
    end = line.find(b": ", begin, MAX_HEAD)
    stream = line[begin:end] if end > 0 else b""
    return (stream, end + 2) if stream.count(b" ") == 1 else _NONE


def _timed(line: bytes) -> tuple[bytes, int]:
    """A time with its zone, and behind it `stdout F `, `host program[pid]: `, or nothing where it has nine digits (`docker logs -t`)."""
    end = line.find(b" ", 19, 36)
    if end < 0:
        return _NONE
    if line[end + 1 : end + 7] in _STREAMS and line[end + 8 : end + 9] in (b"F", b"P"):
        return line[end + 1 : end + 7], line.find(b" ", end + 8, MAX_HEAD) + 1
    if end == _NANOSECONDS + 1 and line[_NANOSECONDS:end] == b"Z":
        return b"Z", end + 1
    found = _syslog(line, end + 1)
    return found if found[0].endswith(b"]") else _NONE


def _kubectl(line: bytes) -> tuple[bytes, int]:
    end = line.find(b"] ", 0, MAX_HEAD)
    return (line[: end + 1], _behind_time(line, end + 2)) if end > 0 else _NONE


def _named(line: bytes) -> tuple[bytes, int]:
    """`name  | ` of docker compose and foreman, `pod container ` of stern."""
    name, _, rest = line[:MAX_HEAD].partition(b" ")
    if not name.translate(None, _NAME).isalnum():
        return _NONE
    bare = rest.lstrip(b" ")
    if bare.startswith(b"| "):
        return name, _behind_time(line, line.find(b"|") + 2)
    container, blank, _ = rest.partition(b" ")
    if not (blank and name.islower() and container.islower() and container.replace(b"-", b"").isalnum()):
        return _NONE
    suffix = name.rpartition(b"-")[2]
    is_pod = len(suffix) == _POD_SUFFIX != len(name) and suffix.isalnum()
    return (name + b" " + container, _behind_time(line, len(name) + len(container) + 2)) if is_pod else _NONE


def _behind_time(line: bytes, at: int) -> int:
    """Behind a time of nine digits, which `--timestamps` adds."""
    end = at + _NANOSECONDS + 2
    return end if line[at + 10 : at + 11] == b"T" and line[end - 2 : end] == b"Z " else at
