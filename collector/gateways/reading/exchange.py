"""A request and its response as logged objects: `{method, uri, headers}` and `{status, headers, body}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from collector.gateways.reading.values import as_text, count, header_map, http_status, is_object, trace_id
from collector.records import Parsed

_MAX_BODY: Final = 1 << 14  # an error's body is a sentence; what is longer is an answer
_SENTENCES: Final = ("message", "error_msg", "error_description", "detail", "error", "reason", "exp", "nbf")


def inner(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The object under a key; empty when it is none."""
    value = fields.get(name)
    return value if is_object(value) else {}


def read_request(parsed: Parsed, request: Mapping[str, Any]) -> None:
    """Method, target and headers. A gateway that logs a header object shows where a credential would stand."""
    parsed.method = as_text(request.get("method"))
    parsed.path = as_text(request.get("uri"))
    if "headers" not in request:
        return
    headers = header_map(request["headers"])
    parsed.headers, parsed.credential_logged = headers, is_object(request["headers"])
    parsed.host = parsed.host or headers.get("host", "")
    parsed.user_agent = headers.get("user-agent", "")
    parsed.request_id = parsed.request_id or headers.get("x-request-id", "")
    parsed.trace_id = parsed.trace_id or trace_id(headers.get("traceparent", ""))


def read_response(parsed: Parsed, response: Mapping[str, Any]) -> dict[str, str]:
    """Status, challenge, length and words of the answer; returns its headers."""
    headers = header_map(response.get("headers"))
    parsed.status = http_status(response.get("status"))
    parsed.challenge = headers.get("www-authenticate", "")
    parsed.body_bytes = count(headers.get("content-length"))
    parsed.message = parsed.message or sentence(response.get("body"))
    return headers


def sentence(body: object) -> str:
    """What an error body says: the sentence in a JSON object, or a short text; "" for anything else."""
    if isinstance(body, str):
        text = body.strip()
        if not 0 < len(text) <= _MAX_BODY or text[0] == "<":
            return ""
        body = _decoded(text)
        if body is None:
            return text
    return _sentence(body) if isinstance(body, Mapping) else ""


def _decoded(text: str) -> object:
    try:
        return orjson.loads(text) if text[0] == "{" else None
    except ValueError:
        return None


def _sentence(body: Mapping[str, Any]) -> str:
    name = next((name for name in _SENTENCES if isinstance(body.get(name), str)), "")
    text = as_text(body.get(name))
    return f'"{name}":"{text}"' if name in ("exp", "nbf") else text
