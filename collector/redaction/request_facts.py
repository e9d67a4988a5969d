"""Request facts made safe: a route without ids, a network instead of an address, a user agent's family."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import Final

from collector.redaction import safe_text

MAX_SEGMENTS: Final = 8
MAX_SEGMENT_CHARS: Final = 40
MAX_PATH_CHARS: Final = 2_000
MIN_PIECE: Final = 4
_HEX: Final = frozenset("0123456789abcdefABCDEF-")
_BROWSERS: Final = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_METHODS: Final = frozenset(("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"))


def method(raw: str) -> str:
    """An HTTP method of RFC 9110, or "other"; attackers choose the rest."""
    return raw if raw in _METHODS or not raw else "other"


@lru_cache(maxsize=8192)
def route(path: str) -> str:
    """A template of the path: no query, ids as {id}, at most MAX_SEGMENTS segments.

    >>> route("/orders/81723/items?access_token=x")
    '/orders/{id}/items'
    """
    bare = path.partition("?")[0].partition("#")[0]
    if "://" in bare[:10]:
        bare = "/" + bare.partition("://")[2].partition("/")[2]
    segments = bare.split("/")[: MAX_SEGMENTS + 2]
    # The whole is redacted, for a secret may have slashes in it and its pieces look like nothing.
    clean = set(safe_text(bare, MAX_PATH_CHARS).split("/"))
    kept = [_segment(text, text in clean) for text in segments[: MAX_SEGMENTS + 1]]
    return "/".join(kept) + ("/…" if len(segments) > MAX_SEGMENTS + 1 else "")


def _segment(text: str, is_clean: bool) -> str:
    """The segment, or {id}. What is shorter than MIN_PIECE may be glued to a credential and is none."""
    if not text:
        return ""
    if not is_clean and len(text) >= MIN_PIECE:
        return "{id}"
    digits = sum(c.isdigit() for c in text)
    is_version = text[0] in "vV" and text[1:].replace(".", "").isdigit() and len(text) <= 6
    is_hexadecimal = len(text) >= 8 and digits and _HEX.issuperset(text)
    if not is_version and (digits * 2 >= len(text) or is_hexadecimal or digits >= 4 or len(text) > MAX_SEGMENT_CHARS):
        return "{id}"
    if "%" in text or ":" in text or "@" in text or "=" in text or ("." in text[1:-1] and digits):
        return "{id}"
    return safe_text(text, MAX_SEGMENT_CHARS)


@lru_cache(maxsize=8192)
def network(address: str) -> str:
    """The /24 or /48 network of an address, with or without a port; "" when it is none.

    >>> network("203.0.113.77:4711")
    '203.0.113.0/24'
    """
    text = address.strip().split(",", 1)[0].strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        ip = ipaddress.ip_address(text)
    except ValueError:
        return ""
    prefix = 24 if ip.version == 4 else 48
    return str(ipaddress.ip_network((ip, prefix), strict=False))


@lru_cache(maxsize=4096)
def user_agent(raw: str) -> str:
    """The family: a browser's name, or the first product token without its version."""
    if raw in ("", "-"):
        return ""
    if raw.startswith("Mozilla/"):
        return next((name for mark, name in _BROWSERS if mark in raw), "Mozilla")
    product = raw.partition("/")[0].partition(" ")[0].partition("(")[0]
    return safe_text(product, 40) if product.replace("-", "").replace("_", "").replace(".", "").isalnum() else "other"
