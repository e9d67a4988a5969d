"""The combined log format of nginx and Apache, and what operators append to it."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from msgspec import Struct

from collector.gateways.reading.admission import is_negative
from collector.gateways.reading.contract import NotAuth
from collector.gateways.reading.json_fields import canonical_name, role_of
from collector.gateways.reading.log_lines import names_refusal
from collector.gateways.reading.places import Places
from collector.gateways.reading.scan import (
    has_scheme,
    is_address,
    is_challenge,
    is_hex,
    is_scheme,
    quoted,
    request_line,
    tokens,
    unescape,
)
from collector.gateways.reading.times import clf_ns, haproxy_ns
from collector.gateways.reading.values import as_text, client, http_status, last_status, trace_id
from collector.records import Parsed, RawRecord
from collector.structs import Unshown

_MAX_HEAD: Final = 512  # virtual host, address, identity, user
_LEAST: Final = 3  # characters of a value whose form says something
MAX_NAME: Final = 64  # characters of a name whose words are looked at
_REFUSED_FROM: Final = 400
_MAX_REASON: Final = 300  # characters
_REASONS: Final = frozenset(
    ("reason", "error", "err", "deny", "denied", "detail", "details", "cause", "verdict", "failure", "why", "fault")
)
_TEXT_ROLES: Final = frozenset(("host", "reason", "message", "challenge", "request_id"))


class Line(Unshown, Struct, frozen=True, kw_only=True, gc=False):
    """The fields up to the size, and the rest."""

    host: str
    client: str
    identity: str
    time: str
    request: str
    status: str
    size: str
    rest: str


@lru_cache(maxsize=1)  # parsers ask in turn for the same line
def split(text: str) -> Line | None:
    """`[vhost] client identity user [time] "request" status size rest`; None when the line is not of this shape."""
    at = text.find(" [", 0, _MAX_HEAD)
    end = text.find('] "', at, at + 40) if at > 0 else -1
    if end < 0 or text[at + 4 : at + 5] != "/":
        return None
    head = text[:at].split(" ")
    host = head.pop(0) if len(head) > 3 and is_address(head[1]) else ""
    if len(head) < 3:
        return None
    request, after = quoted(text, end + 2)
    numbers = text[after : after + 40].split(" ", 3)
    if len(numbers) < 3 or not _has_status_form(numbers[1]):
        return None
    size = numbers[2]
    rest = text[after + len(numbers[1]) + len(size) + 2 :]
    return Line(
        host=host, client=head[0], identity=head[1], time=text[at + 2 : end], request=request, status=numbers[1],
        size=size, rest=rest,
    )  # fmt: skip


_SERVERS: Final = {"nginx": ("nginx",), "openresty": ("openresty",), "apache": ("apache", "httpd")}


def server_of(record: RawRecord) -> str:
    """Whose access log a record is from: by the operator's word, its file's, container's or unit's name; "" when nothing says it."""
    if record.gateway:
        return record.gateway
    return _server_at(record.origin.source, record.program, str(record.attributes.get("log.file.path", "")))


@lru_cache(maxsize=256)
def _server_at(source: str, program: str, path: str) -> str:
    place = f"{source} {program} {path}".lower()
    return next((name for name, words in _SERVERS.items() if any(word in place for word in words)), "")


def _has_status_form(text: str) -> bool:
    return len(text) == 3 and text.isascii() and text.isdigit()


def read(kind: str, line: Line, source: str | None = None) -> Parsed:
    """The fields that every dialect has. Raises NotAuth when no answer was sent (nginx writes 000).

    `source` is the file or topic, whose lines have one format: what the lines before told of it counts.
    """
    if not http_status(line.status):
        raise NotAuth(kind, "no answer was sent")
    method, path = request_line(unescape(line.request))
    when = clf_ns(line.time) or haproxy_ns(line.time)
    parsed = Parsed(kind, status=http_status(line.status), time_ns=when, method=method, path=path)
    parsed.host = line.host.partition(":")[0]
    parsed.client = client(line.client)
    extra = tokens(line.rest)
    if len(extra) >= 2 and not extra[0][0] and not extra[1][0]:
        parsed.user_agent = as_text(extra[1][1])
        extra = extra[2:]
    read_columns(parsed, extra, source)
    return parsed


def read_columns(parsed: Parsed, extra: list[tuple[str, str]], source: str | None) -> None:
    """What stands in the columns that operators add, by their names or by their form. `source`: see `read`."""
    for name, value in extra:
        if name:
            _read_named(parsed, name, value)
        else:
            _read_unnamed(parsed, value)
    _read_reason(parsed, extra)
    if source is not None:
        _note_absence(parsed, source, [value for name, value in extra if not name])


def _read_reason(parsed: Parsed, extra: list[tuple[str, str]]) -> None:
    """Of a refusal that nothing explains yet: the first column that says why."""
    if parsed.status >= _REFUSED_FROM and not (parsed.reason or parsed.message):
        parsed.reason = next((value for name, value in extra if tells_why(name, value)), "")


def tells_why(name: str, value: str) -> bool:
    """Whether a column that an operator added says why: a sentence that refuses, a code made of its words, or what stands under "reason".

    >>> tells_why("", "rbac_access_denied_matched_policy[none]"), tells_why("auth-reject-reason", "invalid-scope"), tells_why("upstream", "auth-7")
    (True, True, False)
    """
    if not 2 < len(value) <= _MAX_REASON or (" " not in value and ("/" in value or "=" in value)):
        return False
    said = value.replace("_", " ").replace("-", " ")
    is_reason = not _REASONS.isdisjoint(canonical_name(name).split("_")) if 0 < len(name) <= MAX_NAME else False
    return is_negative(said) if is_reason else " " in said and names_refusal(said)


_PLACES: Final = Places()


def _note_absence(parsed: Parsed, source: str, values: list[str]) -> None:
    """A column without a name is known for the credential's by the lines that had one."""
    if not values or parsed.challenge:
        return
    key = f"{parsed.gateway} {source}"[:_MAX_HEAD], len(values)
    if parsed.credential_logged:
        _PLACES.note(key, next((at for at, value in enumerate(values) if has_scheme(value)), -1))
    else:
        parsed.credential_logged = _PLACES.is_empty(key, values)


