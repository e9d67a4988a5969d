import tomllib
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.diagnosis.messages import read_event
from analyzer.knowledge import KnowledgeError, read_meaning, read_words
from analyzer.knowledge.lexicon import checked, lexicon
from analyzer.knowledge.meaning import CONSIDERED, MOST, READINGS
from analyzer.knowledge.splitting import split_words
from analyzer.taxonomy import CODES
from collector.events import Event, Gateway, Origin, Outcome, Request, Words

UNLISTED = Path(__file__).with_name("unlisted.toml")

# Sentences of no listed library. Where a text could mean two codes, both are given.
SAYS = {
    "The JWT was minted by an authority that is not trusted here": "issuer_not_trusted",
    "Unknown issuer.": "issuer_not_trusted",
    "token carries no `iss`": "issuer_missing",
    "audience claim does not match any bound audience": "audience_mismatch",
    "ID token has incorrect 'aud' (audience) claim. Expected 'x' but got 'y'": "audience_mismatch",
    "no aud in token": "audience_missing",
    "no key with kid 'abc' in JWKS": "key_not_found",
    "Could not verify token signature.": "signature_invalid",
    "ERR_JWS_SIGNATURE_VERIFICATION_FAILED": "signature_invalid",
    "JWKS document is not valid JSON": "jwks_invalid",
    "key set contains no keys": "jwks_invalid",
    "could not download signing keys: connection timed out": "jwks_unreachable",
    "jwks endpoint responded with status 503": "jwks_unreachable",
    "Token used too early, 1 < 2. Check the clock.": "clock_skew",
    "issued at is in the future": "clock_skew",
    "Authorization header missing": "token_missing",
    "Authorization scheme Basic is not supported, use Bearer": "scheme_invalid",
    "more than one token found": "credential_ambiguous",
    "payload could not be base64url-decoded": "token_malformed",
    "Wrong number of segments in token": "token_malformed",
    "refresh token cannot be used here": "token_use_invalid",
    "user claim preferred_username is absent": "user_claim_missing",
    "required claim tenant_id is missing": "claim_missing",
    'The claim "sub" must be a string': "claim_type_invalid",
    "sub is empty": "claim_value_invalid",
    "the JWT uses algorithm HS256 but only RS256 is permitted": "alg_not_allowed",
    "unsigned tokens are not accepted": "alg_none",
    "HMAC secret too short for HS512": "key_type_mismatch",
    "encrypted tokens are not supported": "jwe_unsupported",
    "critical header parameter 'exp' not understood": "header_unsupported",
    "no JWT authenticator configured for this route": "auth_not_configured",
    "unknown consumer": "consumer_not_found",
    "no authenticated user: header x-user is absent": "claims_not_forwarded",
    "Token introspection request timed out": "introspection_failed",
    "state parameter mismatch": "login_flow_failed",
    "request header too large": "header_too_large",
    "TokenExpiredError": "token_expired",
    "JWT: exp claim check failed": "token_expired",
    "auth_time is older than max_age, reauthentication is required": "token_too_old",
    "The session token has been revoked": "token_revoked",
    "jti was used before: one-time token replayed": "token_replayed",
    "The token lacks the required scope orders:write": "scope_insufficient",
    "caller is not in group admins": "access_denied",
    "tenant is not allowed": "claim_not_allowed",
    'DPoP error="invalid_token", error_description="DPoP proof is missing", algs="ES256"': "sender_constraint_failed",
    "IP address 192.0.2.7 not allowed": "source_denied",
    "account locked after too many attempts": "caller_blocked",
    "no tenant claim in the token": "claim_missing",
    "An error occurred while attempting to decode the Jwt: The aud claim is not valid": "audience_mismatch",
    "could not verify the token because the issuer is unknown": "issuer_not_trusted",
    "No keys found in JWKS": "jwks_invalid",
    "No key found in JWKS for kid shop-2026-rs256": "key_not_found",
    "could not decode claims: invalid character": "token_malformed",
    "Algorithm 'none' is not allowed": "alg_none",
    "algorithms must be specified": "auth_not_configured",
    "Invalid JWT: three parts expected": "token_malformed",
    "Invalid JWT issuer": "issuer_not_trusted",
    "none of the audiences is allowed": "audience_mismatch",
    "decryption failed: unable to locate key": "jwe_unsupported",
    "the aud of this token is not in our list of audiences": "audience_mismatch",
    "signature check of the assertion was unsuccessful": "signature_invalid",
    "the token is past expiry": "token_expired",
    "the token was terminated at the provider": "token_revoked",
    "client is over quota": "caller_blocked",
    "the value of the authorization header is not of type Bearer": "scheme_invalid",
    "Authorization header was not a JWT": "scheme_invalid",
    "none of our keys could verify this token": "signature_invalid",
    "the kid was not among the published keys": "key_not_found",
    "no JWKS entry matches that key's kid": "key_not_found",
    "badly formatted or garbled token": "token_malformed",
    "send the token by one method, not both": "credential_ambiguous",
    "this token was meant for a different application": "audience_mismatch",
    "the recipient of the token is not us": "audience_mismatch",
    "certificate binding does not match": "sender_constraint_failed",
    "mandatory field missing in the introspection response": "introspection_failed",
    "GET https://login.example/oauth2/v1/keys: connection refused": "jwks_unreachable",
    "https://login.example/.well-known/openid-configuration returned 404": "jwks_unreachable",
    "POST https://login.example/oauth2/introspect failed": "introspection_failed",
    "request limit of 50 requests per second exceeded": "caller_blocked",
    "SSO is not enabled: authentication disabled": "auth_not_configured",
    "token names a non-existent account": "consumer_not_found",
    "client_id web is unknown": "consumer_not_found",
    "wrong password": "consumer_not_found",
    "no user could be derived from the claims": "user_claim_missing",
    "HMAC does not match": "signature_invalid",
    "second factor required": "claim_not_allowed",
    "the correlation cookie was not found": "login_flow_failed",
    "signed out after 15 minutes of inactivity": "token_expired",
    "session timed out": "token_expired",
    "the account was deleted": "consumer_not_found",
    "referer is not allowed": "source_denied",
    "authentication backend is unavailable": "introspection_failed",
    "TLS error while talking to the IdP": "jwks_unreachable",
    "wrong basic auth credentials": "consumer_not_found",
    "no basic auth credentials were sent": "token_missing",
    "digest authentication is not supported": "scheme_invalid",
}

