"""Access lines in no layout that is known: a request, a status, and around them values of any kind in any order.

What tells such a line from a sentence is that nothing in it is said: addresses, times, durations, sizes and quoted columns surround the
request, and a few words that name them. A word that reports a fault, or several that belong to nothing, make it a sentence, which
`admission.py` judges.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from itertools import chain, islice
from typing import Final

from collector.gateways.reading.admission import is_negative
from collector.gateways.reading.scan import has_any, is_address, is_scheme, tokens
from collector.gateways.reading.values import client
from collector.records import Parsed
from collector.redaction.patterns import compiled

Column = tuple[str, str]
NO_FIELDS: Final[Mapping[str, object]] = {}
_MAX_LINE: Final = 4096
_VERBS: Final = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "CONNECT", "PROPFIND", "QUERY")
_REQUEST: Final = compiled(
    rb"(?:\A|[\s\"'`\[(|,;:>=-])(" + "|".join(_VERBS).encode() + rb")[\"'`\])|,;:<>\s-]{1,24}"
    rb"(?:[a-z]+=)?\"?(?:https?://([^/\s\"'`|?]+))?(/[^\s\"'`|\])<>,]*)"
)
_MAY_HAVE_STATUS: Final = compiled(rb"(?:\A|[^\w.])[2-5]\d\d(?:[^\w.]|\z)")
_QUOTES: Final = "\"'`"
_EDGES: Final = "[](){}|<>,;:\"'-="
_STATUSES: Final = frozenset(str(status.value) for status in HTTPStatus if status >= 200)
_STATUS_NAMES: Final = frozenset(("status", "code", "statuscode", "httpstatus", "sc", "st", "rc", "response", "resp"))
_NAMING: Final = _STATUS_NAMES | {"http", "with", "completed", "responded", "finished", "done", "sent", "answer"}
_UNITS: Final = frozenset("ns us µs ms msec msecs s sec secs second seconds b byte bytes kb kib mb mib octets".split())  # noqa: SIM905
_PHRASES: Final = frozenset(word for status in HTTPStatus for word in status.phrase.lower().replace("-", " ").split())
_NAMES: Final = frozenset(
    (
        "addr", "agent", "anonymous", "at", "by", "client", "duration", "elapsed", "for", "from", "h2", "h3", "hit", "host", "https",
        "id", "in", "ip", "latency", "len", "length", "miss", "nil", "none", "null", "on", "peer", "proto", "protocol", "ref", "referer",
        "referrer", "remote", "req", "request", "res", "size", "time", "to", "took", "total", "ua", "user", "via",
    )
)  # fmt: skip
_KNOWN: Final = _NAMING | _UNITS | _PHRASES | _NAMES
_MAY_FOLLOW: Final = (_KNOWN - _UNITS) | {""}
_MAX_WORDS: Final = 4  # before the request: a level, a logger's name, a user
# Who writes these is not the server that was asked: a client, a test, a table of routes.
_OTHERS: Final = frozenset(
    (
        "assert", "call", "called", "calling", "curl", "example", "expect", "expected", "fetch", "fetching", "got", "mapped", "mapping",
        "mock", "registered", "replay", "requesting", "retry", "retrying", "route", "routes", "send", "sending", "should", "skip",
        "skipping", "stub", "test", "testing", "try", "trying", "usage", "would",
    )
)  # fmt: skip
_MIN_CREDENTIAL: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """Method, host and path, and where in the line they stand."""

    method: str
    host: str
    path: str
    begin: int
    end: int


def read(kind: str, text: str, fields: Mapping[str, object] = NO_FIELDS) -> tuple[Parsed, list[Column]] | None:
    """The request of an access line in whatever layout, and the columns around it; None for what is no such line.

    `fields`: what the logger wrote behind the sentence, by name.
    """
    first = text[:_MAX_LINE].partition("\n")[0]
    request = _request(first) if fields or _may_have_status(first) else None
    if request is None:
        return None
    before, behind = _around(first, request)
    behind += [(name, value) for name, value in fields.items() if isinstance(value, str)]
    status = _status(before, behind) if _is_line_of_values(before, behind) else ""
    if not status:
        return None
    parsed = Parsed(kind, status=int(status), method=request.method, path=request.path, host=request.host)
    parsed.client = _client((*before, *behind))
    return parsed, [*before, *behind]


def columns(text: str) -> list[Column]:
    """The columns around the request of an access line, whose layout may be known; empty when there is no request."""
    first = text[:_MAX_LINE].partition("\n")[0]
    request = _request(first)
    return list(chain(*_around(first, request))) if request else []


def _may_have_status(text: str) -> bool:
    return "/" in text and _MAY_HAVE_STATUS.find(text.encode("ascii", "replace"))[0] >= 0


def _request(text: str) -> _Request | None:
    if "/" not in text or not has_any(text, _VERBS):
        return None
    found = _REQUEST.search(text.encode("ascii", "replace"))  # one byte is one character
    if found is None:
        return None
    method, host, path = (text[max(begin, 0) : end] for begin, end in map(found.span, (1, 2, 3)))
    return _Request(
        method=method, host=host.partition(":")[0], path=path.rstrip(":;"), begin=found.start(1), end=found.end(3)
    )


def _around(text: str, request: _Request) -> tuple[list[Column], list[Column]]:
    """The columns before the request and behind it, whose quotation ends with it."""
    begin, end = request.begin, request.end
    quote = text[begin - 1 : begin] if begin else ""
    if quote and quote in _QUOTES and (close := text.find(quote, end)) >= 0:
        return list(_joined(text[: begin - 1])), list(_joined(text[close + 1 :]))
    return list(_joined(text[:begin])), list(_joined(text[end:].lstrip(_QUOTES)))


def _joined(text: str) -> Iterator[Column]:
    """The columns of a text; a bare scheme and the credential behind it are one."""
    scheme: Column | None = None
    for name, value in tokens(text):
        if scheme and not name and (value[:3] == "eyJ" or len(value) >= _MIN_CREDENTIAL):
            yield scheme[0], f"{scheme[1]} {value}"
            scheme = None
            continue
        if scheme:
            yield scheme
        scheme = (name, value) if is_scheme(value.rstrip(":")) else None
        if scheme is None:
            yield name, value
    if scheme:
        yield scheme


def _status(before: Sequence[Column], behind: Sequence[Column]) -> str:
    """The status behind the request, else the one before it, "" when there is none."""
    if found := next(_statuses(behind), ""):
        return found
    earlier = list(_statuses(before))
    is_alone = len(earlier) == 1 and not list(_words(before))
    return earlier[-1] if earlier and (is_alone or _is_beside(before, earlier[-1])) else ""


def _is_beside(before: Sequence[Column], status: str) -> bool:
    """The status stands next to the request, is named, or has a cell of its own."""
    bare = [value.strip(_EDGES) for _, value in before]
    at = len(bare) - 1 - bare[::-1].index(status)
    is_cell = {"|"} == {value for _, value in before[max(at - 1, 0) : at + 2]} - {status}
    return not any(bare[at + 1 :]) or bool(before[at][0]) or is_cell


def _statuses(columns: Sequence[Column]) -> Iterator[str]:
    """What may be the answer's status: a known one, alone. A word beside it makes it a number of something ("401 entries", "pid 401")."""
    for at, (name, value) in enumerate(columns):
        bare = (value.partition(" ")[0] if name else value).strip(_EDGES)
        if bare not in _STATUSES or (name and _plain(name) not in _STATUS_NAMES):
            continue
        earlier, later = _word_at(columns, at - 1), _word_at(columns, at + 1)
        if name or (later in _MAY_FOLLOW and (not earlier or earlier in _NAMING)):
            yield bare


