"""The refused token beside those that pass on the same route: claim_representation, scope_insufficient, token_too_old, issuer, audience and key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from analyzer.diagnosis.findings import Case, Finding, Strength, span
from analyzer.diagnosis.near import nearest
from analyzer.diagnosis.route_history import Passing
from collector.events import Verification

# Names under which issuers write the same thing: one that is there stands for the one that is not.
SAME: Final = (
    ("scope", "scp", "scopes", "permissions"),
    ("roles", "role", "groups", "realm_access", "resource_access", "cognito:groups", "authorities"),
    ("aud", "resource"),
    ("azp", "client_id", "appid", "cid"),
    ("sub", "user_id", "uid", "oid", "preferred_username", "upn", "username", "email"),
)  # fmt: skip
_LEGAL_TWICE: Final = ("aud", "exp", "nbf", "iat", "jti")  # their types and absence have rules of their own
_POLICY: Final = ("access_denied", "scope_insufficient", "claim_not_allowed", "claim_missing")
MUCH_LONGER: Final = 4.0
LONG_S: Final = 86_400.0


def rule(case: Case) -> Iterator[Finding]:
    """A likeness is no proof: strong only where a policy refused, which looks at nothing but claims."""
    if not case.shows_claims or not case.passed.issuers:
        return
    passing = case.passed.of(case.event.token.iss)
    if passing is None:
        yield from _stranger(case)
        return
    yield from _types(case, passing)
    yield from _absent(case, passing)
    yield from _scopes(case, passing)
    yield from _lifetime(case, passing)
    yield from _audience(case, passing)
    yield from _key(case, passing)


def _strength(case: Case) -> Strength:
    is_policy = [reading.code in _POLICY for reading in case.readings[:1]] or [case.event.request.status == 403]
    return Strength.STRONG if is_policy[0] else Strength.LIKELY


def _count(passing: Passing) -> str:
    return "a request that passes here" if passing.tokens == 1 else f"more than {passing.tokens} that pass here"


def _stranger(case: Case) -> Iterator[Finding]:
    """Of a configured issuer the configuration knows more."""
    if case.expected or not case.event.token.iss:
        return
    known = [one.issuer for one in case.passed.issuers]
    expected, near = nearest(case.event.token.iss, known)
    says = f"iss is {case.event.token.iss}; what passes here comes from {expected if near else ', '.join(known[:3])}"
    strength = Strength.STRONG if near else Strength.LIKELY
    yield Finding("issuer_not_trusted", strength, "traffic", says, near, discriminant=near or "unknown issuer")


def _types(case: Case, passing: Passing) -> Iterator[Finding]:
    for name, kind in passing.claims:
        mine = case.event.token.claim_type(name)
        if mine and mine != kind and name not in _LEGAL_TWICE and {mine, kind} != {"integer", "number"}:
            says = f"{name} is {_a(mine)} here and {_a(kind)} in {_count(passing)}"
            yield Finding("claim_representation", _strength(case), "traffic", says, discriminant=f"{name} {mine}")


def _absent(case: Case, passing: Passing) -> Iterator[Finding]:
    token = case.event.token
    for name, _ in passing.claims:
        if token.claim_type(name) or name in _LEGAL_TWICE:
            continue
        others = next((names for names in SAME if name in names), ())
        mine = next((other for other in others if other != name and token.claim_type(other)), "")
        passes = {claim for claim, _ in passing.claims}
        if mine and mine not in passes:
            says = f"{mine} stands where {_count(passing)} has {name}"
            near = f"{mine} instead of {name}"
            yield Finding("claim_representation", _strength(case), "traffic", says, near, discriminant=near)
        elif not mine:
            yield _missing(case, passing, name)


def _missing(case: Case, passing: Passing, name: str) -> Finding:
    says = f"the token lacks {name}, which {_count(passing)} has"
    if name in SAME[0]:
        return Finding("scope_insufficient", _strength(case), "traffic", says, discriminant=name)
    if name == (case.expected.user_claim if case.expected else "sub"):
        return Finding("user_claim_missing", _strength(case), "traffic", says, discriminant=name)
    return Finding("claim_missing", Strength.HINT, "traffic", says, discriminant=name)


def _scopes(case: Case, passing: Passing) -> Iterator[Finding]:
    token = case.event.token
    lacking = [scope for scope in passing.scopes if scope not in token.scopes]
    if lacking and any(token.claim_type(name) for name in SAME[0]):
        says = f"the token's scopes ({' '.join(token.scopes[:4]) or 'none'}) lack {' '.join(lacking[:3])}, which {_count(passing)} has"
        yield Finding("scope_insufficient", _strength(case), "traffic", says, discriminant=lacking[0])


def _lifetime(case: Case, passing: Passing) -> Iterator[Finding]:
    times = case.event.times
    if times.exp_s is None or times.iat_s is None or not passing.lifetime_s:
        return
    mine = times.exp_s - times.iat_s
    if mine > LONG_S and mine > MUCH_LONGER * passing.lifetime_s:
        says = f"the token lives {span(mine)}; the longest that passes here lives {span(passing.lifetime_s)}"
        yield Finding("token_too_old", Strength.LIKELY, "traffic", says, discriminant="lifetime")


def _audience(case: Case, passing: Passing) -> Iterator[Finding]:
    token = case.event.token
    if not token.aud or not passing.audiences or set(token.aud) & set(passing.audiences):
        return
    says = f"aud is {', '.join(token.aud[:3])}; what passes here has {', '.join(passing.audiences[:3])}"
    near = next((near for aud in token.aud for _, near in [nearest(aud, passing.audiences)] if near), "")
    yield Finding(
        "audience_mismatch", Strength.LIKELY, "traffic", says, near, discriminant=near or passing.audiences[0]
    )


def _key(case: Case, passing: Passing) -> Iterator[Finding]:
    """The same key passes and is not found: one worker or instance has an older key set than its neighbours."""
    kid, is_said = case.event.token.kid, any(reading.code == "key_not_found" for reading in case.readings[:1])
    if kid and is_said and kid in passing.kids and case.event.token.verification is not Verification.NO_KEY:
        says = f"tokens with kid {kid} pass on this route: not every instance or worker has the new key set"
        yield Finding("key_not_found", Strength.STRONG, "traffic", says, discriminant="stale at some instances")


def _a(kind: str) -> str:
    return {"string": "text", "array": "a list", "object": "an object", "boolean": "true or false"}.get(
        kind, "a number"
    )