SAYS_NOTHING = (
    "",
    "Unauthorized",
    "invalid token",
    "Token is not valid",
    "forbidden",
    "Access denied",
    "authentication failed",
    "Invalid credentials",
    "via_upstream",
    "Request failed with status code 401",
    'Bearer realm="api", error="invalid_token", error_description="The access token is invalid"',
    "upstream connect error or disconnect/reset before headers",
    "https://expired.example.com/issuer/not/found",
    "eyJhbGciOiJub25lIn0" * 20,
)


@pytest.mark.parametrize("text", SAYS)
def test_a_thing_in_a_state_names_a_code(text: str) -> None:
    """The best reading of a sentence of no listed library has the code that the sentence means."""
    assert SAYS[text] == read_meaning(text)[0].code


@pytest.mark.parametrize("text", SAYS_NOTHING)
def test_general_words_say_nothing(text: str) -> None:
    """Words that would be true of every refusal give no reading."""
    assert () == read_meaning(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("the audience is missing", "the audience does not match"),
        ("no key found", "no audience found"),
        ("the signature is invalid", "the signature algorithm is not supported"),
        ("the JWKS is malformed", "the token is malformed"),
        ("exp must be a number", "exp check failed"),
        ("token expired", "token not yet valid"),
    ],
)
def test_what_is_said_and_of_what_both_count(one: str, other: str) -> None:
    """Changing the thing or its state changes the code."""
    assert read_meaning(one)[0].code != read_meaning(other)[0].code


def test_a_reading_names_its_pair_and_no_library() -> None:
    """The id says what was read; library and gateway stay empty, so no library's fix is offered."""
    reading = read_meaning("audience mismatch")[0]
    assert ("meaning.audience.mismatch", "", "") == (reading.signature_id, reading.library, reading.gateway)


def test_what_is_absent_is_what_the_negation_names() -> None:
    """In "no key to verify the signature" the key is absent, and not the signature beside it."""
    said = [reading.signature_id for reading in read_meaning("no key was provided to verify the signature")]
    assert "meaning.key.missing" == said[0]
    assert "meaning.signature.missing" not in said


def test_libraries_that_nobody_listed_are_read() -> None:
    """Of the wordings in unlisted.toml, whose libraries have no signatures, at least 85 of 100 are read rightly."""
    texts = [text for row in tomllib.loads(UNLISTED.read_text(encoding="utf-8")).values() for text in row["texts"]]
    wrong = [text for text, *codes in texts if next((r.code for r in read_meaning(text)), "") not in codes]
    assert len(wrong) <= 0.15 * len(texts), wrong


def test_opaque_runs_do_not_speak() -> None:
    """Tokens, UUIDs and key ids are no words, whatever their letters spell."""
    for text in (
        "eyJub25lIjoiZXhwIn0.ZXhwaXJlZA.c2ln",
        "kid-expired-4711",
        "9f0c-expired-key-11",
        "aB3expiredKeyNotFound9Z",
    ):
        assert [] == list(split_words(text))


def test_words_farther_apart_are_less_certain() -> None:
    """A thing beside its state is surer than one some words away."""
    near = read_meaning("issuer mismatch")[0]
    far = read_meaning("issuer of what we got here today shows some mismatch")[0]
    assert near.code == far.code
    assert near.certainty > far.certainty


