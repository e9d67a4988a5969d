"""Child processes of the demo: started in a session of their own, ended by their own pid."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

TERMINATE_S: Final = 20.0  # the writer makes durable what it holds
KILLED_S: Final = 5.0
TAIL_CHARS: Final = 2_000


class ChildFailed(Exception):
    """A child exited or did not respond. `log` is the end of its output."""

    def __init__(self, name: str, why: str, log: str) -> None:
        super().__init__(f"{name} {why}\n{log}".rstrip())
        self.name = name
        self.why = why
        self.log = log


class Child:
    """`why401 COMMAND …` as a process; its output goes to FOLDER/NAME.log."""

    def __init__(self, folder: Path, name: str, *arguments: str) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self._stopped = False
        command = [sys.executable, "-m", "why401", *arguments]
        with self.log.open("wb") as log:
            # Ctrl-C at the terminal reaches the whole group: in a session of their own, children end in our order.
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def check(self) -> None:
        """Raise ChildFailed when it has ended."""
        if not self.is_running:
            raise ChildFailed(self.name, f"exited with status {self._process.returncode}", self.tail())

    def wait_listening(self, port: int, timeout_s: float, waiting: Callable[[], None]) -> None:
        """Return when the loopback port accepts connections. Raises ChildFailed."""
        limit = time.monotonic() + timeout_s
        while time.monotonic() < limit:
            self.check()
            if is_listening(port):
                return
            waiting()
            time.sleep(0.1)
        raise ChildFailed(self.name, f"did not listen within {timeout_s:g} s", self.tail())

    def stop(self) -> None:
        """SIGTERM to it and to what it started, SIGKILL to what is left of them when it has ended. Idempotent."""
        if self._stopped:
            return
        self._stopped = True
        self._signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(TERMINATE_S)
        self._signal(signal.SIGKILL)
        self._process.wait()
        limit = time.monotonic() + KILLED_S
        while self._signal(0) and time.monotonic() < limit:
            time.sleep(0.02)

    def _signal(self, number: int) -> bool:
        """Whether there was a process to signal."""
        # The page's server is a child of the child; the session of its own makes the pid the group's id.
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            return False
        return True

    def tail(self) -> str:
        """The end of its output."""
        return self.log.read_text(errors="replace")[-TAIL_CHARS:]


def is_listening(port: int) -> bool:
    """Whether somebody accepts connections on that loopback port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


class HeldPort:
    """A free loopback port that nobody else is given until `release`: the moment before its own user binds it."""

    def __init__(self, port: int = 0) -> None:
        self._socket = socket.socket()
        if not port:
            self._socket.bind(("127.0.0.1", 0))
        self.number: int = port or self._socket.getsockname()[1]

    def release(self) -> None:
        """Let go. Idempotent."""
        self._socket.close()
