"""Logged exchanges: what an error body says."""

from __future__ import annotations

import pytest

from collector.gateways.reading.exchange import sentence


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"message":"Invalid signature"}', "Invalid signature"),
        ('{"error":"invalid_token","error_description":"token expired"}', "token expired"),
        ('{"exp":"token expired"}', '"exp":"token expired"'),
        ({"error_msg": "Missing token"}, "Missing token"),
        ("Jwt is missing\n", "Jwt is missing"),
        ('{"message":', '{"message":'),
        ('{"items":[1,2]}', ""),
        ("<html>401</html>", ""),
        ("", ""),
        (None, ""),
        ("x" * 20_000, ""),
    ],
)
def test_an_error_body_is_read_for_its_sentence(body: object, expected: str) -> None:
    """Gateways answer with an object that holds one sentence, or with the sentence; pages and data say nothing."""
    assert expected == sentence(body)
