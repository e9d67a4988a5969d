"""Keeps upkeep away while the lake is copied: nothing is flushed, merged, expired or deleted meanwhile; appends go on.

DuckLake does not pin what a transaction reads: when its snapshot expires, the next table is empty, without an error (1.5.5;
docs/store.md). Whoever reads for longer than maintain.GRACE therefore holds the lease of upkeep, and looks at the end
whether it still has it and the snapshot is still there.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Final

from analyzer.lake.attach import place
from analyzer.lake.errors import LakeError, NotDecided
from analyzer.store.deciding import written
from analyzer.store.turn import LEASE, lease, release
from collector.settings import Settings

SPAN: Final = timedelta(minutes=5)  # of a backup that was killed upkeep waits for so long
RENEW_S: Final = SPAN.total_seconds() / 6
WAIT: Final = LEASE + timedelta(minutes=5)  # a writer that died had the lease for so long at most


class Pin:
    """The lease of upkeep, renewed by a thread until `done`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._name = uuid.uuid4().hex
        self._ended = threading.Event()
        self._held_at = 0.0  # when it was last taken or renewed
        self._thread = threading.Thread(target=self._renew, name="why401-pin", daemon=True)

    def take(self, say: Callable[[str], None]) -> None:
        """Wait until no writer does upkeep. Raises LakeError."""
        deadline = time.monotonic() + WAIT.total_seconds()
        for attempt in range(1 << 20):
            if self._took():
                self._thread.start()
                return
            if time.monotonic() > deadline:
                break
            if attempt == 1:
                say(
                    "waiting until a writer has ended its upkeep; a writer that was killed holds it up to half an hour …"
                )
            time.sleep(min(0.5 * 2**attempt, 5))
        raise NotDecided(place(self._settings), "upkeep does not end")

    def is_held(self) -> bool:
        """Whether it was ours all the time until now. Raises LakeError when the lake does not answer."""
        return time.monotonic() - self._held_at < SPAN.total_seconds() and self._took()

    def end(self) -> None:
        """Let upkeep go on."""
        self._ended.set()
        self._thread.join()
        with suppress(LakeError):  # else it ends by itself
            if self.is_held():
                written(self._settings, lambda con: release(con, self._name), any_version=True)

    def _took(self) -> bool:
        started = time.monotonic()
        is_ours = written(self._settings, lambda con: lease(con, self._name, SPAN), any_version=True)
        if is_ours:
            self._held_at = started
        return is_ours

    def _renew(self) -> None:
        while not self._ended.wait(RENEW_S):
            try:
                if not self.is_held():
                    return
            except LakeError:  # the next time, or `is_held` at the end
                continue


@contextmanager
def pinned(settings: Settings, say: Callable[[str], None]) -> Iterator[Pin]:
    """The lake as it is until the end of the block, appends apart. Raises LakeError."""
    pin = Pin(settings)
    pin.take(say)
    try:
        yield pin
    finally:
        pin.end()
