"""Names as a person reads them, and text made safe to show; numbers and times are those of the analyzer."""

from __future__ import annotations

import re
import string
from typing import Any, Final

from analyzer.situation import suspects
from analyzer.situation.figures import ago, clock, count, is_nothing, listed, offset, percent, plural, span
from collector.visible import visible

__all__ = [
    "CAUSES", "CHANGES", "RESPONDERS", "STATUSES", "ago", "clock", "count", "escape", "is_nothing", "listed", "offset",
    "percent", "plural", "sentence", "span", "visible",
]  # fmt: skip

CAUSES: Final = {
    "issuer": "Issuer and keys",
    "format": "Token format",
    "library": "Validation library",
    "gateway": "Gateway configuration",
    "policy": "Policy",
    "unknown": "Cause not determined",
}
STATUSES: Final = {
    "new": "new",
    "regressed": "regressed",
    "escalating": "escalating",
    "ongoing": "ongoing",
    "quiet": "quiet",
    "resolved": "resolved",
    "waiting": "waits for a release",
    "muted": "muted",
    "archived": "archived",
}
RESPONDERS: Final = {
    "edge": "edge (CDN, WAF)",
    "gateway": "gateway",
    "authorizer": "external authorizer",
    "upstream": "upstream API",
    "unknown": "unknown",
}
CHANGES: Final = suspects.NAMES
_PUNCTUATION: Final = frozenset(string.punctuation)
_CODE: Final = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")


def relative(seconds: float) -> str:
    """A claim's time beside the request's.

    >>> relative(-900), relative(60)
    ('15 min before the request', '1 min after the request')
    """
    return f"{span(abs(seconds))} {'after' if seconds > 0 else 'before'} the request"


def escape(text: Any, limit: int = 2_000) -> str:
    """Text for the places that read Markdown (labels, captions): nothing in it is markup any more."""
    shown = visible(text, limit)
    return "".join(map(_inert, " " + shown, shown, shown[1:] + " "))


def sentence(text: Any, limit: int = 2_000) -> str:
    r"""As `escape`, with code between backticks shown as code: for titles, evidence and fixes.

    >>> print(sentence("The audience (`aud`) is not accepted."))
    The audience \(`aud`\) is not accepted\.
    """
    parts = _CODE.split(visible(text, limit))
    return "".join(f"`{part}`" if at % 2 else escape(part, limit) for at, part in enumerate(parts))


def _inert(before: str, char: str, after: str) -> str:
    if char not in _PUNCTUATION:
        return char
    # Links, mail addresses and emoji names are found after backslashes are gone: an invisible joiner parts them.
    parted = (char == ":" and not after.isdigit()) or char == "@" or (char == "." and before in "wW")
    return f"\\{char}\u2060" if parted else f"\\{char}"
