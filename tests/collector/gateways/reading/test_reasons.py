"""Which causes a refusal's sentence names, and which sentences name none."""

from __future__ import annotations

import pytest

from analyzer.knowledge.signatures import signatures
from collector.gateways.reading.reasons import agree, kinds

ECHOES = (
    "Unauthorized",
    "401 Unauthorized: invalid token",
    "HTTP access denied: provided token is invalid",
    "missing or invalid token",
    "Invalid or expired JWT",
    "Failed to validate the token.",
    "error while executing keyfunc",
    "API authentication failure due to Invalid Credentials",
    "User 'reader' failed authentication by backend oauth2",
    "request failed with status code 403",
    "AuthenticationScheme: Bearer was challenged.",
)
REASONS = {
    "token has expired": "time",
    "TokenExpiredError": "time",
    "Jwt_is_expired": "time",
    "signature verification failed": "key",
    "no key with this kid": "key",
    "Unable to fetch the key set: connection refused": "key",
    "unexpected issuer": "issuer",
    "aud claim does not contain shop": "audience",
    "token contains an invalid number of segments": "form",
    "no token found": "form",
    "requires scope orders:write": "rights",
    "the app is disabled": "rights",
}


@pytest.mark.parametrize("sentence", ECHOES)
def test_an_echo_names_no_cause(sentence: str) -> None:
    """It says only that something was refused."""
    assert frozenset() == kinds(sentence)


@pytest.mark.parametrize(("sentence", "kind"), REASONS.items())
def test_a_reason_names_its_cause(sentence: str, kind: str) -> None:
    """In a sentence, a class name, an error code."""
    assert kind in kinds(sentence)


def test_most_of_what_is_known_to_mean_something_names_a_cause() -> None:
    """The vocabulary is checked against all examples of the knowledge base: a reason taken for an echo can be lost."""
    examples = [example for signature in signatures() for example in signature.examples]
    silent = [example for example in examples if not kinds(example)]

    assert len(examples) > 2000
    assert len(silent) / len(examples) < 0.3


def test_what_names_other_causes_only_is_another_refusal() -> None:
    """An echo may be about any; a mismatch of anything too."""
    expired, signature = kinds("token is expired"), kinds("signature is invalid")

    assert not agree(expired, signature)
    assert agree(expired, kinds("ExpiredSignatureError"))
    assert agree(expired, kinds("Unauthorized"))
    assert agree(kinds("claim mismatch"), expired)
