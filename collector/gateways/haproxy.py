"""HAProxy: `option httplog` and `httpslog` with captured headers, and the lines of haproxy-lua-oauth.

Format after HAProxy's configuration manual, chapter 8 "Logging". HAProxy logs no reason: what tells a refusal is the
termination state (`PR--`), `<NOSRV>`, and whatever the operator captures.
"""

from __future__ import annotations

from typing import Final

from collector.errors import UnreadableRecord
from collector.events import Outcome, Responder
from collector.gateways.reading import combined_log, topic
from collector.gateways.reading.contract import NotAuth, Texts
from collector.gateways.reading.json_fields import finish, role_of
from collector.gateways.reading.places import Places
from collector.gateways.reading.scan import has_scheme, is_address, is_hex, request_line, tokens
from collector.gateways.reading.times import haproxy_ns
from collector.gateways.reading.values import as_text, client, http_status, trace_id
from collector.records import Parsed, RawRecord

NAME: Final = "haproxy"
_MAX_PREFIX: Final = 128  # a syslog header in front of `haproxy[pid]: `
_MAX_CAPTURES: Final = 64
_JOSE: Final = "eyJ"
_LEAST_JOSE: Final = 20  # characters that tell something of a token
_UUID_CHARS: Final = 36
_TRACEPARENT_CHARS: Final = 55
_UNREADABLE: Final = "<BADREQ>"
_LUA_LEVELS: Final = ("[debug] ", "[info] ", "[warning] ", "[error] ", "[alert] ", "[notice] ")
# Return codes of the jwt_verify converter; 1 is success.
_JWT_VERIFY: Final = frozenset(("0", "-1", "-2", "-3", "-4", "-5", "-6"))
TEXTS: Final = Texts(begins="[", holds=("haproxy[", " ["))


def parse(record: RawRecord) -> Parsed | None:
    """A request in HAProxy's HTTP log format, or a refusal that the Lua script reports."""
    if record.fields is not None or not record.text:
        return None
    line = _without_prefix(record.text)
    if line[:1] == "[":
        return _lua_line(line)
    address, _, rest = line[:64].partition(" [")
    host, _, port = address.rpartition(":")
    if not rest or rest[2:3] != "/" or not host or not port.isdigit() or " " in address:
        return None
    parsed = _request(line[len(address) + 2 :], record.time_ns)
    if parsed is None:
        return None
    parsed.client = client(host)
    return finish(parsed, record)


def _without_prefix(text: str) -> str:
    at = text.find("haproxy[", 0, _MAX_PREFIX)
    if at < 0:
        return text
    end = text.find("]: ", at, at + 32)
    return text[end + 3 :] if end > 0 else text


def _request(text: str, near_ns: int) -> Parsed | None:
    """From the accept date on: `date] frontend backend/server timers status bytes … "request"`."""
    when, _, rest = text.partition("] ")
    fields = rest.split(" ", 9)
    if not _is_own(when, fields):
        return None
    if fields[0].endswith(":"):
        return _of_connection(" ".join(fields[1:]), haproxy_ns(when, near_ns))
    if len(fields) < 10 or fields[2].count("/") != 4 or len(fields[7]) != 4:
        raise _not_http(fields)
    parsed = Parsed(NAME, status=http_status(fields[3]), time_ns=haproxy_ns(when, near_ns), flags=fields[7])
    if not parsed.status:
        raise NotAuth(NAME, "the client left before an answer was sent")
    captures, request, extra = _around_request(fields[9])
    _read_request(parsed, request)
    _read_captures(parsed, captures, fields[0])
    _read_extra(parsed, extra)
    if request == _UNREADABLE and parsed.flags[0] == "P":  # C is a client that gave up
        parsed.reason, parsed.outcome = f"{parsed.flags} {_UNREADABLE}", Outcome.DENIED
    return _settle(parsed, fields[1].rpartition("/")[2])


def _of_connection(said: str, time_ns: int) -> Parsed:
    """A handshake that was refused for the client's certificate. Raises NotAuth for any other connection."""
    if "client certificate" not in said[:_MAX_PREFIX]:
        raise NotAuth(NAME, "a connection that became no request")
    return Parsed(NAME, time_ns=time_ns, message=said, outcome=Outcome.DENIED, responder=Responder.GATEWAY)


def _around_request(text: str) -> tuple[str, str, str]:
    """Captures, request and what operators append; captured values may be quoted as well (`{kid: "a9"}`)."""
    at = text.find(' "')
    while at >= 0 and not (text[at + 2 : at + 3].isupper() or text.startswith(_UNREADABLE, at + 2)):
        at = text.find(' "', at + 2)
    if at < 0:
        at = text.find(' "')
    if at < 0:
        return text, "", ""
    request, _, extra = text[at + 2 :].partition('"')
    return text[:at], request, extra


def _is_own(when: str, fields: list[str]) -> bool:
    """Other servers have the request's line, in quotes, where HAProxy names its frontend."""
    return len(when) <= 32 and len(fields) >= 2 and not fields[0].startswith('"')


def _not_http(fields: list[str]) -> Exception:
    if len(fields) >= 7 and fields[2].count("/") == 2:
        return NotAuth(NAME, "a TCP session")
    return UnreadableRecord(NAME, "not the fields of httplog")


