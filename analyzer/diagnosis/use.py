"""An ID or refresh token where an access token is required: token_use_invalid."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from analyzer.diagnosis.findings import Case, Finding, Strength
from collector.events import TokenFacts

WRONG_USES: Final = {
    "id": "an ID token",
    "refresh": "a refresh token",
    "offline": "a refresh token",
    "logout": "a logout token",
}
_ACCESS: Final = ("access", "bearer", "at+jwt")


def rule(case: Case) -> Iterator[Finding]:
    """By what the token declares (token_use, typ, at_hash), or by an audience that is the client itself beside a nonce."""
    token = case.event.token
    if not case.shows_claims:
        return
    if "nonce" in token.header_names and token.alg:
        says = "the JOSE header has a `nonce`, as Microsoft Graph's own tokens do: only Graph can verify them"
        yield Finding("token_use_invalid", Strength.STRONG, "token", says, discriminant="a token for Microsoft Graph")
    use = next((what for word, what in WRONG_USES.items() if token.token_use.startswith(word)), "")
    if use:
        yield _declared(token, use)
    elif token.claim_type("nonce") and _is_for_client(token):
        says = "an ID token: it has a `nonce` and its audience is the client"
        yield Finding("token_use_invalid", Strength.LIKELY, "token", says, discriminant="an ID token")
    elif _is_access_token(token):
        yield Finding("token_use_invalid", Strength.REFUTES, "token", "the token declares itself an access token")


def _declared(token: TokenFacts, use: str) -> Finding:
    is_for_client, is_plain = _is_for_client(token), token.token_use.split("_")[0].split("-")[0] in WRONG_USES
    says = f"the token declares itself {use} (`{token.token_use}`)"
    says += ", and its audience is the client" if is_for_client else ""
    strength = Strength.STRONG if is_for_client or is_plain else Strength.LIKELY
    return Finding("token_use_invalid", strength, "token", says, discriminant=use)


def _is_for_client(token: TokenFacts) -> bool:
    return bool(token.client) and token.client in token.aud


def _is_access_token(token: TokenFacts) -> bool:
    return token.token_use in _ACCESS or token.typ.lower().endswith("at+jwt")
