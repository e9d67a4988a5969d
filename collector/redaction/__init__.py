"""Redaction: the last step before a text is written, sent, logged or shown.

`redact` and `safe_text` take any text, never raise and fail closed: when a rule breaks, the text is gone and the
rule `failed` is counted. Their rules, what they miss and their sources: docs/redaction.md.
`Safe`, the type of every text of an Event, is made in this package alone, out of redacted text without control characters
(`safe`, `safe_text`, `safe_id`, `template`) and of what no record has a part in (`fixed`, `member_of`, `configured`).
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any, Final, NamedTuple

from collector.redaction import engine, meter, own_fields, structure, unparsed
from collector.redaction.constants import configured, fixed, member_of
from collector.redaction.engine import FAILED, FAILED_TEXT, NAMES, PROFILES, Redacted
from collector.redaction.line_blocks import redact_lines
from collector.safe import Safe

__all__ = [
    "FAILED_TEXT",
    "NAMES",
    "PROFILES",
    "Redacted",
    "SafeText",
    "configured",
    "fixed",
    "member_of",
    "redact",
    "redact_fast",
    "redact_lines",
    "redact_value",
    "safe",
    "safe_algorithm",
    "safe_id",
    "safe_media_type",
    "safe_name",
    "safe_text",
    "shared_cost",
    "template",
]

CLEAN_ENTRIES: Final = 8192  # texts in which nothing was found; longer ones are not kept
MAX_CLEAN: Final = 256
RECORD_STEPS: Final = 3_000  # about as many microseconds
_ID_KEY: Final = "kid="  # a key whose values rule `entropy` leaves alone


class SafeText(NamedTuple):
    """A text for an Event, and how often each rule replaced something in it."""

    text: Safe
    found: tuple[tuple[Safe, int], ...] = ()


class _Found(Exception):  # a way out of the cache, not an error
    """Something was found: the result must not be cached. Carries it as `redacted`."""

    def __init__(self, redacted: Redacted) -> None:
        super().__init__()
        self.redacted = redacted


def redact(text: str, profile: str = "standard") -> Redacted:
    """The text without credentials and personal data; profiles: docs/redaction.md.

    Never raises; idempotent; as many lines as before; at most twice as long and 64 characters.
    """
    try:
        return engine.run(text, profile)
    except Exception:  # fail closed: whatever a rule stumbled over may be the secret
        return FAILED


def redact_fast(text: str) -> Redacted:
    """`redact` with a memory of texts in which nothing was found; for routes, user agents, reasons."""
    if len(text) > MAX_CLEAN:
        return redact(text)
    try:
        return _clean(text)
    except _Found as found:
        return found.redacted


@lru_cache(maxsize=CLEAN_ENTRIES)
def _clean(text: str) -> Redacted:
    redacted = redact(text)
    if redacted.found:
        raise _Found(redacted) from None
    return redacted


def redact_value(obj: Any) -> Any:
    """A redacted copy of a JSON-like value, by its keys and as text. Never raises."""
    try:
        return structure.walk(obj, "", _text)
    except Exception:
        return FAILED_TEXT


def template(text: str) -> Safe:
    """What records of one kind have in common: redacted, values replaced by {id}, {q}, {hex}, {n}; 300 characters."""
    try:
        return Safe(unparsed.generalised(redact(text[: unparsed.MAX_TEMPLATE_READ]).text))
    except Exception:
        return Safe(FAILED_TEXT)


def safe(text: str, limit: int) -> SafeText:
    """`safe_text`, and what was found."""
    try:
        redacted = redact_fast(unparsed.beginning(text, limit))
        return SafeText(Safe(unparsed.shown(redacted.text, limit)), redacted.found)
    except Exception:
        return SafeText(Safe(FAILED_TEXT[:limit]), FAILED.found)


def shared_cost() -> AbstractContextManager[None]:
    """The texts that are redacted inside cost what one may cost: those of one record."""
    return meter.shared(RECORD_STEPS)


def safe_text(text: str, limit: int) -> Safe:
    """Free text for an Event: redacted, control and bidirectional characters escaped, at most `limit` characters."""
    return safe(text, limit).text


def safe_id(text: str, limit: int) -> Safe:
    """`safe_text` for a value known to be an identifier (kid, iss, aud, client, trace or request id).

    A random-looking run in it is expected and stays; tokens, vendors' credentials and personal data are removed.
    """
    if own_fields.is_password(text):
        return _shape(text, limit)
    shown = safe_text(_ID_KEY + text, limit + len(_ID_KEY))
    return Safe(shown.removeprefix(_ID_KEY))


def safe_name(text: str, limit: int) -> Safe:
    """`safe_text` for what programs name things with: claims, header members, scopes; what looks chosen is its shape."""
    return _shape(text, limit) if own_fields.is_password(text) else safe_text(text, limit)


def safe_algorithm(text: str, limit: int) -> Safe:
    """The name of an algorithm; anything else is its shape."""
    return safe_text(text, limit) if own_fields.is_algorithm(text) else _shape(text, limit)


def safe_media_type(text: str, limit: int) -> Safe:
    """A media type, or the words that stand for one in `typ` and `cty`; anything else is its shape."""
    return safe_text(text, limit) if own_fields.is_media_type(text) else _shape(text, limit)


def _shape(text: str, limit: int) -> Safe:
    return Safe(own_fields.shape(text)[:limit])


def _text(text: str) -> str:
    return redact_fast(text).text
