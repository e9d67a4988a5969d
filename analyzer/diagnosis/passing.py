"""The rejected token compared with accepted ones on the same route: claim_representation, scope_insufficient, token_too_old, issuer, audience and key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from analyzer.diagnosis.claims import a_type
from analyzer.diagnosis.findings import Case, Finding, Strength, listed, span
from analyzer.diagnosis.near import NearMiss, nearest, nearest_of
from analyzer.diagnosis.policy import scopes_of
from analyzer.diagnosis.route_history import MAX_VALUES, Passing
from collector.events import TokenFacts, Verification

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
_NUMBERS: Final = {"integer", "number"}
MUCH_LONGER: Final = 4.0
LONG_S: Final = 86_400.0


def rule(case: Case) -> Iterator[Finding]:
    """A difference is not proof: strong only where a policy refused, because a policy looks at claims alone."""
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
    return "an accepted token" if passing.tokens == 1 else f"at least {passing.tokens} accepted tokens"


def _have(passing: Passing) -> str:
    return "has" if passing.tokens == 1 else "have"


def _stranger(case: Case) -> Iterator[Finding]:
    """Where the issuer is configured, the configuration knows more."""
    iss = case.event.token.iss
    if case.expected or not iss:
        return
    known = [one.issuer for one in case.passed.issuers]
    near = nearest(iss, known)
    shown = f"`{near.expected}`: {near.says}" if near else listed(known)
    yield Finding(
        "issuer_not_trusted",
        Strength.STRONG if near else Strength.LIKELY,
        "traffic",
        f"`iss` is `{iss}`; accepted tokens on this route are from {shown}",
        near_miss=near,
        discriminant=near.key if near else "unknown issuer",
    )


def _types(case: Case, passing: Passing) -> Iterator[Finding]:
    for name, kind in passing.claims:
        mine = case.event.token.claim_type(name)
        if mine and name not in _LEGAL_TWICE and not _is_one_type(mine, kind):
            says = f"`{name}` is {a_type(mine)}; it is {a_type(kind)} in {_count(passing)}"
            yield Finding("claim_representation", _strength(case), "traffic", says, discriminant=f"{name} {mine}")


def _is_one_type(mine: str, kind: str) -> bool:
    return mine == kind or {mine, kind} == _NUMBERS


def _absent(case: Case, passing: Passing) -> Iterator[Finding]:
    token, passes = case.event.token, {claim for claim, _ in passing.claims}
    for name, _ in passing.claims:
        if token.claim_type(name) or name in _LEGAL_TWICE:
            continue
        mine = _other_name(token, name)
        if not mine:
            yield _missing(case, passing, name)
        elif mine not in passes:
            yield _renamed(case, passing, name, mine)


def _other_name(token: TokenFacts, name: str) -> str:
    """The name under which the token has the same thing; "" when it has none."""
    others = next((names for names in SAME if name in names), ())
    return next((other for other in others if other != name and token.claim_type(other)), "")


def _renamed(case: Case, passing: Passing, name: str, mine: str) -> Finding:
    near = NearMiss(expected=name, key=f"{mine} instead of {name}", says=f"`{mine}` instead of `{name}`")
    says = f"the token has `{mine}` where {_count(passing)} {_have(passing)} `{name}`"
    return Finding("claim_representation", _strength(case), "traffic", says, near_miss=near, discriminant=near.key)


def _missing(case: Case, passing: Passing, name: str) -> Finding:
    says = f"the token has no `{name}` claim; {_count(passing)} {_have(passing)} one"
    if name in SAME[0]:
        return Finding("scope_insufficient", _strength(case), "traffic", says, discriminant=name)
    if name == (case.expected.user_claim if case.expected else "sub"):
        says = f"the token has no user claim (expected `{name}`); {_count(passing)} {_have(passing)} one"
        return Finding("user_claim_missing", _strength(case), "traffic", says, discriminant=name)
    return Finding("claim_missing", Strength.HINT, "traffic", says, discriminant=name)


def _scopes(case: Case, passing: Passing) -> Iterator[Finding]:
    token = case.event.token
    lacking = [scope for scope in passing.scopes if scope not in token.scopes]
    if not lacking or not any(token.claim_type(name) for name in SAME[0]):
        return
    says = f"missing scope {listed(lacking)}, which {_count(passing)} {_have(passing)}; the token has {scopes_of(token, 4)}"
    yield Finding("scope_insufficient", _strength(case), "traffic", says, discriminant=lacking[0])


def _lifetime(case: Case, passing: Passing) -> Iterator[Finding]:
    mine = case.lifetime_s
    if not mine or not passing.lifetime_s:
        return
    if mine > LONG_S and mine > MUCH_LONGER * passing.lifetime_s:
        says = f"the token's lifetime is {span(mine)}; the longest accepted on this route is {span(passing.lifetime_s)}"
        yield Finding("token_too_old", Strength.LIKELY, "traffic", says, discriminant="lifetime")


def _audience(case: Case, passing: Passing) -> Iterator[Finding]:
    token = case.event.token
    if not token.aud or not passing.audiences or set(token.aud) & set(passing.audiences):
        return
    near = nearest_of(token.aud, passing.audiences)
    says = f"`aud` is {listed(token.aud)}; accepted tokens on this route have {listed(passing.audiences)}"
    yield Finding(
        "audience_mismatch",
        Strength.LIKELY,
        "traffic",
        says,
        near_miss=near,
        discriminant=near.key if near else passing.audiences[0],
    )


def _key(case: Case, passing: Passing) -> Iterator[Finding]:
    """The same key is accepted and not found: with another algorithm, or by one worker or instance with an older key set."""
    kid, is_reported = case.event.token.kid, any(reading.code == "key_not_found" for reading in case.readings[:1])
    if not kid or not is_reported or kid not in passing.kids or case.event.token.verification is Verification.NO_KEY:
        return
    yield from _with_other_algorithm(case.event.token, passing) or [_stale(kid)]


def _with_other_algorithm(token: TokenFacts, passing: Passing) -> list[Finding]:
    algorithms = [trait.removeprefix("alg ") for trait in passing.traits if trait.startswith("alg ")]
    is_known = token.verification is not Verification.NOT_CHECKED  # with the keys, which tell more
    if is_known or not algorithms or token.alg in algorithms or len(passing.traits) >= MAX_VALUES:
        return []
    says = f"`alg` is `{token.alg}`; tokens with kid `{token.kid}` that are accepted on this route have {listed(algorithms)}"
    return [Finding("alg_not_allowed", Strength.STRONG, "traffic", says, discriminant=token.alg)]


def _stale(kid: str) -> Finding:
    says = f"tokens with kid `{kid}` are accepted on this route: some instances or workers have an outdated key set"
    return Finding("key_not_found", Strength.STRONG, "traffic", says, discriminant="stale at some instances")
