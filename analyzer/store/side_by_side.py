"""Writers of one start wait for each other: a transaction that loses a conflict has to be made again, with all that it cost.

The lock is a file's, so it ends with the process that holds it. It only saves work: what keeps writers apart, on whatever machine, is in the
lake (turn.py, fence.py).
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from collector.settings import Share


@contextmanager
def alone(share: Share) -> Iterator[None]:
    """While no other worker of this start is in here."""
    if share.is_all:
        yield
        return
    with (Path(share.folder) / "writer.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
