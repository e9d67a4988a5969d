"""A backup is one moment of a lake that is being written, comes back row for row in any kind of lake, and says when it is cut."""

from __future__ import annotations

import shutil
import tarfile
import threading
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from analyzer.lake import connect_reader, manifest, run_query
from analyzer.lake.attach import Access
from analyzer.lake.errors import BrokenBackup, LakeError, NotCopied, NotRestored, UnfinishedRestore
from analyzer.lake.reader import Reader
from analyzer.lake.snapshot import current, is_kept
from analyzer.store import Store, open_store, pinned
from analyzer.store import restore as restoring
from analyzer.store.backup import backup
from analyzer.store.restore import check, restore
from collector.records import Position
from collector.settings import Settings, StoreSettings
from collector.telemetry import Telemetry
from tests.analyzer.verdict_samples import TOKEN, failing
from why401.cli import main

ROWS = 120  # more than are inlined: a file each
CONTENT = """
SELECT name, rows, next FROM (
    SELECT 'events' AS name, count(DISTINCT request_id) AS rows FROM store.events
    UNION ALL SELECT 'requests', sum(requests)::BIGINT FROM store.rollups
), (SELECT max(next) AS next FROM positions)
"""


def append(store: Store, first: int, count: int = ROWS) -> None:
    verdicts = [failing(token=replace(TOKEN, key_epoch=2), request_id=str(first + n)) for n in range(count)]
    store.append(verdicts, [Position("t", 0, first, first + count)], {})


def content(settings: Settings) -> dict[str, tuple[int, int]]:
    """What is stored, and up to which position."""
    with closing(connect_reader(settings, memory_mib=256)) as con:
        return {name: (rows, following) for name, rows, following in run_query(con, CONTENT).rows}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Path]:
    """A lake of three commits, and its backup."""
    folder = tmp_path_factory.mktemp("backup")
    settings = Settings(data_dir=str(folder / "data"))
    store = open_store(settings, Telemetry())
    for first in range(0, 3 * ROWS, ROWS):
        append(store, first)
    store.close()
    backup(settings, str(folder / "copy"), print)
    return settings, folder / "copy"


@pytest.fixture
def copy(made: tuple[Settings, Path], tmp_path: Path) -> Path:
    """A backup that a test may break; it was also carried elsewhere, into a folder with characters of patterns."""
    return Path(shutil.copytree(made[1], tmp_path / "week [1]*"))


def test_one_moment_is_copied_while_a_writer_writes(store: Store, tmp_path: Path) -> None:
    """Rows, sums and position agree exactly, and after the restore each record is stored once."""
    settings = store.settings
    append(store, 0)
    stop = threading.Event()
    ends: list[int] = [ROWS]

    def write() -> None:
        while not stop.is_set():
            append(store, ends[-1])
            ends.append(ends[-1] + ROWS)
            stop.wait(0.1)

    writer = threading.Thread(target=write)
    writer.start()
    backup(settings, str(tmp_path / "copy"), print)
    stop.set()
    writer.join()
    elsewhere = replace(settings, data_dir=str(tmp_path / "restored"))
    restore(elsewhere, str(tmp_path / "copy"))
    found = content(elsewhere)
    position = found["events"][1]
    with closing(open_store(elsewhere, Telemetry())) as restored:
        append(restored, position, ends[-1] - position)

    assert position in ends
    assert {"events": (position, position), "requests": (position, position)} == found
    assert content(settings) == content(elsewhere)


