"""`python -m dashboard.worker`: runs ad hoc SQL, one statement after the other, in a process that may be killed.

A scalar that works for minutes heeds no interrupt, and not all memory counts for DuckDB's limit: here neither stalls the page.
Standard input: one JSON string a line. Standard output: frames, each a kind, a length and that many bytes.
"""

from __future__ import annotations

import json
import os
import queue
import resource
import struct
import sys
import threading
from typing import BinaryIO, Final

import pyarrow as pa

from dashboard import client, config
from dashboard.errors import DashboardError, QueryRefused, QueryTimeout, StoreMissing, StoreUnavailable

HEADER: Final = struct.Struct("!BQ")
READY, ROWS, ERROR = 0, 1, 2
ERRORS: Final[dict[str, type[DashboardError]]] = {
    error.__name__: error for error in (QueryRefused, QueryTimeout, StoreMissing, StoreUnavailable)
}
OVERHEAD_MIB: Final = 1_024  # interpreter, engine, a result in Arrow, beside DuckDB's own memory limit


def main() -> None:
    """Answer until the input ends; then leave at once, whatever runs."""
    _limit(config.settings().dashboard.memory_mib)
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # a stray print must not look like a frame
    asked: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_listen, args=(asked,), daemon=True).start()
    _send(out, READY, b"")
    while True:
        _send(out, *_answer(asked.get()))


def _listen(asked: queue.Queue[str]) -> None:
    for line in sys.stdin.buffer:
        asked.put(json.loads(line))
    os._exit(0)  # the page is gone; a running statement would hold an orderly end back


def _answer(sql: str) -> tuple[int, bytes]:
    try:
        table = client.adhoc(sql)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        return ROWS, sink.getvalue().to_pybytes()
    except DashboardError as error:
        return ERROR, json.dumps([type(error).__name__, error.args_again()]).encode()
    except (pa.ArrowException, MemoryError) as error:
        return ERROR, json.dumps(
            [QueryRefused.__name__, [f"{type(error).__name__}: the result is too large."]]
        ).encode()


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
