"""What in a message is surely a value, told by its form alone. The view `templates` uses the same expression.

Some parts look like values and are words all the same (KEPT): the sentence behind `error_description=`, a claim's name,
an error code in quotes. Leftmost first, then the order of the list.
"""

from __future__ import annotations

import hashlib
from typing import Final

import re2

HOLE: Final = "<*>"  # a value's place in a shape
REGISTERED: Final = (
    "exp", "nbf", "iat", "iss", "aud", "sub", "jti", "kid", "alg", "typ", "cty", "crit", "enc", "zip", "azp", "scope",
    "scp", "nonce", "at_hash", "auth_time",
)  # fmt: skip
# Counts such as {1,400} multiply RE2's states until they no longer fit its memory: runs are unbounded, messages are not.
_KEPT: Final = (
    # error="…, {"message":"…, code: '…: what a field that speaks says, is not quoted
    r"""(?:[{,] ?["'])?\b(?:error|error_description|reason|message|msg|code|detail|description|status|type)["']? ?[=:] ?["']""",
    r"""[{,] ?["'][A-Za-z_][A-Za-z0-9_.-]*["'] ?:""",  # a key of JSON
    # names that RFC 7515, RFC 7519 and OpenID Connect register: which of them it is, is the cause
    rf"""["'`](?:{"|".join(REGISTERED)})["'`]""",
    r"""["'`][A-Z][A-Z0-9]*_[A-Z0-9_]+["'`]""",  # 'ERR_JWT_EXPIRED'
    r"\b[A-Z]+[-_][0-9]+\b",  # IP-01
)
# One word in quotes; the quotes themselves are words.
_QUOTED: Final = tuple(rf"({mark})[^{mark}\s,;:)}}\]][^{mark}\s]*({mark})" for mark in "\"'`")
_VALUES: Final = (
    r"\[(?:token|secret|user|email|key|cookie|phone|card|mac|-)\]",  # what redaction leaves
    r"\{(?:id|q|hex|n)\}",  # what the collector leaves of a record that no parser knew
    r"""\b[A-Za-z][A-Za-z0-9+.-]*://[^\s"'`<>,;()\[\]{}|]+""",  # an address
    r"""[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+""",  # a service account
    r"\b[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}\b",  # a UUID
    # a time: RFC 3339, Go's and Python's, then RFC 9110's and JavaScript's
    (
        r"\b[0-9]{4}[-/][0-9]{2}[-/][0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]+)?)?"
        r"(?:Z| ?[+-][0-9]{2}:?[0-9]{2})?(?: UTC\b)?"
    ),
    (
        r"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? [0-9A-Z][0-9A-Za-z]+ [0-9A-Za-z]+(?: [0-9]{4})? "
        r"[0-9]{2}:[0-9]{2}:[0-9]{2}(?: (?:GMT|UTC|[0-9]{4}))?"
    ),
    r"\b(?:[0-9][0-9A-Fa-f]*|f[cde][0-9a-f]+):[0-9A-Fa-f]*:[0-9A-Fa-f:]*(?:/[0-9]+)?",  # IPv6, its network
    r"\b(?:[0-9]+(?:\.[0-9]+)?(?:ns|us|µs|ms|h|m|s))+\b",  # a span of time, as Go writes it
    r"\b[A-Za-z][A-Za-z0-9]*(?:[-_][A-Za-z0-9]+)*[-_][0-9]+\b",  # order-47
    r"(?:\B-)?\b[0-9]+(?:[.,:/][0-9]+)*\b",  # a number, a version, an IPv4 network
    r"\b(?:[HRPE]S(?:256|384|512)K?|EdDSA)\b",  # RFC 7518
    r"\b0x[0-9A-Fa-f]+\b",
    r"\b[0-9a-f]*(?:[0-9][a-f]|[a-f][0-9])[0-9a-f]{6,}\b",  # hex
    r"\b[A-Za-z]*[0-9]+[A-Za-z]+[0-9]+[0-9A-Za-z]*\b",  # a1b2, and not AADSTS50013
    r"\B/[A-Za-z0-9_.~%*-]+(?:/[A-Za-z0-9_.~%*-]*)*",  # a path
    r"\b[A-Za-z0-9+]{60,}",  # a run that no person wrote
)
EXPRESSION: Final = f"({'|'.join(_KEPT)})|{'|'.join(_QUOTED)}|{'|'.join(_VALUES)}"
REPLACEMENT: Final = rf"\1\2\4\6{HOLE}\3\5\7"
# RE2 looks neither back nor ahead: what was kept got a hole too, and loses it again.
KEPT_EXPRESSION: Final = rf"({'|'.join(_KEPT)})<\*>"
KEPT_REPLACEMENT: Final = r"\1"
_PATTERN: Final = re2.compile(EXPRESSION)
_KEPT_PATTERN: Final = re2.compile(KEPT_EXPRESSION)


def parts(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Literals and the values between them: one literal more than values; joined they are the text."""
    literals, values, at = [""], [], 0
    for match in _PATTERN.finditer(text):
        if match.group(1) is not None:
            continue
        low, high = _span(match)
        literals[-1] += text[at:low]
        literals.append("")
        values.append(text[low:high])
        at = high
    literals[-1] += text[at:]
    return tuple(literals), tuple(values)


def shape(text: str) -> str:
    """The message with HOLE for each value: equal for messages that differ in values only."""
    return str(_KEPT_PATTERN.sub(KEPT_REPLACEMENT, _PATTERN.sub(REPLACEMENT, text)))


def template_id(text: str) -> str:
    """Of a shape: t- and 8 hex digits. The view `templates` computes the same."""
    return "t-" + hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:8]


def _span(match: re2._Match) -> tuple[int, int]:
    """Where the value stands in a match: between its quotes."""
    low, high = match.span()
    is_quoted = any(match.group(group) is not None for group in (2, 4, 6))
    return (low + 1, high - 1) if is_quoted else (low, high)
