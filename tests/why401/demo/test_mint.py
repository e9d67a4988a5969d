"""Throwaway issuers: their good tokens verify with the published keys, their broken ones are broken as said."""

from __future__ import annotations

import jwt
import pytest

from why401.demo.mint import DROP, ISSUERS, LIFETIME_S, REUSE_S, Key, Mint, encrypted


@pytest.fixture(scope="module")
def mint():
    return Mint()


def _verify(mint, name, token):
    issuer = mint.issuers[name]
    kid = jwt.get_unverified_header(token)["kid"]
    key = jwt.PyJWKSet.from_dict(mint.jwks(name))[kid]
    return jwt.decode(token, key, algorithms=list(issuer.algs), audience=issuer.audience, issuer=issuer.url)


@pytest.mark.parametrize("name", [issuer.name for issuer in ISSUERS])
def test_good_token_verifies_with_the_published_key_set(mint, name):
    """Each issuer's algorithm, audience and key set fit together."""
    claims = _verify(mint, name, mint.good(name, "user-0042"))

    assert claims["sub"] == "user-0042"
    assert claims["exp"] - claims["iat"] == LIFETIME_S


def test_changes_replace_and_drop_claims(mint):
    """DROP takes a claim out, everything else replaces it."""
    claims = mint.claims("shop", aud=["a", "b"], sub=DROP)

    assert claims["aud"] == ["a", "b"]
    assert "sub" not in claims


def test_rotation_publishes_a_new_key_beside_the_former():
    """New tokens carry the new kid; tokens from before still verify."""
    mint = Mint()
    before = mint.good("shop")
    fresh = mint.rotate()
    after = mint.sign(mint.claims("shop"), mint.key("shop"))

    assert jwt.get_unverified_header(after)["kid"] == fresh.kid
    assert _verify(mint, "shop", before)["iss"] == _verify(mint, "shop", after)["iss"]


def test_token_is_reused_until_it_is_old():
    """A client keeps its token for some minutes."""
    now = [1_800_000_000.0]
    mint = Mint(now=lambda: now[0])
    first = mint.good("devices")
    now[0] += REUSE_S - 1
    again = mint.good("devices")
    now[0] += 1
    later = mint.good("devices")

    assert first == again
    assert later != first


def test_jwe_has_five_parts_and_no_encrypted_key(mint):
    """Direct encryption leaves the second part empty (RFC 7516 §5.1)."""
    parts = encrypted(mint.claims("shop"), "k").split(".")

    assert [bool(part) for part in parts] == [True, False, True, True, True]


def test_repr_of_a_key_shows_no_secret():
    """A traceback that shows a Key shows no key material."""
    assert "swordfish" not in repr(Key("kid", "HS256", b"swordfish"))
