"""What shippers, runtimes and command-line tools write in front of a line: syslog, CRI, compose, kubectl, stern, Heroku, journald, pm2.

Each reader answers with the line behind its prefix and what the prefix says, or None. A prefix that only its form tells (a name in
brackets, a time) comes off where the rest is a better record: where it begins with an object, a time or a level of its own.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from collector.gateways.reading import combined_log
from collector.gateways.reading.named import Named
from collector.gateways.reading.shapes import read_line
from collector.gateways.reading.stamps import FORMS, stamp
from collector.shippers import syslog
from collector.structs import Unshown

MAX_HEAD: Final = 400  # characters in which a prefix ends
_MONTHS: Final = frozenset(("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"))
_POD: Final = r"(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?-)(?:[a-f0-9]{6,10}-)?[a-z0-9]{5}"
# docker compose, foreman, honcho, overmind, pm2, docker service logs: `[TIME] name  | line`.
_BAR: Final = Named(rf"(?P<head>(?:(?P<time>{FORMS}) )?(?P<program>[A-Za-z0-9][\w.@/-]*)[ ]*\|[ ]{{0,2}})")
_KUBECTL: Final = Named(r"(?P<head>\[pod/[^\]/ ]+/(?P<program>[^\]/ ]+)\][ ])")
_AGENT: Final = Named(r"(?P<head>\[Envoy \((?:Epoch \d+|[\w.-]+)\)\][ ])\[")  # istio/istio pkg/envoy/proxy.go until 1.5
_BRACKETS: Final = Named(rf"(?P<head>\[(?:{_POD}[ /])?(?P<program>(?:{_POD}|[a-z][a-z0-9-]*))\][ ])")
_STERN: Final = Named(rf"(?P<head>{_POD}[ ](?:› )?(?P<program>[a-z][a-z0-9-]*)[ ])")
_HEROKU: Final = Named(
    r"(?P<head>(?P<time>\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)) (?:app|heroku)\[(?P<program>[\w.-]+)\](?: [a-z]{3} )?:? ?)"
)
_JOURNAL: Final = Named(
    r"(?P<head>(?P<time>\d{4}-\d\d-\d\dT[\d:.,]+(?:Z|[+-]\d\d:?\d\d)) [\w.-]+ (?P<program>[\w.@/-]+)(?:\[\d+\])?: )"
)
_FLUENTD: Final = Named(
    r"(?P<head>(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? [+-]\d{4}) (?P<program>[\w.-]+): )\{"
)
_LOGCLI: Final = Named(r"(?P<head>(?P<time>\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)) \{[^{}]*\}\s+)")
_RECORDS: Final = ("{", "time=", "level=", "ts=", "lvl=", "logger=", "t=")  # an object, or logfmt
_CURL: Final = Named(r"(?P<head>< )(?:HTTP/|[A-Za-z-]+: )")


class Prefix(Unshown, Struct, frozen=True, kw_only=True, gc=False):
    """The line behind a prefix, and what the prefix says; "" and 0 where it says nothing."""

    rest: str
    time_ns: int = 0
    program: str = ""
    level: str = ""


def behind_prefix(text: str) -> Prefix | None:
    """The line behind its first prefix; None when it has none."""
    first = text[:1]
    if first == "{":
        return None
    if first == "<":
        return _syslog(text) or _of_curl(text)
    if first == "[":
        return _named(_KUBECTL, text) or _named(_AGENT, text) or _if_better(_named(_BRACKETS, text))
    if text[:3] in _MONTHS and text[3:4] == " ":
        return _rfc3164(text)
    return _timed(text) if _is_timed(text) else _of_name(text)


def _of_curl(text: str) -> Prefix | None:
    """Every line of an answer that curl printed has the mark."""
    found = _named(_CURL, text)
    return Prefix(rest=found.rest.replace("\n< ", "\n")) if found else None


def _is_timed(text: str) -> bool:
    return text[4:5] == "-" and text[:4].isdigit() and text[10:11] in ("T", " ")


def _of_name(text: str) -> Prefix | None:
    """A container's or process's name in front of the line."""
    head = text[:MAX_HEAD]
    if "|" in head:
        return _bar(text)
    return _if_better(_named(_STERN, text)) if head[:1].isalnum() and "-" in head else None


def _timed(text: str) -> Prefix | None:
    """What begins with a time: CRI, Heroku, journald's short-iso, Fluentd's stdout, logcli; or a time alone in front of a record."""
    if text[10] == "T":
        cri = _cri(text)
        if cri:
            return cri
        second = text[:MAX_HEAD].split(None, 2)[1:2]
        is_logger = bool(second) and second[0].upper() in syslog.LEVELS  # `TIME WARN auth: …`: no host is called so
        for expression in (_HEROKU, _LOGCLI) if is_logger else (_HEROKU, _JOURNAL, _LOGCLI):
            if found := _named(expression, text):
                return found
    elif found := _named(_FLUENTD, text):
        return found
    return _time_alone(text)


def _time_alone(text: str) -> Prefix | None:
    """`kubectl logs --timestamps`, `docker logs -t`, Azure's log stream: a time in front of a record that has a form of its own."""
    end, time_ns = stamp(text)
    if not time_ns or text[end : end + 1] != " " or text[10] != "T":
        return None
    rest = text[end + 1 :]
    bare = rest.lstrip()
    is_record = bare[:1] == "{" and bare[-1:] == "}"
    if is_record or _begins_with_time(bare) or combined_log.split(bare):
        return Prefix(rest=rest, time_ns=time_ns)
    return None


