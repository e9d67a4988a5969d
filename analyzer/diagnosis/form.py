"""The token's form: token_malformed, token_truncated, token_opaque, jwe_unsupported, alg_none; an API key: consumer_not_found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from analyzer.diagnosis.cuts import Cutter, is_cut, lacks_signature, logged_length
from analyzer.diagnosis.findings import Case, Finding, Strength
from analyzer.diagnosis.scheme import is_asked_for
from analyzer.knowledge.accepts import accepts
from collector.events import TokenFacts, TokenKind

CUT: Final = {
    "header_cut": "the token ends inside its header",
    "payload_cut": "the token ends inside its payload",
    "signature_cut": "the token ends inside its signature: no base64url text has this length",
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
    "alg_missing": "the header has no `alg`",
    "alg_not_string": "`alg` is not a string",
    "kid_not_string": "`kid` is not a string",
    "value_whitespace": "white space inside the token",
}
ENCODINGS: Final = {
    "padding": "the parts are padded with `=`, which RFC 7515 forbids and some libraries accept",
    "standard_base64": "the parts contain `+` or `/`: standard base64 instead of base64url",
}
DUPLICATES: Final = ("header_duplicate_member", "payload_duplicate_member")
# A token of three whole parts that is malformed all the same.
_WHOLE_BUT_BROKEN: Final = ("trailing_dot", "kid_not_string", "alg_missing", "alg_not_string", "value_whitespace")
# What a validator says of a token that reached it cut.
_OF_FORM: Final = ("token_truncated", "token_malformed", "token_opaque", "signature_invalid")
_ENCODED: Final = (TokenKind.JWS, TokenKind.MALFORMED, TokenKind.UNSIGNED)
# Places whose name says that the value is an API key, which is opaque by nature.
_KEY_PLACES: Final = ("header:x-api-key", "header:apikey", "header:api-key", "query:apikey", "query:api_key")

_PASSWORDS: Final = ("basic", "digest")  # RFC 7617, RFC 7616


def rule(case: Case) -> Iterator[Finding]:
    """What the credential is by its form; a whole JWS rules out the codes of broken ones."""
    token = case.event.token
    if is_cut(token) and case.cut_by is Cutter.LOG:
        yield _cut_by_log(token)
    elif is_cut(token):
        yield from _cut_short(case)
    elif token.kind is TokenKind.OPAQUE and (unknown := _unknown_caller(case)):
        yield unknown
    elif token.kind in _BY_KIND:
        yield from _BY_KIND[token.kind](token)
    if token.kind in _ENCODED:
        yield from _encoding(token)


def _unknown_caller(case: Case) -> Finding | None:
    """Credentials that are opaque by nature, of someone whom the gateway does not know: API keys and passwords."""
    if _is_api_key(case):
        return _refused_key(case)
    scheme = case.event.token.scheme
    if scheme.lower() not in _PASSWORDS or not is_asked_for(case):
        return None
    says = f"`{scheme}` was asked for and refused: the user is unknown, or the password is wrong"
    return Finding("consumer_not_found", Strength.STRONG, "request", says, discriminant="password")


def _is_api_key(case: Case) -> bool:
    """By the name of its place, or because this gateway reads API keys where it stands."""
    token = case.event.token
    if token.location != "authorization":
        return token.location in _KEY_PLACES
    return token.scheme.lower() in accepts(case.event.gateway.kind).key_schemes


def _refused_key(case: Case) -> Finding:
    """A 401 says that nobody has this key; another status may be about what its owner may do."""
    says = f"an API key of {case.event.token.size} characters was sent in `{case.event.token.location}`"
    strength = Strength.STRONG if case.event.request.status == 401 else Strength.LIKELY
    return Finding("consumer_not_found", strength, "request", says, discriminant="key")


def _opaque(token: TokenFacts) -> Iterator[Finding]:
    size = "1 character" if token.size == 1 else f"{token.size} characters"
    says = f"{size}, not in JWT form: a reference token or an API key"
    yield Finding("token_opaque", Strength.PROOF, "token", says)


def _encrypted(token: TokenFacts) -> Iterator[Finding]:
    says = f"five parts: an encrypted token (`alg` {token.alg}, `enc` {token.enc})"
    yield Finding("jwe_unsupported", Strength.STRONG, "token", says, discriminant=f"{token.alg}/{token.enc}")


def _unsigned(token: TokenFacts) -> Iterator[Finding]:
    yield Finding("alg_none", Strength.PROOF, "token", f"`alg` is `{token.alg}`: the token is not signed")


def _cut_by_log(token: TokenFacts) -> Finding:
    says = f"the log shows only {logged_length(token)} characters of the header: that it ends there says nothing of the client"
    return Finding("token_truncated", Strength.HINT, "token", says, discriminant="cut")


def _cut_short(case: Case) -> Iterator[Finding]:
    """Nothing shows that the log cut it; that nothing shows the client did either makes it less than proof."""
    token, strength = case.event.token, _cut_strength(case)
    if token.kind is TokenKind.JWS:
        says = (
            f"the signature has {token.signature_bytes} bytes, fewer than {token.alg} produces: the token was truncated"
        )
        yield Finding("token_truncated", strength, "token", says, discriminant="signature")
        yield Finding("signature_invalid", Strength.HINT, "token", "a truncated signature cannot verify")
    elif lacks_signature(token):
        says = f"two complete parts and no signature, which `alg` {token.alg} requires"
        strength = strength if strength is Strength.PROOF else Strength.LIKELY
        yield Finding("token_malformed", strength, "token", says, discriminant="no signature part")
    else:
        says = _cut(token) or "only the header was sent: the rest was cut off"
        yield Finding("token_truncated", strength, "token", says, discriminant="cut")
        yield Finding("token_malformed", Strength.HINT, "token", says)


def _cut_strength(case: Case) -> Strength:
    is_reported = any(reading.code in _OF_FORM for reading in case.readings[:1])
    return Strength.PROOF if is_reported or case.cut_by is Cutter.SENDER else Strength.STRONG


def _malformed(token: TokenFacts) -> Iterator[Finding]:
    broken = [word for word in BROKEN if word in token.anomalies]
    for word in broken:
        yield Finding("token_malformed", Strength.PROOF, "token", BROKEN[word], discriminant=word)
    if not broken and not _is_no_value(token):
        yield _wrong_number_of_parts(token)


def _cut(token: TokenFacts) -> str:
    """Where the token ends."""
    return next((says for word, says in CUT.items() if word in token.anomalies), "")


def _is_no_value(token: TokenFacts) -> bool:
    """A literal null or a placeholder: scheme.py reports it."""
    return "value_null" in token.anomalies or "value_template" in token.anomalies


def _wrong_number_of_parts(token: TokenFacts) -> Finding:
    parts = len(token.parts)
    shown = "1 part" if parts == 1 else f"{parts} parts"
    return Finding("token_malformed", Strength.STRONG, "token", f"{shown} instead of three, none decodable")


def _whole(token: TokenFacts) -> Iterator[Finding]:
    length_fault = tuple(_signature_length(token))
    yield from length_fault
    if length_fault:
        return
    yield from _signature_form(token)
    broken = next((word for word in _WHOLE_BUT_BROKEN if word in token.anomalies), "")
    if broken:
        yield Finding("token_malformed", Strength.STRONG, "token", BROKEN[broken], discriminant=broken)
    else:
        yield from _well_formed(token)


def _signature_length(token: TokenFacts) -> Iterator[Finding]:
    if "signature_unpadded" in token.anomalies:
        says = (
            f"the signature has {token.signature_bytes} bytes, one or two fewer than {token.alg} produces: "
            "R or S lost its leading zero"
        )
        yield Finding("signature_invalid", Strength.STRONG, "token", says, discriminant="unpadded")
        yield Finding("token_truncated", Strength.HINT, "token", "one or two missing bytes could also be a cut")


def _signature_form(token: TokenFacts) -> Iterator[Finding]:
    if "signature_text" in token.anomalies:
        says = "the signature is plain text, not the output of a key"
        yield Finding("signature_invalid", Strength.STRONG, "token", says, discriminant="made up")
    if "signature_der" in token.anomalies:
        says = "the ECDSA signature is ASN.1 DER; RFC 7518 requires R and S concatenated"
        yield Finding("signature_invalid", Strength.STRONG, "token", says, discriminant="der")


def _well_formed(token: TokenFacts) -> Iterator[Finding]:
    says = "the token is complete (JOSE header, JSON payload, signature of full length)"
    yield Finding("token_opaque", Strength.REFUTES, "token", says)
    yield Finding("token_truncated", Strength.REFUTES, "token", says)
    yield Finding("jwe_unsupported", Strength.REFUTES, "token", says)
    if not any(word in token.anomalies for word in ENCODINGS):
        yield Finding("token_malformed", Strength.REFUTES, "token", says)


def _encoding(token: TokenFacts) -> Iterator[Finding]:
    for word, says in ENCODINGS.items():
        if word in token.anomalies:
            yield Finding("token_malformed", Strength.STRONG, "token", says, discriminant=word)
    for word in DUPLICATES:
        if word in token.anomalies:
            says = "duplicate JSON member: parsers disagree on which value applies"
            yield Finding("token_malformed", Strength.LIKELY, "token", says, discriminant=word)


_BY_KIND: Final[Mapping[TokenKind, Callable[[TokenFacts], Iterator[Finding]]]] = {
    TokenKind.OPAQUE: _opaque,
    TokenKind.JWE: _encrypted,
    TokenKind.UNSIGNED: _unsigned,
    TokenKind.MALFORMED: _malformed,
    TokenKind.JWS: _whole,
}
