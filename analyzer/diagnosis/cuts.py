"""A token that ends too early: was it cut on its way, or by the log? Only the former is the client's fault.

Logs shorten headers to a fixed length (`capture … len 64`, `%REQ(AUTHORIZATION):64%`) or leave the signature out. What
tells: requests that pass are cut alike, tokens of several callers end at one length, the header as logged has a length
that people configure, or the gateway reports what it could only read behind the cut.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from analyzer.knowledge import Reading
from collector.events import Event, Outcome, TokenFacts, TokenKind

MAX_GATEWAYS: Final = 1_000  # about 2 MB when full; the one idle longest is evicted
MAX_LENGTHS: Final = 50  # lengths remembered per gateway
ALIKE: Final = 3  # different tokens that end at one length
MAX_MARKS: Final = 8  # of different tokens, remembered per length
SHORTEST: Final = 24  # characters; no JOSE header of a signed token is shorter
# Lengths that people configure for a logged header, beside the powers of two.
_ROUND: Final = frozenset(
    (*range(10, 100, 10), *range(16, 129, 8), *range(100, 1001, 50), 1500, 2000, 3000, 4000, 5000, 8000)
)
_CUT: Final = ("header_cut", "payload_cut", "signature_cut", "signature_short", "signature_empty")
# What a validator says before it has read a whole token, or whatever the token looks like.
_BEFORE: Final = frozenset(
    ("token_truncated", "token_malformed", "token_opaque", "token_missing", "scheme_invalid", "credential_ambiguous",
     "credential_stripped", "jwe_unsupported", "alg_none", "header_too_large", "header_unsupported", "gateway_error",
     "upstream_rejected", "preflight_blocked", "caller_blocked", "source_denied", "auth_not_configured",
     "introspection_failed", "jwks_unreachable", "jwks_invalid", "login_flow_failed", "unclassified")
)  # fmt: skip
_OF_SIGNATURE: Final = frozenset(("signature_invalid", "key_not_found", "key_type_mismatch", "alg_not_allowed"))
_SPOKEN: Final = 0.5  # certainty of a message that is held against a cut


class Cutter(StrEnum):
    """Who cut a token that ends too early."""

    UNKNOWN = ""
    LOG = "log"
    SENDER = "sender"  # the client, or something between it and the gateway


@dataclass(slots=True)
class _Lengths:
    """What one gateway's log shows: how long tokens are in it, and where they end too early."""

    longest_whole: int = 0
    passing: set[int] = field(default_factory=set)  # header lengths of cut tokens of requests that passed
    marks: OrderedDict[int, set[tuple[object, ...]]] = field(default_factory=OrderedDict)  # of refused ones


class Cuts:
    """Learns from all requests of a gateway how its log shows tokens. Bounded; one worker's own."""

    def __init__(self, max_gateways: int = MAX_GATEWAYS) -> None:
        self._max_gateways = max_gateways
        self._gateways: OrderedDict[tuple[str, str], _Lengths] = OrderedDict()

    def __len__(self) -> int:
        return len(self._gateways)

    def learn(self, event: Event) -> None:
        """Take in one request, passed or refused."""
        token = event.token
        if token.kind is TokenKind.JWS and not is_cut(token):
            seen = self._of(event)
            seen.longest_whole = max(seen.longest_whole, token.size)
        elif is_cut(token) and token.location != "message":
            self._note(self._of(event), event)

    def about(self, event: Event) -> Cutter:
        """Who cut the token of this request, as far as the gateway's other requests tell."""
        token = event.token
        if not is_cut(token):
            return Cutter.UNKNOWN
        seen = self._gateways.get((event.gateway.kind, event.gateway.instance))
        if seen is None:
            return Cutter.UNKNOWN
        if seen.longest_whole > token.size:
            return Cutter.SENDER
        length = logged_length(token)
        is_alike = length in seen.passing or len(seen.marks.get(length, ())) >= ALIKE
        return Cutter.LOG if is_alike else Cutter.UNKNOWN

    def _note(self, seen: _Lengths, event: Event) -> None:
        length = logged_length(event.token)
        if event.outcome is Outcome.ALLOWED:
            if event.request.status < 300 and len(seen.passing) < MAX_LENGTHS:
                seen.passing.add(length)
            return
        marks = seen.marks.setdefault(length, set())
        if len(marks) < MAX_MARKS:
            marks.add(_mark(event))
        if len(seen.marks) > MAX_LENGTHS:
            seen.marks.popitem(last=False)

    def _of(self, event: Event) -> _Lengths:
        key = event.gateway.kind, event.gateway.instance
        seen = self._gateways.get(key)
        if seen is None:
            seen = self._gateways[key] = _Lengths()
            if len(self._gateways) > self._max_gateways:
                self._gateways.popitem(last=False)
        else:
            self._gateways.move_to_end(key)
        return seen


def is_cut(token: TokenFacts) -> bool:
    """The token ends too early: inside a part, or without its last ones."""
    if token.kind is TokenKind.JWS:
        return "signature_short" in token.anomalies or "signature_empty" in token.anomalies
    if token.kind is not TokenKind.MALFORMED or any(word.startswith("bad_base64") for word in token.anomalies):
        return False
    return any(word in token.anomalies for word in _CUT) or lacks_signature(token) or _is_header_alone(token)


def lacks_signature(token: TokenFacts) -> bool:
    """A whole header and a whole payload, and nothing behind them."""
    return len(token.parts) == 2 and bool(token.alg) and "payload_cut" not in token.anomalies


def _is_header_alone(token: TokenFacts) -> bool:
    return len(token.parts) == 1 and bool(token.alg)


def logged_length(token: TokenFacts) -> int:
    """Characters of the header's value as the log shows it, its scheme included."""
    return token.size + (len(token.scheme) + 1 if token.scheme else 0)


def _mark(event: Event) -> tuple[object, ...]:
    """What tells one caller or token from another."""
    token, request = event.token, event.request
    return token.parts, token.kid, token.iss, token.alg, request.client, request.user_agent


def cutter(token: TokenFacts, seen: Cutter, readings: tuple[Reading, ...]) -> Cutter:
    """Who cut this token: by the gateway's other requests, by its own words, by the length."""
    if seen is not Cutter.UNKNOWN:
        return seen
    if token.location == "message" or _reads_beyond(token, readings):
        return Cutter.LOG
    return Cutter.LOG if _has_configured_length(token) else Cutter.UNKNOWN


def _reads_beyond(token: TokenFacts, readings: tuple[Reading, ...]) -> bool:
    """The gateway reports what only a token that goes on behind the cut can be refused for."""
    if not readings or readings[0].certainty < _SPOKEN or readings[0].code in _BEFORE:
        return False
    return token.kind is TokenKind.MALFORMED or readings[0].code not in _OF_SIGNATURE


def _has_configured_length(token: TokenFacts) -> bool:
    """A length of the header as a whole; a client's column that is too short cuts the token alone."""
    length = logged_length(token)
    return token.size < SHORTEST or (_is_round(length) and not _is_round(token.size))


def _is_round(length: int) -> bool:
    return length in _ROUND or (length >= 16 and length & (length - 1) == 0) or length in (255, 511, 1023)