def _read_named(parsed: Parsed, name: str, value: str) -> None:
    """`name=value`, by what the name means."""
    role = _role(name, value)
    if role == "credential":
        _read_credential(parsed, name, value)
    elif role in _TEXT_ROLES:
        setattr(parsed, role, getattr(parsed, role) or as_text(value))
    elif role == "trace_id":
        parsed.trace_id = trace_id(as_text(value))
    elif role == "upstream_status":
        parsed.upstream_status = last_status(value)
    elif role == "client":
        parsed.client = client(as_text(value)) or parsed.client


def _role(name: str, value: str) -> str:
    role = role_of(name)
    return "credential" if not role and has_scheme(value) else role


def _read_unnamed(parsed: Parsed, value: str) -> None:
    """A value alone, by its form."""
    if len(value) < _LEAST:
        return
    if _answers(parsed, value):
        parsed.challenge = parsed.challenge or value
    elif has_scheme(value):
        _read_credential(parsed, "", value)
    elif is_address(value) and value.count(".") >= 3:  # a duration has one
        parsed.client = client(as_text(value)) or parsed.client
    elif is_hex(value, 32):
        parsed.request_id = parsed.request_id or value


def _answers(parsed: Parsed, value: str) -> bool:
    """A column with the answer's challenge; a scheme alone is one where the credential has a column before it."""
    return is_challenge(value) or ("authorization" in parsed.headers and is_scheme(value))


def _read_credential(parsed: Parsed, name: str, value: str) -> None:
    header = "cookie" if name and canonical_name(name).endswith("cookie") else "authorization"
    parsed.headers = {**parsed.headers, header: as_text(value)} if parsed.headers else {header: as_text(value)}
    parsed.credential_logged = parsed.credential_logged or header == "authorization"
