"""What a record says of an error, wherever it stands."""

from __future__ import annotations

import pytest

from collector.gateways.reading.errors_said import error_text


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"error": {"message": "the request is refused", "reason": "the berth is unknown"}}, "the request is refused: the berth is unknown"),
        ({"error": {"message": "the berth is unknown", "reason": "the berth is unknown"}}, "the berth is unknown"),
        ({"error": {"message": "refused", "reason": "unknown_berth"}}, "refused"),
        ({"msg": "refused", "oidc_error.parent": "the berth is unknown"}, "the berth is unknown"),
        ({"msg": "refused", "mirror": "the berth is unknown", "terror": "at sea"}, ""),
    ],
)  # fmt: skip
def test_what_is_said_of_an_error(fields: dict[str, object], expected: str) -> None:
    """Message and reason of one object, and a sentence under a key that names an error in a word of its own."""
    assert expected == error_text(fields)
