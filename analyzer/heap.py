"""The C library's heap: what is free goes back to the system. Does nothing where the C library is not glibc."""

from __future__ import annotations

import ctypes
import sys
from typing import Final

M_MMAP_THRESHOLD: Final = -3  # malloc.h
MMAP_BYTES: Final = 256 << 10


def _call(name: str, *arguments: int) -> None:
    if sys.platform == "linux" and (function := getattr(ctypes.CDLL(None), name, None)):
        function(*arguments)


def map_large_blocks() -> None:
    """Bodies of requests and what they are decoded from go back to the system when they are freed.

    By default glibc raises the size from which it does so to the largest block it has seen, and keeps the holes.
    """
    _call("mallopt", M_MMAP_THRESHOLD, MMAP_BYTES)


def give_back() -> None:
    """The holes that smaller blocks left. Some milliseconds; under load they grew by 5 MiB a minute for a quarter of an hour."""
    _call("malloc_trim", 0)
