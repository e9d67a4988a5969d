r"""The header of a syslog message: RFC 5424, RFC 3164 and what programs write of it: without a host, with a time of RFC 3339, without a tag.

>>> header = read('<165>1 2026-03-03T10:00:00Z edge-1 nginx 12 - [request@1 id="7"] GET /orders', 0)
>>> header.level, header.host, header.program, header.process, header.data, header.rest
('NOTICE', 'edge-1', 'nginx', '12', (('request@1.id', '7'),), 'GET /orders')
>>> header = read("<134>Mar  3 10:00:00 edge-1 haproxy[12]: GET /orders", 0)
>>> header.level, header.host, header.program, header.process, header.rest
('INFO', 'edge-1', 'haproxy', '12', 'GET /orders')
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from collector.gateways.reading.stamps import stamp
from collector.structs import Unshown

MAX_PAIRS: Final = 64  # of structured data that are kept
_MONTHS: Final = frozenset(("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"))
_SEVERITIES: Final = ("EMERG", "ALERT", "CRIT", "ERROR", "WARNING", "NOTICE", "INFO", "DEBUG")  # RFC 5424, table 2
_MAX_PRIORITY: Final = 191
_MAX_TAG: Final = 100  # characters; RFC 3164 has 32
LEVELS: Final = frozenset(("TRACE", "DEBUG", "INFO", "WARN", "WARNING", "ERROR", "ERR", "FATAL", "CRITICAL", "NOTICE"))


class Header(Unshown, Struct, frozen=True, kw_only=True, gc=False):
    """What stands in front of the message `rest`; "", 0 and () where nothing is said.

    `time_ns` is Unix nanoseconds, a `WallClock` where neither the header nor its arrival shows the zone. `data` is RFC 5424's
    structured data as pairs ("ID.NAME", value).
    """

    rest: str
    level: str = ""
    time_ns: int = 0
    host: str = ""
    program: str = ""
    process: str = ""
    data: tuple[tuple[str, str], ...] = ()


def read(text: str, near_ns: int) -> Header | None:
    """The header of a message that begins with a priority, else None. `near_ns`: when it arrived, which shows year and zone; 0: not known."""
    priority, mark, _ = text[1:5].partition(">")
    if text[:1] != "<" or not mark or not _is_priority(priority):
        return None
    level, rest = _SEVERITIES[int(priority) % 8], text[len(priority) + 2 :]
    if rest[:2] == "1 ":
        return _rfc5424(rest, level) or Header(rest=rest, level=level)
    return bsd(rest, near_ns, level) or _iso(rest, level) or Header(rest=rest, level=level)


def has_priority(line: bytes) -> bool:
    """Whether a line begins as every syslog message does."""
    digits, mark, _ = line[1:5].partition(b">")
    return line[:1] == b"<" and mark == b">" and digits.isdigit() and int(digits) <= _MAX_PRIORITY


def bsd(text: str, near_ns: int = 0, level: str = "") -> Header | None:
    """`Mar  3 10:00:00 host tag[12]: MSG`, as RFC 3164 has it behind the priority; None when no such time begins the text."""
    words = text.split(None, 3)
    if len(words) < 4 or words[0] not in _MONTHS or words[2].count(":") != 2:
        return None
    _, time_ns = stamp(f"{words[0]} {words[1]:>2} {words[2]}", 0, near_ns, near_ns)
    return _tagged(words[3], time_ns, level) or _untagged(words[3], time_ns, level)


def _is_priority(digits: str) -> bool:
    return digits.isascii() and digits.isdigit() and int(digits) <= _MAX_PRIORITY


def _iso(text: str, level: str) -> Header | None:
    """A time of RFC 3339 where RFC 3164 has its own: what rsyslog forwards by default. Without a tag, the time is the line's."""
    if text[4:5] != "-" or text[10:11] != "T":
        return None
    end, time_ns = stamp(text)
    if not time_ns or text[end : end + 1] != " ":
        return None
    return _tagged(text[end + 1 :], time_ns, level)


