"""How many datagrams the kernel dropped because a socket's buffer was full: on Linux it says so, elsewhere it does not."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path
from typing import Final

from collector.sources.syslog.post import Post

LOOK_SECONDS: Final = 1.0
_TABLES: Final = (Path("/proc/net/udp"), Path("/proc/net/udp6"))
_INODE: Final = 9  # column; the drops are the last one


async def watched(bound: socket.socket, post: Post) -> None:
    """Count them, until cancelled."""
    known = 0
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        dropped = dropped_by(bound)
        if dropped > known:
            post.drop("kernel", dropped - known)
            known = dropped


def dropped_by(bound: socket.socket) -> int:
    """Since the socket was opened; 0 where nobody says."""
    inode = str(os.fstat(bound.fileno()).st_ino)
    for table in _TABLES:
        try:
            rows = table.read_text().splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            words = row.split()
            if words[_INODE] == inode:
                return int(words[-1])
    return 0
