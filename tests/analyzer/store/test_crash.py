"""kill -9, full disks, unreachable catalogs."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from analyzer.store import open_store
from collector.errors import SinkUnavailable
from collector.records import Position
from collector.settings import Settings, StoreSettings
from collector.telemetry import Telemetry
from tests.analyzer.verdict_samples import failing
from tests.waiting import HANG_S

ROOT = Path(__file__).parents[3]
WRITER = Path(__file__).parents[1] / "lake_writer.py"
COUNTS = """
SELECT (SELECT next FROM positions), (SELECT count(*) FROM store.events),
    (SELECT count(DISTINCT origin_offset) FROM store.events), (SELECT sum(requests) FROM trend)::BIGINT,
    (SELECT sum(value) FROM pipeline WHERE counter = 'stored')::BIGINT
"""


@pytest.mark.parametrize("rows", [30, 500], ids=["inlined", "files"])
def test_kill_9_loses_and_doubles_nothing(settings, rows):
    """A writer killed at arbitrary moments: what it acknowledged is there, every offset once."""
    acknowledged = 0
    for after in (1, 3, 7):
        writer = subprocess.Popen(
            [sys.executable, WRITER, settings.data_dir, "", "0", str(rows), "1000000000"],
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(after):
            acknowledged = int(writer.stdout.readline())
        writer.send_signal(signal.SIGKILL)
        acknowledged = max([acknowledged, *(int(line) for line in writer.stdout.read().split())])
        writer.wait()
        writer.stdout.close()

    ((offset, *counts),) = counted(settings)
    assert offset >= acknowledged
    assert [offset] * 4 == counts
    maintained(settings)
    assert [(offset,) * 5] == counted(settings)


def counted(settings: Settings) -> list[tuple[int, ...]]:
    store = open_store(settings, Telemetry())
    rows = store.rows(COUNTS)
    store.close()
    return rows


MAINTAIN = """
import sys
from analyzer.store import open_store
from collector.settings import Settings
from collector.telemetry import Telemetry
store = open_store(Settings(data_dir=sys.argv[1]), Telemetry())
store.maintain()
store.close()
"""


def maintained(settings: Settings) -> None:
    """Upkeep in a process of its own: DuckLake 1.5.5 was seen to abort in the flush after a kill, once in hundreds.

    An abort is one more kill, and the next process goes on; it must not take the suite's process with it.
    """
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", MAINTAIN, settings.data_dir], cwd=ROOT, check=False, timeout=HANG_S
        )
        if done.returncode != -signal.SIGABRT:
            break
    assert 0 == done.returncode


def test_a_disk_that_refuses_is_unavailable_and_recovers(settings):
    """Nothing is acknowledged while data cannot be written; afterwards the same batch goes in."""
    telemetry = Telemetry()
    store = open_store(settings, telemetry)
    store.append([failing()], [Position("t", 0, 0, 1)], {})
    many = [failing(n) for n in range(500)]
    with (
        unwritable(settings.data_path / "data"),
        pytest.raises(SinkUnavailable, match="a part of its path is no folder"),
    ):
        store.append(many, [Position("t", 0, 1, 501)], {})
    store.append(many, [Position("t", 0, 1, 501)], {})

    assert [(501,)] == store.rows("SELECT count(*) FROM failures")
    assert 1 == telemetry.value("why401.errors", kind="unavailable")
    store.close()


@contextlib.contextmanager
def unwritable(folder: Path):
    """The folder replaced by a file: root ignores permissions, but not this."""
    aside = folder.with_name("aside")
    folder.rename(aside) if folder.exists() else aside.mkdir()
    folder.write_text("not a folder")
    yield
    folder.unlink()
    aside.rename(folder)


def test_an_unreachable_catalog_is_unavailable_and_its_password_is_not_told(settings):
    """The message says what failed and holds no secret."""
    store = StoreSettings(catalog="postgres:host=127.0.0.1 port=1 dbname=x user=y password=hunter2 connect_timeout=2")
    with pytest.raises(SinkUnavailable) as caught:
        open_store(replace(settings, store=store), Telemetry())

    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None