def _begins_with_time(text: str) -> bool:
    """A second time, in brackets or behind klog's letter."""
    begin = 1 if text[:1] in "[EWIF" and text[:1] else 0
    end, _ = stamp(text, begin)
    return end > begin + 5 or _named(_KUBECTL, text) is not None


def _bar(text: str) -> Prefix | None:
    """Not where a logger's own layout has a bar behind its level."""
    found = _named(_BAR, text)
    line = read_line(text) if found else None
    return None if line is not None and line.level and not line.shape.startswith("time") else found


def _if_better(found: Prefix | None) -> Prefix | None:
    """The prefix, when what is behind it has a form of its own."""
    if found is None:
        return None
    rest = found.rest.lstrip()
    is_better = (
        rest.startswith(_RECORDS) or _begins_with_time(rest) or read_line(rest) is not None or combined_log.split(rest)
    )
    return found if is_better else None


def _named(expression: Named, text: str) -> Prefix | None:
    parts = expression.match(text[:MAX_HEAD])
    if not parts:
        return None
    time_ns = stamp(parts["time"])[1] if "time" in parts else 0
    return Prefix(rest=text[len(parts["head"]) :], time_ns=time_ns, program=parts.get("program", ""))


def _cri(text: str) -> Prefix | None:
    """`2026-03-03T10:00:00.000000000Z stdout F line` (Kubernetes container runtime interface)."""
    words = text.split(" ", 3)
    if len(words) == 4 and words[1] in ("stdout", "stderr") and words[2][:1] in "FP":
        return Prefix(rest=words[3], time_ns=stamp(words[0])[1])
    return None


def _syslog(text: str) -> Prefix | None:
    """RFC 5424 `<165>1 TIME HOST APP PROCID MSGID SD MSG`, or RFC 3164 `<134>Mar  3 10:00:00 host tag: MSG`. Only the former has year and zone."""
    return _of_header(syslog.read(text, 0))


def _rfc3164(text: str) -> Prefix | None:
    """`Mar  3 10:00:00 host tag[123]: MSG`; haproxy and nginx write so. The year and the zone are the transport's to know."""
    return _of_header(syslog.bsd(text))


def _of_header(found: syslog.Header | None) -> Prefix | None:
    if found is None:
        return None
    return Prefix(rest=found.rest, time_ns=found.time_ns, program=found.program, level=found.level)
