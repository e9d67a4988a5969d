"""Request facts made safe: a route without ids, a network instead of an address, a user agent's family and version."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from collector.redaction import safe_id, safe_text
from collector.safe import EMPTY, Safe

MAX_SEGMENTS: Final = 8
MAX_SEGMENT_CHARS: Final = 40
MAX_PATH_CHARS: Final = 2_000
MIN_PIECE: Final = 4
MAX_VERSION_CHARS: Final = 6
MIN_HEX: Final = 8
MANY_DIGITS: Final = 4
UUID_CHARS: Final = 36
TRACE_ID_CHARS: Final = 32
MAX_ID_CHARS: Final = 80
_HEX: Final = frozenset("0123456789abcdefABCDEF-")
_DECIMAL: Final = "8305172946" * 4
_HEXADECIMAL: Final = "9f3c7a1e5b2d8064" * 3
_ADDRESS: Final = frozenset("0123456789abcdefABCDEF.:[]")
_BROWSERS: Final = (
    ("Edg/", Safe("Edge")),
    ("OPR/", Safe("Opera")),
    ("Firefox/", Safe("Firefox")),
    ("Chrome/", Safe("Chrome")),
    ("Safari/", Safe("Safari")),
)
# Products that send requests for others: their version says nothing of the application that uses them.
_LIBRARIES: Final = frozenset(
    ("aiohttp", "ahc", "alamofire", "apache-httpclient", "axios", "cfnetwork", "curl", "dart", "faraday", "go-http-client", "got",
     "grpc-c++", "grpc-csharp", "grpc-go", "grpc-java", "grpc-node-js", "grpc-python", "guzzlehttp", "hackney", "http.rb", "httpie",
     "httpx", "insomnia", "java", "java-http-client", "jersey", "k6", "ktor-client", "libcurl", "libwww-perl", "mozilla", "node",
     "node-fetch", "node.js", "okhttp", "openapi-generator", "other", "postmanruntime", "powershell", "python", "python-httpx",
     "python-requests", "python-urllib", "python-urllib3", "reqwest", "rest-client", "restsharp", "ruby", "superagent", "swagger-codegen",
     "typhoeus", "undici", "unirest-java", "urllib3", "vertx", "wget")
)  # fmt: skip
_VERSION_HEADERS: Final = ("x-client-version", "x-app-version", "client-version", "app-version")
MAX_NUMBERS: Final = 3  # of a version: four would be an address
MAX_VERSION: Final = 60  # characters that are read of one
MAX_DIGITS: Final = 5  # of each: more are a serial number, or a person's
_ANOTHER_BROWSER: Final = Safe("Mozilla")
_ANOTHER: Final = Safe("other")
_ID: Final = Safe("{id}")
_METHODS: Final = {
    name: Safe(name)
    for name in ("", "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH")
}  # fmt: skip


def method(raw: str) -> Safe:
    """An HTTP method of RFC 9110, or "other"; attackers choose the rest."""
    return _METHODS.get(raw, _ANOTHER)


def identifier(text: str) -> Safe:
    """A request or trace id. UUIDs and W3C trace ids, which most are, cannot hold anything else."""
    if not text:
        return EMPTY
    if _has_id_shape(text) and _HEX.issuperset(text) and not text.isdecimal():
        return Safe(text)
    return safe_id(text, MAX_ID_CHARS)


def _has_id_shape(text: str) -> bool:
    is_uuid = len(text) == UUID_CHARS and text[8] == text[13] == text[18] == text[23] == "-"
    return is_uuid or len(text) == TRACE_ID_CHARS


def peer(address: str) -> Safe:
    """Who sent us telemetry: an address of the operator's own machines, whole."""
    return Safe(address) if _ADDRESS.issuperset(address) else safe_text(address, MAX_ID_CHARS)


def route(path: str) -> Safe:
    """A template of the path: no query, ids as {id}, at most MAX_SEGMENTS segments.

    >>> route("/orders/81723/items?access_token=x")
    '/orders/{id}/items'
    """
    bare = path.partition("?")[0].partition("#")[0]
    if "://" in bare[:10]:
        bare = "/" + bare.partition("://")[2].partition("/")[2]
    return _template("/".join([_stand_in(text) for text in bare[:MAX_PATH_CHARS].split("/")]))


def _stand_in(text: str) -> str:
    """The segment; for a number, in decimal or hexadecimal, one that is as long and as random, and always the same.

    Such a segment is an {id} whatever it says. So paths that differ in ids are one path, which is redacted once.
    """
    if len(text) > MAX_SEGMENT_CHARS:
        return text
    if text.isdecimal() and text.isascii():
        return _DECIMAL[: len(text)]
    return _hexadecimal_for(text) if len(text) >= MIN_HEX and _HEX.issuperset(text) else text


def _hexadecimal_for(text: str) -> str:
    if not any(map(str.isdecimal, text)):  # a word
        return text
    model = _hexadecimal(len(text), tuple([at for at, char in enumerate(text) if char == "-"]))
    if text.islower():
        return model
    return model.upper() if text.isupper() else text


