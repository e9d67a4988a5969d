"""The claim that identifies the user: user_claim_missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from analyzer.diagnosis.findings import Case, Finding, Strength
from analyzer.diagnosis.near import NearMiss
from collector.events import TokenFacts, Words

# Names under which issuers write the same person; a near miss names the one that is there.
SYNONYMS: Final = (
    "sub", "email", "preferred_username", "upn", "unique_name", "username", "user_name", "user_id", "uid", "oid", "name",
    "cognito:username", "client_id", "azp", "appid",
)  # fmt: skip
DEFAULT: Final = "sub"
_MARKS: Final = "\"'`.,:;()[]"


def rule(case: Case) -> Iterator[Finding]:
    """With a configured user claim its absence is certain; without one, a token that has no `sub` is suspect."""
    if not case.shows_claims:
        return
    claim = expected_claim(case)
    if case.event.token.claim_type(claim):
        says = f"the token has the user claim `{claim}`"
        yield Finding("user_claim_missing", Strength.REFUTES, "token", says)
    else:
        yield _missing(case, claim)


def expected_claim(case: Case) -> str:
    """The user claim as the gateway's message names it, which knows best; else as configured."""
    return reported_claim(case) or (case.expected.user_claim if case.expected else DEFAULT)


def _missing(case: Case, claim: str) -> Finding:
    near = _instead(case.event.token, claim)
    says = f"the token has no user claim (expected `{claim}`)" + (f"; {near.says}" if near else "")
    strength, source = _weight(case)
    return Finding("user_claim_missing", strength, source, says, near_miss=near, discriminant=claim)


def _weight(case: Case) -> tuple[Strength, str]:
    """How certain it is which claim is expected, and who says so. `sub` is also what stands where nobody configured one."""
    is_reported = bool(reported_claim(case))
    if case.expected:
        is_certain = is_reported or case.expected.user_claim != DEFAULT
        return (Strength.STRONG if is_certain else Strength.LIKELY), "configuration"
    return (Strength.STRONG, "message") if is_reported else (Strength.HINT, "token")


def _instead(token: TokenFacts, claim: str) -> NearMiss | None:
    there = next((name for name in SYNONYMS if name != claim and token.claim_type(name) == "string"), "")
    if not there:
        return None
    return NearMiss(expected=claim, key=f"{there} is there instead", says=f"`{there}` is present instead")


def reported_claim(case: Case) -> str:
    """The user claim as the gateway's own message names it; "" when it names none."""
    reading = next(iter(case.readings), None)
    if reading is None or reading.code != "user_claim_missing":
        return ""
    claim = dict(reading.captures).get("claim", "").strip(_MARKS)
    return claim if claim in SYNONYMS else _mentioned(case.event.words)


def _mentioned(words: Words) -> str:
    mentioned = {word.strip(_MARKS) for word in f"{words.reason} {words.message} {words.challenge}".lower().split()}
    return next((name for name in SYNONYMS if name in mentioned and name != "name"), "")
