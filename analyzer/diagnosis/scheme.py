"""How the credential was wrapped: scheme_invalid, and the values that are not a token (token_malformed)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from analyzer.diagnosis.findings import Case, Finding, Strength
from analyzer.knowledge.accepts import accepts
from collector.events import TokenFacts

WRONG: Final = {
    "scheme_missing": (Strength.STRONG, "the Authorization header contains a bare token: the `Bearer` scheme is missing"),
    "scheme_doubled": (Strength.PROOF, "the `Bearer` scheme is repeated"),
    "scheme_colon": (Strength.PROOF, "a colon or equals sign follows the scheme"),
    "scheme_quoted": (Strength.PROOF, "the header value is in quotes"),
    "scheme_misspelt": (Strength.PROOF, "the scheme is misspelled"),
    "scheme_other": (Strength.STRONG, "the scheme is not `Bearer`"),
    "scheme_glued": (Strength.PROOF, "no space between the scheme and the token"),
    "value_quoted": (Strength.PROOF, "the token is in quotes or angle brackets"),
    "scheme_case": (Strength.HINT, "the scheme is not written `Bearer` (RFC 9110 ignores letter case, some validators do not)"),
}  # fmt: skip
_OTHERS: Final = frozenset(("scheme_other",))
_SHOW_SCHEME: Final = ("scheme_other", "scheme_misspelt", "scheme_case", "scheme_glued")
# anomaly -> what it is, and what groups call it (FROZEN)
NO_TOKEN: Final = {
    "value_null": ("the credential is a literal such as `null` or `undefined`: the client sent an unset variable", "null"),
    "value_template": ("the credential is a placeholder that was never filled in", "placeholder"),
    "value_percent": ("the token is percent-encoded: its dots or padding arrived as `%2E` or `%3D`", "percent-encoded"),
}  # fmt: skip


def rule(case: Case) -> Iterator[Finding]:
    """The Authorization header's form, by the anomalies that the collector saw."""
    token = case.event.token
    if token.location == "authorization":
        accepted = accepts(case.event.gateway.kind).forms | (_OTHERS if is_asked_for(case) else frozenset())
        yield from _wrapping(token, accepted, is_unseen=_says_nothing_came(case))
        yield from _as_it_should_be(case)
    for anomaly, (says, frozen) in NO_TOKEN.items():
        if anomaly in token.anomalies:
            yield Finding("token_malformed", Strength.PROOF, "token", says, discriminant=frozen)
    if "scheme_other" in token.anomalies:
        says = "the scheme is not a bearer token's"
        yield Finding("token_opaque", Strength.REFUTES, "request", says)


def is_asked_for(case: Case) -> bool:
    """Whether the challenge asks for the very scheme that was sent: not the scheme is wrong, but who or what is in it."""
    challenge = case.event.words.challenge.lower()
    schemes = {part.split()[0] for part in challenge.split(",") if part.strip()}
    return case.event.token.scheme.lower() in schemes


def _as_it_should_be(case: Case) -> Iterator[Finding]:
    """Nothing is odd about the header; a validator that wants another scheme says so itself."""
    token, is_reported = case.event.token, any(reading.code == "scheme_invalid" for reading in case.readings[:1])
    if token.scheme == "Bearer" and not is_reported and not any(anomaly in WRONG for anomaly in token.anomalies):
        yield Finding("scheme_invalid", Strength.REFUTES, "request", "the header is `Bearer` and a credential")


def _says_nothing_came(case: Case) -> bool:
    return any(reading.code == "token_missing" for reading in case.readings[:1])


def _wrapping(token: TokenFacts, accepted: frozenset[str], *, is_unseen: bool) -> Iterator[Finding]:
    """`is_unseen`: the validator says that nothing came. What it overlooked is what is odd, however legal."""
    for anomaly in token.anomalies:
        if anomaly in WRONG and anomaly not in accepted:
            strength, says = WRONG[anomaly]
            strength = max(strength, Strength.STRONG) if is_unseen else strength
            shown = f": `{token.scheme}`" if anomaly in _SHOW_SCHEME and token.scheme not in ("", "other") else ""
            yield Finding("scheme_invalid", strength, "request", says + shown, discriminant=anomaly)
    if is_unseen and token.scheme.lower() == "dpop":
        says = "the scheme is `DPoP`, and the validator looks for `Bearer`"
        yield Finding("scheme_invalid", Strength.STRONG, "request", says, discriminant="scheme_other")
