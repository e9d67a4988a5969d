"""Fingerprint v1: the code, plus what the one change that fixes it would touch.

    issuer   the token's issuer and the difference, across all gateways that see it
    format   the client that sends it and the claim or form
    library  the validating library (or the gateway that embeds it) and the property that it rejects
    gateway  the gateway and its setting
    policy   the rule or scope and the route; for expired tokens the client that does not renew them

Never in it: token values, key ids, addresses, times, hosts of the fleet, order. FROZEN with the first release
(tests/analyzer/grouping/test_v1.py holds the ids of known inputs): any change is v2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import Final

from analyzer.verdicts import Diagnosis, Group
from collector.events import Event

VERSION: Final = "v1"
Part = tuple[str, str]
Parts = tuple[Part, ...]


def group(event: Event, diagnosis: Diagnosis) -> Group:
    """The group of a diagnosed failure; `id` is "v1-" and 16 hex digits."""
    choose = _BY_CODE.get(diagnosis.code) or _BY_CAUSE[diagnosis.cause]
    parts = (("code", diagnosis.code), *((name, value) for name, value in choose(event, diagnosis) if value))
    return Group(_id(parts), VERSION, parts)


@lru_cache(maxsize=4096)
def _id(parts: Parts) -> str:
    text = "\x1f".join(f"{name}\x1e{value}" for name, value in parts)
    return f"{VERSION}-{blake2b(text.encode('utf-8', 'surrogatepass'), digest_size=8).hexdigest()}"


def _client(event: Event) -> str:
    return event.token.client or event.request.user_agent


def _by_issuer(event: Event, diagnosis: Diagnosis) -> Parts:
    return (("issuer", event.token.iss), ("difference", diagnosis.discriminant))


def _by_sender(event: Event, diagnosis: Diagnosis) -> Parts:
    return (("client", _client(event)), ("issuer", event.token.iss), ("what", diagnosis.discriminant))


def _by_library(event: Event, diagnosis: Diagnosis) -> Parts:
    verifier = diagnosis.library or event.gateway.kind
    return (("library", verifier), ("refuses", diagnosis.discriminant or event.token.alg), ("issuer", event.token.iss))


def _by_gateway(event: Event, diagnosis: Diagnosis) -> Parts:
    return (("gateway", event.gateway.kind), ("instance", event.gateway.instance), ("setting", diagnosis.discriminant))


def _by_rule(event: Event, diagnosis: Diagnosis) -> Parts:
    return (("rule", diagnosis.discriminant), ("route", event.request.route))


def _by_route(event: Event, diagnosis: Diagnosis) -> Parts:
    return (("gateway", event.gateway.kind), ("route", event.request.route), ("what", diagnosis.discriminant))


def _by_key_source(event: Event, diagnosis: Diagnosis) -> Parts:
    """One unreachable key set affects every gateway behind the same egress; gateway and issuer identify it."""
    return (
        ("gateway", event.gateway.kind),
        ("instance", event.gateway.instance),
        ("issuer", event.token.iss or diagnosis.discriminant),
    )


def _by_reason(event: Event, _: Diagnosis) -> Parts:
    words = event.words.reason or event.words.message
    return (("gateway", event.gateway.kind), ("words", words[:80]), ("status", str(event.request.status)))


_Choice = Callable[[Event, Diagnosis], Parts]
_BY_CAUSE: Final[Mapping[str, _Choice]] = {
    "issuer": _by_issuer,
    "format": _by_sender,
    "library": _by_library,
    "gateway": _by_gateway,
    "policy": _by_rule,
    "unknown": _by_reason,
}
# Where the cause's own choice would touch the wrong thing (docs/decisions/0006).
_BY_CODE: Final[Mapping[str, _Choice]] = {
    "token_expired": _by_sender,
    "token_too_old": _by_sender,
    "token_missing": _by_route,
    "preflight_blocked": _by_route,
    "upstream_rejected": _by_route,
    "claims_not_forwarded": _by_route,
    "jwks_unreachable": _by_key_source,
    "jwks_invalid": _by_key_source,
    "caller_blocked": _by_route,
}
