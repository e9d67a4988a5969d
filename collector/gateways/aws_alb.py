"""Application Load Balancer: the access log, whose last columns name why its own authentication refused a request.

After "Access log entries" of the user guide: 28 and more columns, request and user agent in quotes, absent values "-".
"""

from __future__ import annotations

from typing import Final

from collector.events import Outcome, Responder
from collector.gateways.reading.contract import NotAuth, Texts
from collector.gateways.reading.json_fields import finish
from collector.gateways.reading.scan import request_line, tokens
from collector.gateways.reading.times import rfc3339_ns
from collector.gateways.reading.values import client, http_status
from collector.records import Parsed, RawRecord

NAME: Final = "aws-alb"
_TYPES: Final = ("http ", "https ", "h2 ", "grpcs ", "ws ", "wss ")
_ARN: Final = "arn:aws"
_RESOURCE: Final = " app/"  # a listener without certificate or target group has no ARN in its lines
_REASONS: Final = ("Auth", "JWT", "JWKS", "WAF")  # beginnings of the error reasons
_TIME, _CLIENT, _STATUS, _UPSTREAM, _REQUEST, _AGENT, _TRACE = 1, 3, 8, 9, 12, 13, 17
_COLUMNS: Final = 25
_HEAD: Final = 100  # characters in which type, time and load balancer stand
_LAST_COLUMNS: Final = 21  # actions, redirect URL and error reason stand behind the rule
TEXTS: Final = Texts(begins="hgw")


def parse(record: RawRecord) -> Parsed | None:
    """A request of the access log."""
    if record.fields is not None or not record.text.startswith(_TYPES) or not _is_of_alb(record.text):
        return None
    values = [value for _, value in tokens(record.text)]
    if len(values) < _COLUMNS or not http_status(values[_STATUS]):
        return None
    return finish(_parsed(values), record)


def _is_of_alb(text: str) -> bool:
    return _ARN in text or _RESOURCE in text[:_HEAD]


def _parsed(values: list[str]) -> Parsed:
    parsed = Parsed(NAME, status=http_status(values[_STATUS]), time_ns=rfc3339_ns(values[_TIME]))
    parsed.client = client(values[_CLIENT])
    parsed.method, parsed.path = request_line(values[_REQUEST])
    parsed.user_agent, parsed.request_id = values[_AGENT], values[_TRACE]
    parsed.upstream_status = http_status(values[_UPSTREAM])
    parsed.reason = next((each for each in values[_LAST_COLUMNS:] if each.startswith(_REASONS)), "")
    parsed.responder = Responder.UPSTREAM if parsed.upstream_status else Responder.GATEWAY
    if parsed.reason:
        parsed.outcome = Outcome.DENIED
    elif parsed.status == _NOT_SENT:
        raise NotAuth(NAME, "the client closed the connection")
    return parsed


_NOT_SENT: Final = 460  # the client went before the answer
