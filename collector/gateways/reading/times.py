"""Times as gateways write them, to Unix nanoseconds; 0 for what is not a time or lies outside 1970 to 2262.

Hand-written because every record needs one: the part down to the second is cached, so a busy second is read once.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

SECOND_NS: Final = 1_000_000_000
_MAX_NS: Final = 2**63 - 1  # what Parquet, DuckDB and OTLP hold
_MONTHS: Final = {
    name: n
    for n, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), start=1
    )
}
MAX_SECONDS: Final = 100_000_000_000  # what is larger is in milliseconds, microseconds or nanoseconds
MAX_DIGITS: Final = 19
_QUARTER_NS: Final = 15 * 60 * SECOND_NS
_MAX_OFFSET_NS: Final = 14 * 3600 * SECOND_NS
# A shipper's delay. Wider, and a backlog that is read late would look like another time zone.
_SHIPPED_NS: Final = (-1 * SECOND_NS, 10 * SECOND_NS)


class WallClock(int):
    """Nanoseconds of a time that was written without a zone and taken for UTC: nothing shows that it is."""

    __slots__ = ()


def rfc3339_ns(text: str, near_ns: int = 0) -> int:
    """RFC 3339, with a space or T, any fraction, Z or an offset; without either it is a wall clock (see `wall_ns`).

    >>> rfc3339_ns("2026-03-03T11:00:00.5+01:00") == rfc3339_ns("2026-03-03T10:00:00.5Z")
    True
    """
    second = _iso_second(text[:19])
    if second < 0:
        return 0
    tail = text[19:48]
    if tail[-1:] in ("Z", "z"):
        return _bounded(second * SECOND_NS + _fraction_ns(tail[:-1]))
    sign = max(tail.rfind("+"), tail.rfind("-"))
    if sign >= 0:
        return _bounded(second * SECOND_NS + _fraction_ns(tail[:sign]) - _offset_ns(tail[sign:]))
    return wall_ns(_bounded(second * SECOND_NS + _fraction_ns(tail)), near_ns)


def clf_ns(text: str) -> int:
    """The common log format's `03/Mar/2026:10:00:00 +0000`."""
    return _bounded(_clf_second(text[:26]) * SECOND_NS)


def haproxy_ns(text: str, near_ns: int = 0) -> int:
    """HAProxy's `03/Mar/2026:10:00:00.123`, a wall clock unless an offset follows."""
    if " " in text[20:27]:
        return clf_ns(text)
    second = _clf_second(text[:20])
    return wall_ns(_bounded(second * SECOND_NS + _fraction_ns(text[20:30])), near_ns) if second > 0 else 0


def apache_ns(text: str, near_ns: int = 0) -> int:
    """Apache's error log: `Tue Mar 03 10:00:00.123456 2026`, a wall clock."""
    words = text[:40].split()
    if len(words) != 5:
        return 0
    clock, _, fraction = words[3].partition(".")
    second = _clf_second(f"{words[2]:0>2}/{words[1]}/{words[4]}:{clock}")
    return wall_ns(_bounded(second * SECOND_NS + _fraction_ns("." + fraction)), near_ns) if second > 0 else 0


def number_ns(value: float) -> int:
    """Unix seconds, milliseconds, microseconds or nanoseconds, by size."""
    if not 0 < value <= _MAX_NS:
        return 0
    scale = next((scale for limit, scale in ((1e11, 10**9), (1e14, 10**6), (1e17, 10**3)) if value < limit), 1)
    if isinstance(value, int):
        return _bounded(value * scale)
    return _bounded(round(value * (scale // 1000)) * 1000 if scale > 1000 else round(value * scale))


def any_ns(value: Any, near_ns: int = 0) -> int:
    """A JSON value that is a time in one of the forms above."""
    if type(value) is str:
        return _text_ns(value, near_ns)
    if type(value) is int or type(value) is float:
        return number_ns(value)
    return 0


def wall_ns(utc_ns: int, near_ns: int) -> int:
    """A time without a zone: a `WallClock`, unless the transport's own time shows the zone.

    The zone shows when the two differ by a whole number of quarter hours and a shipper's delay; `exp` judged with the
    wrong zone would be hours off. `near_ns` 0, or itself without a zone: nothing is known.
    """
    if not utc_ns:
        return 0
    if near_ns and type(near_ns) is not WallClock:
        low, high = _SHIPPED_NS
        offset = round((near_ns - utc_ns) / _QUARTER_NS) * _QUARTER_NS
        if abs(offset) <= _MAX_OFFSET_NS and low <= near_ns - utc_ns - offset <= high:
            return int(utc_ns) + offset
    return WallClock(utc_ns)


def _text_ns(text: str, near_ns: int) -> int:
    head = text[:48]
    if len(head) >= 19 and head[4] in "-/":
        return rfc3339_ns(head, near_ns)
    if head[2:3] == "/":
        return haproxy_ns(head, near_ns)
    whole, _, fraction = head.partition(".")
    if whole.isascii() and whole.isdigit() and len(whole) <= MAX_DIGITS:
        return _decimal_ns(int(whole), fraction)
    return apache_ns(head, near_ns) if head[3:4] == " " else 0


def _decimal_ns(whole: int, fraction: str) -> int:
    """A number in text; only seconds have a fraction that counts."""
    scaled = number_ns(whole)
    return scaled + _fraction_ns("." + fraction) if fraction and whole < MAX_SECONDS and scaled else scaled


@lru_cache(maxsize=4096)
def _iso_second(text: str) -> int:
    if len(text) != 19 or text[10] not in "Tt _" or text[4] not in "-/" or not text.isascii():
        return -1
    return _unix(text[0:4], text[5:7], text[8:10], text[11:])


@lru_cache(maxsize=4096)
def _clf_second(text: str) -> int:
    if len(text) < 20 or not text.isascii() or text[3:6] not in _MONTHS:
        return 0
    second = _unix(text[7:11], str(_MONTHS[text[3:6]]), text[0:2], text[12:20])
    return max(second - _offset_ns(text[20:].strip()) // SECOND_NS, 0)


def _unix(year: str, month: str, day: str, clock: str) -> int:
    """-1 for what is not a date. A leap second counts as the one before."""
    parts = (year, month, day, clock[0:2], clock[3:5], clock[6:8])
    if not all(part.isdigit() for part in parts):
        return -1
    y, mo, d, h, mi, s = map(int, parts)
    try:
        return int(datetime(y, mo, d, h, mi, min(s, 59) if s == 60 else s, tzinfo=UTC).timestamp())
    except ValueError:
        return -1


def _fraction_ns(text: str) -> int:
    digits = text[1:10]
    return int(digits.ljust(9, "0")) if digits.isascii() and digits.isdigit() else 0


def _offset_ns(text: str) -> int:
    digits = text[1:].replace(":", "")
    if len(digits) != 4 or not (digits.isascii() and digits.isdigit()):
        return 0
    seconds = int(digits[:2]) * 3600 + int(digits[2:]) * 60
    return (-seconds if text[0] == "-" else seconds) * SECOND_NS


def _bounded(ns: int) -> int:
    return ns if 0 < ns <= _MAX_NS else 0
