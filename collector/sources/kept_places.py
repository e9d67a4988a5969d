"""How far files were read before this process began, as the lake has it: committed with the rows, as Kafka's offsets are.

Content is compared by keyed digests: the lake holds nothing raw, and without the key of this machine nobody can try what
the digests are of. A file is looked up by its first KiB, then by its last KiB that was read, under any name and in any .gz.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator

from collector.records import FilePlace
from collector.sources.seen_files import may_be
from collector.sources.tails import MARK_BYTES, Mark, Tail

DIGEST_BYTES = 16


class KeptPlaces:
    """The places of earlier processes, and what places of this one look like."""

    def __init__(self, key: bytes = b"", places: Iterable[FilePlace] = ()) -> None:
        self._key = key
        self._by_head: defaultdict[int, defaultdict[str, list[FilePlace]]] = defaultdict(lambda: defaultdict(list))
        for place in places:
            self._by_head[min(place.checked, MARK_BYTES)][place.head].append(place)

    @property
    def are_kept(self) -> bool:
        """Whether somebody keeps them."""
        return bool(self._key)

    def place(self, tail: Tail, position: int) -> FilePlace:
        """Of a file of which all records before `position` are handed over."""
        mark = tail.mark
        device, inode = mark.identity
        return FilePlace(
            path=tail.path,
            device=device,
            inode=inode,
            position=position,
            checked=mark.position,
            head=self._fingerprint(mark.head),
            last=self._fingerprint(mark.last),
        )

    def resume(self, path: str, tail: Tail) -> Mark | None:
        """Move the tail to the first byte whose record is not stored yet; as which file it is known."""
        for place in self._like(path, tail):
            ends = tail.content(place.checked)
            if ends is None or self._fingerprint(ends[1]) != place.last:
                continue
            at = tail.content(place.position)
            if at is None:
                continue
            identity = (place.device, place.inode)
            mark = Mark(path=place.path, identity=identity, position=place.position, head=at[0], last=at[1])
            if tail.skip_to(mark):
                return mark
            tail.rewind()
        return None

    def _like(self, path: str, tail: Tail) -> Iterator[FilePlace]:
        """Those with the beginning of this file, those of which most was read first: whichever fits is true of this content."""
        found = [place for size, places in self._by_head.items() for place in self._with_head(tail, size, places)]
        found = [place for place in found if may_be(_mark(place), path, tail)]
        yield from sorted(found, key=lambda place: (-place.position, -place.checked))

    def _with_head(self, tail: Tail, size: int, places: dict[str, list[FilePlace]]) -> list[FilePlace]:
        ends = tail.content(size)
        return [] if ends is None else places.get(self._fingerprint(ends[0]), [])

    def _fingerprint(self, content: bytes) -> str:
        return hashlib.blake2b(content, digest_size=DIGEST_BYTES, key=self._key).hexdigest()


def _mark(place: FilePlace) -> Mark:
    return Mark(
        path=place.path, identity=(place.device, place.inode), position=place.checked, head=b"", last=b""
    )  # fmt: skip
