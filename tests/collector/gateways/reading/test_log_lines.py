"""What log lines share: times, heads, sentences of stack traces, exception names, and what speaks of a refusal."""

from __future__ import annotations

import pytest

from collector.gateways.reading.log_lines import (
    condensed,
    is_exception,
    leading_time,
    logback,
    refuses,
)

SECOND = 1_000_000_000
TRACE = """\
could not read the token
Traceback (most recent call last):
  File "/app/auth.py", line 31, in user
    claims = jwt.decode(token)
             ^^^^^^^^^^^^^^^^^
jwt.exceptions.DecodeError: Not enough segments
\tat org.example.A.b(A.java:1)
Caused by: org.example.CException: why
\t... 12 more"""
AT = 1_778_479_628 * SECOND  # 2026-05-11T06:07:08Z


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("2026-05-11 06:07:08,123 - carts - ERROR - x", AT + 123_000_000),
        ("2026-05-11T08:07:08.5+02:00 DEBUG x", AT + 500_000_000),
        ("[2026-05-11 06:07:08 +0000] [12] [ERROR] x", AT),
        ("2026/05/11 06:07:08 x", AT),
        ("2026-05-11T06:07:08Z: x", AT),
        ("06:07:08 x", 0),
        ("ERROR x", 0),
    ],
)
def test_the_time_at_a_lines_beginning(text: str, ns: int) -> None:
    """Commas, brackets and zones as loggers write them; 0 without a date."""
    assert ns == leading_time(text)


@pytest.mark.parametrize(
    ("text", "logger", "message"),
    [
        ("2026-05-11 06:07:08.123 DEBUG 47 --- [nio-1] o.e.Auth   : said: so", "o.e.Auth", "said: so"),
        ("2026-05-11T06:07:08.123Z  WARN 1 --- [carts] [main] o.e.Auth : said", "o.e.Auth", "said"),
        ("2026-05-11 06:07:08,123 WARN  [org.e.Auth] (pool 1) said", "org.e.Auth", "said"),
    ],
)
def test_a_java_programs_line_comes_apart(text: str, logger: str, message: str) -> None:
    """Spring Boot's two layouts and JBoss's."""
    line = logback(text)

    assert line is not None
    assert (logger, message) == (line.logger, line.message)


def test_a_line_of_another_layout_is_left_alone() -> None:
    """A date and a level do not make a Java program's line."""
    assert logback("2026-05-11 06:07:08,123 - carts - ERROR - x") is None


def test_frames_and_source_lines_leave_a_stack_trace() -> None:
    """What is left is what people wrote: messages and exceptions, the cause last."""
    assert [
        "could not read the token",
        "jwt.exceptions.DecodeError: Not enough segments",
        "Caused by: org.example.CException: why",
    ] == condensed(TRACE).split("\n")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("jwt.exceptions.DecodeError: Not enough segments", True),
        ("JsonWebTokenError: invalid signature", True),
        ("JWT::ExpiredSignature: Signature has expired", True),
        ("JWTMalformed: x", True),
        ("org.example.AException", True),
        ("Error: jwt malformed", True),
        ("error: jwt malformed", False),
        ("Token for ann: issued", False),
        ("2026-05-11 AException: x", False),
    ],
)
def test_an_exceptions_name(line: str, expected: bool) -> None:
    """A class in capitals that is named like an exception, with or without its package."""
    assert expected == is_exception(line)


@pytest.mark.parametrize(
    ("message", "refusal"),
    [
        ("Token rejected: Signature verification failed", True),
        ("token issued", False),
        ("could not connect: connection refused", False),
    ],
)
def test_what_speaks_of_a_refusal(message: str, refusal: bool) -> None:
    """Authentication alone is not enough."""
    assert refusal == refuses(message)


@pytest.mark.parametrize(
    ("sentence", "is_refusal"),
    [
        ("JWT refused: wrong audience", True),
        ("No valid session in this request, access is not given", True),  # no word of the lists refuses here
        ("Started Application in 2.1 seconds", False),
        ("authentication is enabled for 3 realms", False),
    ],
)
def test_what_the_lists_do_not_hold_is_weighed(sentence: str, *, is_refusal: bool) -> None:
    """A gateway's own line is a refusal by the lists of words, or by the learned vocabulary."""
    assert is_refusal is refuses(sentence)
