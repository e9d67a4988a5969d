"""Keycloak: events as its JBoss logging listener writes them (unquoted before 22, quoted since), and its own errors.

After keycloak `JBossLoggingEventListenerProvider.java` and `Errors.java`:
`type="…_ERROR", realmId=…, error="…", …`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from collector.events import Outcome, Responder
from collector.gateways.reading import topic
from collector.gateways.reading.contract import DIGITS, NotAuth, Texts
from collector.gateways.reading.json_fields import finish, mapping
from collector.gateways.reading.log_lines import condensed, logback, refuses, words_of
from collector.gateways.reading.times import any_ns
from collector.gateways.reading.values import as_text, client
from collector.records import Parsed, RawRecord

NAME: Final = "keycloak"
_PACKAGE: Final = "org.keycloak."
_MAX_PAIRS: Final = 64
_EVENT: Final = ("type=", "operationType=")
_WHY: Final = ("reason", "detail")  # the endpoint's own words: tokens and userinfo, introspection
TEXTS: Final = Texts(begins="o" + DIGITS)


def parse(record: RawRecord) -> Parsed | None:
    """An event of a login or token endpoint, or an error of Keycloak's own classes."""
    if record.fields is None and record.text:
        parsed = _text(record.text, record.time_ns)
    else:
        parsed = _fields(mapping(record), record.time_ns)
    return finish(parsed, record) if parsed else None


def _text(text: str, near_ns: int) -> Parsed | None:
    if text.startswith(_PACKAGE):
        return _verdict(text, 0) if "Exception" in text[:300] else None
    line = logback(text, near_ns)
    if line is None or not line.logger.startswith(_PACKAGE):
        return None
    return _message(line.message, line.time_ns)


def _fields(fields: Mapping[str, Any], near_ns: int) -> Parsed | None:
    """Quarkus' JSON console handler."""
    if not as_text(fields.get("loggerName")).startswith(_PACKAGE):
        return None
    message, stack = as_text(fields.get("message")), words_of(fields, "exception", "stackTrace")
    return _message(f"{message}\n{stack}" if stack else message, any_ns(fields.get("timestamp"), near_ns))


def _message(message: str, time_ns: int) -> Parsed:
    return _event(message, time_ns) if message.startswith(_EVENT) else _verdict(message, time_ns)


def _verdict(message: str, time_ns: int) -> Parsed:
    sentences = condensed(message)
    if not refuses(sentences):
        raise NotAuth(NAME, "a log line without a verdict")
    outcome = topic.outcome(sentences)
    return Parsed(NAME, time_ns=time_ns, message=sentences, outcome=outcome, responder=Responder.GATEWAY)


def _event(message: str, time_ns: int) -> Parsed:
    """Admin events change settings; all others are of a caller."""
    pairs = _pairs(message)
    kind, error = pairs.get("type", ""), pairs.get("error", "")
    if not kind or message.startswith("operationType="):
        raise NotAuth(NAME, "an event of an administrator")
    parsed = Parsed(NAME, time_ns=time_ns, client=client(pairs.get("ipAddress", "")), responder=Responder.GATEWAY)
    parsed.request_id = pairs.get("code_id", "")
    if not error:
        parsed.outcome = Outcome.ALLOWED
        return parsed
    parsed.outcome = Outcome.DENIED
    said = (("error", error), ("type", kind), *((name, pairs.get(name, "")) for name in _WHY))
    parsed.message = ", ".join(f'{name}="{value}"' for name, value in said if value)
    return parsed


def _pairs(text: str) -> dict[str, str]:
    """`k=v, k="v, with commas", …` in both of its spellings."""
    out: dict[str, str] = {}
    at = 0
    for _ in range(_MAX_PAIRS):
        equals = text.find("=", at)
        if equals < 0:
            break
        is_quoted = text[equals + 1 : equals + 2] == '"'
        end = text.find('", ' if is_quoted else ", ", equals + 1)
        name, value = text[at:equals].strip(), text[equals + 1 : end if end >= 0 else len(text)].strip().strip('"')
        out.setdefault(name, "" if value == "null" else value)
        if end < 0:
            break
        at = end + (3 if is_quoted else 2)
    return out
