"""What a log record says of an error, wherever it stands: a text, an object's `message`, a list under `errors`, down to MAX_DEPTH."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from collector.gateways.reading.values import MAX_DEPTH, MAX_KEYS, as_text

ERRORS: Final = (
    "err", "error", "exception", "exc_info", "stack_trace", "error.message", "Exception", "@x", "thrown", "stack", "error.stack_trace",
    "errorVerbose", "reason", "cause", "detail", "details", "errors", "fault", "error_description", "error_message", "errorMessage",
    "exc", "exception.message", "context", "error.sources",
)  # fmt: skip
_SAYING: Final = (
    "message", "Message", "msg", "error_description", "error", "detail", "details", "description", "reason", "title", "faultstring",
    "exception", "stack", "errors", "operation", "cause",
)  # fmt: skip
_NAMES: Final = frozenset(ERRORS)
_MAX_LIST: Final = 8
_SILENT: Final = frozenset(("", "{}", "[]", "null", "none", "<nil>", "false", "true"))


def error_text(fields: Mapping[str, Any]) -> str:
    """What the object says of an error, from the first key that says anything."""
    if _NAMES.isdisjoint(fields):
        return ""
    told = (said(fields[name], MAX_DEPTH) for name in ERRORS if name in fields)
    return next((text for text in told if text and text.lower() not in _SILENT), "")


def said(value: Any, depth: int) -> str:
    """What a value says: a text; of an object what its telling keys hold, of a list what its members say."""
    if type(value) is not str and isinstance(value, Mapping):
        return next(_of_object(value, depth), "")
    if isinstance(value, list):
        found = dict.fromkeys(said(each, depth - 1) for each in value[:_MAX_LIST]) if depth > 0 else {}
        return "; ".join(filter(None, found))
    text = as_text(value)
    return "" if text.lower() in _SILENT else text


def _of_object(value: Mapping[str, Any], depth: int) -> Iterator[str]:
    if depth <= 0 or len(value) > MAX_KEYS:
        return
    for name in _SAYING:
        if name in value and (text := said(value[name], depth - 1)):
            yield text
