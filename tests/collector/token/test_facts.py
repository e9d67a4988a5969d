"""A credential's text in, its shape out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.events import TokenFacts, TokenKind
from collector.token import claims, credentials
from collector.token import facts as token_facts
from collector.token.credentials import unwrap
from collector.token.facts import read_token
from tests.tokens import b64, part, raw, token

RS = {"alg": "RS256", "typ": "JWT", "kid": "k1"}
AT = 1_772_532_000  # 2026-03-03T10:00:00Z
CLAIMS = {"iss": "https://i/", "sub": "x", "exp": AT}
GOOD = token()


def facts(header: str) -> TokenFacts:
    return read_token(unwrap(header)).facts


def test_a_whole_token_keeps_its_shape_and_drops_its_values() -> None:
    """Header fields, issuer, audience and claim types stay; the subject and the signature do not."""
    read = facts(f"Bearer {GOOD}")

    assert (TokenKind.JWS, "RS256", "k1", "https://idp.example.com/", ("orders-api",)) == (
        read.kind,
        read.alg,
        read.kid,
        read.iss,
        read.aud,
    )
    assert (256, ()) == (read.signature_bytes, read.anomalies)
    assert {"iss": "string", "aud": "string", "sub": "string", "iat": "integer", "exp": "integer"} == dict(read.claims)
    assert "user-1" not in repr(read)


@pytest.mark.parametrize(
    ("value", "kind", "anomaly"),
    [
        (GOOD[:-40], TokenKind.JWS, "signature_short"),
        (GOOD[:-1], TokenKind.JWS, "signature_cut"),
        (GOOD[: GOOD.rindex(".") + 1], TokenKind.JWS, "signature_empty"),
        (GOOD[: GOOD.index(".") + 20], TokenKind.MALFORMED, "payload_cut"),
        (GOOD[:12], TokenKind.MALFORMED, "header_cut"),
        (GOOD + ".", TokenKind.MALFORMED, "trailing_dot"),
        (raw(RS, "not json"), TokenKind.MALFORMED, "payload_not_json"),
        (raw(RS, ["a"]), TokenKind.MALFORMED, "payload_not_object"),
        (raw({"typ": "JWT"}, CLAIMS), TokenKind.JWS, "alg_missing"),
        (raw(RS | {"kid": 7}, CLAIMS), TokenKind.JWS, "kid_not_string"),
        (raw(RS | {"b64": False}, CLAIMS), TokenKind.JWS, "b64_false"),
        (raw(RS | {"jwk": {}}, CLAIMS), TokenKind.JWS, "embedded_key"),
        (
            raw({"alg": "ES256"}, CLAIMS, b"\x30\x44\x02\x20" + b"r" * 32 + b"\x02\x20" + b"s" * 32),
            TokenKind.JWS,
            "signature_der",
        ),
        (raw({"alg": "HS256"}, CLAIMS, b"\x9c" * 31), TokenKind.JWS, "signature_short"),
        (raw({"alg": "HS256"}, CLAIMS, b"\x9c" * 33), TokenKind.JWS, "signature_long"),
        (part(RS) + "==." + part(CLAIMS) + "." + b64(b"s" * 256), TokenKind.JWS, "padding"),
        (part(RS) + "." + part(CLAIMS) + "." + b64(b"\xff" * 256).replace("_", "/"), TokenKind.JWS, "standard_base64"),
        (part(RS) + "." + part(CLAIMS) + ".!!!!", TokenKind.JWS, "bad_base64_signature"),
        (
            part(RS) + "." + b64(b'{"iss":"a","iss":"b"}') + "." + b64(b"s" * 256),
            TokenKind.JWS,
            "payload_duplicate_member",
        ),
    ],
)
def test_where_a_token_breaks_is_named(value: str, kind: TokenKind, anomaly: str) -> None:
    """Each fault has its own word, and the word is of the closed set."""
    read = facts(f"Bearer {value}")

    assert (kind, True) == (read.kind, anomaly in read.anomalies)
    assert set(read.anomalies) <= {*token_facts.ANOMALIES, *credentials.ANOMALIES}


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("abcDEF0123456789abcDEF0123456789", TokenKind.OPAQUE),
        ("null", TokenKind.MALFORMED),
        ("", TokenKind.ABSENT),
        ("[REDACTED]", TokenKind.REDACTED),
        (".".join([part({"alg": "RSA-OAEP", "enc": "A256GCM"}), "a", "b", "c", "d"]), TokenKind.JWE),
        (part({"alg": "none"}) + "." + part(CLAIMS) + ".", TokenKind.UNSIGNED),
        (part({"alg": "none"}) + "." + part(CLAIMS), TokenKind.UNSIGNED),
        (part(RS) + "." + part(CLAIMS) + ".***", TokenKind.REDACTED),
        ("aaaa.bbbb." + "c" * 40, TokenKind.MALFORMED),
    ],
    ids=["opaque", "null", "empty", "mask", "jwe", "none", "two parts", "masked signature", "three parts"],
)
def test_the_kind_follows_from_the_form(value: str, kind: TokenKind) -> None:
    """By structure, never by a prefix alone."""
    assert kind == facts(f"Bearer {value}").kind


def test_a_header_that_starts_otherwise_is_still_a_jws() -> None:
    """White space before the header's JSON moves the usual eyJ away."""
    value = b64(b' {"alg":"RS256"}') + "." + part(CLAIMS) + "." + b64(b"s" * 256)

    assert TokenKind.JWS == facts(f"Bearer {value}").kind