def test_upkeep_waits_for_a_backup(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read meanwhile does not expire. Without the pin DuckLake gives empty tables without a word, and that is no backup."""
    settings = store.settings
    append(store, 0)
    later, ends = datetime.now(UTC) + timedelta(days=2), [2 * ROWS, ROWS]

    def expire(pin: object = None) -> bool:
        append(store, ends.pop())
        store.maintain(later)
        return True

    with pinned.pinned(settings, print) as pin, closing(connect_reader(settings, memory_mib=256)) as con:
        con.execute("BEGIN")
        moment = current(con)
        read = "SELECT count(*) FROM store.events"
        expire()
        pinned_read, was_held, was_kept = con.execute(read).fetchall(), pin.is_held(), is_kept(con, moment)
    for name in ("take", "end"):
        monkeypatch.setattr(pinned.Pin, name, lambda *_: None)
    monkeypatch.setattr(pinned.Pin, "is_held", expire)
    with pytest.raises(NotCopied, match="try again"):
        backup(settings, str(tmp_path / "copy"), print)
    with pytest.raises(BrokenBackup, match="written last"):
        check(settings, str(tmp_path / "copy"))

    assert ([(ROWS,)], True, True) == (pinned_read, was_held, was_kept)


def test_everything_comes_back(made: tuple[Settings, Path], copy: Path, tmp_path: Path) -> None:
    """Also by the commands: what is there, when it was, and that the keys are elsewhere."""
    settings, _ = made
    arguments = [str(copy), "--data-dir", str(tmp_path / "new")]
    checked, restored, again = (
        CliRunner().invoke(main, ["restore", *arguments, *more]) for more in (["--check"], [], [])
    )

    assert (0, 0, 2) == (checked.exit_code, restored.exit_code, again.exit_code), restored.output
    assert f"was restored: {3 * ROWS} events" in restored.output
    assert "users of epoch 2 cannot be looked up" in restored.output
    assert "there is a lake" in again.output
    assert content(settings) == content(replace(settings, data_dir=str(tmp_path / "new")))


def cut(copy: Path) -> str:
    file = copy / "events" / "part-0.parquet"
    file.write_bytes(file.read_bytes()[:-100])
    return "part-0.parquet has .* bytes instead of"


def change(copy: Path) -> str:
    file = copy / "rollups" / "part-0.parquet"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    return "part-0.parquet is not what was written"


def lose_a_file(copy: Path) -> str:
    (copy / "offsets" / "part-0.parquet").unlink()
    return "offsets/part-0.parquet is missing"


def lose_the_end(copy: Path) -> str:
    (copy / manifest.NAME).unlink()
    return "written last; it was cut"


def cut_the_end(copy: Path) -> str:
    file = copy / manifest.NAME
    file.write_bytes(file.read_bytes()[:-50])
    return "backup.json is cut"


def with_manifest(copy: Path, old: str, new: str) -> None:
    file = copy / manifest.NAME
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


def leave_the_folder(copy: Path) -> str:
    with_manifest(copy, "events/part-0.parquet", "events/../../part-0.parquet")
    return "backup.json is cut or was changed"


def name_another_table(copy: Path) -> str:
    with_manifest(copy, '"offsets":', '"turns; DROP":')
    return "backup.json is cut or was changed"


def come_from_later(copy: Path) -> str:
    with_manifest(copy, '"format":1', '"format":9')
    return "has format 9"


def be_migrated_later(copy: Path) -> str:
    with_manifest(copy, '"0001_tables.sql",', '"0001_tables.sql","9999_future.sql",')
    return "9999_future.sql; upgrade"


def be_no_backup(copy: Path) -> str:
    shutil.rmtree(copy)
    return "there is no backup.json"


HARMS = (
    cut, change, lose_a_file, lose_the_end, cut_the_end, leave_the_folder, name_another_table, come_from_later, be_migrated_later,
    be_no_backup,
)  # fmt: skip


@pytest.mark.parametrize("harm", HARMS)
def test_a_backup_that_is_cut_is_a_sentence(copy: Path, tmp_path: Path, harm) -> None:
    """Nothing is restored from it, and nobody finds half a lake."""
    words = harm(copy)
    settings = Settings(data_dir=str(tmp_path / "new"))
    with pytest.raises(LakeError, match=words):
        restore(settings, str(copy))
    with pytest.raises(LakeError):
        content(settings)


def test_a_restore_that_was_cut_is_no_lake_and_goes_on(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No writer begins a new one in its place, and the same command ends it."""
    settings = Settings(data_dir=str(tmp_path / "new"))
    monkeypatch.setattr(restoring, "end_restore", lambda con, names: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        restore(settings, str(copy))
    with pytest.raises(UnfinishedRestore):
        open_store(settings, Telemetry())
    reader = Reader(settings, Access(memory_mib=256), timeout_s=30)
    with pytest.raises(UnfinishedRestore):
        reader.table("SELECT 1 FROM failures")
    told = CliRunner().invoke(main, ["sql", "SELECT 1 FROM failures", "--data-dir", settings.data_dir])
    assert (1, True) == (told.exit_code, "is being restored" in told.output)
    monkeypatch.undo()
    restore(settings, str(copy))

    assert (3 * ROWS, 3 * ROWS) == content(settings)["events"]


def test_nothing_is_overwritten(made: tuple[Settings, Path], copy: Path, tmp_path: Path) -> None:
    """Neither a lake by a restore nor a folder by a backup, nor files whose catalog is gone."""
    settings, _ = made
    with pytest.raises(NotCopied, match="not empty"):
        backup(settings, str(copy), print)
    with pytest.raises(NotRestored, match="there is a lake"):
        restore(settings, str(copy))
    lost = Path(shutil.copytree(settings.data_path, tmp_path / "lost"))
    (lost / "catalog.sqlite").unlink()
    with pytest.raises(LakeError, match="there is no catalog"):
        restore(Settings(data_dir=str(lost)), str(copy))


def test_a_backup_lies_outside_of_the_data(copy: Path, made: tuple[Settings, Path], tmp_path: Path) -> None:
    """Within it upkeep of another release deletes what the lake does not know, and whoever loses one loses both."""
    settings, _ = made
    (tmp_path / "link").symlink_to(settings.data_path)
    for place in (settings.data_path / "data" / "backup", tmp_path / "link" / "data" / "backup"):
        with pytest.raises(NotCopied, match="the lake's own data"):
            backup(settings, str(place), print)
        assert not place.exists()
    bucket = replace(settings, store=replace(settings.store, data_path="s3://bucket/why401"))
    with pytest.raises(NotCopied, match="the lake's own data"):
        backup(bucket, "s3://bucket/why401/2026-11-30", print)
    around = Settings(data_dir=str(tmp_path / "new"), store=StoreSettings(data_path=str(copy.parent)))
    with pytest.raises(NotRestored, match="the backup is within"):
        restore(around, str(copy))


def test_a_place_that_is_no_folder_is_a_sentence(copy: Path, made: tuple[Settings, Path], tmp_path: Path) -> None:
    """What the machine refuses is said with the file's name, without a trace."""
    (tmp_path / "file").touch()
    place, lake = str(tmp_path / "file" / "below"), str(made[0].data_path)
    for words in (
        ["restore", str(copy), "--data-dir", place],
        ["backup", place, "--data-dir", lake],
        ["up", "--no-follow", "--file", "-", "--data-dir", place],
    ):
        told = CliRunner().invoke(main, words, input="")

        assert (2, True, True) == (told.exit_code, "Not a directory" in told.output, place in told.output), told.output


def test_a_lake_of_an_earlier_release_is_copied_before_it_is_migrated(tmp_path: Path) -> None:
    """And comes back as this release would have made it."""
    (archive,) = (Path(__file__).parents[2] / "fixtures" / "lakes").glob("*.tar.xz")
    with tarfile.open(archive) as opened:
        opened.extractall(tmp_path, filter="data")
    (folder,) = tmp_path.iterdir()
    backup(Settings(data_dir=str(folder)), str(tmp_path / "copy"), print)
    settings = Settings(data_dir=str(tmp_path / "new"))
    restore(settings, str(tmp_path / "copy"))

    with closing(connect_reader(settings, memory_mib=256)) as con:
        assert [(53, 82)] == run_query(con, "SELECT count(*), sum(failures)::BIGINT FROM groups").rows
