"""The node's log: `[2006-01-02 15:04:05] [ERRO] [worker-PID]message`, no blank before the message.

eosc log/formatter-line.go writes time and level, `SetPrefix` of process-worker the process. One refusal is up to three lines: the
driver's reason at DEBU (the oidc driver's at ERRO) with the credential in it, `auth error: …` of the app plugin, and the same error
once more, from the access_log plugin.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from collector.events import Outcome, Responder
from collector.gateways.apinto.source import HANDLER_VISIT, NAME, VISIT, ends, is_broken, refuses
from collector.gateways.reading import topic
from collector.gateways.reading.contract import NotAuth
from collector.gateways.reading.times import rfc3339_ns
from collector.records import Parsed

_LEVELS: Final = frozenset(("TRAC", "DEBU", "INFO", "WARN", "ERRO", "FATA", "PANI"))  # eosc cuts at four letters
_QUIET: Final = ("TRAC", "INFO")
_PROCESSES: Final = ("worker-", "master-", "admin-", "helper-")
_MAX_PROCESS: Final = 40  # characters of `worker-19816`
_MAX_PAYLOAD: Final = 16_384
_DRIVER_HEAD: Final = 64  # characters in which a driver's name and what it did stand
_USER_ERROR: Final = "get user error:"
_ERROR: Final = ",err is: "
_TOKEN_ERROR: Final = "valid token error:"  # noqa: S105  # a log line's beginning
_AUTH: Final = "auth error: "
_SECRETS: Final = ("fail to match secret,now:", "extract hash error:")  # a client's secret follows them
# Copies of access log records and of requests to an output, with credentials in them and no verdict of their own.
_COPIES: Final = (
    "send data to loki:", "gen request error:", "send request error:", "read body error:", "response status error:",
    "access log http-entry error:",
)  # fmt: skip
_WRAPPED: Final = "%!w("  # Go's fmt for %w outside of Errorf: `%!w(*errors.errorString=&{token expired})`
_FIRST, _SECOND, _THIRD = 1, 2, 3  # the order of one refusal's lines


def read(text: str, near_ns: int) -> Parsed | None:
    """A verdict. Raises NotAuth for any other line of the node's log."""
    if text[:1] != "[" or text[20:23] != "] [" or text[27:29] != "] " or text[23:27] not in _LEVELS:
        return None
    level, (process, message) = text[23:27], _process(text[29:].strip())
    if level in _QUIET or message.startswith(_COPIES):
        raise NotAuth(NAME, "a log line without a verdict")
    parsed = Parsed(NAME, time_ns=rfc3339_ns(text[1:20], near_ns), responder=Responder.GATEWAY, is_fragment=True)
    if not (_driver(parsed, message) or _plugin(parsed, message, level)):
        raise NotAuth(NAME, "a log line without a verdict")
    parsed.thread = process if parsed.place else ""
    return parsed


def _process(message: str) -> tuple[str, str]:
    """`[worker-19816]` and the message; "" in older versions, which write none."""
    name, closing, _ = message[1 : _MAX_PROCESS + 2].partition("]")
    if message[:1] != "[" or not closing or not name.startswith(_PROCESSES) or not name.rpartition("-")[2].isdigit():
        return "", message
    return name, message[len(name) + 2 :]


def _driver(parsed: Parsed, message: str) -> bool:
    """What an authentication driver says: the reason, before the app plugin says that nobody was recognized."""
    if not (_is_user_error(message) or message.startswith((_TOKEN_ERROR, _WRAPPED))):
        return False
    parsed.place, parsed.outcome = _FIRST, Outcome.DENIED
    if message.startswith(_TOKEN_ERROR):
        parsed.message = message.partition("token:")[0].rstrip()  # an opaque token: no words mark where it begins
    elif message.startswith(_WRAPPED):
        _wrapped(parsed, message)
    else:
        _user_error(parsed, message)
    return True


def _is_user_error(message: str) -> bool:
    return message[:1] == "[" and _USER_ERROR in message[:_DRIVER_HEAD]


def _user_error(parsed: Parsed, message: str) -> None:
    """`[jwt] get user error:Bearer eyJ…,err is: reason`: the value as sent, from wherever the application reads it."""
    head, _, rest = message.partition(_USER_ERROR)
    credential, found, reason = rest.rpartition(_ERROR)
    if not found:
        parsed.message = message
        return
    parsed.message = f"{head}{_USER_ERROR[:-1]}{_ERROR}{reason}"
    parsed.headers, parsed.token_ends = {"authorization": credential}, ends(credential)


def _wrapped(parsed: Parsed, message: str) -> None:
    """`%!w(*T=&{reason}), payload: {claims}`, `…, issuer: URL, key: KID`: what the oidc driver writes."""
    value, closing, rest = message.partition("}), ")
    reason = " ".join(word for word in value.partition("=&{")[2].split() if not word.startswith("0x"))
    parsed.message = reason if closing and reason else message
    if is_broken(reason):  # of the loop that fetches keys: no request's line
        parsed.outcome, parsed.place = Outcome.ERROR, 0
    if rest.startswith("payload: "):
        parsed.claims = _claims(rest[len("payload: ") :])


def _claims(text: str) -> Mapping[str, Any] | None:
    try:
        value = orjson.loads(text[:_MAX_PAYLOAD])
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _plugin(parsed: Parsed, message: str, level: str) -> bool:
    """The line of the app plugin, and the one of the access_log plugin that any plugin's error ends in."""
    if level == "DEBU":
        return False
    if message.startswith(_AUTH):
        parsed.place = _SECOND
    elif refuses(message):
        parsed.place = _THIRD
    elif not (is_broken(message) or topic.is_auth(message)):
        return False
    parsed.message = _without_secret(message)
    parsed.reason = HANDLER_VISIT if message == VISIT else ""
    parsed.outcome = Outcome.ERROR if is_broken(message) else topic.outcome(message)
    return True


def _without_secret(message: str) -> str:
    """The message up to a client's secret, which nothing marks."""
    for mark in _SECRETS:
        head, found, _ = message.partition(mark)
        if found:
            return head + mark.partition(",")[0].rstrip(":")
    return message