def _settle(parsed: Parsed, server: str) -> Parsed:
    """HAProxy answered itself when no server was chosen or the session did not end normally."""
    if server.startswith("<") or parsed.flags[0] != "-":  # <NOSRV>, <STATS>, <LUA>
        parsed.responder = Responder.GATEWAY
        return parsed
    parsed.responder = Responder.UPSTREAM
    parsed.upstream_status = parsed.status
    return parsed


def _read_request(parsed: Parsed, request: str) -> None:
    parsed.method, target = request_line(_decoded(request))
    scheme, found, rest = target.partition("://")
    if not found or "/" in scheme or "?" in scheme:
        parsed.path = target
        return
    parsed.host, slash, path = rest.partition("/")
    parsed.path = slash + path


def _read_captures(parsed: Parsed, text: str, frontend: str) -> None:
    """`queues {request|captures} {response|captures}`: values without names, recognised by their form."""
    _, brace, rest = text.partition("{")
    if not brace:
        return
    values = rest.replace("} {", "|").rstrip("} ").split("|", _MAX_CAPTURES)[:_MAX_CAPTURES]
    for value in values:
        _read_capture(parsed, _decoded(value))
    key = (frontend[:_MAX_PREFIX], len(values))
    if not parsed.credential_logged:
        parsed.credential_logged = _PLACES.is_empty(key, values)
    else:
        _PLACES.note(key, next((at for at, value in enumerate(values) if has_scheme(_decoded(value))), -1))


_PLACES: Final = Places()


def _read_capture(parsed: Parsed, value: str) -> None:
    if value in _JWT_VERIFY:
        parsed.reason = f"jwt_verify({value})"
    elif _is_challenge(value):
        parsed.challenge = value
    elif value.startswith(_JOSE) and len(value) < _LEAST_JOSE:
        return  # cut by the capture's length: neither a credential without its scheme nor a token
    elif has_scheme(value):
        parsed.headers = {"authorization": value}
        parsed.credential_logged = True
    else:
        _read_by_form(parsed, value)


def _read_by_form(parsed: Parsed, value: str) -> None:
    """An id is the last one's, host and user agent are the first's."""
    for role, fits in _FORMS:
        if fits(value) and not (role in _FIRST and getattr(parsed, role)):
            setattr(parsed, role, trace_id(value) if role == "trace_id" else value)
            return


def _is_challenge(value: str) -> bool:
    return ("realm=" in value or "error=" in value) and value[:12].lower().startswith(("bearer ", "basic ", "dpop "))


def _is_uuid(value: str) -> bool:
    return len(value) == _UUID_CHARS and value.count("-") == 4


def _is_traceparent(value: str) -> bool:
    return len(value) >= _TRACEPARENT_CHARS and trace_id(value) != value


def _is_agent(value: str) -> bool:
    return "/" in value and value[0].isalpha()


def _is_host(value: str) -> bool:
    bare = value.partition(":")[0]
    return (
        "." in bare and len(value) <= 255 and bare.replace(".", "").replace("-", "").isalnum() and not is_address(bare)
    )


_FIRST: Final = ("host", "user_agent")
_FORMS: Final = (
    ("request_id", _is_uuid), ("trace_id", _is_traceparent), ("host", _is_host), ("user_agent", _is_agent),
)  # fmt: skip


def _read_extra(parsed: Parsed, text: str) -> None:
    """What operators append: `name=value` and quoted headers."""
    for name, value in tokens(text) if text else ():
        role = role_of(name)
        if role == "credential":
            parsed.headers = {"authorization": as_text(value)}
            parsed.credential_logged = True
        elif role in ("reason", "message", "challenge", "host", "request_id", "trace_id", "user_agent"):
            setattr(parsed, role, as_text(value))
        elif not name and has_scheme(value):
            _read_capture(parsed, value)
        elif name and not parsed.reason and combined_log.tells_why(name, value):
            parsed.reason = value  # under whatever name the operator gave it


def _decoded(text: str) -> str:
    """HAProxy writes `"`, `{`, `|`, `}`, `#` and control characters as `#XX`."""
    if "#" not in text:
        return text
    first, *rest = text.split("#")
    return first + "".join(chr(int(p[:2], 16)) + p[2:] if is_hex(p[:2], 2) else "#" + p for p in rest)


def _lua_line(line: str) -> Parsed | None:
    """`[level] DDD/HHMMSS (pid) : message`: the day of the year without a year, so the arrival counts as the time."""
    level = next((level for level in _LUA_LEVELS if line[:12].lower().startswith(level)), "")
    stamp, _, message = line[len(level) :].partition(" : ")
    day, slash, rest = stamp.partition("/")
    if not (level and slash and day.isdigit() and rest[:6].isdigit() and rest.endswith(")")):
        return None
    if not topic.is_auth(message):
        raise NotAuth(NAME, "a process message")
    outcome = topic.outcome(message)
    by = Responder.GATEWAY if outcome is Outcome.DENIED else Responder.UNKNOWN
    return Parsed(NAME, message=message, outcome=outcome, responder=by)
