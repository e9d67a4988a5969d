"""The claim that the verifier reads the user from: user_claim_missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from analyzer.diagnosis.findings import Case, Finding, Strength

# Names under which issuers write the same person; a near miss names the one that is there.
SYNONYMS: Final = (
    "sub", "email", "preferred_username", "upn", "unique_name", "username", "user_name", "user_id", "uid", "oid", "name",
    "cognito:username", "client_id", "azp", "appid",
)  # fmt: skip
_MARKS: Final = "\"'`.,:;()[]"


def rule(case: Case) -> Iterator[Finding]:
    """With a configured user claim its absence is certain; without one, a token that lacks sub is suspect."""
    if not case.shows_claims:
        return
    token, expected = case.event.token, case.expected
    named = _named(case)
    wanted = named or (expected.user_claim if expected else "sub")
    if token.claim_type(wanted):
        yield Finding("user_claim_missing", Strength.REFUTES, "token", f"the token has {wanted}")
        return
    there = [name for name in SYNONYMS if name != wanted and token.claim_type(name) == "string"]
    near = f"{there[0]} is there instead" if there else ""
    says = f"the token lacks {wanted}, from which the verifier reads the user" + (f"; {near}" if near else "")
    is_known = bool(expected or named)
    strength, source = (
        (Strength.STRONG, "configuration" if expected else "message") if is_known else (Strength.HINT, "token")
    )
    yield Finding("user_claim_missing", strength, source, says, near, discriminant=wanted)


def _named(case: Case) -> str:
    """The user's claim as the verifier's own words name it: it knows better than any configuration."""
    words = case.event.words
    for reading in case.readings[:1]:
        if reading.code != "user_claim_missing":
            return ""
        claim = dict(reading.captures).get("claim", "").strip(_MARKS)
        said = {word.strip(_MARKS) for word in f"{words.reason} {words.message} {words.challenge}".lower().split()}
        return claim if claim in SYNONYMS else next((name for name in SYNONYMS if name in said and name != "name"), "")
    return ""
