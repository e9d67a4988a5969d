"""What a log record says of an error, wherever it stands: a text, an object's `message`, a list under `errors`, down to MAX_DEPTH."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
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
_WORDS_OF_ERRORS: Final = frozenset(
    ("error", "err", "reason", "cause", "failure")
)  # a word of a key that loggers have not agreed on: `oidc_error.parent`
_BETWEEN: Final = str.maketrans("_-./", "    ")
_MAX_LIST: Final = 8
_SILENT: Final = frozenset(("", "{}", "[]", "null", "none", "<nil>", "false", "true"))


def error_text(fields: Mapping[str, Any]) -> str:
    """What the object says of an error, from the first key that says anything."""
    told = () if _NAMES.isdisjoint(fields) else (said(fields[name], MAX_DEPTH) for name in ERRORS if name in fields)
    return next((text for text in told if text and text.lower() not in _SILENT), "") or _said_elsewhere(fields)


def _said_elsewhere(fields: Mapping[str, Any]) -> str:
    """A sentence under a key that names an error in a word of its own."""
    if len(fields) > MAX_KEYS:
        return ""
    told = (value for name, value in fields.items() if type(value) is str and " " in value and _names_error(name))
    return next(told, "")


@lru_cache(maxsize=1024)
def _names_error(name: str) -> bool:
    return name not in _NAMES and not _WORDS_OF_ERRORS.isdisjoint(name.lower().translate(_BETWEEN).split())


def said(value: Any, depth: int) -> str:
    """What a value says: a text; of an object what its telling keys hold, of a list what its members say."""
    if type(value) is not str and isinstance(value, Mapping):
        text, reason = next(_of_object(value, depth), ""), as_text(value.get("reason"))
        return f"{text}: {reason}" if text and " " in reason and reason not in text else text
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
