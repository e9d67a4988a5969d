"""What statements answered, shared by all viewers: each is run once at a time, kept for a while, and may be asked for ahead.

Statements of a page run side by side: one viewer waits for the longest of them, not for their sum.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as WaitedTooLong
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

MAX_KEPT: Final = 256
Answer = TypeVar("Answer")
Run = Callable[[], Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """How long an answer is given again: `fresh_s`, and for `stale_s` more while a newer one is being made."""

    fresh_s: float
    stale_s: float = 0.0


@dataclass(slots=True)
class _Entry(Generic[Answer]):
    future: Future[Answer]
    keep: Keep
    done_at: float | None = None  # on the clock of the Answers
    is_renewed: bool = False


class Answers(Generic[Answer]):
    """Thread-safe. An answer that failed is not kept: whoever waits gets the error, the next one asks anew."""

    def __init__(self, at_once: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        """At most `at_once` statements run at the same time; MAX_KEPT answers are kept, the ones used last."""
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="answers")
        self._clock = clock
        self._lock = threading.RLock()  # a statement that is done at once settles within `_begin`
        self._entries: OrderedDict[Hashable, _Entry[Answer]] = OrderedDict()

    def get(self, key: Hashable, run: Run[Answer], keep: Keep, *, timeout_s: float | None = None) -> Answer:
        """The answer, at once when there is one. Raises what `run` raised, or TimeoutError."""
        while True:
            future = self.ahead(key, run, keep)
            try:
                return future.result(timeout_s)
            except CancelledError:  # forgotten before it began
                continue
            except WaitedTooLong:
                if future.done():  # a TimeoutError of the statement's own
                    raise
                raise TimeoutError from None

    def ahead(self, key: Hashable, run: Run[Answer], keep: Keep) -> Future[Answer]:
        """Begin what `get` will wait for."""
        with self._lock:
            known = self._entries.get(key)
            if known is not None:
                self._entries.move_to_end(key)
            if known is None or self._is_over(known):
                return self._begin(key, run, keep).future
            if self._is_old(known, keep.fresh_s) and not known.is_renewed:
                known.is_renewed = True
                self._pool.submit(self._renew, key, run, known)
            return known.future

    def has(self, key: Hashable) -> bool:
        """Whether `get` would answer at once."""
        with self._lock:
            known = self._entries.get(key)
            return known is not None and known.done_at is not None and not self._is_over(known)

    def clear(self) -> None:
        """Forget everything: what was decided shows at once."""
        with self._lock:
            for entry in self._entries.values():
                entry.future.cancel()
            self._entries.clear()

    def close(self) -> None:
        """Begin nothing more."""
        self.clear()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _is_old(self, entry: _Entry[Answer], after_s: float) -> bool:
        return entry.done_at is not None and self._clock() - entry.done_at > after_s

    def _is_over(self, entry: _Entry[Answer]) -> bool:
        return self._is_old(entry, entry.keep.fresh_s + entry.keep.stale_s)

    def _begin(self, key: Hashable, run: Run[Answer], keep: Keep) -> _Entry[Answer]:
        for other in [name for name, known in self._entries.items() if self._is_over(known)]:
            del self._entries[other]  # with its rows
        entry = _Entry(self._pool.submit(run), keep)
        self._entries[key] = entry
        self._entries.move_to_end(key)
        while len(self._entries) > MAX_KEPT:
            self._entries.popitem(last=False)
        entry.future.add_done_callback(lambda future: self._settled(key, entry, future))
        return entry

    def _settled(self, key: Hashable, entry: _Entry[Answer], future: Future[Answer]) -> None:
        if future.cancelled():
            return
        with self._lock:
            entry.done_at = self._clock()
            if future.exception() is not None and self._entries.get(key) is entry:
                del self._entries[key]

    def _renew(self, key: Hashable, run: Run[Answer], old: _Entry[Answer]) -> None:
        """Replace an old answer by a newer one; one that fails leaves the old to end by its age."""
        made: Future[Answer] = Future()
        try:
            made.set_result(run())
        except Exception:
            return
        with self._lock:
            if self._entries.get(key) is old:
                self._entries[key] = _Entry(made, old.keep, self._clock())
