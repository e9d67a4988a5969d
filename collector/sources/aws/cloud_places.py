"""What was read of S3 or of CloudWatch Logs: a file of JSON lines in the data directory, one per source.

A line is written after the records are durable, so a crash between the two reads them again: at least once. Bounded: beyond MAX_OBJECTS,
the older half of the objects is forgotten, and a time takes its place before which nothing is read any more. Objects are digests.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, NamedTuple, Self

import orjson

MAX_OBJECTS: Final = 200_000
MAX_EVENTS: Final = 200_000  # of one log group, within the time in which late ones are waited for
SPARE_LINES: Final = 10_000  # that say nothing any more, before the file is written anew
DIGEST_BYTES: Final = 12
Line = Mapping[str, Any]


class StoredObject(NamedTuple):
    """One version of an object."""

    bucket: str
    key: str
    etag: str
    modified: float = 0.0  # Unix seconds
    size: int = 0  # bytes; 0: not known

    @property
    def digest(self) -> str:
        """By what it is known."""
        says = f"{self.bucket}\0{self.key}\0{self.etag}".encode("utf-8", "surrogatepass")
        return hashlib.blake2b(says, digest_size=DIGEST_BYTES).hexdigest()


class CloudPlaces:
    """One file, of one source's thread. Raises OSError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._objects: dict[str, float] = {}  # digest → when it was written (Unix seconds)
        self._begun: dict[str, float] = {}  # prefix or log group → before which time nothing of it is read
        self._events: dict[str, dict[str, float]] = {}  # log group → id → its time
        self._lines = sum(1 for line in _lines(path) if self._apply(line))
        self._file = _opened(path, os.O_APPEND)
        self._file.write(b"\n" if path.stat().st_size else b"")  # ends a line that a crash has torn

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close the file."""
        self._file.close()

    def begins(self, source: str, at: float) -> float:
        """Before which time nothing of the source is read (Unix seconds): `at` when it was never read."""
        if source not in self._begun:
            self.advance(source, at)
        return self._begun[source]

    def advance(self, source: str, at: float) -> None:
        """Everything of the source before that time was read."""
        self._note([{"begun": source, "at": at}])

    def is_read(self, which: StoredObject) -> bool:
        """Whether this version of the object was read."""
        return which.digest in self._objects

    def read(self, which: StoredObject) -> None:
        """Remember it."""
        self._note([{"object": which.digest, "at": which.modified or time.time()}])

    def forget_old_objects(self, sources: Sequence[str], most: int = MAX_OBJECTS) -> int:
        """When nothing of the sources is left unread: beyond `most`, those older than the middle one. How many."""
        if len(self._objects) <= most:
            return 0
        middle = sorted(self._objects.values())[len(self._objects) // 2]
        before = len(self._objects)
        advanced = [{"begun": source, "at": max(middle, self._begun.get(source, middle))} for source in sources]
        self._note([{"objects": "", "before": middle}, *advanced])
        return before - len(self._objects)

    def events(self, group: str) -> dict[str, float]:
        """Events of a log group that may be seen again: id → time (Unix seconds)."""
        return dict(self._events.get(group, {}))

    def read_events(self, group: str, events: Iterable[tuple[str, float]]) -> None:
        """Remember them."""
        self._note([{"event": event, "of": group, "at": at} for event, at in events])

    def forget_events(self, group: str, before: float) -> None:
        """Those that cannot be seen again."""
        self._note([{"events": group, "before": before}])

    def _apply(self, line: Line) -> bool:
        """What a line says, or nothing when it cannot be read."""
        match line:
            case {"object": str(digest), "at": float() | int() as at}:
                self._objects[digest] = at
            case {"begun": str(source), "at": float() | int() as at}:
                self._begun[source] = at
            case {"event": str(event), "of": str(group), "at": float() | int() as at}:
                self._events.setdefault(group, {})[event] = at
            case {"objects": _, "before": float() | int() as before}:
                self._objects = _since(self._objects, before)
            case {"events": str(group), "before": float() | int() as before}:
                self._events[group] = _since(self._events.get(group, {}), before)
            case _:
                return False
        return True

    def _note(self, lines: Sequence[Line]) -> None:
        self._file.write(b"".join(orjson.dumps(line) + b"\n" for line in lines))
        self._file.flush()
        self._lines += sum(1 for line in lines if self._apply(line))
        if self._lines > 2 * self._alive + SPARE_LINES:
            self._write_anew()

    @property
    def _alive(self) -> int:
        return len(self._begun) + len(self._objects) + sum(map(len, self._events.values()))

    def _living(self) -> Iterator[Line]:
        yield from ({"begun": source, "at": at} for source, at in self._begun.items())
        yield from ({"object": digest, "at": at} for digest, at in self._objects.items())
        for group, events in self._events.items():
            yield from ({"event": event, "of": group, "at": at} for event, at in events.items())

    def _write_anew(self) -> None:
        """Whole or not at all."""
        new = self._path.with_suffix(".new")
        with _opened(new, os.O_TRUNC) as file:
            file.writelines(orjson.dumps(line) + b"\n" for line in self._living())
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)
        self._file.close()
        self._file = _opened(self._path, os.O_APPEND)
        self._lines = self._alive


def _opened(path: Path, how: int) -> BinaryIO:
    """For writing; nobody else reads it."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | how, 0o600), "wb")


def _since(times: Mapping[str, float], before: float) -> dict[str, float]:
    return {name: at for name, at in times.items() if at >= before}


def _lines(path: Path) -> Iterator[Line]:
    """Those that can be read."""
    if not path.exists():
        return
    with path.open("rb") as file:
        for line in file:
            try:
                said = orjson.loads(line)
            except ValueError:
                continue
            if isinstance(said, dict):
                yield said
