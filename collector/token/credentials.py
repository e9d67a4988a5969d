"""Where a credential is in a request and how it is wrapped: scheme, location, count, what is odd about the wrapping.

Works on raw values in memory; only `scheme`, `location`, `count` and words of the closed set ANOMALIES leave.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import unquote

import re2
from msgspec import Struct

from collector.records import Parsed
from collector.redaction import fixed, member_of, safe_text
from collector.redaction.constants import labelled
from collector.redaction.patterns import compiled
from collector.safe import EMPTY, Safe
from collector.structs import Unshown

SCHEMES: Final = frozenset(
    ("bearer", "basic", "dpop", "digest", "negotiate", "ntlm", "hawk", "mac", "hoba", "mutual", "vapid", "scram-sha-256",
     "aws4-hmac-sha256", "token", "jwt", "oauth", "apikey", "api-key", "key", "gnap", "privatetoken")
)  # fmt: skip
# Registered with IANA or common, and not a misspelt Bearer.
OTHER_SCHEMES: Final = SCHEMES - {"bearer", "dpop"}
# Headers that carry a credential of their own, besides authorization.
TOKEN_HEADERS: Final = frozenset((
    "x-access-token", "x-auth-token", "x-id-token", "x-jwt-assertion", "x-goog-iap-jwt-assertion", "x-amzn-oidc-data",
    "x-amzn-oidc-accesstoken", "x-forwarded-access-token", "x-authorization", "jwt", "token", "access-token", "id-token",
    "cf-access-jwt-assertion", "x-ms-token-aad-access-token", "x-api-key", "apikey", "api-key",
))  # fmt: skip
QUERY_NAMES: Final = ("access_token", "jwt", "token", "id_token", "auth_token", "apikey", "api_key")
COOKIE_WORDS: Final = ("token", "jwt", "session", "auth")
NULL_WORDS: Final = frozenset(
    ("null", "undefined", "none", "nil", "nan", "false", "true", "[object", "(null)", "n/a", "void")
)
# What logs write where they cut or masked a value; in lower case.
REDACTION_MARKS: Final = (
    "redacted", "masked", "hidden", "removed", "filtered", "truncated", "omitted", "stripped", "sanitized", "scrubbed",
    "[signature", "<signature", "***", "xxxxxx", "<secret", "[secret", "[token", "…", "...", "•••", "###",
)  # fmt: skip
_ASCII_MARKS: Final = compiled("|".join(map(re2.escape, filter(str.isascii, REDACTION_MARKS))).encode())
# Every word that can appear in TokenFacts.anomalies because of the wrapping; collector/token/facts.py has the token's own.
ANOMALIES: Final = (
    "scheme_missing", "scheme_doubled", "scheme_colon", "scheme_quoted", "scheme_case", "scheme_misspelt",
    "scheme_other", "scheme_only", "scheme_glued", "value_null", "value_template", "value_quoted", "value_whitespace",
    "value_percent", "joined", "several",
)  # fmt: skip
AUTHORIZATION: Final = fixed("authorization")
MAX_COOKIE_NAME: Final = 40
MAX_SCHEME: Final = 20
MAX_MISSPELT: Final = 10  # letters of a misspelt Bearer
SHORT_VALUE: Final = 200  # characters of a value in which a mark may be anywhere
MAX_MARKED: Final = 96  # characters at the end of a longer one in which a mark may be
MAX_MARK_WORD: Final = 24  # characters before a mark that may belong to it: "SIGNATURE_" of "SIGNATURE_REMOVED"
_JSON_STARTS: Final = ("eyJ", "ewo", "eyA", "ewk")  # how the base64url of a JSON object begins
MIN_GLUED: Final = 20  # characters of `Bearer` and a token without anything between them
_COOKIE: Final = fixed("cookie")
_ANOTHER: Final = fixed("other")
_HEADER_PLACES: Final = frozenset(f"header:{name}" for name in TOKEN_HEADERS)
_QUERY_PLACES: Final = frozenset(f"query:{name}" for name in QUERY_NAMES)
_SCHEME_MISSING: Final = fixed("scheme_missing")
_SCHEME_DOUBLED: Final = fixed("scheme_doubled")
_SCHEME_COLON: Final = fixed("scheme_colon")
_SCHEME_QUOTED: Final = fixed("scheme_quoted")
_SCHEME_CASE: Final = fixed("scheme_case")
_SCHEME_MISSPELT: Final = fixed("scheme_misspelt")
_SCHEME_OTHER: Final = fixed("scheme_other")
_SCHEME_ONLY: Final = fixed("scheme_only")
_SCHEME_GLUED: Final = fixed("scheme_glued")
# What is between Bearer and the token where a space belongs, in the order in which it is looked for.
_GLUE: Final = {
    ":": _SCHEME_COLON, "=": _SCHEME_COLON, "%20": _SCHEME_GLUED, "+": _SCHEME_GLUED, "\t": _SCHEME_GLUED, "_": _SCHEME_GLUED,
}  # fmt: skip


class Credential(Unshown, Struct, frozen=True, gc=False):
    """One credential, its value raw. `anomalies` are words of ANOMALIES."""

    location: Safe
    scheme: Safe
    value: str
    anomalies: tuple[Safe, ...] = ()


def raw_places(parsed: Parsed) -> str:
    """Everything that `find_credentials` looks at, as one text: equal places hold equal credentials."""
    headers = parsed.headers
    if not headers and "?" not in parsed.path:
        return ""
    places = [headers.get("authorization", ""), headers.get("cookie", ""), parsed.path.partition("?")[2]]
    if len(headers) > 1:
        places.extend(f"{name}:{value}" for name, value in headers.items() if name in TOKEN_HEADERS)
    return "\0".join(places)


def find_credentials(parsed: Parsed) -> tuple[Credential, ...]:
    """Every credential that the record shows, the Authorization header's first. Empty values are left out."""
    found = [*_from_headers(parsed.headers), *_from_query(parsed.path), *_from_cookies(parsed.headers)]
    return tuple(found)


