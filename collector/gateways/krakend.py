"""KrakenD: gin's access lines and the logger's three renderings (plain, go-logging, logstash JSON).

The plain logger writes `DATE TIME PREFIX LEVEL: message`, go-logging `[PREFIX] DATE - TIME ▶ LEVEL message`. A reason is
logged only where the validator has `operation_debug`; `[ENDPOINT: /path]` in front of it is the route.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from collector.errors import UnreadableRecord
from collector.events import Outcome, Responder
from collector.gateways.reading import topic
from collector.gateways.reading.contract import NotAuth, Texts
from collector.gateways.reading.json_fields import finish, mapping
from collector.gateways.reading.scan import quoted
from collector.gateways.reading.times import any_ns, rfc3339_ns
from collector.gateways.reading.values import as_text, client, http_status
from collector.records import Parsed, RawRecord
from collector.token.credentials import QUERY_NAMES

NAME: Final = "krakend"
_GIN: Final = "[GIN] "
_ENDPOINT: Final = "[ENDPOINT: "
_MODULE: Final = " KRAKEND "
_MAX_HEAD: Final = 96
_MAX_PAIRS: Final = 64
# go-logging cuts levels to six characters.
_QUIET: Final = frozenset(("DEBUG", "INFO", "NOTICE", "WARNING", "WARNIN", "WARN"))  # warnings: the configuration
_LEVELS: Final = _QUIET | {"ERROR", "CRITICAL", "CRITIC", "FATAL"}
_AUTH_MODULES: Final = ("[JWTValidator]", "[APIKey", "[BasicAuth]", "[OAuth", "[Revoker]", "[mTLS]")
_SIGNER: Final = "[JWTSigner]"  # it makes tokens and refuses none
_BROKEN: Final = (
    "JWKS endpoint", "JWK service", "JWK client", "invalid JWK", "json web key", "x509:", "dial tcp", 'Get "',
)  # fmt: skip
TEXTS: Final = Texts(begins="[EU", holds=("▶ ", _ENDPOINT, _MODULE))


def parse(record: RawRecord) -> Parsed | None:
    """A request in gin's access log, or a verdict in KrakenD's."""
    if record.fields is None and record.text:
        parsed = _line(record)
    else:
        fields = mapping(record)
        parsed = _logstash(fields, record.time_ns) if fields.get("module") == "KRAKEND" else None
    return finish(parsed, record) if parsed else None


def _line(record: RawRecord) -> Parsed | None:
    text = record.text
    if text.startswith("[GIN"):
        return _gin(text, record.time_ns)
    if text.startswith(("Unable to validate the token: ", "Error #0")):  # cut out of a line; behind a gin line
        message = text.partition(": ")[2] if text[0] == "E" else text
        return _verdict("ERROR", message, 0) if topic.is_auth(text) else None
    head, arrow, rest = text[:_MAX_HEAD].partition("▶ ")
    if arrow:
        level, _, _ = rest.partition(" ")
        when = head.rpartition("] ")[2].strip().replace(" - ", " ")
        at = len(head) + 2 + len(level) + 1
    else:
        head, colon, _ = text[:_MAX_HEAD].partition(": ")
        when, level = text[:19], head.rpartition(" ")[2]
        at = len(head) + 2
        if not colon or not (_ENDPOINT in text[at : at + 16] or _MODULE in head):
            return None
    return _verdict(level, text[at:], rfc3339_ns(when, record.time_ns)) if level in _LEVELS else None


def _logstash(fields: Mapping[str, Any], near_ns: int) -> Parsed:
    when = any_ns(fields.get("@timestamp"), near_ns)
    return _verdict(as_text(fields.get("level")).upper(), as_text(fields.get("message")), when)


def _verdict(level: str, message: str, time_ns: int) -> Parsed:
    """A refusal, or a verifier that failed. Raises NotAuth for every other line."""
    is_auth = any(module in message[:256] for module in _AUTH_MODULES) or topic.is_auth(message)
    if level in _QUIET or not is_auth or _SIGNER in message[:256]:
        raise NotAuth(NAME, "a log line without a verdict")
    parsed = Parsed(NAME, time_ns=time_ns, message=message, responder=Responder.GATEWAY)
    is_broken = any(word in message for word in _BROKEN)
    parsed.outcome = Outcome.ERROR if is_broken else topic.outcome(message)
    if message.startswith(_ENDPOINT):
        parsed.route = message[len(_ENDPOINT) :].partition("]")[0]
        parsed.path = parsed.route
    return parsed


def _gin(text: str, near_ns: int) -> Parsed:
    """`[GIN] date - time | status | latency | client | METHOD "target"`, then gin's errors on lines of their own."""
    line, _, errors = text.partition("\n")
    fields = line.split("|", 4)
    if not text.startswith(_GIN) or len(fields) != 5:
        raise NotAuth(NAME, "not an access line of gin")
    when = fields[0].rpartition("] ")[2].strip().replace(" - ", " ")
    parsed = Parsed(NAME, status=http_status(fields[1].strip()), time_ns=rfc3339_ns(when, near_ns))
    if not parsed.status:
        raise UnreadableRecord(NAME, "the status is not an HTTP status")
    parsed.client = client(fields[3].strip())
    parsed.method = fields[4].strip().partition(" ")[0]
    start = fields[4].find('"')
    _read_target(parsed, quoted(fields[4], start)[0] if start >= 0 else "")
    parsed.message = errors.partition(": ")[2].strip() if errors.startswith("Error #") else ""
    return parsed


def _read_target(parsed: Parsed, target: str) -> None:
    """KrakenD takes credentials from the Authorization header or a cookie, so one in the query was not read."""
    parsed.path, _, query = target.partition("?")
    names = (pair.partition("=")[0].lower() for pair in query.split("&", _MAX_PAIRS)[:_MAX_PAIRS])
    unread = next((name for name in names if name in QUERY_NAMES), "")
    if unread and parsed.status == 401:
        parsed.reason = f"unread credential: query {unread}"
