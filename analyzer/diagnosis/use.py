"""An ID or refresh token where an access token belongs: token_use_invalid."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from analyzer.diagnosis.findings import Case, Finding, Strength

WRONG_USES: Final = {
    "id": "an ID token",
    "refresh": "a refresh token",
    "offline": "a refresh token",
    "logout": "a logout token",
}


def rule(case: Case) -> Iterator[Finding]:
    """By its own word (token_use, typ, at_hash), or by an audience that is the client itself beside a nonce."""
    token = case.event.token
    if not case.shows_claims:
        return
    if "nonce" in token.header_names and token.alg:
        says = "the JOSE header carries a nonce, as Microsoft Graph's own tokens do: nobody but Graph can verify them"
        yield Finding("token_use_invalid", Strength.STRONG, "token", says, discriminant="a token for Microsoft Graph")
    use = next((what for word, what in WRONG_USES.items() if token.token_use.startswith(word)), "")
    is_for_client = bool(token.client) and token.client in token.aud
    if use:
        says = f"{use} by its own word ({token.token_use})" + (
            ", and its audience is the client" if is_for_client else ""
        )
        is_plain = token.token_use.split("_")[0].split("-")[0] in WRONG_USES
        strength = Strength.STRONG if is_for_client or is_plain else Strength.LIKELY
        yield Finding("token_use_invalid", strength, "token", says, discriminant=use)
    elif token.claim_type("nonce") and is_for_client:
        yield Finding(
            "token_use_invalid",
            Strength.LIKELY,
            "token",
            "nonce, and the client as its audience: an ID token",
            discriminant="an ID token",
        )
    elif token.token_use in ("access", "bearer", "at+jwt") or token.typ.lower().endswith("at+jwt"):
        yield Finding("token_use_invalid", Strength.REFUTES, "token", "an access token by its own word")
