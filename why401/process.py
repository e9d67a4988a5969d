"""What a why401 process does to itself: redacted logs, no core dumps, private files, enough file descriptors, steady memory."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import sys
from typing import Final

from collector.settings import Settings

WANTED_FILES: Final = 16_384  # twice the connections of both receivers
PR_SET_DUMPABLE: Final = 4  # linux/prctl.h


def start_process(chosen: Settings) -> None:
    """What every long-running command does first: redacted logs to stderr, no core dumps, private and many files."""
    from collector import logs

    logs.start(chosen.telemetry.log_level, sys.stderr)
    logging.getLogger("kafka").setLevel(logging.ERROR)  # kafka-python logs every reconnect; ours says it once
    os.umask(0o077)
    no_core_dumps()
    _many_files()


def settle_memory() -> None:
    """What is loaded by now stays: the garbage collector need not walk the knowledge base again and again.

    Worth a tenth of the time of distinct records (docs/performance.md); records make no cycles.
    """
    from analyzer.heap import map_large_blocks

    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 10)
    map_large_blocks()


def no_core_dumps() -> None:
    """A dump would hold raw tokens; so would the memory that another process of the same user attaches to."""
    try:
        import resource
    except ImportError:  # not on this platform
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        import ctypes

        # A core_pattern that is a pipe ignores RLIMIT_CORE; PR_SET_DUMPABLE it heeds.
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def _many_files() -> None:
    """Connections are files: systems allow 1,024 of them unless a process asks for more."""
    try:
        import resource
    except ImportError:  # not on this platform
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED_FILES if hard == resource.RLIM_INFINITY else min(WANTED_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
