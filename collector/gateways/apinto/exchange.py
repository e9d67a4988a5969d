"""Request and response of an access log record, in whichever format: headers of a query string, target of a URL, body's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

import orjson

from collector.events import Outcome, Responder
from collector.gateways.apinto.source import HANDLER_VISIT, VISIT, ends, is_broken, refuses
from collector.records import Parsed

MAX_HEADERS: Final = 128
MAX_HEADER_CHARS: Final = 131_072  # encoded, of all headers: Apinto's server accepts 4 KiB to 16 KiB
MAX_BODY: Final = 4_096  # characters of a response body that are read for a reason
_BODY_WORDS: Final = ("message", "msg", "error_description", "error", "detail", "reason")
_CHALLENGE: Final = "www-authenticate"
_PHRASES: Final = ("Unauthorized", "Forbidden")  # an upstream's status in words says no more than the status
_TYPE: Final = "authorization-type"
_MAX_TYPE: Final = 24


def decoded(text: str) -> dict[str, str]:
    """Go's `url.Values.Encode` undone, names in lower case: `Authorization=Bearer+eyJ…&Host=…`; repeated ones joined by ", "."""
    headers: dict[str, str] = {}
    if not text or len(text) > MAX_HEADER_CHARS or text.count("&") >= MAX_HEADERS:
        return headers
    for name, value in parse_qsl(text, keep_blank_values=True):
        low = name.lower()
        headers[low] = f"{headers[low]}, {value}" if low in headers else value
    return headers


def target(url: str) -> tuple[str, str]:
    """(host, path with its query) of `http://host/path?query`, which is what `$url` writes."""
    scheme, found, rest = url.partition("://")
    if not found or "/" in scheme or len(scheme) > 8:
        return "", url
    host, slash, path = rest.partition("/")
    return host, slash + path


def read_headers(parsed: Parsed, headers: Mapping[str, str]) -> None:
    """The request's own headers: all of them were logged, so that an absent one was not sent."""
    parsed.headers, parsed.credential_logged = headers, True
    parsed.token_ends = ends(headers.get("authorization", ""))
    parsed.user_agent = parsed.user_agent or headers.get("user-agent", "")
    parsed.host = parsed.host or headers.get("host", "")
    parsed.trace_id = parsed.trace_id or headers.get("traceparent", "")


def read_response(parsed: Parsed, body: str, headers: Mapping[str, str], application: str = "") -> None:
    """The reason that a refusal's body gives, and the challenge. A body of a request that passed is the upstream's business.

    `application` is the label of the caller, once it is known.
    """
    if parsed.status < 400:
        return
    words = words_of(body)
    parsed.challenge = headers.get(_CHALLENGE, "")
    if parsed.responder is Responder.UPSTREAM:
        parsed.message = "" if words in _PHRASES else words
        return
    parsed.message = words
    if is_broken(words):
        parsed.outcome = Outcome.ERROR
    elif refuses(words):  # also with 400, 402 and 416
        parsed.outcome = Outcome.DENIED
    if parsed.status in (401, 403):
        is_known = bool(application) or (words in _PHRASES and words != body)  # only plugins behind it answer with JSON
        parsed.reason = _labels(parsed, is_known=is_known)


def _labels(parsed: Parsed, *, is_known: bool) -> str:
    """Apinto's labels of who refused: `handler` of a strategy, `auth_status`; else the driver that the client asked for."""
    if parsed.message == VISIT:
        return HANDLER_VISIT
    if is_known:
        return "auth_status: success"
    asked = parsed.headers.get(_TYPE, "")
    return f"Authorization-Type: {asked.lower()}" if 0 < len(asked) <= _MAX_TYPE else ""


def words_of(body: str) -> str:
    """A body's sentence: the text, or what a JSON object says under the usual names."""
    text = body[:MAX_BODY].strip()
    if text[:1] != "{" or len(body) > MAX_BODY:
        return text
    try:
        value = orjson.loads(text)
    except ValueError:
        return text
    said = [_said(value, name) for name in _BODY_WORDS] if isinstance(value, dict) else []
    return ": ".join(dict.fromkeys(filter(None, said))) or text


def _said(value: Mapping[str, Any], name: str) -> str:
    inner = value.get(name)
    if isinstance(inner, dict):  # {"error": {"message": …}}, as AI providers write
        inner = inner.get("message")
    return inner if isinstance(inner, str) else ""
