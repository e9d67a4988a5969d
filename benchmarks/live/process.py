"""Starting a gateway's process and ending it by its own id."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

START_S: Final = 60.0  # a hang limit; every gateway here answers within a few seconds
STOP_S: Final = 10.0


class GatewayEnded(RuntimeError):
    """The gateway ended or never answered. The message has the end of what it printed."""


@contextmanager
def running(command: Sequence[str], port: int, output: Path, **options: str) -> Iterator[None]:
    """Run `command` with its output appended to `output` until the block ends; entered once `port` accepts. Raises GatewayEnded.

    `options` are environment variables that it gets on top of a bare PATH and HOME.
    """
    environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(output.parent)}
    with output.open("ab") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment | options, cwd=output.parent
        )
    try:
        _await(process, port, output)
        yield
    finally:
        _end(process)


def said(log: Path, words: str) -> None:
    """Wait until `words` stand in a log: the last of what a gateway writes at its start. Raises GatewayEnded."""
    limit = time.monotonic() + START_S
    while not (log.exists() and words in log.read_text("utf-8", "replace")):
        if time.monotonic() > limit:
            raise GatewayEnded(f"{log.name} never said {words}")
        time.sleep(0.05)


def _await(process: subprocess.Popen[bytes], port: int, output: Path) -> None:
    limit = time.monotonic() + START_S
    while not _accepts(port):
        if process.poll() is not None or time.monotonic() > limit:
            said = output.read_text("utf-8", "replace")[-2000:]
            raise GatewayEnded(f"{process.args!r} does not answer on port {port}: {said}")
        time.sleep(0.05)


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