def _word_at(columns: Sequence[Column], at: int) -> str:
    if not 0 <= at < len(columns) or columns[at][0]:
        return ""
    value = columns[at][1]
    word = value.strip(_EDGES).lower()
    return word if word.isalpha() and value[:1] not in _QUOTES else ""


def _plain(name: str) -> str:
    return name.strip(_EDGES).lower().replace("_", "").replace("-", "").replace(".", "")


def _is_line_of_values(before: Sequence[Column], behind: Sequence[Column]) -> bool:
    head, tail = list(islice(_words(before), _MAX_WORDS + 1)), list(islice(_words(_without_agent(behind)), 2))
    if len(head) > _MAX_WORDS or len(tail) > 1 or _is_told(before) or _is_told(behind):
        return False
    words = (*head, *tail)
    return not words or (_OTHERS.isdisjoint(words) and not is_negative(" ".join(words)))


def _without_agent(columns: Sequence[Column]) -> Sequence[Column]:
    """Without a client's name that nobody quoted, `Mozilla/5.0 (X11; Linux x86_64)`: its words are no sentence, unless they report a fault."""
    at = next((at for at, (name, value) in enumerate(columns) if not name and _is_product(value)), len(columns))
    behind = " ".join(value for name, value in columns[at + 1 :] if not name)
    return columns if is_negative(behind) else columns[:at]


def _is_product(text: str) -> bool:
    """A product and its version, `curl/8.4`; of a protocol ("HTTP/1.1") nothing follows but columns."""
    product, slash, version = text.strip(_EDGES).partition("/")
    is_version = bool(slash) and version[:1].isdigit() and "/" not in version
    return is_version and product[:1].isalpha() and product.upper() != "HTTP"


def _is_told(columns: Sequence[Column]) -> bool:
    """A value under a name reports a fault: `error="token is expired"` is read by name, as the reason that it is."""
    return any(name and " " in value and is_negative(value) for name, value in columns)


def _words(columns: Sequence[Column]) -> Iterator[str]:
    """The words that are no name of a value and no phrase of a status. What has blanks was quoted: a column."""
    for name, value in columns:
        word = value.strip(_EDGES + ".!").lower()
        if not name and len(word) > 1 and word.isalpha() and word not in _KNOWN:
            yield word


def _client(columns: Sequence[Column]) -> str:
    """The first address."""
    bare = (value.strip("[](),|") for name, value in columns if not name)
    return next(
        (found for value in bare if is_address(value) and value.count(".") == 3 and (found := client(value))), ""
    )