@lru_cache(maxsize=256)
def _hexadecimal(length: int, hyphens: tuple[int, ...]) -> str:
    return "".join(["-" if at in hyphens else _HEXADECIMAL[at] for at in range(length)])


@lru_cache(maxsize=8192)
def _template(bare: str) -> Safe:
    segments = bare.split("/")[: MAX_SEGMENTS + 2]
    # The whole is redacted, for a secret may have slashes in it and its pieces look like nothing.
    clean = set(safe_text(bare, MAX_PATH_CHARS).split("/"))
    kept = [_segment(text, text in clean) for text in segments[: MAX_SEGMENTS + 1]]
    return Safe("/".join(kept) + ("/…" if len(segments) > MAX_SEGMENTS + 1 else ""))


def _segment(text: str, is_clean: bool) -> Safe:
    """The segment, or {id}. What is shorter than MIN_PIECE may be glued to a credential and is none."""
    if not text:
        return EMPTY
    if not is_clean and len(text) >= MIN_PIECE:
        return _ID
    digits = sum(c.isdigit() for c in text)
    if (not _is_version(text) and _is_number(text, digits)) or _is_file_or_encoded(text, digits):
        return _ID
    return safe_text(text, MAX_SEGMENT_CHARS)


def _is_version(text: str) -> bool:
    """`v1`, `v2.10`."""
    return text[0] in "vV" and text[1:].replace(".", "").isdigit() and len(text) <= MAX_VERSION_CHARS


def _is_number(text: str, digits: int) -> bool:
    """Mostly digits, hexadecimal, many digits, or longer than a name."""
    if digits * 2 >= len(text) or digits >= MANY_DIGITS or len(text) > MAX_SEGMENT_CHARS:
        return True
    return bool(digits) and len(text) >= MIN_HEX and _HEX.issuperset(text)


def _is_file_or_encoded(text: str, digits: int) -> bool:
    """Percent-encoded, a pair, a mail address, or a file whose name has a number in it."""
    return any(map(text.__contains__, "%:@=")) or (digits > 0 and "." in text[1:-1])


@lru_cache(maxsize=8192)
def network(address: str) -> Safe:
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
        return EMPTY
    prefix = 24 if ip.version == 4 else 48
    return Safe(str(ipaddress.ip_network((ip, prefix), strict=False)))


@lru_cache(maxsize=4096)
def user_agent(raw: str) -> Safe:
    """The family: a browser's name, or the first product token without its version."""
    if raw in ("", "-"):
        return EMPTY
    if raw.startswith("Mozilla/"):
        return next((name for mark, name in _BROWSERS if mark in raw), _ANOTHER_BROWSER)
    product = raw.partition("/")[0].partition(" ")[0].partition("(")[0]
    return safe_text(product, 40) if product.replace("-", "").replace("_", "").replace(".", "").isalnum() else _ANOTHER


@lru_cache(maxsize=4096)
def user_agent_version(raw: str) -> Safe:
    """The version of what `user_agent` names; of a browser the first number, which is what tells releases apart.

    >>> user_agent_version("okhttp/4.12.0"), user_agent_version("Mozilla/5.0 Chrome/142.0.7444.60 Safari/537.36")
    ('4.12.0', '142')
    """
    if raw.startswith("Mozilla/"):
        mark = next((mark for mark, _ in _BROWSERS if mark in raw), "")
        return _numbers(raw.partition(mark)[2], 1) if mark else EMPTY
    return EMPTY if user_agent(raw) in ("", _ANOTHER) else _numbers(raw.partition("/")[2], MAX_NUMBERS)


def client_version(headers: Mapping[str, str], agent: str) -> Safe:
    """The version of the calling application: a header's, or that of a user agent that is no browser or library.

    >>> client_version({}, "ShopApp/7.1.0 (iOS 18.1) CFNetwork/1568.200"), client_version({}, "okhttp/4.12.0")
    ('7.1.0', '')
    """
    if headers:
        for name in _VERSION_HEADERS:
            if said := headers.get(name):
                return _numbers(said, MAX_NUMBERS)
    return _own_version(agent)


@lru_cache(maxsize=4096)
def _own_version(agent: str) -> Safe:
    is_own = not agent.startswith("Mozilla/") and user_agent(agent).lower() not in _LIBRARIES
    return user_agent_version(agent) if is_own else EMPTY


@lru_cache(maxsize=4096)
def _numbers(text: str, most: int) -> Safe:
    """The numbers at the beginning: `v7.1.0-rc1` is 7.1.0. Nothing else of the text remains, so that nothing can hide in it."""
    numbers: list[str] = []
    for part in text[:MAX_VERSION].removeprefix("v").split(".")[:most]:
        digits = len(part) - len(part.lstrip("0123456789"))
        if not 0 < digits <= MAX_DIGITS:
            break
        numbers.append(part[:digits])
        if digits < len(part):
            break
    return Safe(".".join(numbers))