def _from_headers(headers: Mapping[str, str]) -> Iterator[Credential]:
    if not headers:
        return
    authorization = headers.get("authorization", "")
    if not is_absent(authorization):
        yield unwrap(authorization)
    for name, value in headers.items():
        if name in TOKEN_HEADERS and not is_absent(value):
            yield _bare(value, member_of(f"header:{name}", _HEADER_PLACES))


def _from_query(path: str) -> Iterator[Credential]:
    _, mark, query = path.partition("?")
    if not mark:
        return
    for pair in query.partition("#")[0].split("&", 64)[:64]:
        name, _, value = pair.partition("=")
        if name.lower() in QUERY_NAMES and value:
            yield _bare(unquote(value), member_of(f"query:{name.lower()}", _QUERY_PLACES))


def _from_cookies(headers: Mapping[str, str]) -> Iterator[Credential]:
    cookie = headers.get("cookie", "") if headers else ""
    for pair in cookie.split(";", 64)[:64] if cookie else ():
        name, _, value = pair.strip().partition("=")
        is_named = any(word in name.lower() for word in COOKIE_WORDS)
        if is_named and value.count(".") in (2, 4):  # a session id in a cookie does not concern the gateway
            yield _bare(unquote(value), labelled(_COOKIE, safe_text(name, MAX_COOKIE_NAME)))


def is_absent(value: str) -> bool:
    """Loggers write "-" or nothing for a header that was not sent."""
    return value in ("", "-", '"-"')


def _bare(value: str, location: Safe) -> Credential:
    """A place that holds a token without a scheme, though some clients add one."""
    head, _, rest = value.strip().partition(" ")
    if head.lower() == "bearer" and rest:
        return Credential(location, _safe_scheme(head), rest.strip())
    return Credential(location, EMPTY, value.strip(), tuple(_value_anomalies(value.strip())))


def unwrap(header: str) -> Credential:
    """Split an Authorization value into scheme and token, noting what a strict verifier would refuse."""
    text = header.strip()
    odd: list[Safe] = []
    if text[:1] in "\"'" and text[-1:] == text[:1] and len(text) > 1:
        odd.append(_SCHEME_QUOTED)
        text = text[1:-1].strip()
    scheme, value = _split_scheme(text, odd)
    if scheme.lower() == "bearer" and value[:7].lower() in ("bearer ", "bearer:"):
        odd.append(_SCHEME_DOUBLED)
        value = value[7:].strip()
    odd.extend(_scheme_anomalies(scheme, value, odd))
    odd.extend(_value_anomalies(value))
    return Credential(AUTHORIZATION, _safe_scheme(scheme), _bare_value(value), tuple(odd))


def _split_scheme(text: str, odd: list[Safe]) -> tuple[str, str]:
    """Scheme and value; the scheme is "" when the value is alone."""
    head, space, rest = text.partition(" ")
    if head.endswith((":", "=", ",")) and head[:-1].isalpha():
        odd.append(_SCHEME_COLON)
        return head[:-1], rest.strip()
    if space:
        return head, rest.strip()
    if head.lower() in SCHEMES:
        return head, ""
    return _split_glued(head, odd) or ("", text)


def _split_glued(head: str, odd: list[Safe]) -> tuple[str, str] | None:
    """`Bearer:x`, `Bearer%20x`, `Bearerx`."""
    for mark, anomaly in _GLUE.items():
        word, found, value = head.partition(mark)
        if found and word.lower() == "bearer":
            odd.append(anomaly)
            return word, value.strip()
    if head[:6].lower() == "bearer" and len(head) > MIN_GLUED:
        odd.append(_SCHEME_GLUED)
        return head[:6], head[6:]
    return None


