"""The process that a person starts, and the one that works: a native crash ends only the second.

DuckDB and its extensions are native code in our process: with a PostgreSQL that restarts, DuckDB 1.5.5 was seen to abort
(docs/store.md), and no `except` catches that. So `up`, `collect` and `analyze` work in a child process. When a signal ends it that
nobody sent through us, it is started anew, after a pause that grows to MAX_PAUSE_S. Nothing is lost by it: what was not
committed was not acknowledged. The crashes are counted in the child's metrics.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Final, NoReturn

from collector.telemetry import Telemetry

log = logging.getLogger("why401")
FIRST_PAUSE_S: Final = 0.5
MAX_PAUSE_S: Final = 30.0
STEADY_S: Final = 60.0  # who lived so long begins anew with the shortest pause
_STOPS: Final = (signal.SIGTERM, signal.SIGINT)
_crashes: Counter[str] = Counter()  # by signal; the child inherits it when it is forked


def supervised(work: Callable[[], None]) -> None:
    """Run `work` in a child process until it ends by itself; then end as it did.

    Threads and native code do not survive a fork: where either is there already (a program that calls the command as a function),
    or processes cannot be forked, `work` runs here.
    """
    if not hasattr(os, "fork") or threading.active_count() > 1 or "duckdb" in sys.modules:
        work()
        return
    from analyzer import writer_name  # not for --help

    writer_name.settle()
    sys.exit(_Supervisor(work).run())


def report(telemetry: Telemetry) -> None:
    """Count the crashes of the children before this one."""
    for name, times in _crashes.items():
        telemetry.count("why401.errors", times, stage="process", kind=name)


class _Supervisor:
    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._child = 0
        self._stopping = threading.Event()
        self._handlers = {number: signal.getsignal(number) for number in _STOPS}

    def run(self) -> int:
        """The exit status of the last child."""
        for number in _STOPS:
            signal.signal(number, self._stop)
        pause = FIRST_PAUSE_S
        while True:
            started = time.monotonic()
            status = self._one()
            if status >= 0:
                return status
            if self._stopping.is_set():
                return 128 - status
            name = signal.Signals(-status).name
            _crashes[name] += 1
            pause = FIRST_PAUSE_S if time.monotonic() - started > STEADY_S else pause
            log.error("the working process was ended by %s; starting it again in %.1f s", name, pause)
            if self._stopping.wait(pause):
                return 0
            pause = min(2 * pause, MAX_PAUSE_S)

    def _one(self) -> int:
        """Run a child to its end: its exit status, or minus the signal that ended it."""
        sys.stdout.flush()
        sys.stderr.flush()
        childs_end, our_end = os.pipe()
        # A signal between the fork and the note of its child would find nobody to be passed to.
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)
        if not self._stopping.is_set():
            self._child = os.fork()
            if self._child == 0:
                os.close(our_end)
                self._work_as_child(childs_end)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
        os.close(childs_end)
        status = os.waitpid(self._child, 0)[1] if self._child else 0
        self._child = 0
        os.close(our_end)
        return os.waitstatus_to_exitcode(status)

    def _stop(self, number: int, _: object) -> None:
        self._stopping.set()
        if self._child:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._child, number)

    def _work_as_child(self, parent: int) -> NoReturn:
        """Errors of `work` go up the stack of the command, which is a copy, and end the child as they would have ended it here."""
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
        threading.Thread(target=_end_with, args=(parent,), name="parent", daemon=True).start()
        self._work()
        sys.exit(0)


def _end_with(parent: int) -> None:
    """A supervisor that was killed takes its child with it: two writers of one port and catalog help nobody."""
    os.read(parent, 1)  # nothing is ever written; it returns when the other end is closed
    os._exit(128 + signal.SIGKILL)
