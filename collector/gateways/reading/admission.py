"""Whether a log line's sentence speaks of a refused credential: what it takes to be stored as a failure.

The vocabulary is not listed by hand: `admission.toml` holds a weight for words, beginnings of words and pairs of words, learned from every
message of the knowledge base on one side and the log and error texts of programs about something else on the other
(`python -m benchmarks.admission`; tests/collector/gateways/reading/test_admission.py proves both sides). A level shifts the bar: what is
written at INFO reports progress more often than refusals.
"""

from __future__ import annotations

import tomllib
from functools import cache, lru_cache
from itertools import pairwise
from math import exp, fsum
from pathlib import Path
from typing import Final

import re2

from collector.gateways.reading.abroad import refuses_abroad
from collector.gateways.reading.fragments import advises
from collector.gateways.reading.other_matters import is_of_program
from collector.gateways.reading.scan import ascii_only, has_any
from collector.gateways.reading.topic import is_auth

FILE: Final = Path(__file__).with_name("admission.toml")
_READ_CHARS: Final = 2048
_MAX_WORDS: Final = 48  # a sentence says what it is about at its beginning
_MAX_LINES: Final = 12
_PREFIX: Final = 5
_NUMBER: Final = "0"
_KEPT: Final = frozenset(("401", "403"))


class _Blanks(dict[int, str]):
    """Every character that is no ASCII letter or digit becomes a blank."""

    def __missing__(self, code: int) -> str:
        found = self[code] = chr(code) if code < 128 and chr(code).isalnum() else " "
        return found


_BLANKS: Final = _Blanks(
    {code: " " for code in range(128) if not chr(code).isalnum()}
    | {code: chr(code) for code in range(128) if chr(code).isalnum()}
)
AT_WARN: Final = 0.5
AT_INFO: Final = 0.75
# One of these stands in what refuses: the vocabulary knows what a sentence is about, and "login successful" is about the same.
_NEGATIVE: Final = (
    "fail", "error", " err", "_err", "(err", ".err", "[err", '"err', "denie", "deny", "invalid", "expir", "reject", "malform", "missing", "match", "unsupported", "insufficient",
    "not", "n't", "cannot", "unable", "unauth", "forbid", "wrong", "refus", "unknown", "revok", "block", "incorrect",
    "exception", "requir", "must", "bad", "untrust", "unexpect", "unhandled", "unregist", "unsuccess", "unverif", "unrecogn",
    "unresolv", "illegal", "disallow", "without", "no ", "lack", "empty", "none", "null", "corrupt", " 401", " 403", "=401", "=403", "(401", "(403", ":401", ":403",
    "disabled", "inactive", "exceed", "replay", "twice", "too ", "only ", "already", "absent", "unreachable", "timed out", "timeout",
    "different", "undefined", "expected", "should", "violat", "restrict", "prohibit", "before", "stale", "never",
    "less than", "at least", "broken", "problem", "could", "abort", "duplicate", "ambigu", "locked", "banned", "quota",
    "budget", "limit", "throttl", "neither", "changed", "tamper", "terminat", "discard", "dropped", "truncat", "skew",
    "incomplete", " nil", "future", "drift", "reuse", "mandatory", "needs to", "aadsts", "ah0",
)  # fmt: skip
_TERMS: Final = re2.compile(
    r"\b(?:expires?(?:[ _](?:at|in|on))?|expir(?:y|ation)(?: (?:date|time|reminder))?|expiring (?:at|in|on))\b"
)
# What is off because somebody switched it off, and what was cleared away, are no faults either.
_IN_ORDER: Final = re2.compile(
    r"\b(?:cache|caching|rotation|logging|metrics|tracing|mode|refresh|redirect|discovery|telemetry|compression|support)(?: is| are| was)? disabled\b"
    r"|\b(?:remov|purg|delet|prun|clean|evict)\w*\b[^.:]{0,30}\bexpired\b"
    r"|\bexpired \w+ (?:were |have been )?(?:removed|purged|deleted|pruned|cleaned|evicted)\b"
)
_CLEARED: Final = ("remov", "purg", "delet", "prun", "clean", "evict")  # one is in each _IN_ORDER of what expired
_PATHS: Final = re2.compile(
    r"(?:^|[\s\"'(=])/[\w.%{}*-]+(?:/[\w.%{}*-]*)*"
)  # of requests; a URL's are mostly an issuer's or a key set's
_SERVER_ERROR: Final = re2.compile(r"(?i)\bstatus(?: code)?[ :=]+5\d\d\b")
_DOUBTLESS: Final = 0.9
_REFUSED: Final = (" 401 unauthorized", " 403 forbidden")  # the status and its phrase: another server's answer
_OF_TOKENS: Final = frozenset(("jti", "nbf", "azp", "jwt", "jws", "jwe", "jwk", "jwks", "kid", "iat"))


def features(sentence: str) -> frozenset[str]:
    """Words in lower case (also those that a CamelCase name is made of), their beginnings, and pairs of neighbours.

    >>> sorted(features("JwtException: expired"))
    ['excep*', 'exception', 'exception expired', 'expir*', 'expired', 'jwt', 'jwt exception']
    """
    words = [part for word in _ascii_words(sentence) for part in _parts(word)][:_MAX_WORDS]
    found = set(words)
    found.update(f"{one} {other}" for one, other in pairwise(words))
    found.update(word[:_PREFIX] + "*" for word in words if len(word) > _PREFIX)
    return frozenset(found)


