"""How words become readings: holes, wrappers, preferences, bounds."""

import time

import pytest

from analyzer.knowledge.match import CAPTURED, CONSIDERED, READINGS, read_words


def best(text, gateway=""):
    return read_words(text, gateway)[0]


@pytest.mark.parametrize("text", ["", "all is well", "\x00\x00", "🦆" * 50])
def test_unknown_words_have_no_reading(text):
    """Nothing is guessed."""
    assert read_words(text) == ()


@pytest.mark.parametrize("text", ["Jwt is expired", "jwt_authn_access_denied{Jwt_is_expired}", "401: Jwt is expired."])
def test_blanks_and_underscores_are_one_text_where_the_gateway_writes_both(text):
    """Envoy replaces white space in RESPONSE_CODE_DETAILS."""
    assert best(text, "envoy").code == "token_expired"


def test_case_separates_libraries():
    """Signature verification failed is PyJWT's and others', signature verification failed is jose's."""
    assert best("JWSSignatureVerificationFailed: signature verification failed").library == "jose"
    assert best("InvalidSignatureError: Signature verification failed").library == "PyJWT"


def test_the_wrapped_message_comes_before_its_wrapper():
    """Spring prints Nimbus: the inner words decide, the frame follows."""
    text = "An error occurred while attempting to decode the Jwt: Signed JWT rejected: Invalid signature"
    readings = read_words(text, "spring")
    assert [(reading.code, reading.library) for reading in readings] == [
        ("signature_invalid", "nimbus-jose-jwt"),
        ("token_malformed", "spring-security"),
    ]


def test_three_frames_around_one_reason():
    """oauth2-proxy prints go-oidc prints go-jose."""
    text = (
        "Error retrieving session from token in Authorization header: [unable to verify bearer token, "
        "failed to verify token: oidc: malformed jwt: go-jose/go-jose: compact JWS format must have three parts]"
    )
    readings = read_words(text, "oauth2-proxy")
    assert readings[0].library == "go-jose"
    assert {"go-oidc", ""} <= {reading.library for reading in readings[1:]}


def test_a_message_inside_a_quoted_value_is_not_read():
    """A claim value is the caller's text: it cannot speak for the verifier."""
    text = "Unexpected type: jwt issuer invalid. expected: Jwt is expired"
    assert [reading.code for reading in read_words(text)] == ["issuer_not_trusted"]


def test_captures_are_named_and_bounded():
    """Holes give what the words were about, cut at CAPTURED characters."""
    reading = best("InvalidTokenError: Unsupported critical extension: " + "x" * 190)
    assert dict(reading.captures) == {"name": "x" * 190}
    long = best("JWT iss claim has value " + "y" * 400 + ", must be https://id.example/")
    assert [len(text) for name, text in long.captures if name == "got"] == [CAPTURED]


@pytest.mark.parametrize(
    ("claim", "code"),
    [("aud", "audience_missing"), ("iss", "issuer_missing"), ("sub", "user_claim_missing"), ("tier", "claim_missing")],
)
def test_the_claim_decides_what_its_absence_means(claim, code):
    """One text, several codes, chosen by the hole's value."""
    assert best(f'Token is missing the "{claim}" claim').code == code


def test_the_records_own_gateway_is_preferred():
    """The same two words mean Kong's check in a Kong record and jwt libraries' elsewhere."""
    assert best("Invalid signature", "kong").gateway == "kong"
    assert best("Invalid signature", "envoy").gateway == ""


def test_facts_of_a_parent_gateway_hold_for_its_children():
    """APISIX runs OpenResty: introspection's invalid token is a revoked one there."""
    assert best("err: invalid token", "apisix").code == "token_revoked"
    assert best("JsonWebTokenError: invalid token").code == "token_malformed"


@pytest.mark.parametrize("text", ["the Jwt is expired5", "XJwt is expired"])
def test_words_are_matched_whole(text):
    """A match neither begins nor ends inside a word."""
    assert read_words(text) == ()


@pytest.mark.parametrize("text", ["not an invalid signature at all", "invalid signature of the contract"])
def test_short_texts_must_stand_alone(text):
    """Two common words are a message only when nothing else is said."""
    assert read_words(text) == ()


def test_readings_are_few():
    """A heap of messages in one line gives at most READINGS."""
    text = "; ".join(["Jwt is expired", "IDX10223", "jwt expired", "IDX10205", "IDX10214", "IDX10501", "IDX10511"] * 9)
    assert 0 < len(read_words(text + "; IDX10222; IDX10225; IDX10503; IDX14100; IDX20803")) <= READINGS


def test_only_the_beginning_of_a_huge_text_is_considered():
    """Words behind CONSIDERED characters are not looked for."""
    assert read_words("-" * CONSIDERED + " Jwt is expired") == ()


HOSTILE = [
    "a" * 1_000_000,
    "JWT (claims->" * 80_000,
    "Invalid audience. Expected , received " * 30_000,
    'Token is missing the "' * 50_000,
    "Additional details: [" * 50_000,
    "jwt issuer invalid. expected: " * 40_000,
    "{" * 500_000 + "}" * 500_000,
    "\n" * 1_000_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_costs_no_more_than_its_considered_part(text):
    """Half of the considered characters take a fair share of the time of all: nothing grows with their square."""
    half, whole = (_seconds(text[:size]) for size in (CONSIDERED // 2, CONSIDERED))
    assert whole < 8 * half + 0.02
    assert _seconds(text) < 8 * half + 0.1


def _seconds(text):
    """The best of five runs on texts that differ, so that no cache answers."""
    runs = []
    for run in range(5):
        started = time.thread_time()
        read_words(f"{run}{text}")
        runs.append(time.thread_time() - started)
    return min(runs)
