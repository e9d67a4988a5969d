"""Apinto and APIPark: `[2006-01-02 15:04:05] [ERRO] message` of eosc's line formatter.

At ERRO every refusal of a driver is `auth error: missing or invalid token`; the reason is logged at DEBU, with the credential in
front of it. The access log has no fixed format: map it with `[[formats]]`.
"""

from __future__ import annotations

from typing import Final

from collector.events import Outcome, Responder
from collector.gateways.reading import topic
from collector.gateways.reading.contract import NotAuth
from collector.gateways.reading.json_fields import finish
from collector.gateways.reading.times import rfc3339_ns
from collector.records import Parsed, RawRecord

NAME: Final = "apinto"
_LEVELS: Final = frozenset(("TRAC", "DEBU", "INFO", "WARN", "ERRO", "FATA", "PANI"))  # eosc cuts at four letters
_QUIET: Final = ("TRAC", "INFO")
_USER_ERROR: Final = "get user error:"
_ERROR: Final = ",err is: "
_TOKEN_ERROR: Final = "valid token error:"  # noqa: S105  # a log line's beginning
_AUTH: Final = ("auth error: ", _TOKEN_ERROR, "no app to auth", "get issuer ", "parse issuer ", "unmarshal issuer ")
_BROKEN: Final = ("get issuer ", "parse issuer ", "unmarshal issuer ", "no app to auth")


def parse(record: RawRecord) -> Parsed | None:
    """A verdict in the node's log."""
    text = record.text
    if record.fields is not None or text[:1] != "[" or text[20:23] != "] [" or text[27:29] != "] ":
        return None
    level, message = text[23:27], text[29:].strip()
    if level not in _LEVELS:
        return None
    if level in _QUIET or not _is_verdict(level, message):
        raise NotAuth(NAME, "a log line without a verdict")
    parsed = Parsed(NAME, time_ns=rfc3339_ns(text[1:20], record.time_ns), message=_without_opaque(message))
    parsed.outcome = Outcome.ERROR if message.startswith(_BROKEN) else topic.outcome(parsed.message)
    parsed.responder = Responder.GATEWAY
    return finish(parsed, record)


def _is_verdict(level: str, message: str) -> bool:
    if message.startswith(_AUTH) or (message.startswith("[") and _USER_ERROR in message[:64]):
        return True
    return level != "DEBU" and topic.is_auth(message)


def _without_opaque(message: str) -> str:
    """The message without a credential that redaction cannot tell from the words around it; a JWT stays, to be read."""
    if message.startswith(_TOKEN_ERROR):
        return message.partition("token:")[0].rstrip()
    head, found, rest = message.partition(_USER_ERROR)
    if not found or rest.lstrip().startswith("eyJ"):
        return message
    _, found, reason = rest.rpartition(_ERROR)
    return f"{head}{_USER_ERROR[:-1]}{_ERROR}{reason}" if found else message
