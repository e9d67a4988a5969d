"""Ad hoc SQL for the page: asked of worker processes, of which one that does not answer in time is killed."""

from __future__ import annotations

import atexit
import json
import os
import selectors
import subprocess
import sys
import threading
import time
from typing import Final

import pandas as pd
import pyarrow as pa
import streamlit as st

from dashboard import config
from dashboard.errors import QueryRefused, QueryTimeout
from dashboard.worker import ERROR, ERRORS, HEADER, READY

MAX_WORKERS: Final = 2  # each may use `dashboard.memory_mib`
START_S: Final = 60.0
GRACE_S: Final = 2.0  # a worker interrupts its own query at the limit; only one that cannot is killed
MAX_ANSWER: Final = 256 << 20  # bytes; a worker's memory is bounded, this bounds the page's


class WorkerGone(Exception):
    """The worker ended in the middle of an answer: killed, or out of memory."""


class Workers:
    """Up to MAX_WORKERS processes; started when asked for, kept for the next statement."""

    def __init__(self) -> None:
        self._turns = threading.BoundedSemaphore(MAX_WORKERS)
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []
        atexit.register(self.close)

    def ask(self, sql: str, limit_s: float) -> pd.DataFrame:
        """The first rows of one SELECT. Raises QueryRefused, QueryTimeout, StoreMissing, StoreUnavailable."""
        if not self._turns.acquire(timeout=limit_s):
            raise QueryTimeout(limit_s)
        try:
            worker = self._take()
            try:
                answer = worker.ask(sql, limit_s + GRACE_S)
            except BaseException:
                worker.close()
                raise
        finally:
            self._turns.release()
        with self._lock:
            self._idle.append(worker)
        return _frame(*answer)

    def close(self) -> None:
        """End every idle process."""
        with self._lock:
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.close()

    def _take(self) -> _Worker:
        with self._lock:
            while self._idle:
                worker = self._idle.pop()
                if worker.is_alive():
                    return worker
                worker.close()
        return _Worker()


@st.cache_resource(show_spinner=False, on_release=Workers.close)
def workers() -> Workers:
    """The processes of this page's process."""
    return Workers()


def ask(sql: str) -> pd.DataFrame:
    """The first `client.MAX_ROWS` + 1 rows of one SELECT over the views, bounded in time and memory. Raises DashboardError."""
    limit = config.settings().dashboard.query_timeout_seconds
    try:
        return workers().ask(sql, limit)
    except TimeoutError:
        raise QueryTimeout(limit) from None
    except WorkerGone:
        raise QueryRefused("The statement needed more memory than it may use.") from None


def _frame(kind: int, body: bytes) -> pd.DataFrame:
    if kind == ERROR:
        name, arguments = json.loads(body)
        raise ERRORS[name](*arguments)
    try:
        return pa.ipc.open_stream(body).read_all().to_pandas()
    except (pa.ArrowException, OverflowError, ValueError) as error:
        raise QueryRefused(str(error)) from None


class _Worker:
    """One process and its two pipes."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "dashboard.worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._process.stdin
        assert self._process.stdout
        self._in, self._out = self._process.stdin, self._process.stdout.fileno()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._out, selectors.EVENT_READ)
        try:
            kind, _ = self._answer(time.monotonic() + START_S)
        except BaseException:
            self.close()
            raise
        assert kind == READY

    def ask(self, sql: str, limit_s: float) -> tuple[int, bytes]:
        """Kind and body of the answer. Raises TimeoutError or WorkerGone; then the worker is of no use any more."""
        try:
            self._in.write(json.dumps(sql).encode() + b"\n")
            self._in.flush()
        except BrokenPipeError:
            raise WorkerGone from None
        return self._answer(time.monotonic() + limit_s)

    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def close(self) -> None:
        """Kill it."""
        self._process.kill()
        self._process.wait()
        self._selector.close()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue

    def _answer(self, deadline: float) -> tuple[int, bytes]:
        kind, size = HEADER.unpack(self._read(HEADER.size, deadline))
        if size > MAX_ANSWER:
            raise WorkerGone
        return kind, self._read(size, deadline)

    def _read(self, size: int, deadline: float) -> bytes:
        parts: list[bytes] = []
        while size:
            if not self._selector.select(max(deadline - time.monotonic(), 0)):
                raise TimeoutError
            part = os.read(self._out, min(size, 1 << 20))
            if not part:
                raise WorkerGone
            parts.append(part)
            size -= len(part)
        return b"".join(parts)
