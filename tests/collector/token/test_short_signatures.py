"""What is left of a cut signature may be text by chance."""

from __future__ import annotations

import pytest

from collector.safe import Safe
from collector.token.credentials import Credential
from collector.token.facts import read_token
from tests.tokens import raw


@pytest.mark.parametrize(
    ("signature", "expected"),
    [(b"abc", "signature_short"), (b"\x9c\x01z", "signature_short"), (b"signature", "signature_text")],
)
def test_three_bytes_are_a_cut_whatever_they_say(signature: bytes, expected: str) -> None:
    """Three random bytes are printable one time in twenty; a word is a word."""
    token = raw({"alg": "RS256", "typ": "JWT"}, {"iss": "https://idp.example.com/"}, signature)

    assert expected in read_token(Credential(Safe("authorization"), Safe("Bearer"), token)).facts.anomalies
