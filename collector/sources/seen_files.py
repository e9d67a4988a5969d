"""Files that were read already, and are known again under another name: renamed, copied before a truncation, compressed.

A file is the one that was read when it begins with what was read: by device and inode, or by its first and last KiB of it.
Less than a KiB is too little to know a copy by, unless both are named as rotated files of one log (a.log, a.log.1.gz).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from collector.sources.tails import MARK_BYTES, Mark, Tail, is_gzip

_NUMBERING: Final = "0123456789.-_"
MAX_SEEN: Final = 2_000


class SeenFiles:
    """The latest mark of every file that is open no more, the oldest forgotten first."""

    def __init__(self) -> None:
        self._marks: dict[str, Mark] = {}
        self._number = 0

    def add(self, mark: Mark) -> None:
        """Remember how far a file was read; nothing when nothing was."""
        if mark.position:
            self._number += 1
            self._marks[f"{mark.identity}:{self._number}"] = mark
            while len(self._marks) > MAX_SEEN:
                del self._marks[next(iter(self._marks))]

    def resume(self, path: str, tail: Tail) -> Mark | None:
        """Move the tail to the first byte that was not read yet; as which file it is known."""
        for name, mark in self._like(path, tail):
            if tail.skip_to(mark):
                if mark.identity == tail.identity:
                    del self._marks[name]
                return mark
            tail.rewind()
        return None

    def is_being_copied(self, path: str, tail: Tail) -> bool:
        """Whether a rotated file holds only the beginning of what was read under another name: the rest may follow."""
        if path == stem(path):
            return False
        for _, mark in self._like(path, tail):
            found = tail.skip_to(mark)
            tail.rewind()
            if found or tail.is_short:
                return not found
        return False

    def _like(self, path: str, tail: Tail) -> Iterator[tuple[str, Mark]]:
        """Candidates, those with most of it read first."""
        found = [(name, mark) for name, mark in self._marks.items() if may_be(mark, path, tail)]
        yield from sorted(found, key=lambda pair: -pair[1].position)


def may_be(mark: Mark, path: str, tail: Tail) -> bool:
    """Whether the file could hold what `mark` is of; its content decides."""
    if mark.identity == tail.identity and is_gzip(mark.path) == is_gzip(path):
        return True
    if mark.position >= MARK_BYTES:
        return True
    return path not in (mark.path, stem(path)) and stem(path) == stem(mark.path)


def stem(path: str) -> str:
    """What the rotated files of one log have in common: their name without number, date and .gz.

    >>> stem("a.log") == stem("a.log.1") == stem("a.log-20261130.gz")
    True
    """
    return path.removesuffix(".gz").rstrip(_NUMBERING)
