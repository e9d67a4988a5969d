"""A process of ours that may be killed at any moment, with a pipe to its input and one from its output."""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
from types import TracebackType
from typing import Final, Self

MOST_AT_ONCE: Final = 1 << 20


class ChildProcess:
    """`python -m MODULE`. Used by `query_pool`, which reads frames from it, and by remote SQL, which reads lines."""

    def __init__(self, module: str) -> None:
        self._process = subprocess.Popen([sys.executable, "-m", module], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdin
        assert self._process.stdout
        self._in, self._out = self._process.stdin, self._process.stdout
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._out, selectors.EVENT_READ)

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def write_line(self, line: bytes) -> bool:
        """Send a line; False when the process is gone."""
        try:
            self._in.write(line + b"\n")
            self._in.flush()
        except BrokenPipeError:
            return False
        return True

    def read(self, size: int, seconds: float) -> bytes | None:
        """At most `size` bytes of its output; None when there were none within `seconds`, b"" when it ended."""
        if not self._selector.select(max(seconds, 0.0)):
            return None
        return os.read(self._out.fileno(), min(size, MOST_AT_ONCE))

    def has_output(self, seconds: float) -> bool:
        """Whether there is something to read, or the end of it, within `seconds`."""
        return bool(self._selector.select(seconds))

    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def kill(self) -> None:
        """SIGKILL: a running query obeys nothing else. What it wrote before can still be read."""
        self._process.kill()

    def close(self) -> None:
        """Kill it and release everything. Idempotent."""
        self._process.kill()
        self._process.wait()
        self._selector.close()
        for pipe in (self._in, self._out):
            try:
                pipe.close()
            except BrokenPipeError:
                continue

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()
