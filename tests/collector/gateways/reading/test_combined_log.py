"""Columns that operators append to the combined format."""

from __future__ import annotations

import pytest

from collector.gateways.reading import combined_log
from collector.records import Parsed

HEAD = '192.0.2.7 - - [03/Mar/2026:10:00:00 +0000] "GET /v1/carts HTTP/1.1" 401 - "-" "okhttp/4.12.0"'
CHALLENGE = 'Bearer error="invalid_token", error_description="Jwt expired at 2026-03-03T09:59:00Z"'


def read(columns: str) -> Parsed:
    line = combined_log.split(f"{HEAD} {columns}")
    assert line is not None
    return combined_log.read("nginx", line)


@pytest.mark.parametrize(
    ("columns", "credential", "challenge"),
    [
        ('"Bearer abc.def.ghi" "{}"', "Bearer abc.def.ghi", CHALLENGE),
        ('"{}" "Bearer abc.def.ghi"', "Bearer abc.def.ghi", CHALLENGE),
        ('"Basic c2hvcDpwdw==" "Bearer"', "Basic c2hvcDpwdw==", "Bearer"),
        ('"abc.def.ghi" "{}"', "", CHALLENGE),
        ('"Bearer" "{}"', "Bearer", CHALLENGE),
        ('"-" "{}"', "", CHALLENGE),
        ('"Bearer realm=orders"', "", "Bearer realm=orders"),
        ('authorization="-" www_authenticate="Bearer"', "", "Bearer"),
        ('authorization="Basic c2hvcDpwdw==" www_authenticate="Bearer"', "Basic c2hvcDpwdw==", "Bearer"),
    ],
)
def test_a_challenge_is_no_credential(columns: str, credential: str, challenge: str) -> None:
    """Both begin with a scheme; the challenge goes on with parameters, or stands behind the credential."""
    parsed = read(columns.replace("{}", CHALLENGE.replace('"', '\\"')))

    assert credential == parsed.headers.get("authorization", "")
    assert challenge == parsed.challenge
