"""Linear scanners for log lines: quoted fields, backslash escapes, balanced details, addresses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

MAX_TOKENS: Final = 64  # access log formats have about 20 fields; a hostile line has a million
_ESCAPES: Final = {'"': '"', "\\": "\\", "n": "\n", "t": "\t", "r": "\r", "b": "\b", "v": "\v", "/": "/"}
_SCHEMES: Final = frozenset(("bearer", "basic", "dpop", "digest", "negotiate"))
# Schemes whose names are words of other columns, too: with a credential behind them (IANA's registry, and what clients make up).
_OTHER_SCHEMES: Final = frozenset(
    ("api-key", "apikey", "aws4-hmac-sha256", "gnap", "hawk", "hoba", "jwt", "ntlm", "oauth", "token", "vapid")
)
_MIN_CREDENTIAL: Final = 8
_HEX: Final = frozenset("0123456789abcdefABCDEF")
_OF_ADDRESSES: Final = frozenset("0123456789abcdefABCDEF.:, %")
_PARAMETERS: Final = frozenset(
    (
        "realm",
        "error",
        "error_description",
        "error_uri",
        "scope",
        "resource_metadata",
        "algs",
        "charset",
        "nonce",
        "qop",
    )
)


def ascii_only(text: str) -> str:
    """The text with "?" for what is not ASCII: RE2 and Aho-Corasick take no lone surrogates, and one byte is one character."""
    return text if text.isascii() else text.encode("ascii", "replace").decode()


def has_any(text: str, words: Iterable[str]) -> bool:
    """Whether one of the words is in the text; as fast as Python does it, since every line is searched for them."""
    return any(map(text.__contains__, words))


def quoted(text: str, start: int) -> tuple[str, int]:
    """The quoted field whose opening quote is at `start` (still escaped), and where the text goes on after it."""
    begin = at = start + 1
    end = text.find('"', at)
    if end >= 0 and text[end - 1] != "\\":  # nearly always
        return text[begin:end], end + 1
    while (end := text.find('"', at)) >= 0:
        if not _is_escaped(text, end, begin):
            return text[begin:end], end + 1
        at = end + 1
    return text[begin:], len(text)


def _is_escaped(text: str, at: int, begin: int) -> bool:
    first = at
    while first > begin and text[first - 1] == "\\":
        first -= 1
    return (at - first) % 2 == 1


def tokens(text: str) -> list[tuple[str, str]]:
    """At most MAX_TOKENS fields as (name, value): `"x"` and `x` have no name, `k=v` and `k="v"` do."""
    found: list[tuple[str, str]] = []
    at, end = 0, len(text)
    while len(found) < MAX_TOKENS:
        while at < end and text[at] == " ":
            at += 1
        if at >= end:
            break
        name, value, at = _token(text, at, end)
        found.append((name, value))
    return found


def _token(text: str, at: int, end: int) -> tuple[str, str, int]:
    if text[at] == '"':
        value, at = quoted(text, at)
        return "", unescape(value), at
    stop = text.find(" ", at)
    stop = end if stop < 0 else stop
    equals = text.find("=", at, min(stop, at + 64))
    if equals < 0:
        return "", text[at:stop], stop
    if text[equals + 1 : equals + 2] != '"':
        return text[at:equals], text[equals + 1 : stop], stop
    value, after = quoted(text, equals + 1)
    return text[at:equals], unescape(value), after


def unescape(text: str) -> str:
    r"""Undo `\"`, `\\`, `\n` and `\xHH` as nginx and Apache write them; anything else stays."""
    if "\\" not in text:
        return text
    first, *rest = text.split("\\")
    out, is_literal = [first], False
    for piece in rest:
        if is_literal:
            out.append(piece)
            is_literal = False
            continue
        if not piece:
            out.append("\\")
            is_literal = True
            continue
        out.append(_unescaped(piece))
    return "".join(out)


def _unescaped(piece: str) -> str:
    if piece[0] == "x" and is_hex(piece[1:3], 2):
        return chr(int(piece[1:3], 16)) + piece[3:]
    return _ESCAPES[piece[0]] + piece[1:] if piece[0] in _ESCAPES else "\\" + piece


def is_hex(text: str, length: int) -> bool:
    """Exactly `length` hexadecimal digits."""
    return len(text) == length and _HEX.issuperset(text)


def balanced(text: str) -> int:
    """How long the detail at the text's beginning is: up to a space outside of its brackets."""
    if " " not in text:
        return min(len(text), 4096)
    depth = 0
    for at, char in enumerate(text[:4096]):
        if char in "{[":
            depth += 1
        elif char in "}]":
            depth -= 1
        elif char == " " and depth <= 0:
            return at
    return min(len(text), 4096)


def request_line(text: str) -> tuple[str, str]:
    """Method and target of `GET /path HTTP/1.1`; both "" when it is none."""
    method, space, rest = text.partition(" ")
    if not space or not (method.isascii() and method.replace("-", "").isalpha()) or len(method) > 32:
        return "", ""
    target, space, version = rest.rpartition(" ")
    return method, target if space and version.startswith("HTTP/") else rest


def without_port(address: str) -> str:
    """`10.1.2.3:80` and `[2001:db8::1]:80` without the port."""
    if address[:1] == "[":
        return address[1:].partition("]")[0]
    return address.partition(":")[0] if address.count(":") == 1 else address


def is_address(text: str) -> bool:
    """What looks like an IP address or a list of them."""
    head = text[:46]
    return bool(head) and (head[0].isdigit() or ":" in head) and _OF_ADDRESSES.issuperset(head)


def has_scheme(text: str) -> bool:
    """What looks like the value of an Authorization header: a scheme's word, perhaps alone or with a colon, or a JWT behind any word."""
    head, _, rest = text[:64].partition(" ")
    name = head.rstrip(":=").lower()
    if name in _SCHEMES:
        return not is_challenge(text)
    if name in _OTHER_SCHEMES and len(rest.partition(" ")[0]) >= _MIN_CREDENTIAL:
        return True
    return "eyJ" in text and "eyJ" in (head.lstrip("\"'")[:3], rest.lstrip("\"' ")[:3])


def is_scheme(text: str) -> bool:
    """A scheme's word alone, which may stand in a request and in an answer."""
    return text.lower() in _SCHEMES


def is_challenge(text: str) -> bool:
    """What looks like the value of a WWW-Authenticate header: a scheme and a parameter of RFC 6750 §3, 9110 §11 or 9449 §7.1."""
    scheme, _, rest = text[:64].partition(" ")
    return is_scheme(scheme) and rest.lstrip().partition("=")[0].rstrip().lower() in _PARAMETERS
