"""A catalog that is cut, lost or of another format; data files that are missing, cut or overwritten: found, said, detached."""

from __future__ import annotations

import shutil
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from analyzer.lake import NoStore, connect_reader, damage, run_query, trouble
from analyzer.lake.attach import Access, connect, load_extension
from analyzer.lake.errors import DamagedCatalog, DamagedFile, LostCatalog, OtherFormat
from analyzer.lake.reader import Reader
from analyzer.store import Store, open_store, repair
from collector.errors import SinkUnavailable
from collector.records import Position
from collector.settings import Settings, StoreSettings
from collector.telemetry import Telemetry
from tests.analyzer.verdict_samples import failing
from why401.cli import main

ROWS = 150  # more than are inlined: each commit makes a file
FILES = 4
ALL = FILES * ROWS
COUNT = "SELECT count(DISTINCT route || request_id) FROM failures"
MADE = datetime(2026, 11, 29, tzinfo=UTC)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake of FILES data files of events, made once."""
    folder = tmp_path_factory.mktemp("whole") / "data"
    store = open_store(Settings(data_dir=str(folder)), Telemetry())
    for first in range(0, ALL, ROWS):
        store.append([failing(n % 60) for n in range(first, first + ROWS)], [Position("t", 0, first, first + ROWS)], {})
    store.close()
    return folder


@pytest.fixture
def settings(whole: Path, tmp_path: Path) -> Settings:
    """Settings of a copy of it."""
    shutil.copytree(whole, tmp_path / "data")
    return Settings(data_dir=str(tmp_path / "data"))


def events(settings: Settings) -> list[Path]:
    return sorted(settings.data_path.glob("data/store/events/*.parquet"))


def ask(settings: Settings, sql: str) -> list[tuple[object, ...]]:
    with closing(connect_reader(settings, memory_mib=256)) as con:
        return run_query(con, sql).rows


def live(settings: Settings, table: str) -> list[str]:
    with closing(connect_reader(settings, memory_mib=256)) as con:
        sql = f"SELECT data_file FROM ducklake_list_files('lake', '{table}', schema => 'store')"
        return [row[0] for row in con.execute(sql).fetchall()]


def command(settings: Settings, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, [*arguments, "--data-dir", str(settings.data_path)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def cut_catalog(settings: Settings) -> None:
    catalog = settings.data_path / "catalog.sqlite"
    with catalog.open("r+b") as file:
        file.truncate(catalog.stat().st_size // 2 // 4096 * 4096)


def overwrite_catalog(settings: Settings) -> None:
    (settings.data_path / "catalog.sqlite").write_bytes(b"no database " * 1000)


def empty_catalog(settings: Settings) -> None:
    (settings.data_path / "catalog.sqlite").write_bytes(b"")


def lose_catalog(settings: Settings) -> None:
    (settings.data_path / "catalog.sqlite").unlink()


def change_format(settings: Settings) -> None:
    with closing(connect(settings, Access(memory_mib=256, write=True, locked=False))) as con:
        con.execute(f"UPDATE {damage.META}.ducklake_metadata SET value = '7.1' WHERE key = 'version'")


def cut(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.truncate(file.stat().st_size // 2)


def overwrite(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.seek(file.stat().st_size // 3)
        opened.write(b"\xff" * 4000)


@pytest.mark.parametrize(
    ("harm", "kind"),
    [
        (cut_catalog, DamagedCatalog),
        (overwrite_catalog, DamagedCatalog),
        (empty_catalog, LostCatalog),
        (lose_catalog, LostCatalog),
        (change_format, OtherFormat),
    ],
)
def test_a_catalog_that_cannot_be_used_is_told_in_a_sentence(settings, harm, kind) -> None:
    """Reader, page, commands and writer say the same, and nobody makes a new lake beside the old files."""
    harm(settings)
    with pytest.raises(kind) as told:
        ask(settings, COUNT)
    reader = Reader(settings, Access(memory_mib=256), timeout_s=30)
    with pytest.raises(kind):
        reader.table("SELECT 1")
    with pytest.raises((SinkUnavailable, kind)) as refused:
        open_store(settings, Telemetry())

    words = str(told.value)
    assert words in str(refused.value)
    for name in (["sql", "SELECT 1"], ["doctor", "--lake"]):
        code, output = command(settings, *name)
        assert (code != 0, True) == (True, words in output), name
    assert FILES == len(events(settings))


def test_an_empty_folder_is_no_lost_lake(tmp_path: Path) -> None:
    """Before the first start there is no store, and the writer makes one."""
    with pytest.raises(NoStore):
        ask(Settings(data_dir=str(tmp_path)), COUNT)


def test_damaged_files_are_found_and_detached_and_the_rest_stays(settings) -> None:
    """Which rows of which time are hurt is said; afterwards everything else answers and upkeep goes through."""
    missing, half, changed, _ = hurt = events(settings)
    span = "SELECT min(event_time), max(event_time), count(*) FROM read_parquet($path)"
    with closing(connect(settings, damage.access(256))) as con:
        spans = {file: con.execute(span, {"path": str(file)}).fetchall()[0] for file in hurt[:3]}
    missing.unlink()
    cut(half)
    overwrite(changed)
    found = damage.find(settings)
    code, said = command(settings, "doctor", "--lake")
    _, repaired = command(settings, "repair", "--yes")
    store = open_store(settings, Telemetry())
    store.append([failing(1)], [Position("t", 0, ALL, ALL + 1)], {})
    store.maintain(MADE)
    store.close()

    assert spans == {Path(one.path): (one.since, one.until, one.rows) for one in found}
    assert (1, 3) == (code, said.count(f"events: {ROWS} rows from 20"))
    assert "detached 3 files" in repaired
    assert [(ROWS + 1,)] == ask(settings, "SELECT count(*) FROM failures")
    assert [(ALL + 1,)] == ask(settings, "SELECT sum(failures) FROM groups")
    assert () == damage.find(settings)
    assert not store._telemetry.by("why401.errors", "kind")
    assert {half.name, changed.name} == {file.name for file in (settings.data_path / "damaged").iterdir()}


def test_queries_that_need_a_damaged_file_name_it(settings) -> None:
    """The page's reader and `why401 sql` say what to do; a query of other tables is answered."""
    hurt = events(settings)[0]
    cut(hurt)
    reader = Reader(settings, Access(memory_mib=256), timeout_s=30)
    with pytest.raises(DamagedFile, match=hurt.name):
        reader.table("SELECT max(request_id) FROM failures")
    code, output = command(settings, "sql", "SELECT max(request_id) FROM failures")

    assert (1, True) == (code, "`why401 repair` detaches" in " ".join(output.split()))
    assert [(ALL,)] == ask(settings, "SELECT sum(failures) FROM groups")