def _ascii_words(sentence: str) -> list[str]:
    return sentence[: _MAX_WORDS * 24].translate(_BLANKS).split()[:_MAX_WORDS]


@lru_cache(maxsize=4096)
def _parts(word: str) -> tuple[str, ...]:
    """The words of a CamelCase name; a number is "0", unless it is a status that refuses."""
    if _is_plain(word):
        return (word.lower(),)
    ends = [at for at in range(1, len(word)) if _parts_at(word, at)]
    parts = [word[begin:end].lower() for begin, end in pairwise((0, *ends, len(word)))]
    return tuple([_NUMBER if part.isdigit() and part not in _KEPT else part for part in parts])


def _is_plain(word: str) -> bool:
    return word.isalpha() and (word.islower() or word.isupper() or word[1:].islower())


def _parts_at(word: str, at: int) -> bool:
    """Between `t` and `E`, between `T` and `Ex`, between letters and digits."""
    before, here, behind = word[at - 1], word[at], word[at + 1 : at + 2]
    if before.isdigit() is not here.isdigit():
        return True
    return here.isupper() and (before.islower() or behind.islower())


def probability(message: str) -> float:
    """How likely the text is about a refused credential, from 0 to 1; of several lines the likeliest counts."""
    lines = [line for line in message[:_READ_CHARS].split("\n", _MAX_LINES)[:_MAX_LINES] if line.strip()]
    return max(map(_of_line, lines), default=0.0)


def is_admitted(message: str, *, is_calm: bool = False) -> bool:
    """Whether a text at WARN or above is taken for a refusal; `is_calm`: at INFO, or at a level that nobody knows.

    >>> is_admitted("login successful: connector google", is_calm=True), is_admitted("login failed: connector google", is_calm=True)
    (False, True)
    >>> is_admitted("The jti was already used."), is_admitted("jti cache: ok"), is_admitted("The jtis table is not there")
    (True, False, False)
    """
    low = message[:_READ_CHARS].lower()
    is_fault = is_negative(message)
    if _is_harmless(message, low, is_fault=is_fault):
        return False
    return _is_english_refusal(message, low, is_fault=is_fault, is_calm=is_calm) or refuses_abroad(message)


def _is_english_refusal(message: str, low: str, *, is_fault: bool, is_calm: bool) -> bool:
    if is_calm and not is_fault:
        return False
    if is_fault and (has_any(low, _REFUSED) or (not is_calm and _holds_token_word(message))):
        return True
    return probability(message) >= (AT_INFO if is_calm else AT_WARN) and not _is_of_another_matter(message)


def _is_harmless(message: str, low: str, *, is_fault: bool) -> bool:
    return is_of_program(message) or advises(low) or (not is_fault and _is_in_order(low))


def _is_in_order(low: str) -> bool:
    if "expired" not in low and " disabled" not in low:
        return False
    return _IN_ORDER.search(ascii_only(low)) is not None


def _is_of_another_matter(message: str) -> bool:
    """Whether a fault of any service is all that the words tell: without the path that was asked for, whose names are no words, and of a 5xx.

    "Request to /auth/login failed: NullPointerException" is a fault at the login's address, not a refusal.
    """
    text = ascii_only(message[:_READ_CHARS])
    words = _PATHS.sub(" ", text)
    if is_auth(words):
        return False
    return (words != text and probability(words) < _DOUBTLESS) or _SERVER_ERROR.search(text) is not None


def _holds_token_word(message: str) -> bool:
    """Whether a text names what only tokens and key sets have: "The jti was already used."

    >>> _holds_token_word("The jti was already used."), _holds_token_word("The jtis table is not there")
    (True, False)
    """
    words = message[: _MAX_WORDS * 24].translate(_BLANKS).lower().split()[:_MAX_WORDS]
    return not _OF_TOKENS.isdisjoint(words)


def is_negative(message: str) -> bool:
    """Whether a text says that something is wrong, with whatever it is. When something is going to expire is no fault.

    >>> is_negative("token expired"), is_negative("Token expires at: Tue Mar 3 11:00:00 UTC")
    (True, False)
    >>> is_negative("user is disabled"), is_negative("token cache disabled"), is_negative("12 expired sessions removed")
    (True, False, False)
    """
    low = message[:_READ_CHARS].lower()
    if " disabled" in low or ("expired" in low and has_any(low, _CLEARED)):
        low = _IN_ORDER.sub(" ", ascii_only(low))
    if low.count("expir") > low.count("expired"):  # which is no term
        low = _TERMS.sub(" ", ascii_only(low))
    return has_any(low, _NEGATIVE)


@lru_cache(maxsize=4096)
def _of_line(line: str) -> float:
    weights, bias = _table()
    # Exact: a set's order differs from process to process, and what lies on the bar would be admitted by some of them.
    score = fsum((bias, *(weights.get(feature, 0.0) for feature in features(line))))
    return 1 / (1 + exp(-max(min(score, 30.0), -30.0)))


@cache
def _table() -> tuple[dict[str, float], float]:
    table = tomllib.loads(FILE.read_text(encoding="utf-8"))
    rows = (line.rpartition("\t") for line in table["weights"].splitlines() if line)
    return {name: float(weight) for name, _, weight in rows}, float(table["bias"])
