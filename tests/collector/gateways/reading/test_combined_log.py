"""Columns that operators append to the combined format."""

from __future__ import annotations

import pytest

from collector.gateways.reading import combined_log
from collector.gateways.reading.places import LEARNED
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


def test_an_empty_column_is_an_absent_credential_once_the_column_is_known() -> None:
    """A dash stands for anything that was not sent; lines of the same log, with a credential there, tell what for."""

    def logs(columns: str, source: str = "edge.log") -> bool:
        line = combined_log.split(f"{HEAD} {columns}")
        assert line is not None
        return combined_log.read("gizmo", line, source).credential_logged

    before = logs('"id-7" "-"')
    for _ in range(LEARNED):
        logs('"id-7" "Bearer abc.def.ghi"')

    assert [before, logs('"id-7" "-"'), logs('"-"'), logs('"id-7" "-"', "other.log")] == [False, True, False, False]


def test_a_scheme_that_is_a_word_of_other_columns_needs_a_credential_behind_it() -> None:
    """`Token` alone may be anything, and so may a word behind it."""
    assert read('"ApiKey 5f2a9c0d77e14b"').credential_logged
    assert not read('"token"').credential_logged
    assert not read('"Token is bad"').credential_logged
