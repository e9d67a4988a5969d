"""Posts a mix over OTLP/gRPC as fast as it is taken: `python -m benchmarks.posting ADDRESS MIX COUNT`, after a line on its standard input.

CONNECTIONS senders, each with a connection of its own and one request of BATCH records on its way, repeated until it is acknowledged.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from typing import Final

import grpc

from benchmarks.senders import EXPORT, HANG_SECONDS, RETRY_SECONDS, request
from benchmarks.traffic import mixed

BATCH: Final = 1_000
CONNECTIONS: Final = 24


def main(address: str, mix: str, count: str) -> None:
    """Make the bodies, say so, wait to be told, send."""
    lines = mixed(mix, int(count))
    bodies = deque(request(lines[at : at + BATCH]) for at in range(0, len(lines), BATCH))
    del lines
    print("ready", flush=True)
    sys.stdin.readline()
    senders = [threading.Thread(target=_send, args=(address, bodies)) for _ in range(CONNECTIONS)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()


def _send(address: str, bodies: deque[bytes]) -> None:
    with grpc.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
        export = channel.unary_unary(EXPORT)
        while bodies:
            try:
                body = bodies.popleft()
            except IndexError:
                return
            while not _is_taken(export, body):
                time.sleep(RETRY_SECONDS)


def _is_taken(export: grpc.UnaryUnaryMultiCallable, body: bytes) -> bool:
    try:
        export(body, timeout=HANG_SECONDS)
    except grpc.RpcError:
        return False
    return True


if __name__ == "__main__":
    main(*sys.argv[1:4])
