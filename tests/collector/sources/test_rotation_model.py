"""Files that are written, rotated, copied, compressed and deleted in any order: every line is read once, none is lost."""

from __future__ import annotations

import gzip
import os
import shutil
import tempfile
import threading
import zlib
from collections import Counter
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from collector.settings import FileSettings
from collector.sources import file, tails
from collector.sources.file import FileSource
from collector.sources.kept_places import KeptPlaces
from collector.sources.tails import Tail
from collector.telemetry import Telemetry
from tests.intakes import LedgerIntake

KEPT = 4  # rotated files


class Rotation(RuleBasedStateMachine):
    """A program that logs to a.log, a logrotate of any configuration, and a source that is asked to read now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="rotation-"))
        self.live = self.folder / "a.log"
        self.written = 0
        self.patience = file.LEAVING_SECONDS, tails.PAUSE_SECONDS
        file.LEAVING_SECONDS, tails.PAUSE_SECONDS = 0.0, 0.0  # rounds, not seconds
        self.intake = LedgerIntake()
        self.stop = threading.Event()
        self.source = self.started()

    def started(self) -> FileSource:
        """A source with what the lake has; `run` would ask for it."""
        source = FileSource(FileSettings(paths=(str(self.folder / "a.log*"),)), Telemetry())
        source._kept = KeptPlaces(b"a key of the lake", self.intake.places.values())
        return source

    def rotated(self, number: int) -> Path:
        """The file of this number, compressed or not."""
        packed = self.folder / f"a.log.{number}.gz"
        return packed if packed.exists() else self.folder / f"a.log.{number}"

    def line(self) -> bytes:
        self.written += 1
        return b"line %06d of the program\n" % self.written

    @rule(count=st.integers(1, 3), wide=st.booleans())
    def write(self, count: int, wide: bool) -> None:
        """Some lines, or enough of them for more than the first KiB."""
        with self.live.open("ab") as log:
            log.writelines(self.line() for _ in range(count * 20 if wide else count))

    @rule()
    def read(self) -> None:
        """What the source does in a round."""
        self.source._open_new()
        for tail in self.source._all():
            self.source._read(tail, self.intake, self.stop)

    @rule(create=st.booleans(), late=st.integers(0, 2))
    def rotate_by_name(self, create: bool, late: int) -> None:
        """Renames; the program may go on writing to the renamed file."""
        self.make_room()
        if self.live.exists():
            self.live.rename(self.folder / "a.log.1")
            with (self.folder / "a.log.1").open("ab") as log:
                log.writelines(self.line() for _ in range(late))
        if create:
            self.live.touch()

    @precondition(lambda self: self.live.exists())
    @rule(seen_between=st.booleans())
    def rotate_by_copy(self, seen_between: bool) -> None:
        """Copies, then truncates; the source may look between the two."""
        self.make_room()
        shutil.copyfile(self.live, self.folder / "a.log.1")
        if seen_between:
            self.read()
        os.truncate(self.live, 0)

    @precondition(lambda self: (self.folder / "a.log.1").exists())
    @rule(seen_between=st.booleans())
    def compress(self, seen_between: bool) -> None:
        """Writes the .gz in two pieces, then deletes the file, as gzip does."""
        plain, packed = self.folder / "a.log.1", self.folder / "a.log.1.gz"
        data = gzip.compress(plain.read_bytes())
        with packed.open("wb") as out:
            out.write(data[: len(data) // 2])
            out.flush()
            if seen_between:
                self.read()
            out.write(data[len(data) // 2 :])
        plain.unlink()

    @precondition(lambda self: self.live.exists())
    @rule()
    def rewrite(self) -> None:
        """Once everything was read, other lines of the same size."""
        self.settle()
        content = self.live.read_bytes()
        self.live.write_bytes(b"".join(self.line() for _ in content.splitlines()))

    @rule()
    def kill(self) -> None:
        """The process dies: the next one knows what was committed with the records."""
        for tail in self.source._all():
            tail.close()
        self.source = self.started()

    def make_room(self) -> None:
        """The numbers go up by one, the last one is deleted once it was read."""
        last = self.rotated(KEPT)
        if last.exists():
            self.settle()
            last.unlink()
        for number in range(KEPT - 1, 0, -1):
            name = self.rotated(number)
            if name.exists():
                name.rename(self.folder / name.name.replace(f".{number}", f".{number + 1}", 1))

    def settle(self) -> None:
        """Enough rounds for whatever waits for its turn."""
        for _ in range(3 * KEPT):
            self.read()

    def teardown(self) -> None:
        self.settle()
        self.source._last_lines(self.intake)
        found = Counter(item.text for item in self.intake.items)
        for tail in self.source._all():
            tail.close()
        shutil.rmtree(self.folder)
        file.LEAVING_SECONDS, tails.PAUSE_SECONDS = self.patience
        lines = [f"line {n:06d} of the program" for n in range(1, self.written + 1)]
        assert [] == [line for line in lines if not found[line]], "lost"
        assert set(found) <= set(lines), "torn"
        assert [] == [line for line in lines if found[line] > 1], "doubled"


TestRotation = Rotation.TestCase
TestRotation.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


def test_copied_truncated_and_compressed_between_two_rounds() -> None:
    rotation = Rotation()
    rotation.write(count=1, wide=False)
    rotation.read()
    rotation.write(count=1, wide=False)
    rotation.rotate_by_copy(seen_between=False)
    rotation.compress(seen_between=False)
    rotation.teardown()


def test_killed_after_it_saw_that_a_file_was_rewritten() -> None:
    rotation = Rotation()
    rotation.write(count=1, wide=False)
    rotation.rotate_by_copy(seen_between=True)
    rotation.rotate_by_name(create=False, late=2)
    rotation.read()
    rotation.kill()
    rotation.teardown()


def test_another_file_under_the_name_of_a_gz_that_is_just_being_finished() -> None:
    rotation = Rotation()
    for _ in range(2):
        rotation.write(count=1, wide=False)
        rotation.rotate_by_name(create=False, late=0)
        rotation.compress(seen_between=False)
        rotation.read()
    rotation.teardown()


def test_a_gz_that_is_cut_anywhere_gives_all_that_follows_what_was_read(tmp_path: Path) -> None:
    content = b"".join(b"line %06d of the program\n" % number for number in range(3))
    whole = gzip.compress(content)
    (tmp_path / "a.log").write_bytes(content[:27])
    read = Tail(str(tmp_path / "a.log"))
    read.read()
    packed = tmp_path / "a.log.1.gz"
    for cut in range(len(whole) // 2, len(whole)):
        packed.write_bytes(whole[:cut])
        tail = Tail(str(packed))
        there = zlib.decompressobj(31).decompress(whole[:cut])
        if tail.skip_to(read.mark):
            rest = b"".join(iter(tail.read, b""))
            assert rest == there[27:], cut
            assert not tail.is_rewritten()
        tail.close()
    read.close()
    assert there == content
