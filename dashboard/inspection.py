"""Explains what was pasted, in a process of its own that ends with the answer: nothing of it stays here.

The process is `why401 explain --json`, so it is the same code and the same configuration as at the terminal; its answer is redacted.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from typing import Any, Final

from dashboard.errors import NotInspected

MAX_LENGTH: Final = 100_000  # characters: a log line with a large token has some thousands
MAX_RECORDS: Final = 20
TIMEOUT_S: Final = 60.0  # key sets of the configured issuers are fetched in it
_TURNS: Final = threading.BoundedSemaphore(2)  # each takes a core for a second
_COMMAND: Final = (sys.executable, "-m", "why401", "explain", "--json", "-")


def inspect(pasted: str) -> list[dict[str, Any]]:
    """The verdicts of `why401 explain --json`, one per record. Raises NotInspected with a sentence that quotes nothing."""
    if not pasted.strip():
        raise NotInspected("Paste a token or a log line first.")
    if len(pasted) > MAX_LENGTH:
        raise NotInspected(
            f"That is {len(pasted):,} characters; at most {MAX_LENGTH:,} are read here. For whole files use why401 explain FILE at a terminal."
        )
    if not _TURNS.acquire(timeout=TIMEOUT_S):
        raise NotInspected("Other inspections are running. Try again in a moment.")
    try:
        return _verdicts(_answer(pasted))
    finally:
        _TURNS.release()


def _answer(pasted: str) -> bytes:
    try:
        done = subprocess.run(
            _COMMAND, input=pasted.encode("utf-8", "replace"), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            timeout=TIMEOUT_S, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise NotInspected(f"No answer within {TIMEOUT_S:g} s. Are the issuers' key sets reachable?") from None
    except OSError as error:
        raise NotInspected(f"why401 explain could not be started: {type(error).__name__}.") from None
    if done.returncode:
        raise NotInspected("why401 explain failed. Run it at a terminal with the same configuration to see why.")
    return done.stdout


def _verdicts(answer: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in answer.splitlines()[:MAX_RECORDS] if line.strip()]
