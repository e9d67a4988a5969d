"""The time that a log line begins with, in any of the forms in which loggers, syslog and programs write one.

Forms are found by one RE2 expression and read by `times`; what has no date (a wall clock, seconds since the
start) is passed over and gives 0.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from collector.gateways.reading.named import Named
from collector.gateways.reading.scan import ascii_only
from collector.gateways.reading.times import SECOND_NS, number_ns, rfc3339_ns

_MADE: Final = 1_400_000_000 * SECOND_NS  # no program of today wrote before it: such a clock says nothing of the year
_MONTH: Final = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_DAY: Final = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_CLOCK: Final = r"\d{2}:\d{2}:\d{2}(?:[.,:]\d{1,9})?"
_ZONE: Final = r"(?:[ ]?(?:Z\b|UTC\b|GMT\b|[+-]\d{2}:?\d{2}\b))?"
_FORMS: Final = (
    rf"(?P<iso>\d{{4}}[-/.]\d{{2}}[-/.]\d{{2}}(?:[T _t]|[ ]-[ ]|,[ ]){_CLOCK}{_ZONE})",
    rf"(?P<ctime>{_DAY} {_MONTH} [ \d]\d {_CLOCK}(?: [A-Z]{{3,4}})? \d{{4}})",
    rf"(?P<bsd>{_MONTH} [ \d]\d {_CLOCK})",
    rf"(?P<day>\d{{1,2}}[-/ ]{_MONTH}[-/ ]\d{{4}}[: ]{_CLOCK}(?: [+-]\d{{4}}\b| UTC\b)?)",
    r"(?P<american>\d{1,2}/\d{1,2}/(?:\d{4}|\d{2}),? \d{1,2}:\d{2}:\d{2}(?::\d{3} [A-Z]{3,4}\b)?(?: [AP]M)?)",
    rf"(?P<word>{_MONTH} \d{{1,2}}, \d{{4}} \d{{1,2}}:\d{{2}}:\d{{2}}(?: [AP]M)?)",
    rf"(?P<short>\d{{6}} {_CLOCK})",
    rf"(?P<klog>\d{{4}} {_CLOCK})",
    rf"(?P<clock>{_CLOCK}(?: [AP]M\b)?|\d{{1,2}}:\d{{2}}[AP]M\b)",
    r"(?P<uptime>[ ]{0,6}\d{1,8}\.\d{6}s?)",
    r"(?P<epoch>\d{10}(?:\d{3}){0,3}(?:\.\d{1,9})?)",
)
_BEHIND: Final = {"uptime": "]", "epoch": ": \t]"}  # a number is a time only before these
_STAMP: Final = Named("|".join(_FORMS))
_MAX_CHARS: Final = 48
_FIRST: Final = frozenset("0123456789 MTWFSJAOND")  # of a time: a digit, the blanks before an uptime, a day, a month
_NUMBERS: Final = {
    name: f"{n:02}"
    for n, name in enumerate("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), start=1)  # noqa: SIM905
}


def stamp(text: str, at: int = 0, near_ns: int = 0, observed_ns: int = 0) -> tuple[int, int]:
    """(where the time at `at` ends, its Unix nanoseconds); (`at`, 0) when there is none.

    >>> stamp("03-Mar-2026 10:00:00.500 SEVERE x")
    (24, 1772532000500000000)
    >>> stamp("oidc: no time")
    (0, 0)
    """
    if text[at : at + 1] not in _FIRST:
        return at, 0
    head = ascii_only(text[at : at + _MAX_CHARS])
    found = _STAMP.match(head)
    if not found:
        return at, 0
    (form, written), *_ = found.items()
    end = at + len(written)
    if form in _BEHIND and text[end : end + 1] not in (*_BEHIND[form],):
        return at, 0
    return end, _read(form, written, near_ns, observed_ns)


def _read(form: str, text: str, near_ns: int, observed_ns: int) -> int:
    if form in ("clock", "uptime"):
        return 0
    if form == "epoch":
        whole, _, fraction = text.partition(".")
        return number_ns(int(whole)) + (int(fraction.ljust(9, "0")) if fraction else 0)
    if form in ("bsd", "klog"):
        return _nearest_year(*_month_and_clock(form, text), near_ns or observed_ns)
    return rfc3339_ns(_as_iso(form, text), near_ns)


@lru_cache(maxsize=1024)
def _as_iso(form: str, text: str) -> str:
    """The same time as RFC 3339 writes it."""
    if form == "iso":
        return _iso(text)
    words = text.replace(",", " ").replace("/", " ").replace("-", " ").split() if form != "day" else []
    if form == "ctime":
        zone = "Z" if words[4] in ("UTC", "GMT") else ""  # other names are not one offset: CST is three
        return f"{words[-1]}-{_NUMBERS[words[1]]}-{words[2]:0>2}T{words[3]}{zone}"
    if form == "american":
        return f"{words[2] if len(words[2]) == 4 else '20' + words[2]}-{words[0]:0>2}-{words[1]:0>2}T{_of_24_hours(words[3:])}"
    if form == "word":
        return f"{words[2]}-{_NUMBERS[words[0]]}-{words[1]:0>2}T{_of_24_hours(words[3:])}"
    if form == "short":
        return f"20{text[:2]}-{text[2:4]}-{text[4:6]}T{text[7:]}"
    return _of_day_first(text)


def _iso(text: str) -> str:
    """A comma or a colon before the fraction, dots in the date, a blank before the zone, ` - ` or `, ` between date and clock."""
    date, rest = text[:10].replace(".", "-").replace("/", "-"), text[10:].lstrip("T _t,-")
    clock, fraction = rest[:8], rest[8:].replace(" ", "").replace("UTC", "Z").replace("GMT", "Z")
    return f"{date}T{clock}{'.' + fraction[1:] if fraction[:1] in (',', ':') else fraction}"


def _of_day_first(text: str) -> str:
    """`03-Mar-2026 10:00:00.123`, `03/Mar/2026:10:00:00 +0000`, `03 Mar 2026 10:00:00`."""
    day, month, rest = text.replace("-", " ").replace("/", " ").split(" ", 2)
    clock = text[-len(rest) + 5 :].replace(" UTC", "Z").replace(" ", "").replace(",", ".")
    return f"{rest[:4]}-{_NUMBERS[month]}-{day:0>2}T{clock}"


def _of_24_hours(words: list[str]) -> str:
    hour, _, rest = words[0].partition(":")
    if words[1:] not in (["AM"], ["PM"]):
        return f"{hour:0>2}:{rest[:5]}{rest[5:].replace(':', '.')}"  # a zone's name is passed over, as in ctime's form
    return f"{int(hour) % 12 + (12 if words[1] == 'PM' else 0):02}:{rest}"


def _month_and_clock(form: str, text: str) -> tuple[str, str]:
    if form == "klog":
        return f"{text[:2]}-{text[2:4]}", text[5:]
    return f"{_NUMBERS[text[:3]]}-{text[4:6].strip():0>2}", text[7:]


def _nearest_year(day: str, clock: str, near_ns: int) -> int:
    """The year, which syslog and klog leave out, is the one that brings the time closest to the arrival."""
    if near_ns < _MADE:
        return 0
    year = datetime.fromtimestamp(near_ns / SECOND_NS, UTC).year
    times = [ns for y in (year - 1, year, year + 1) if (ns := rfc3339_ns(f"{y}-{day} {clock.replace(',', '.')}"))]
    return min(times, key=lambda ns: abs(ns - near_ns), default=0)  # without a zone: a WallClock, which min keeps


FORMS: Final = "|".join(
    "(?:" + form.partition(">")[2] for form in _FORMS
)  # the same without names, for a time inside of a line
