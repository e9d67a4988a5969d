"""What a policy asks for, by the configuration or by its own name: scope_insufficient, claim_not_allowed, source_denied, access_denied."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from analyzer.diagnosis.findings import Case, Finding, Strength

# Words that operators put into policy names, per what the policy looks at.
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


def rule(case: Case) -> Iterator[Finding]:
    """A name is only a hint of intent, and often the only one that a gateway logs."""
    yield from _required_scopes(case)
    for reading in case.readings[:1]:
        policy = dict(reading.captures).get("policy", "")
        words = set(policy.lower().replace("_", "-").replace("[", "-").replace("]", "-").replace("/", "-").split("-"))
        for code, names in NAMES.items():
            if words & set(names):
                says = f"the policy that refused is named {policy}"
                yield Finding(code, Strength.STRONG, "message", says, discriminant=policy)
                return


def _required_scopes(case: Case) -> Iterator[Finding]:
    if not case.expected or not case.expected.required_scopes or not case.shows_claims:
        return
    token, required = case.event.token, case.expected.required_scopes
    lacking = [scope for scope in required if scope not in token.scopes]
    if lacking:
        says = f"the route needs {' '.join(required)}; the token has {' '.join(token.scopes[:6]) or 'no scope'}"
        yield Finding("scope_insufficient", Strength.STRONG, "configuration", says, discriminant=lacking[0])
    else:
        says = f"the token has {' '.join(required)}, which the route needs"
        yield Finding("scope_insufficient", Strength.REFUTES, "configuration", says)