def test_quoted_data_does_not_speak() -> None:
    """Keys of a JSON object that a message quotes are data, not what the message is about."""
    said = read_meaning('rejected {"iss":"https://a.example.com/","aud":"b"}: signature is invalid')
    assert ["signature_invalid"] == [reading.code for reading in said]


@given(st.text(max_size=400) | st.lists(st.sampled_from(sorted(SAYS)), max_size=20).map(" ".join))
def test_any_text_is_read_within_bounds(text: str) -> None:
    """Whatever the text, at most READINGS readings with distinct codes of the taxonomy, best first, never too sure."""
    readings = read_meaning(text)
    certainties = [reading.certainty for reading in readings]
    codes = [reading.code for reading in readings]
    assert len(set(codes)) == len(codes) <= READINGS
    assert set(codes) <= CODES.keys()
    assert certainties == sorted(certainties, reverse=True)
    assert all(0.3 <= sure <= MOST for sure in certainties)


def test_only_the_beginning_of_a_long_text_is_read() -> None:
    """What stands behind CONSIDERED characters changes nothing."""
    text = "token expired. " + "x " * CONSIDERED
    assert read_meaning(text) == read_meaning(text + " audience mismatch")
    assert () == read_meaning("x " * CONSIDERED + "audience mismatch")


def test_names_are_split_into_words() -> None:
    """Class names and codes are split at humps and underscores, contractions are negations, addresses are skipped."""
    words = [word.text for word in split_words("JWTClaimsError: at_hash isn't OK, see https://a.b/c?iss=1")]
    assert ["jwt", "claim", "at", "hash", "not", "ok", "see"] == words


def test_the_lexicon_reaches_every_code_that_a_verifier_puts_in_words() -> None:
    """A code that no pair of words means is one that only a gateway's setting or the traffic can tell."""
    said = [codes for codes, _ in lexicon().means.values()] + list(lexicon().about.values())
    reached = {code for codes in said for code in codes}
    silent = {
        "claim_renamed", "claim_stripped", "credential_stripped", "preflight_blocked",
        "upstream_rejected", "gateway_error", "unclassified",
    }  # fmt: skip
    assert CODES.keys() - silent == reached


@pytest.mark.parametrize(
    ("old", "new", "entry"),
    [
        ('expired = ["token_expired"]', 'expired = ["token_stale"]', "means..expired"),
        ("[means.audience]", "[means.audiense]", "means.audiense"),
        ('words = ["nonce"]', 'words = ["the nonce"]', "the nonce"),
        ('is = "login"', 'is = "logon"', "nonce"),
    ],
)
def test_a_wrong_lexicon_does_not_load(old: str, new: str, entry: str) -> None:
    """A code of no taxonomy, an unknown thing, a phrase with a filler in it: the entry is named."""
    text = files("analyzer.knowledge").joinpath("meaning.toml").read_text(encoding="utf-8")
    with pytest.raises(KnowledgeError) as caught:
        checked(tomllib.loads(text.replace(old, new, 1)))
    assert entry == caught.value.entry


def refused(**words: str) -> Event:
    """An event with these words of an Envoy."""
    gateway = Gateway("envoy")
    return Event(1, 1, Origin("argument"), gateway, Outcome.DENIED, request=Request(status=401), words=Words(**words))


def test_words_of_a_signature_are_not_read_again() -> None:
    """Where the knowledge base reads a text, its meaning is not asked for."""
    text = "Jwt issuer is not configured"
    assert read_words(text, "envoy") == read_event(refused(message=text))


def test_words_of_no_signature_are_read_by_meaning() -> None:
    """An upstream's own words come before the gateway's that say less."""
    challenge = 'Bearer error="invalid_token", error_description="jti was used before: one-time token replayed"'
    readings = read_event(refused(reason="via_upstream", challenge=challenge))
    assert ("token_replayed", "meaning.jti.reused") == (readings[0].code, readings[0].signature_id)
    assert "upstream_rejected" in [reading.code for reading in readings]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("the token may not be used: ann is not allowed to invoke orders.create", "access_denied"),
        ("caller is not authorized to read invoices", "access_denied"),
        ("registration blocked by RBAC rules", "access_denied"),
        ("denied by ACLs", "access_denied"),
        ("could not determine the principal", "user_claim_missing"),
    ],
)
def test_what_the_caller_may_not_do(text: str, code: str) -> None:
    """A right that is denied is a rule's doing; a user that cannot be read is a claim's."""
    assert read_meaning(text)[0].code == code


def test_the_scheme_of_a_quoted_credential_is_no_word() -> None:
    """`Bearer eyJ…` and `Bearer [token]` are the credential; "Bearer expected" speaks of the scheme."""
    for quoted in ("cannot verify Bearer eyJhbGciOi...", "cannot verify Bearer [token]..."):
        assert not any(reading.code == "scheme_invalid" for reading in read_meaning(quoted))
    assert read_meaning("invalid authorization, Bearer expected")[0].code == "scheme_invalid"
