"""Ad hoc SQL in processes of its own: one that does not answer in time is killed. The child is query_worker.py."""

from __future__ import annotations

import atexit
import json
import threading
import time
from collections.abc import Callable
from typing import Final

import pyarrow as pa

from analyzer.lake.child_process import ChildProcess
from analyzer.lake.errors import QueryRefused, QueryTimeout
from analyzer.lake.query_worker import ERROR, ERRORS, HEADER, READY, Order
from collector.settings import Settings

MAX_WORKERS: Final = 2  # each may use `dashboard.memory_mib`
START_S: Final = 60.0
GRACE_S: Final = 2.0  # a worker interrupts its own query at the limit; only one that cannot is killed
ASKED_S: Final = 0.25  # how often whoever waits is asked whether to go on
MAX_ANSWER: Final = 256 << 20  # bytes; a worker's memory is bounded, this bounds the caller's


class WorkerGone(Exception):
    """The worker ended in the middle of an answer: killed, or out of memory."""


class QueryPool:
    """Up to MAX_WORKERS processes; started when needed, kept for the next statement. Thread-safe."""

    def __init__(self, settings: Settings) -> None:
        self._order = Order.of(settings)
        self._limit_s = settings.dashboard.query_timeout_seconds
        self._turns = threading.BoundedSemaphore(MAX_WORKERS)
        self._lock = threading.Lock()
        self._idle: list[Worker] = []
        atexit.register(self.close)

    def ask(self, sql: str, waiting: Callable[[], object] = lambda: None) -> pa.Table:
        """The first `adhoc.MAX_ROWS` + 1 rows of one SELECT over the views, bounded in time and memory.

        `waiting` is called several times a second until the answer is there; what it raises ends the process and the statement.
        Raises QueryRefused, QueryTimeout, NoStore, StoreUnavailable.
        """
        try:
            return _table(*self._answer(sql, waiting))
        except TimeoutError:
            raise QueryTimeout(self._limit_s) from None
        except WorkerGone:
            raise QueryRefused("The statement needs more memory than a query may use.") from None

    def idle(self) -> tuple[int, ...]:
        """Process ids of the workers that wait for a statement."""
        with self._lock:
            return tuple(worker.pid for worker in self._idle)

    def close(self) -> None:
        """End every idle process. Idempotent; the next statement starts one anew."""
        with self._lock:
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.close()

    def _answer(self, sql: str, waiting: Callable[[], object]) -> tuple[int, bytes]:
        if not self._turns.acquire(timeout=self._limit_s):
            raise TimeoutError
        try:
            worker = self._take()
            try:
                answer = worker.ask(sql, self._limit_s + GRACE_S, waiting)
            except BaseException:
                worker.close()
                raise
        finally:
            self._turns.release()
        with self._lock:
            self._idle.append(worker)
        return answer

    def _take(self) -> Worker:
        with self._lock:
            while self._idle:
                worker = self._idle.pop()
                if worker.is_alive():
                    return worker
                worker.close()
        return Worker(self._order)


class Worker:
    """One process. After TimeoutError or WorkerGone it can only be closed."""

    def __init__(self, order: Order) -> None:
        self._child = ChildProcess("analyzer.lake.query_worker")
        self.pid, self.is_alive, self.close = self._child.pid, self._child.is_alive, self._child.close
        try:
            self._send(order.line())
            kind, _ = self._receive(time.monotonic() + START_S)
        except BaseException:
            self.close()
            raise
        assert kind == READY

    def ask(self, sql: str, limit_s: float, waiting: Callable[[], object] = lambda: None) -> tuple[int, bytes]:
        """Kind and body of the answer."""
        self._send(json.dumps(sql).encode())
        deadline = time.monotonic() + limit_s
        while not self._child.has_output(ASKED_S) and time.monotonic() < deadline:
            waiting()
        return self._receive(deadline)

    def _send(self, line: bytes) -> None:
        if not self._child.write_line(line):
            raise WorkerGone

    def _receive(self, deadline: float) -> tuple[int, bytes]:
        kind, size = HEADER.unpack(self._read(HEADER.size, deadline))
        if size > MAX_ANSWER:
            raise WorkerGone
        return kind, self._read(size, deadline)

    def _read(self, size: int, deadline: float) -> bytes:
        parts: list[bytes] = []
        while size:
            part = self._child.read(size, deadline - time.monotonic())
            if part is None:
                raise TimeoutError
            if not part:
                raise WorkerGone
            parts.append(part)
            size -= len(part)
        return b"".join(parts)


def _table(kind: int, body: bytes) -> pa.Table:
    if kind == ERROR:
        name, arguments = json.loads(body)
        raise ERRORS[name](*arguments)
    try:
        return pa.ipc.open_stream(body).read_all()
    except (pa.ArrowException, OverflowError, ValueError) as error:
        raise QueryRefused(str(error)) from None