def test_upkeep_says_once_that_a_file_is_damaged(settings, caplog) -> None:
    """A step that fails in every round is no secret: the log has the sentence, the counter every round."""
    for file in events(settings):
        cut(file)
    telemetry = Telemetry()
    store = open_store(settings, telemetry)
    for _ in range(2):
        store.maintain(MADE)
    store.append([failing(1)], [Position("t", 0, ALL, ALL + 1)], {})
    store.close()

    told = [record.message for record in caplog.records if "missing or damaged" in record.message]
    assert 2 <= sum(n for kind, n in telemetry.by("why401.errors", "kind").items() if kind.startswith("maintain_"))
    assert 1 <= len(told) == len(set(told))


def test_positions_are_never_detached(settings) -> None:
    """Without them records would be stored twice: the command says to restore, and ends with 1."""
    store = open_store(settings, Telemetry())
    store.maintain(MADE)  # what was inlined is in files now
    store.close()
    for name in live(settings, "offsets"):
        cut(file := Path(name))
    code, output = command(settings, "repair", "--yes")

    assert (1, True) == (code, "holds the positions of Kafka partitions" in output)
    assert file.exists()


def test_files_are_detached_beside_a_writer(settings) -> None:
    """A running service needs no stop: it goes on committing and is told of no loss of its own."""
    hurt = events(settings)[0]
    store: Store = open_store(settings, Telemetry())
    hurt.unlink()
    store.append([failing(n % 60) for n in range(ROWS)], [Position("t", 0, ALL, ALL + ROWS)], {})
    repair.detach(settings, damage.find(settings))
    store.append([failing(n % 60) for n in range(ROWS)], [Position("t", 0, ALL + ROWS, ALL + 2 * ROWS)], {})
    store.maintain(MADE)
    store.close()

    assert [(5 * ROWS,)] == ask(settings, "SELECT count(*) FROM failures")


def test_a_table_of_a_postgresql_catalog_that_is_gone_is_damage(tmp_path: Path, postgres_catalog: str) -> None:
    """In PostgreSQL's own words."""
    settings = Settings(data_dir=str(tmp_path), store=StoreSettings(catalog=postgres_catalog))
    open_store(settings, Telemetry()).close()
    with closing(duckdb.connect()) as con:
        load_extension(con, "postgres_scanner")
        con.execute(f"ATTACH '{postgres_catalog.removeprefix('postgres:')}' AS pg (TYPE postgres)")
        con.execute("DROP TABLE pg.public.ducklake_snapshot CASCADE")

    with pytest.raises(DamagedCatalog):
        connect_reader(settings, memory_mib=256)


def test_two_processes_that_create_the_lake_are_no_damage() -> None:
    """The slower one finds the tables of the other, and tries again."""
    words = 'Failed to execute query "…": ERROR:  relation "ducklake_metadata" already exists'

    assert trouble.named(duckdb.CatalogException(words), "the PostgreSQL catalog") is None