def _scheme_anomalies(scheme: str, value: str, odd: list[Safe]) -> Iterator[Safe]:
    if is_redacted(scheme) or (not scheme and is_redacted(value)):
        return  # the log replaced the value; what the client sent is not known
    if not scheme:
        if value.lower() not in NULL_WORDS:
            yield _SCHEME_MISSING
    elif scheme.lower() in ("bearer", "dpop"):
        yield from _token_scheme_anomalies(scheme, value, odd)
    else:
        yield _SCHEME_OTHER if _is_other_scheme(scheme.lower()) else _SCHEME_MISSPELT


def _token_scheme_anomalies(scheme: str, value: str, odd: list[Safe]) -> Iterator[Safe]:
    if not value:
        yield _SCHEME_ONLY
    if scheme not in ("Bearer", "DPoP") and _SCHEME_COLON not in odd:
        yield _SCHEME_CASE


def _is_other_scheme(word: str) -> bool:
    return word in OTHER_SCHEMES or not _is_near_bearer(word)


def _is_near_bearer(word: str) -> bool:
    if len(word) > 9 or not word.startswith("b"):
        return word in ("earer", "vearer")
    return len(set("bearer") & set(word)) >= 4


def _value_anomalies(value: str) -> list[Safe]:
    if not value or is_redacted(value):  # what the client sent is not known
        return []
    return [anomaly for anomaly, has in _VALUE_ANOMALIES if has(value)]


def _is_null(value: str) -> bool:
    return value.lower().partition(" ")[0] in NULL_WORDS


def _is_template(value: str) -> bool:
    is_placeholder = value[0] == "<" and value[-1] == ">" and " " not in value
    return is_placeholder or value.startswith(("{{", "${", "$(", "<%", "%{"))


def _is_in_quotes(value: str) -> bool:
    return len(value) > 1 and value[0] in "\"'<" and value[-1] in "\"'>"


def _is_quoted(value: str) -> bool:
    return _is_in_quotes(value) and not _is_template(value)


def _is_joined(value: str) -> bool:
    return "," in value and value.count(".") >= 3


def _has_whitespace(value: str) -> bool:
    if "\t" in value or "\r" in value or "\n" in value:
        return True
    return " " in value and value.count(".") >= 2 and "," not in value


def _is_percent_encoded(value: str) -> bool:
    return "%" in value and any(map(value.upper().__contains__, ("%2E", "%3D", "%20")))


_VALUE_ANOMALIES: Final = (
    (fixed("value_null"), _is_null),
    (fixed("value_template"), _is_template),
    (fixed("value_quoted"), _is_quoted),
    (fixed("joined"), _is_joined),
    (fixed("value_whitespace"), _has_whitespace),
    (fixed("value_percent"), _is_percent_encoded),
)


def _bare_value(value: str) -> str:
    return value[1:-1] if _is_in_quotes(value) else value


def _safe_scheme(scheme: str) -> Safe:
    """The word as sent when it is a known one (its case matters), else "other": it might be the token itself."""
    if not scheme:
        return EMPTY
    if scheme.lower() in SCHEMES or _is_misspelt_bearer(scheme):
        return safe_text(scheme, MAX_SCHEME)
    return _ANOTHER


def _is_misspelt_bearer(scheme: str) -> bool:
    return scheme.isalpha() and len(scheme) <= MAX_MISSPELT and _is_near_bearer(scheme.lower())


def is_redacted(value: str) -> bool:
    """The log cut or masked the value and left a mark: anywhere in a short one, at the end or as a part of a long one."""
    return kept_of(value) is not None


def kept_of(value: str) -> str | None:
    """What the log left of a value before its mark; None when there is no mark.

    >>> kept_of("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.SIGNATURE_REMOVED")
    'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0'
    """
    if value and not value.strip("xX"):
        return ""
    looked_at = max(0, len(value) - MAX_MARKED) if len(value) > SHORT_VALUE else 0
    low = value[looked_at:].lower()
    if len(low) != len(value) - looked_at:
        return None
    at = _first_mark(low)
    return None if at < 0 else _before_mark(value, looked_at + at)


def _first_mark(low: str) -> int:
    if low.isascii():
        return _ASCII_MARKS.find(low.encode())[0]
    return min((at for mark in REDACTION_MARKS if (at := low.find(mark)) >= 0), default=-1)


def _before_mark(value: str, at: int) -> str:
    """A mark that is a word of a part ("SIGNATURE_REMOVED") takes the whole part; one behind a part leaves what is there."""
    head, dot, part = value[:at].rpartition(".")
    is_word = value[at : at + 1].isalpha() or value[at : at + 1] in "[<"
    return (head if dot else "") if is_word and not _is_encoded(part) else value[:at].rstrip(" .(<[")


def _is_encoded(part: str) -> bool:
    """A beginning of base64url: no word of a mask."""
    return part.startswith(_JSON_STARTS) or len(part) > MAX_MARK_WORD
