"""Keys and signatures, as the collector checked them with the configured key sets: key_not_found, signature_invalid, key_type_mismatch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from analyzer.diagnosis.findings import Case, Finding, Strength
from analyzer.diagnosis.weigh import VAGUE
from analyzer.knowledge import Reading
from collector.events import TokenFacts, Verification

# What a message about a bad signature may mean besides, and what a signature that verifies rules out.
_OF_KEYS: Final = frozenset(
    ("key_not_found", "key_type_mismatch", "token_truncated", "token_malformed", "alg_not_allowed")
)


def rule(case: Case) -> Iterator[Finding]:
    """Our own verification is proof only for a complete token whose issuer is configured."""
    if case.event.token.verification in _BY_RESULT:
        yield from _BY_RESULT[case.event.token.verification](case)


def _key_set(token: TokenFacts) -> str:
    return f"the key set of {token.verified_by}"


def _no_key(case: Case) -> Iterator[Finding]:
    token = case.event.token
    if token.kid:
        says, frozen = f"no key with kid `{token.kid}` in {_key_set(token)}", "kid not published"
    else:
        says, frozen = f"the token has no kid, and no key in {_key_set(token)} matches it", "no kid"
    yield Finding("key_not_found", Strength.PROOF, "key set", says, discriminant=frozen)
    yield Finding("signature_invalid", Strength.REFUTES, "key set", "no key to verify the signature with")


def _bad_signature(case: Case) -> Iterator[Finding]:
    token = case.event.token
    says = f"the signature does not verify with {_key_of(token)}: wrong key, or the token was altered"
    yield Finding("signature_invalid", _signature_strength(token), "key set", says, discriminant="signature")
    yield Finding("key_not_found", Strength.REFUTES, "key set", f"{_key_set(token)} has {_key_for(token)}")


def _key_of(token: TokenFacts) -> str:
    return f"key `{token.kid}` of {_key_set(token)}" if token.kid else f"the key from {_key_set(token)}"


def _key_for(token: TokenFacts) -> str:
    return f"a key with kid `{token.kid}`" if token.kid else "a key for the token"


def _key_mismatch(case: Case) -> Iterator[Finding]:
    token = case.event.token
    says = f"{_key_of(token)} cannot be used with `alg` {token.alg}"
    yield Finding("key_type_mismatch", Strength.STRONG, "key set", says, discriminant=token.alg)


def _keys_invalid(case: Case) -> Iterator[Finding]:
    says = f"why401 fetched {_key_set(case.event.token)} too: it contains no usable key"
    yield Finding("jwks_invalid", Strength.STRONG, "key set", says, discriminant="no usable key")


def _keys_unreachable(case: Case) -> Iterator[Finding]:
    says = f"why401 cannot fetch {_key_set(case.event.token)} either"
    yield Finding("jwks_unreachable", Strength.STRONG, "key set", says)


def _signature_strength(token: TokenFacts) -> Strength:
    is_cut = "signature_short" in token.anomalies or "signature_empty" in token.anomalies
    return Strength.HINT if is_cut else Strength.PROOF


def _verified(case: Case) -> Iterator[Finding]:
    token = case.event.token
    says = f"the signature verifies with {_key_of(token)} as published now"
    yield Finding("signature_invalid", Strength.REFUTES, "key set", says)
    yield Finding("key_type_mismatch", Strength.REFUTES, "key set", says)
    # A validator that has no key for a published kid, or another one (a pinned PEM), has an old copy of the key set.
    says = f"{_key_set(token)} now has {_key_for(token)}: a validator that does not find it has an outdated copy"
    is_reported = any(_blames_keys(reading, token.alg) for reading in case.readings[:1])
    strength = Strength.STRONG if is_reported else Strength.HINT
    yield Finding("key_not_found", strength, "key set", says, discriminant="stale key set")


def _blames_keys(reading: Reading, alg: str) -> bool:
    """The message says so plainly and can mean nothing else, now that the signature is known to be right.

    A shared secret has no older copy: signature_invalid remains.
    """
    is_signature = reading.code == "signature_invalid" and reading.certainty >= VAGUE and not alg.startswith("HS")
    return reading.code == "key_not_found" or (is_signature and _OF_KEYS.issuperset(reading.also))


_BY_RESULT: Final[Mapping[Verification, Callable[[Case], Iterator[Finding]]]] = {
    Verification.NO_KEY: _no_key,
    Verification.BAD_SIGNATURE: _bad_signature,
    Verification.KEY_MISMATCH: _key_mismatch,
    Verification.KEYS_INVALID: _keys_invalid,
    Verification.KEYS_UNREACHABLE: _keys_unreachable,
    Verification.VERIFIED: _verified,
}
