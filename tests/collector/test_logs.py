"""The process's own log shows what went wrong and no secret."""

from __future__ import annotations

import io
import logging
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from collector import logs
from collector.errors import SinkUnavailable
from tests.tokens import token

SECRET = "qxzjkvbnhyt"  # a password that looks like a word


@pytest.fixture
def said() -> Iterator[Callable[[], str]]:
    """What the log says; every hook is put back."""
    held = sys.excepthook, threading.excepthook, sys.unraisablehook
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    logs.start("debug", stream)
    yield stream.getvalue
    logging.captureWarnings(False)
    root.handlers[:], root.level = handlers, level
    sys.excepthook, threading.excepthook, sys.unraisablehook = held


def deep(value: str) -> None:
    """Fails as code does that was given the wrong thing."""
    try:
        {}[value]
    except KeyError as error:
        raise ValueError(f"invalid literal for int() with base 10: {value!r}") from error


def test_a_message_is_redacted_and_stays_one_line(said: Callable[[], str]) -> None:
    """A token in an argument is gone, a line break and an escape sequence are shown as such."""
    logging.getLogger("any.library").debug("sent %s\r\n\x1b[31mred", f"Bearer {token()}")

    assert ["sent Bearer [token]\\r\\n\\x1b[31mred"] == [line.rpartition("  ")[2] for line in said().splitlines()]


def test_a_traceback_has_places_and_types_and_no_strangers_words(said: Callable[[], str]) -> None:
    """What a KeyError or ValueError quotes is not shown, nor what caused it; where it happened is."""
    try:
        deep(SECRET)
    except ValueError:
        logging.getLogger("why401").exception("died")

    assert SECRET not in said()
    assert ["KeyError", "ValueError"] == [line.split(" (")[0] for line in said().splitlines() if "may quote" in line]
    assert "test_logs.py" in said()
    assert " in deep" in said()


def test_our_own_errors_and_the_systems_are_shown(said: Callable[[], str]) -> None:
    """They are written to quote no record, and say what to do."""
    for error in (SinkUnavailable("store", "the catalog is away"), FileNotFoundError(2, "No such file", "/x")):
        try:
            raise error
        except Exception:
            logging.getLogger("why401").exception("died")

    assert "SinkUnavailable: store: the catalog is away" in said()
    assert "FileNotFoundError: [Errno 2] No such file: '/x'" in said()


def test_what_nobody_catches_is_logged_so_too(said: Callable[[], str]) -> None:
    """The main thread, another thread and a destructor."""
    error = ValueError(SECRET)
    sys.excepthook(ValueError, error, None)
    thread = threading.Thread(target=deep, args=(SECRET,), name="source")
    thread.start()
    thread.join()

    assert SECRET not in said()
    assert "stopped by an unexpected ValueError" in said()
    assert "thread source stopped by an unexpected ValueError" in said()


def test_a_broken_log_call_does_not_print_its_arguments() -> None:
    """logging's own answer to a wrong format would be a traceback with the arguments on stderr."""
    record = logging.makeLogRecord({"msg": "%d records", "args": (SECRET,), "name": "any.library"})
    line = logs.SafeFormatter(logs.FORMAT).format(record)

    assert (False, True) == (SECRET in line, "cannot be formatted: TypeError" in line)


def test_a_chain_of_causes_ends(said: Callable[[], str]) -> None:
    """Exceptions that point at each other, and a deep recursion, cost a bounded number of lines."""
    first, second = ValueError("a"), ValueError("b")
    first.__context__, second.__context__ = second, first

    def recurse() -> None:
        recurse()

    for error in (first, None):
        try:
            if error is not None:
                raise error
            recurse()
        except (ValueError, RecursionError):
            logging.getLogger("why401").exception("died")

    assert len(said().splitlines()) < 200
