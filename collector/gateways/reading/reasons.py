"""Why a refusal's sentence says that it was refused: the kinds of causes that its words name.

Joining asks two questions of a line, what the words mean exactly is the analyzer's business. Does it say why at all?
"Unauthorized" and "invalid token" say only that something was refused: such a line is the echo of one that gives the
reason. And may two lines be about one refusal? "token is expired" and "no key with this id" are not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from ahocorasick_rs import AhoCorasick

from collector.gateways.reading.scan import ascii_only

MAX_CHARS: Final = 1024  # a sentence says why at its beginning
NOTHING: Final[frozenset[str]] = frozenset()
SIZE: Final = "size"
# Kind -> its words, one each. Two sentences that name different kinds only are about two refusals.
_WORDS: Final = {
    "time": (
        "expired", "expires", "expiry", "expiration", "exp", "nbf", "iat", "lifetime", "clock", "skew", "stale", "idle",
        "future", "nonce", "replay", "replayed", "maxage", "early", "premature",
    ),
    "key": (
        "signature", "signatures", "key", "keys", "kid", "jwk", "jwks", "jku", "x5c", "x5t", "pem", "algorithm",
        "algorithms", "alg", "hmac", "rsa", "ecdsa", "unsigned", "certificate", "fetch", "fetching", "connect",
        "connection", "timeout", "resolve", "resolved", "unreachable", "discovery", "introspect", "introspection", "dns",
        "eof", "unavailable", "deadline", "hostname", "crypto", "cryptographic", "urlopen", "lookup", "resolving", "secret", "cert", "kty", "cache", "es256", "rs256", "hs256",
    ),
    "issuer": ("issuer", "issuers", "iss", "tenant"),
    "audience": ("audience", "audiences", "aud", "azp"),
    "form": (
        "malformed", "segment", "segments", "decode", "decoded", "decoding", "parse", "parsing", "parsed", "unparsable",
        "base64", "padding", "utf", "json", "unmarshal", "deserialize", "character", "characters", "truncated",
        "illegal", "length", "dots", "compact", "missing", "absent", "empty", "null", "undefined", "without", "lacks",
        "basic", "subject", "sub", "typ", "crit", "encrypted", "opaque", "decrypt", "decryption", "jwe", "format",
        "large", "extension", "encoding", "encoded", "recognized", "critical", "cookie", "csrf",
    ),
    "rights": (
        "scope", "scopes", "permissions", "role", "roles", "rbac", "policy", "privilege", "privileges", "acl", "group",
        "groups", "insufficient", "rights", "quota", "ratelimit", "rate", "budget", "limit", "revoked", "disabled",
        "blocked", "inactive", "locked", "blacklisted", "blacklist", "denylist", "suspended", "deactivated", "consumer",
        "whitelist", "allowlist", "password", "account", "username", "member", "exist", "exists", "plan", "subscription",
    ),
    "login": ("refresh", "userinfo", "redirect", "callback", "pkce", "grant", "consent", "logout", "dpop"),
    # Headers that a server does not take: also of the form, and answered with statuses of their own.
    SIZE: ("oversized", "limitrequestfieldsize", "limitrequestfields"),
    # Causes of any kind: what does not match, what is not set up.
    "any": ("mismatch", "match", "matches", "matching", "misconfigured", "configuration", "configured", "specified"),
}  # fmt: skip
_PHRASES: Final = {
    "issuer": ("different provider",),
    "time": ("before issued", "used before", "no longer valid", "not valid yet", "already been", "reuse", "not yet valid", "not active", "too old", "too early"),
    "key": ("could not be reached", "no such host", "unknown authority", "timed out", "unexpected status"),
    "form": (
        "no token", "no auth", "no bearer", "no valid bearer", "no valid jwt", "no cred", "no jwt", "no session", "no access token", "no api key",
        "not found", "not provided", "not present", "not contain", "not set", "token required", "three parts",
        "not a jwt", "not a valid jwt format", "token contains an invalid", "got none", "unexpected token", "type error", "of type", "wrong type", "a string", "a number", "state param", "invalid scheme",
        "unknown scheme", "unsupported scheme", "wrong scheme", "scheme is", "authorization scheme",
    ),
    SIZE: (
        "too long header", "header line is too long", "header too large", "headers too large", "header fields too large",
        "header or cookie too large", "header is too large", "headers are too large", "header field is too large", "too large header",
    ),
    "rights": ("not in group", "not a member", "not enabled", "no access to", "no app to auth", "may not", "does not have", "only allowed", "not allow you"),
}  # fmt: skip
_KIND_OF: Final = {word: kind for kind, words in _WORDS.items() for word in words}
_PHRASE_KINDS: Final = tuple(kind for kind, phrases in _PHRASES.items() for _ in phrases)
_FIND_PHRASES: Final = AhoCorasick([phrase for phrases in _PHRASES.values() for phrase in phrases])
_BLANKS: Final = {code: " " for code in range(128) if not chr(code).isalnum()}
_ANY: Final = "any"
_STATES: Final = frozenset(
    ("missing", "invalid", "expired", "malformed", "revoked", "wrong", "bad", "incorrect", "absent", "empty", "unknown",
     "inactive")
)  # fmt: skip


def kinds(text: str) -> frozenset[str]:
    """The kinds of causes that a sentence names; empty when it says only that something was refused.

    "Missing or invalid" names two causes and tells neither.

    >>> sorted(kinds("failed to verify token: token is expired")), sorted(kinds("401 Unauthorized: invalid token"))
    (['time'], [])
    >>> sorted(kinds("missing or invalid token")), sorted(kinds("ExpiredSignatureError"))
    ([], ['key', 'time'])
    """
    text = text[:MAX_CHARS]
    low = text.lower()
    words = low.translate(_BLANKS).split()
    said = set(words)
    if len(said & _STATES) > 1:
        said -= _left_open(words)
    if low != text:
        said.update(hump for word in text.translate(_BLANKS).split() if _has_humps(word) for hump in _humps(word))
    found = {_KIND_OF[word] for word in said & _KIND_OF.keys()}
    phrases = _FIND_PHRASES.find_matches_as_indexes(ascii_only(low), overlapping=True)
    found.update([_PHRASE_KINDS[at] for at, _, _ in phrases])
    return frozenset(found) if found else NOTHING


def _left_open(words: Sequence[str]) -> set[str]:
    """Both of two states that stand side by side, or with "or" between them."""
    found = set()
    bare = [word for word in words if word not in ("or", "and")]
    for one, other in pairwise(bare):
        if one in _STATES and other in _STATES:
            found |= {one, other}
    return found


def _has_humps(word: str) -> bool:
    return not (word.islower() or word.isupper() or word[1:].islower() or word.isdigit())


def _humps(word: str) -> Iterator[str]:
    """The words of a camel case name, in lower case: a class, an error code.

    >>> list(_humps("JWTExpiredError"))
    ['jwt', 'expired', 'error']
    """
    start, last = 0, len(word) - 1
    for at in range(1, len(word)):
        is_start = word[at].isupper() and (word[at - 1].islower() or (at < last and word[at + 1].islower()))
        if is_start:
            yield word[start:at].lower()
            start = at
    yield word[start:].lower()


def agree(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two sentences with these kinds may be about one refusal."""
    return not (one and other) or not one.isdisjoint(other) or _ANY in one or _ANY in other
