"""The process that a person starts, and those that work: a native crash ends only one of them.

DuckDB and its extensions are native code in our process: with a PostgreSQL that restarts, DuckDB 1.5.5 was seen to abort
(docs/store.md), and no `except` catches that. So `up`, `collect` and `analyze` work in a child process, or in several side by side
(`--workers`). When a signal ends one that nobody sent through us, it is started anew, after a pause that grows to MAX_PAUSE_S,
and the others go on. Nothing is lost by it: what was not committed was not acknowledged. The crashes are counted in the child's
metrics. One that ends by itself ends them all, in order.
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
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, NoReturn

from collector.errors import ConfigurationError
from collector.telemetry import Telemetry

log = logging.getLogger("why401")
FIRST_PAUSE_S: Final = 0.5
MAX_PAUSE_S: Final = 30.0
POLL_S: Final = 0.05  # while a child is to be started again
STEADY_S: Final = 60.0  # who lived so long begins anew with the shortest pause
_STOPS: Final = (signal.SIGTERM, signal.SIGINT)
_crashes: Counter[str] = Counter()  # by signal, of the children before this one, at its place


def supervised(*works: Callable[[], None]) -> None:
    """Run each of `works` in a child process until one ends by itself; then stop the others and end as it did.

    Threads and native code do not survive a fork: where either is there already (a program that calls the command as a function),
    or processes cannot be forked, a single work runs here. Raises ConfigurationError for several.
    """
    if not hasattr(os, "fork") or threading.active_count() > 1 or "duckdb" in sys.modules:
        if len(works) > 1:
            raise ConfigurationError("--workers", len(works), "expected 1, because this process cannot be forked")
        works[0]()
        return
    from analyzer import writer_name  # not for --help

    writer_name.settle()
    sys.exit(_Supervisor(works).run())


def report(telemetry: Telemetry) -> None:
    """Count the crashes of the children before this one, at its place."""
    for name, times in _crashes.items():
        telemetry.count("why401.errors", times, stage="process", kind=name)


@dataclass(slots=True)
class _Place:
    """Where one child works, and after it the next."""

    number: int
    work: Callable[[], None]
    child: int = 0  # process id; 0: there is none
    due: float | None = 0.0  # when the next one is started; None: it works, or no more is wanted
    started: float = 0.0
    pause: float = FIRST_PAUSE_S
    crashes: Counter[str] = field(default_factory=Counter)


class _Supervisor:
    def __init__(self, works: Sequence[Callable[[], None]]) -> None:
        self._places = [_Place(number, work) for number, work in enumerate(works, start=1)]
        self._stopping = threading.Event()
        self._status = 0
        self._handlers = {number: signal.getsignal(number) for number in _STOPS}
        self._childs_end, self._our_end = os.pipe()

    def run(self) -> int:
        """The exit status of the child that ended by itself, or of the last one."""
        for number in _STOPS:
            signal.signal(number, self._stop)
        while True:
            for place in self._places:
                if place.due is not None and place.due <= time.monotonic():
                    self._start(place)
            if self._stopping.is_set() and not any(place.child for place in self._places):
                return self._status
            self._wait()

    def _start(self, place: _Place) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        # A signal between the fork and the note of its child would find nobody to be passed to.
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)
        place.due = None
        if not self._stopping.is_set():
            place.started = time.monotonic()
            place.child = os.fork()
            if place.child == 0:
                self._work_as_child(place)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)

    def _wait(self) -> None:
        """Until a child has ended, or one is due, or for a moment."""
        has_children = any(place.child for place in self._places)
        is_due = any(place.due is not None for place in self._places)
        child, status = os.waitpid(-1, os.WNOHANG if is_due else 0) if has_children else (0, 0)
        if child:
            self._ended(child, status)
        else:
            self._stopping.wait(POLL_S)

    def _ended(self, child: int, wait_status: int) -> None:
        place = next(each for each in self._places if each.child == child)
        place.child = 0
        status = os.waitstatus_to_exitcode(wait_status)
        if self._stopping.is_set():
            is_asked = status < 0 and -status in _STOPS  # one that had only begun: it did nothing that could be lost
            self._status = self._status or (0 if is_asked else status if status >= 0 else 128 - status)
        elif status >= 0:
            self._status = status
            self._stop(signal.SIGTERM)
        else:
            self._crashed(place, signal.Signals(-status).name)

    def _crashed(self, place: _Place, name: str) -> None:
        now = time.monotonic()
        place.crashes[name] += 1
        place.pause = FIRST_PAUSE_S if now - place.started > STEADY_S else place.pause
        which = f"working process {place.number}" if len(self._places) > 1 else "the working process"
        log.error("%s was ended by %s; starting it again in %.1f s", which, name, place.pause)
        place.due = now + place.pause
        place.pause = min(2 * place.pause, MAX_PAUSE_S)

    def _stop(self, number: int, _: object = None) -> None:
        self._stopping.set()
        for place in self._places:
            place.due = None
            if place.child:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(place.child, number)

    def _work_as_child(self, place: _Place) -> NoReturn:
        """Errors of `work` go up the stack of the command, which is a copy, and end the child as they would have ended it here."""
        from analyzer import writer_name

        os.close(self._our_end)
        writer_name.work_at(place.number)
        _crashes.update(place.crashes)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
        threading.Thread(target=_end_with, args=(self._childs_end,), name="parent", daemon=True).start()
        place.work()
        sys.exit(0)


def _end_with(parent: int) -> None:
    """A supervisor that was killed takes its children with it: two writers of one port and catalog help nobody."""
    os.read(parent, 1)  # nothing is ever written; it returns when the other end is closed
    os._exit(128 + signal.SIGKILL)