@pytest.mark.parametrize(
    ("payload", "fault"),
    [
        ({"sub": ""}, ("sub", "empty")),
        ({"sub": "  "}, ("sub", "blank")),
        ({"sub": None}, ("sub", "null")),
        ({"exp": -1}, ("exp", "negative")),
        ({"exp": AT * 1000}, ("exp", "milliseconds")),
        ({"iat": AT + 0.5}, ("iat", "fractional")),
        ({"exp": 10**18}, ("exp", "out_of_range")),
        ({"aud": []}, ("aud", "empty_array")),
        ({"aud": ["a", 1]}, ("aud", "mixed_array")),
        ({"email": "nobody"}, ("email", "malformed_email")),
        ({"exp": 5, "nbf": 9}, ("exp", "reversed")),
    ],
)
def test_values_that_cannot_be_right_are_noted(payload: dict[str, object], fault: tuple[str, str]) -> None:
    """The claim and what is wrong with it, without its value."""
    found = claims.read_claims(payload).faults

    assert fault in found
    assert {word for _, word in found} <= set(claims.FAULTS)


@pytest.mark.parametrize(
    ("payload", "scopes"),
    [({"scope": "a b"}, ("a", "b")), ({"scp": ["a", "b"]}, ("a", "b")), ({"scopes": "a"}, ("a",)), ({"scope": 7}, ())],
)
def test_scopes_are_read_from_every_form(payload: dict[str, object], scopes: tuple[str, ...]) -> None:
    """RFC 8693's text and the lists that Okta and Entra write."""
    assert scopes == claims.read_claims(payload).scopes


def test_nested_claims_are_named_one_level_deep() -> None:
    """Verifiers are configured with paths such as realm_access.roles."""
    types = dict(claims.read_claims({"realm_access": {"roles": ["a"]}}).types)

    assert {"realm_access": "object", "realm_access.roles": "array"} == types


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    """Never raises, and keeps no more than its bound of anything."""
    read = facts(text)

    assert len(read.claims) <= 64 * 9


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda c: st.lists(c, max_size=3) | st.dictionaries(st.text(), c, max_size=4),
        max_leaves=12,
    )
)
def test_any_payload_is_read(payload: object) -> None:
    """Whatever JSON a client puts into a payload."""
    read = facts("Bearer " + raw(RS, payload))

    assert read.kind in (TokenKind.JWS, TokenKind.MALFORMED)
