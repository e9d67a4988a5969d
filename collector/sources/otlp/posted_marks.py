"""A change that logs do not show, as a pipeline posts it: POST /v1/marks with `{"text": "shop 7.1"}`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from collector.redaction import safe_text
from collector.safe import Safe
from collector.sources.otlp.receiver import Refusal, Refused

MAX_BYTES: Final = 8_192
MAX_TEXT: Final = 200
_KEYS: Final = frozenset({"text", "gateway", "detail", "at"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What happened, when, and of which kind the gateway is that it is about ("" is all of them)."""

    at: datetime
    text: Safe
    gateway: Safe
    detail: Safe


Keep = Callable[[Mark], None]
"""Keeps a mark before it returns. Raises Why401Error when the store does not take it."""


def read(body: bytes, now: datetime) -> Mark:
    """The mark of a body; without `at` it is of now. Raises Refused, which names the field and never its value."""
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise _wrong("", "expected JSON") from None
    if not isinstance(found, dict) or not found.keys() <= _KEYS:
        raise _wrong("", f"expected an object with {', '.join(sorted(_KEYS))}")
    if not found.get("text"):
        raise _wrong("text", f"expected 1 to {MAX_TEXT} characters")
    return Mark(
        at=_moment(found.get("at"), now), text=_text(found, "text"), gateway=_text(found, "gateway"), detail=_text(found, "detail")
    )  # fmt: skip


def _text(found: dict[str, Any], name: str) -> Safe:
    value = found.get(name, "")
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise _wrong(name, f"expected a string of at most {MAX_TEXT} characters")
    return safe_text(value, MAX_TEXT)


def _moment(value: Any, now: datetime) -> datetime:
    if value is None:
        return now
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise _wrong("at", "expected a time like 2026-03-02T14:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _wrong(where: str, why: str) -> Refused:
    return Refused(Refusal.BAD_DATA, why, where=where)
