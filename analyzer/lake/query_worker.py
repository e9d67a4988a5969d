"""`python -m analyzer.lake.query_worker`: runs ad hoc SQL, one statement after the other, in a process that may be killed.

A scalar that works for minutes ignores an interrupt, and not all memory counts for DuckDB's limit: here neither stalls the page.
Standard input: lines of JSON, first an `Order`, then statements. Standard output: frames, each a kind, a length and that
many bytes.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import resource
import struct
import sys
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any, BinaryIO, Final

import pyarrow as pa

from analyzer.lake.adhoc import first_rows
from analyzer.lake.attach import Access
from analyzer.lake.errors import (
    DamagedCatalog,
    DamagedFile,
    LakeError,
    LostCatalog,
    NoStore,
    OtherFormat,
    QueryRefused,
    QueryTimeout,
    QueryTooLarge,
    StoreUnavailable,
)
from analyzer.lake.reader import Reader
from collector.settings import Settings, load

HEADER: Final = struct.Struct("!BQ")
READY, ROWS, ERROR = 0, 1, 2
THREADS: Final = 2
_ERRORS: Final = (
    QueryRefused, QueryTimeout, QueryTooLarge, NoStore, LostCatalog, DamagedCatalog, DamagedFile, OtherFormat, StoreUnavailable,
)  # fmt: skip
ERRORS: Final[Mapping[str, type[LakeError]]] = MappingProxyType({error.__name__: error for error in _ERRORS})
OVERHEAD_MIB: Final = 1_024  # interpreter, engine, a result in Arrow, beside DuckDB's own memory limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the first line asks for: the settings of the parent, by their file; the environment is inherited."""

    config_file: str | None
    data_dir: str

    @classmethod
    def of(cls, settings: Settings) -> Order:
        """The order for these settings."""
        return cls(config_file=settings.file or None, data_dir=str(settings.data_path.absolute()))

    def line(self) -> bytes:
        """As it goes over the pipe."""
        return json.dumps(asdict(self)).encode()


def main() -> None:
    """Answer until the input ends; then leave at once, whatever runs."""
    order = Order(**json.loads(sys.stdin.buffer.readline()))
    settings = load(order.config_file, flags={"data_dir": order.data_dir})
    _limit(settings.dashboard.memory_mib)
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # a stray print must not look like a frame
    asked: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_listen, args=(asked,), daemon=True).start()
    access = Access(memory_mib=settings.dashboard.memory_mib, threads=THREADS)
    reader = Reader(settings, access, timeout_s=settings.dashboard.query_timeout_seconds)
    with contextlib.suppress(LakeError):  # raised again for the first statement
        first_rows(reader, "SELECT 1")  # what is read once is read before READY: a statement's time is its own
    _send(out, READY, b"")
    while True:
        _send(out, *_answer(reader, asked.get()))


# Not the waiting of why401/sql_server/server.py: that process wakes by itself to tick, this one runs a statement on the
# main thread and must notice the end of its input meanwhile.
def _listen(asked: queue.Queue[str]) -> None:
    for line in sys.stdin.buffer:
        asked.put(json.loads(line))
    os._exit(0)  # the parent is gone; a running statement would delay an orderly end


def _answer(reader: Reader, sql: str) -> tuple[int, bytes]:
    try:
        table = first_rows(reader, sql)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        return ROWS, sink.getvalue().to_pybytes()
    except LakeError as error:
        return _failed(error)
    except (pa.ArrowException, MemoryError) as error:
        return _failed(QueryRefused(f"{type(error).__name__}: the result is too large."))


def _failed(error: LakeError) -> tuple[int, bytes]:
    """What the constructor took, so that the parent raises the same error."""
    arguments: list[Any] = list(vars(error).values())
    return ERROR, json.dumps([type(error).__name__, arguments]).encode()


def _send(out: BinaryIO, kind: int, body: bytes) -> None:
    out.write(HEADER.pack(kind, len(body)) + body)
    out.flush()


def _limit(memory_mib: int) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    most = (memory_mib + OVERHEAD_MIB) << 20
    if hard == resource.RLIM_INFINITY or hard > most:
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


if __name__ == "__main__":
    main()
