"""Keys and signatures, as the collector checked them with the configured key sets: key_not_found, signature_invalid, key_type_mismatch."""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.diagnosis.findings import Case, Finding, Strength
from analyzer.diagnosis.weigh import VAGUE
from analyzer.knowledge import Reading
from collector.events import TokenFacts, Verification

# What words about a bad signature may mean besides, and what a signature that verifies rules out.
_OF_KEYS = frozenset(("key_not_found", "key_type_mismatch", "token_truncated", "token_malformed", "alg_not_allowed"))


def rule(case: Case) -> Iterator[Finding]:
    """Our own verification is proof only for a token that came whole and whose issuer is configured."""
    token = case.event.token
    whose = f"the key set of {token.verified_by}"
    if token.verification is Verification.NO_KEY:
        says = f"kid {token.kid or '(none)'} is not in {whose}"
        yield Finding("key_not_found", Strength.PROOF, "key set", says, discriminant=_kid_class(token))
        yield Finding("signature_invalid", Strength.REFUTES, "key set", "there is no key to verify with")
    elif token.verification is Verification.BAD_SIGNATURE:
        says = f"the signature does not verify with kid {token.kid or '(none)'} of {whose}: wrong key, or the token was altered"
        yield Finding("signature_invalid", _signature_strength(token), "key set", says, discriminant="signature")
        yield Finding("key_not_found", Strength.REFUTES, "key set", f"{whose} holds the kid")
    elif token.verification is Verification.KEY_MISMATCH:
        says = f"the key of kid {token.kid or '(none)'} in {whose} cannot serve alg {token.alg}"
        yield Finding("key_type_mismatch", Strength.STRONG, "key set", says, discriminant=token.alg)
    elif token.verification is Verification.KEYS_INVALID:
        says = f"{whose} arrived here too and holds no usable key"
        yield Finding("jwks_invalid", Strength.STRONG, "key set", says, discriminant="no usable key")
    elif token.verification is Verification.KEYS_UNREACHABLE:
        yield Finding("jwks_unreachable", Strength.STRONG, "key set", f"{whose} cannot be fetched from here either")
    elif token.verification is Verification.VERIFIED:
        yield from _verified(case, whose)


def _signature_strength(token: TokenFacts) -> Strength:
    is_cut = "signature_short" in token.anomalies or "signature_empty" in token.anomalies
    return Strength.HINT if is_cut else Strength.PROOF


def _verified(case: Case, whose: str) -> Iterator[Finding]:
    token = case.event.token
    says = f"the signature verifies with kid {token.kid or '(none)'} of {whose} as published now"
    yield Finding("signature_invalid", Strength.REFUTES, "key set", says)
    yield Finding("key_type_mismatch", Strength.REFUTES, "key set", says)
    # A verifier that has no key for a published kid, or another one (a pinned PEM), has an old copy of the key set.
    says = f"{whose} holds kid {token.kid or '(none)'} now: a verifier that does not know it has an older copy"
    is_said = any(_blames_keys(reading, token.alg) for reading in case.readings[:1])
    yield Finding(
        "key_not_found", Strength.STRONG if is_said else Strength.HINT, "key set", says, discriminant="stale key set"
    )


def _blames_keys(reading: Reading, alg: str) -> bool:
    """Whether the verifier's words say so plainly and can mean nothing else, now that the signature is known to be right.

    Of a shared secret there is no older copy: signature_invalid stands.
    """
    is_signature = reading.code == "signature_invalid" and reading.certainty >= VAGUE and not alg.startswith("HS")
    return reading.code == "key_not_found" or (is_signature and _OF_KEYS.issuperset(reading.also))


def _kid_class(token: TokenFacts) -> str:
    return "kid not published" if token.kid else "no kid"
