"""Standard base64 has slashes: a key's line is no path, and a path with a credential in it is no key."""

from __future__ import annotations

import base64
import random

import pytest

from collector.redaction import redact

RUNS = 4_000


def left_of(line: str) -> int:
    """The longest piece of a line that redaction left."""
    return max(
        map(len, redact(line).text.replace("[secret]", "\0").replace("[token]", "\0").replace("[-]", "\0").split("\0"))
    )


def test_a_line_of_a_key_leaves_no_piece_of_it() -> None:
    """Of 64 random characters no half stays, and twelve in a row stay in less than one line of three hundred."""
    rng = random.Random(20261123)
    left = [left_of(base64.b64encode(rng.randbytes(48)).decode()) for _ in range(RUNS)]

    assert max(left) < 32
    assert sum(length >= 12 for length in left) < RUNS / 300


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/v1/users/{}/items", "/v1/users/[secret]/items"),
        ("/api/OrderService/getUserById/{}", "/api/OrderService/getUserById/[secret]"),
        ("/oauth2/token/{}", "/oauth2/token/[secret]"),
        ("/realms/prod-eu/clients/{}/secret", "/realms/prod-eu/clients/[secret]/secret"),
    ],
)
def test_a_path_keeps_its_steps(path: str, shown: str) -> None:
    """The credential goes, the steps around it stay."""
    assert shown == redact(path.format("Kq3xZt8LmN2pRw7YvB5cDf9G")).text
