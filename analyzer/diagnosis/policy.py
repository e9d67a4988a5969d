"""What a policy requires, by the configuration or by its own name: scope_insufficient, claim_not_allowed, source_denied, access_denied."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from analyzer.diagnosis.findings import Case, Finding, Strength, listed
from collector.events import TokenFacts

# Words that operators put into policy names, by what the policy checks.
NAMES: Final = {
    "scope_insufficient": ("scope", "scopes", "scp", "permission"),
    "claim_not_allowed": (
        "tenant",
        "tenants",
        "claim",
        "claims",
        "acr",
        "amr",
        "mfa",
        "domain",
        "org",
        "organisation",
        "organization",
    ),
    "source_denied": (
        "network",
        "networks",
        "ip",
        "ips",
        "cidr",
        "address",
        "addresses",
        "geo",
        "country",
        "source",
        "blocklist",
        "vpn",
    ),
    "access_denied": ("role", "roles", "group", "groups", "admin", "admins", "acl"),
}
_SEPARATORS: Final = str.maketrans("_[]/", "----")


def rule(case: Case) -> Iterator[Finding]:
    """A name is only a hint of intent, and often the only one that a gateway logs."""
    yield from _required_scopes(case)
    policy = next((dict(reading.captures).get("policy", "") for reading in case.readings[:1]), "")
    words = set(policy.lower().translate(_SEPARATORS).split("-"))
    code = next((code for code, names in NAMES.items() if words.intersection(names)), "")
    if code:
        says = f"the policy that denied the request is named `{policy}`"
        yield Finding(code, Strength.STRONG, "message", says, discriminant=policy)


def _required_scopes(case: Case) -> Iterator[Finding]:
    required = case.expected.required_scopes if case.expected else ()
    if not required or not case.shows_claims:
        return
    token = case.event.token
    lacking = next((scope for scope in required if scope not in token.scopes), "")
    shown = listed(required, len(required))
    if lacking:
        says = f"this route requires {shown}; the token has {scopes_of(token, 6)}"
        yield Finding("scope_insufficient", Strength.STRONG, "configuration", says, discriminant=lacking)
    else:
        says = f"the token has {shown}, which this route requires"
        yield Finding("scope_insufficient", Strength.REFUTES, "configuration", says)


def scopes_of(token: TokenFacts, most: int) -> str:
    """The token's scopes, the first `most` of them, or that there are none."""
    return listed(token.scopes, most) or "no scope"
