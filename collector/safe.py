"""Text that may leave the collector: `Safe`, which collector/redaction alone makes.

Every text of an Event is Safe, so mypy refuses a record's own text there. At run time it is a plain str. The constants
are those of stages that may not import redaction; tests/test_layout.py holds who may call `Safe`.
"""

from __future__ import annotations

from typing import Final, NewType

Safe = NewType("Safe", str)

EMPTY: Final = Safe("")
OTHER: Final = Safe("(other)")  # in place of outsiders' names beyond a bound
THIS_REQUEST: Final = Safe("{this request}")  # in place of a request's id, in what many requests share
# Reasons of unread events.
JOINED: Final = Safe("joined")
UNREADABLE: Final = Safe("unreadable")
FAILED: Final = Safe("failed")
