"""Where a credential stands in a request and how it is wrapped: scheme, location, count, what is odd about the wrapping.

Works on raw values in memory; only `scheme`, `location`, `count` and words of the closed set ANOMALIES leave.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from collector.records import Parsed

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
REDACTION_MARKS: Final = (
    "redacted",
    "masked",
    "hidden",
    "removed",
    "filtered",
    "***",
    "xxxx",
    "<secret",
    "…",
    "•••",
    "###",
)

# Every word that can appear in TokenFacts.anomalies because of the wrapping; collector/token/facts.py has the token's own.
ANOMALIES: Final = (
    "scheme_missing", "scheme_doubled", "scheme_colon", "scheme_quoted", "scheme_case", "scheme_misspelt",
    "scheme_other", "scheme_only", "scheme_glued", "value_null", "value_template", "value_quoted", "value_whitespace",
    "value_percent", "joined", "several",
)  # fmt: skip


@dataclass(frozen=True, slots=True, repr=False)
class Credential:
    """One credential, raw. `anomalies` are words of ANOMALIES."""

    location: str
    scheme: str
    value: str
    anomalies: tuple[str, ...] = ()


def raw_places(parsed: Parsed) -> str:
    """Everything that `find_credentials` looks at, as one text: equal places hold equal credentials."""
    headers = parsed.headers
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
            yield _bare(value, f"header:{name}")


def _from_query(path: str) -> Iterator[Credential]:
    _, mark, query = path.partition("?")
    if not mark:
        return
    for pair in query.partition("#")[0].split("&", 64)[:64]:
        name, _, value = pair.partition("=")
        if name.lower() in QUERY_NAMES and value:
            yield _bare(unquote(value), f"query:{name.lower()}")


def _from_cookies(headers: Mapping[str, str]) -> Iterator[Credential]:
    cookie = headers.get("cookie", "") if headers else ""
    for pair in cookie.split(";", 64)[:64] if cookie else ():
        name, _, value = pair.strip().partition("=")
        is_named = any(word in name.lower() for word in COOKIE_WORDS)
        if is_named and value.count(".") in (2, 4):  # a session id in a cookie is no token of the gateway's concern
            yield _bare(unquote(value), f"cookie:{name[:40]}")


def is_absent(value: str) -> bool:
    """Loggers write "-" or nothing for a header that was not sent."""
    return value in ("", "-", '"-"')


def _bare(value: str, location: str) -> Credential:
    """A place that holds a token without a scheme, though some clients add one."""
    head, _, rest = value.strip().partition(" ")
    if head.lower() == "bearer" and rest:
        return Credential(location, head, rest.strip())
    return Credential(location, "", value.strip(), tuple(_value_anomalies(value.strip())))


def unwrap(header: str) -> Credential:
    """Split an Authorization value into scheme and token, noting what a strict verifier would refuse."""
    text = header.strip()
    odd: list[str] = []
    if text[:1] in "\"'" and text[-1:] == text[:1] and len(text) > 1:
        odd.append("scheme_quoted")
        text = text[1:-1].strip()
    scheme, value = _split_scheme(text, odd)
    if scheme.lower() == "bearer" and value[:7].lower() in ("bearer ", "bearer:"):
        odd.append("scheme_doubled")
        value = value[7:].strip()
    odd.extend(_scheme_anomalies(scheme, value, odd))
    odd.extend(_value_anomalies(value))
    return Credential("authorization", _safe_scheme(scheme), _bare_value(value), tuple(odd))


def _split_scheme(text: str, odd: list[str]) -> tuple[str, str]:
    head, space, rest = text.partition(" ")
    if head.endswith((":", "=", ",")) and head[:-1].isalpha():
        odd.append("scheme_colon")
        return head[:-1], rest.strip()
    if space:
        return head, rest.strip()
    if head.lower() in SCHEMES:
        return head, ""
    for mark in (":", "=", "%20", "+", "\t", "_"):
        word, found, value = head.partition(mark)
        if found and word.lower() == "bearer":
            odd.append("scheme_colon" if mark in ":=" else "scheme_glued")
            return word, value.strip()
    if head[:6].lower() == "bearer" and len(head) > 20:
        odd.append("scheme_glued")
        return head[:6], head[6:]
    return "", text


def _scheme_anomalies(scheme: str, value: str, odd: list[str]) -> Iterator[str]:
    low = scheme.lower()
    if is_redacted(value) or is_redacted(scheme):
        return  # the gateway replaced the value; what the client sent is not known
    if not scheme:
        if value.lower() not in NULL_WORDS:
            yield "scheme_missing"
        return
    if low in ("bearer", "dpop"):
        if not value:
            yield "scheme_only"
        if scheme not in ("Bearer", "DPoP") and "scheme_colon" not in odd:
            yield "scheme_case"
        return
    yield "scheme_other" if low in OTHER_SCHEMES or not _is_near_bearer(low) else "scheme_misspelt"


def _is_near_bearer(word: str) -> bool:
    if len(word) > 9 or not word.startswith("b"):
        return word in ("earer", "vearer")
    return len(set("bearer") & set(word)) >= 4


def _value_anomalies(value: str) -> list[str]:
    odd = []
    word = value.lower().partition(" ")[0]
    if word in NULL_WORDS:
        odd.append("value_null")
    if value.startswith(("{{", "${", "$(", "<%", "%{")) or (
        value[:1] == "<" and value[-1:] == ">" and " " not in value
    ):
        odd.append("value_template")
    if len(value) > 1 and value[0] in "\"'<" and value[-1] in "\"'>" and "value_template" not in odd:
        odd.append("value_quoted")
    if "," in value and value.count(".") >= 3:
        odd.append("joined")
    if any(c in value for c in "\t\r\n") or (" " in value and value.count(".") >= 2 and "," not in value):
        odd.append("value_whitespace")
    if "%2E" in value.upper() or "%3D" in value.upper() or "%20" in value:
        odd.append("value_percent")
    return odd


def _bare_value(value: str) -> str:
    if len(value) > 1 and value[0] in "\"'<" and value[-1] in "\"'>":
        return value[1:-1]
    return value


def _safe_scheme(scheme: str) -> str:
    """The word as sent when it is a known one (its case matters), else "other": it might be the token itself."""
    if not scheme or scheme.lower() in SCHEMES:
        return scheme
    return scheme if scheme.isalpha() and len(scheme) <= 10 and _is_near_bearer(scheme.lower()) else "other"


def is_redacted(value: str) -> bool:
    """The gateway removed the credential itself and left a mark."""
    low = value.lower()
    return len(value) < 200 and any(mark in low for mark in REDACTION_MARKS)
