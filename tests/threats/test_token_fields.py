"""Threats in the fields of a token that are stored: a client puts a secret where a name belongs."""

from __future__ import annotations

import pytest

from collector.redaction import safe_algorithm, safe_media_type
from collector.token.credentials import unwrap
from collector.token.facts import read_token
from tests.tokens import raw

# As people choose passwords; a vendor's secret; a token in a token.
SECRETS = (
    "Winter2024!",
    "tr0ub4dor&3$",
    "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc",
    "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "password=hunter22",
)


def _stored(header: dict[str, object] | None = None, **claims: object) -> str:
    text = raw({"alg": "RS256", **(header or {})}, {"iss": "https://idp.example.com", "exp": 1_900_000_000, **claims})
    return repr(read_token(unwrap(f"Bearer {text}")).facts)


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("member", ["alg", "typ", "cty", "kid", "enc", "zip"])
def test_a_secret_in_a_header_member_is_not_stored(member: str, secret: str) -> None:
    """`alg`, `typ` and `cty` hold registered names or a shape; `kid` no password and no token."""
    stored = _stored({member: secret})
    assert secret not in stored
    assert "hunter22" not in stored


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("claim", ["aud", "client_id", "azp", "scope", "typ", "token_use"])
def test_a_secret_in_a_claim_that_is_stored_is_not(claim: str, secret: str) -> None:
    """Audiences, clients and scopes are identifiers; what looks chosen is stored as its shape."""
    stored = _stored(**{claim: secret})
    assert secret not in stored
    assert "hunter22" not in stored


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_as_the_name_of_a_claim_or_header_is_not_stored(secret: str) -> None:
    """Names of members are stored, of which the token's maker decides."""
    assert secret not in _stored({secret: 1}, **{secret: 1})


@pytest.mark.parametrize(
    "alg",
    [
        "RS256",
        "none",
        "NONE",
        "hs256",
        "RSA-OAEP-256",
        "HS265",
        "SHA256withRSA",
        "ECDH-ES+A128KW",
        "A256GCM",
        "EdDSA",
        "ML-DSA-44",
    ],
)
def test_an_algorithm_and_what_is_meant_as_one_is_stored(alg: str) -> None:
    """Diagnosis compares them: near misses must stay."""
    assert safe_algorithm(alg, 40) == alg


@pytest.mark.parametrize(
    "typ",
    [
        "JWT",
        "at+jwt",
        "application/at+jwt",
        "dpop+jwt",
        "secevent+jwt",
        "vc+sd-jwt",
        "openid4vci-proof+jwt",
        "JOSE+JSON",
        "Bearer",
        "ID",
    ],
)
def test_a_media_type_is_stored(typ: str) -> None:
    """Those of the registry and the words that libraries write."""
    assert safe_media_type(typ, 60) == typ


@pytest.mark.parametrize(
    "kid",
    [
        "2026-03",
        "signing-key@2024",
        "did:web:acme.example#key-1",
        "rsa1",
        "Ab3dEf6hIj9kLm2n",
        "https://idp.example.com/keys/7",
        "prod/orders#2",
    ],
)
def test_an_identifier_is_stored(kid: str) -> None:
    """Key ids, audiences and clients are what a diagnosis names."""
    assert repr(kid) in _stored({"kid": kid})
    assert repr(kid) in _stored(aud=kid)
