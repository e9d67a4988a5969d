"""The token's form: token_malformed, token_truncated, token_opaque, jwe_unsupported, alg_none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from analyzer.diagnosis.findings import Case, Finding, Strength
from collector.events import TokenFacts, TokenKind

CUT: Final = {
    "header_cut": "the token stops inside its header",
    "payload_cut": "the token stops inside its payload",
    "signature_cut": "the token stops inside its signature: its length is one that base64url never has",
}
BROKEN: Final = {
    "bad_base64_header": "the header is not base64url",
    "bad_base64_payload": "the payload is not base64url",
    "bad_base64_signature": "the signature is not base64url",
    "header_not_json": "the header is not JSON",
    "payload_not_json": "the payload is not JSON",
    "header_not_object": "the header is not a JSON object",
    "payload_not_object": "the payload is not a JSON object",
    "trailing_dot": "a dot follows the signature: four parts instead of three",
    "too_long": "more than three parts",
    "empty_part": "a part is empty",
    "alg_missing": "the header has no alg",
    "alg_not_string": "alg is not text",
    "kid_not_string": "kid is not text",
    "value_whitespace": "white space inside the token",
}


def rule(case: Case) -> Iterator[Finding]:
    """What the credential is by its form; a whole JWS refutes the codes of broken ones."""
    token = case.event.token
    kind = token.kind
    if kind is TokenKind.OPAQUE:
        says = f"{token.size} characters without the form of a JWT: a reference token or an API key"
        yield Finding("token_opaque", Strength.PROOF, "token", says)
    elif kind is TokenKind.JWE:
        says = f"five parts: an encrypted token (alg {token.alg}, enc {token.enc})"
        yield Finding("jwe_unsupported", Strength.STRONG, "token", says, discriminant=f"{token.alg}/{token.enc}")
    elif kind is TokenKind.UNSIGNED:
        yield Finding("alg_none", Strength.PROOF, "token", f"alg is {token.alg}: the token is not signed")
    elif kind is TokenKind.MALFORMED:
        yield from _malformed(token)
    elif kind is TokenKind.JWS:
        yield from _whole(token)
    yield from _encoding(token)


def _malformed(token: TokenFacts) -> Iterator[Finding]:
    cut = [says for word, says in CUT.items() if word in token.anomalies]
    broken = [(word, says) for word, says in BROKEN.items() if word in token.anomalies]
    if cut and not any(word.startswith("bad_base64") for word, _ in broken):
        yield Finding("token_truncated", Strength.PROOF, "token", cut[0], discriminant="cut")
        yield Finding("token_malformed", Strength.HINT, "token", cut[0])
        return
    for word, says in broken:
        yield Finding("token_malformed", Strength.PROOF, "token", says, discriminant=word)
    if broken or "value_null" in token.anomalies or "value_template" in token.anomalies:
        return
    if len(token.parts) == 1 and token.alg:
        says = "the header alone came: the rest was cut off"
        yield Finding("token_truncated", Strength.STRONG, "token", says, discriminant="cut")
        return
    if len(token.parts) == 2 and token.alg:
        says = f"two parts came, both whole; alg {token.alg} needs a signature behind them"
        yield Finding("token_malformed", Strength.PROOF, "token", says, discriminant="no signature part")
        return
    yield Finding(
        "token_malformed", Strength.STRONG, "token", f"{len(token.parts)} parts instead of three, none readable"
    )


def _whole(token: TokenFacts) -> Iterator[Finding]:
    if "signature_unpadded" in token.anomalies:
        says = f"the signature has {token.signature_bytes} bytes, one or two less than {token.alg} makes: R or S lost its leading zero"
        yield Finding("signature_invalid", Strength.STRONG, "token", says, discriminant="unpadded")
        yield Finding("token_truncated", Strength.HINT, "token", "a cut of one or two bytes looks the same")
        return
    if "signature_short" in token.anomalies or "signature_empty" in token.anomalies:
        says = f"the signature has {token.signature_bytes} bytes, {token.alg} makes more: the token was cut"
        yield Finding("token_truncated", Strength.PROOF, "token", says, discriminant="signature")
        yield Finding("signature_invalid", Strength.HINT, "token", "a cut signature cannot verify")
        return
    if "signature_text" in token.anomalies:
        says = "the signature is plain text: made up by hand, no key made it"
        yield Finding("signature_invalid", Strength.STRONG, "token", says, discriminant="made up")
    if "signature_der" in token.anomalies:
        says = "the ECDSA signature is ASN.1 DER; RFC 7518 wants R and S side by side"
        yield Finding("signature_invalid", Strength.STRONG, "token", says, discriminant="der")
    for word in ("trailing_dot", "kid_not_string", "alg_missing", "alg_not_string", "value_whitespace"):
        if word in token.anomalies:
            yield Finding("token_malformed", Strength.STRONG, "token", BROKEN[word], discriminant=word)
            return
    says = "three parts that decode to a JOSE header, a JSON object and a signature of full length"
    yield Finding("token_opaque", Strength.REFUTES, "token", says)
    yield Finding("token_truncated", Strength.REFUTES, "token", says)
    yield Finding("jwe_unsupported", Strength.REFUTES, "token", says)
    if "padding" not in token.anomalies and "standard_base64" not in token.anomalies:
        yield Finding("token_malformed", Strength.REFUTES, "token", says)


def _encoding(token: TokenFacts) -> Iterator[Finding]:
    if token.kind not in (TokenKind.JWS, TokenKind.MALFORMED, TokenKind.UNSIGNED):
        return
    for word, says in (
        ("padding", "the parts are padded with =; RFC 7515 forbids it, some libraries read it"),
        ("standard_base64", "the parts use + and /: standard base64 where base64url belongs"),
    ):
        if word in token.anomalies:
            yield Finding("token_malformed", Strength.STRONG, "token", says, discriminant=word)
    for word in ("header_duplicate_member", "payload_duplicate_member"):
        if word in token.anomalies:
            says = "a member stands twice: parsers disagree on which one counts"
            yield Finding("token_malformed", Strength.LIKELY, "token", says, discriminant=word)