def _tagged(text: str, time_ns: int, level: str) -> Header | None:
    """`host tag[12]: MSG`, or without the host, as HAProxy and nginx write it when they are told so."""
    first, _, behind = text.partition(" ")
    if first.upper() in LEVELS:  # a logger's line: no host is called so
        return None
    if first[-1:] == ":" and first[:1].isalnum():
        return _of_tag(behind, "", first[:-1], time_ns, level)
    tag, colon, rest = behind.partition(":")
    if not colon or not tag or " " in tag or len(tag) > _MAX_TAG or rest[:1] not in ("", " "):
        return None
    return _of_tag(rest[1:], first, tag, time_ns, level)


def _of_tag(rest: str, host: str, tag: str, time_ns: int, level: str) -> Header:
    program, _, process = tag.partition("[")
    return Header(rest=rest, level=level, time_ns=time_ns, host=host, program=program, process=process.rstrip("]"))


def _untagged(text: str, time_ns: int, level: str) -> Header:
    """`host MSG`."""
    host, _, rest = text.partition(" ")
    return Header(rest=rest.lstrip(" "), level=level, time_ns=time_ns, host=host)


def _rfc5424(text: str, level: str) -> Header | None:
    """`1 TIME HOST APP PROCID MSGID SD MSG`."""
    words = text.split(" ", 6)
    if len(words) < 7:
        return None
    _, when, host, program, process, _, behind = words
    data, end = _structured_data(behind)
    return Header(
        rest=behind[end:].removeprefix(" ").removeprefix("\ufeff"),
        level=level,
        time_ns=stamp(when)[1],
        host=_said(host),
        program=_said(program),
        process=_said(process),
        data=data,
    )


def _said(word: str) -> str:
    return "" if word == "-" else word


def _structured_data(text: str) -> tuple[tuple[tuple[str, str], ...], int]:
    """The pairs and where they end. What is not closed is the message's."""
    if text[:1] == "-":
        return (), 1
    pairs: list[tuple[str, str]] = []
    at = 0
    while text[at : at + 1] == "[":
        end = _element(text, at + 1, pairs)
        if not end:
            return (), 0
        at = end
    return tuple(pairs[:MAX_PAIRS]), at


def _element(text: str, at: int, pairs: list[tuple[str, str]]) -> int:
    """Where the element that begins at `at` ends, behind its bracket; 0 when it does not. Its pairs are added."""
    end = _end_of_name(text, at)
    name = text[at:end]
    while text[end : end + 1] == " ":
        equals = text.find('="', end)
        closing = _closing_quote(text, equals + 2) if equals > end else -1
        if closing < 0:
            return 0
        if len(pairs) < MAX_PAIRS:
            pairs.append((f"{name}.{text[end + 1 : equals]}", _unescaped(text[equals + 2 : closing])))
        end = closing + 1
    return end + 1 if text[end : end + 1] == "]" else 0


def _end_of_name(text: str, at: int) -> int:
    """An SD-ID has 32 characters at most; those of programs may be longer."""
    ends = [end for mark in " ]" if (end := text.find(mark, at, at + 2 * _MAX_TAG)) >= 0]
    return min(ends, default=len(text))


def _closing_quote(text: str, at: int) -> int:
    """The first quote that no backslash escapes; -1 when there is none."""
    while (at := text.find('"', at)) >= 0:
        head = text[max(at - _MAX_TAG, 0) : at]
        if (len(head) - len(head.rstrip("\\"))) % 2 == 0:
            return at
        at += 1
    return -1


def _unescaped(value: str) -> str:
    if "\\" not in value:
        return value
    first, *rest = value.split("\\")
    return first + "".join(piece if piece[:1] in ('"', "]") else "\\" + piece for piece in rest)
