"""What the demo says on the terminal."""

from __future__ import annotations

import threading
from typing import Final, TextIO

_SPINNER: Final = "|/-\\"


class Progress:
    """Lines on `out`; on a terminal the last one is rewritten in place."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._terminal = out.isatty()
        self._turn = 0
        self._label = ""
        self._lock = threading.Lock()  # alerts come in a thread of their own

    def say(self, line: str) -> None:
        """A line that stays."""
        with self._lock:
            self._out.write(f"\r\x1b[K{line}\n" if self._terminal else f"{line}\n")
            self._out.flush()

    def begin(self, label: str) -> None:
        """A step that may take long; followed by `turn` while it does."""
        self._label = label
        if not self._terminal:
            self.say(f"{label} …")
        self.turn()

    def turn(self) -> None:
        """Show that the step goes on."""
        self._turn += 1
        self.rewrite(f"{_SPINNER[self._turn % 4]} {self._label} …")

    def rewrite(self, line: str) -> None:
        """A line that the next one replaces; nothing where lines cannot be replaced."""
        if self._terminal:
            with self._lock:
                self._out.write(f"\r\x1b[K{line}")
                self._out.flush()
