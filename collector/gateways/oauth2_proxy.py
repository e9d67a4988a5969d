"""oauth2-proxy: standard log, auth log and request log in their default formats.

After oauth2-proxy `pkg/logger/logger.go`: `[time] [file:line] message`,
`client - request id - user [time] [status] message`, and after the time
`host method upstream "uri" protocol "agent" status size duration`.
"""

from __future__ import annotations

from typing import Final

from collector.events import Outcome, Responder
from collector.gateways.reading import topic
from collector.gateways.reading.contract import NotAuth, Texts
from collector.gateways.reading.json_fields import finish
from collector.gateways.reading.log_lines import refuses
from collector.gateways.reading.scan import tokens
from collector.gateways.reading.times import rfc3339_ns
from collector.gateways.reading.values import as_text, client, count, http_status
from collector.records import Parsed, RawRecord

NAME: Final = "oauth2-proxy"
_MAX_HEAD: Final = 400  # client, request id and user stand before the time
_TIME: Final = 19
_FAILED: Final = "Error "  # how oauthproxy.go and stored_session.go begin what failed for one request
_STATUSES: Final = {
    "AuthSuccess": Outcome.ALLOWED, "AuthFailure": Outcome.DENIED, "AuthError": Outcome.ERROR,
}  # fmt: skip
TEXTS: Final = Texts(begins="[", holds=(" [",))


def parse(record: RawRecord) -> Parsed | None:
    """A request, a verdict, or an error that names one."""
    text = record.text
    if record.fields is not None or not text:
        return None
    if text[0] == "[":
        parsed = _standard(text, record.time_ns)
    else:
        at = text.find(" [", 0, _MAX_HEAD)
        head = text[:at].split(" - ", 3) if at > 0 else []
        parsed = _with_client(head, text[at + 2 :], record.time_ns) if len(head) == 3 else None
    return finish(parsed, record) if parsed else None


def _standard(text: str, near_ns: int) -> Parsed | None:
    """`[2026/03/03 10:00:00] [file.go:12] message`."""
    if text[5:6] != "/" or text[_TIME + 1 : _TIME + 4] != "] [":
        return None
    place, bracket, message = text[_TIME + 4 : _TIME + 140].partition("] ")
    if not bracket or ".go:" not in place:
        return None
    message = text[_TIME + 4 + len(place) + 2 :]
    if not (message.startswith(_FAILED) or refuses(message)):
        raise NotAuth(NAME, "a log line without a verdict")
    parsed = Parsed(NAME, time_ns=rfc3339_ns(text[1 : _TIME + 1], near_ns), message=message)
    parsed.outcome, parsed.responder = topic.outcome(message), Responder.GATEWAY
    return parsed


def _with_client(head: list[str], rest: str, near_ns: int) -> Parsed | None:
    when, bracket, tail = rest[: _TIME + 2].partition("] ")
    if not bracket or len(when) != _TIME or when[4:5] != "/":
        return None
    tail = rest[_TIME + 2 :]
    parsed = Parsed(NAME, time_ns=rfc3339_ns(when, near_ns))
    parsed.client, parsed.request_id = client(as_text(head[0].strip())), as_text(head[1].strip())
    return _verdict(parsed, tail) if tail.startswith("[Auth") else _request(parsed, tail)


def _verdict(parsed: Parsed, tail: str) -> Parsed | None:
    status, bracket, message = tail[1:].partition("] ")
    if not bracket or status not in _STATUSES:
        return None
    parsed.outcome, parsed.responder = _STATUSES[status], Responder.GATEWAY
    parsed.message = "" if parsed.outcome is Outcome.ALLOWED else message
    return parsed


def _request(parsed: Parsed, tail: str) -> Parsed | None:
    """An upstream is named when the request was passed on."""
    values = [value for _, value in tokens(tail)]
    if len(values) < 9 or not values[4].startswith("HTTP/"):
        return None
    parsed.host, parsed.method, parsed.path = values[0].partition(":")[0], values[1], values[3]
    parsed.user_agent = as_text(values[5])
    parsed.status, parsed.body_bytes = http_status(values[6]), count(values[7])
    if not parsed.status:
        raise NotAuth(NAME, "no answer was sent")
    parsed.responder = Responder.UPSTREAM if as_text(values[2]) else Responder.GATEWAY
    return parsed
