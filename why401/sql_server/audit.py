"""Who ran which query, and when: one JSON object per line, without results, in files of mode 0600 and of bounded size."""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import orjson

from collector.redaction import redact

FILE: Final = "sql-audit.jsonl"
MAX_BYTES: Final = 64 << 20  # then the file becomes FILE.1, and so on
KEEP: Final = 8  # older files; about half a GiB in all


class Audit:
    """Appends to the audit log. One process owns it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle = self._open()

    def write(self, event: str, **facts: object) -> None:
        """One line. SQL is redacted, since people paste tokens into it; a session is a hash, since its id opens it."""
        if "sql" in facts:
            facts["sql"] = redact(str(facts["sql"])).text
        if "session" in facts:
            facts["session"] = hashlib.sha256(str(facts["session"]).encode()).hexdigest()[:12]
        line = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event, **facts}
        os.write(self._handle, orjson.dumps(line) + b"\n")
        if os.fstat(self._handle).st_size > MAX_BYTES:
            self._rotate()

    def close(self) -> None:
        """Let the file go."""
        os.close(self._handle)

    def _open(self) -> int:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.fchmod(handle, 0o600)
        return handle

    def _rotate(self) -> None:
        os.close(self._handle)
        for number in range(KEEP - 1, 0, -1):
            older = self._path.with_name(f"{self._path.name}.{number}")
            if older.exists():
                older.replace(self._path.with_name(f"{self._path.name}.{number + 1}"))
        self._path.replace(self._path.with_name(f"{self._path.name}.1"))
        self._handle = self._open()
