"""What does not fit in a reader's memory goes to a private folder within a bound, or is refused in words."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from analyzer.lake import spill
from analyzer.lake.attach import Access, connect
from analyzer.lake.errors import QueryTooLarge
from analyzer.lake.reader import Reader
from tests.analyzer.verdict_samples import failing

LARGE = "SELECT n, md5(n::VARCHAR) AS text FROM range(1_200_000) AS numbers (n) ORDER BY text LIMIT 5 OFFSET 1_100_000"


def test_a_large_sort_spills_and_answers(store):
    """64 MiB of memory sort more than they hold, in a folder that nobody else can open."""
    store.append([failing()], [], {})
    access = Access(memory_mib=64, threads=1, spill_mib=1_024)
    with connect(store.settings, access) as con:
        (folder,) = con.execute("SELECT current_setting('temp_directory')").fetchall()[0]

        assert 5 == len(con.execute(LARGE).fetchall())
        assert 0o700 == stat.S_IMODE(Path(folder).stat().st_mode)


def test_what_is_too_large_is_said(store):
    """Without room on disk, the error names the limit and what to narrow, and the connection lives on."""
    store.append([failing()], [], {})
    reader = Reader(store.settings, Access(memory_mib=64, threads=1), timeout_s=60)
    with pytest.raises(QueryTooLarge, match=r"more than 64 MiB .* shorter time range"):
        reader.table(LARGE)

    assert 1 == reader.table("SELECT 1").num_rows
    reader.close()


HOLDER = "from analyzer.lake import spill; print(spill.folder(), flush=True); input()"


def test_a_killed_process_leaves_its_folder_to_the_next(tmp_path):
    """What it spilled is deleted; the folder of a living process, a link and others' folders stay."""
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    held = [
        subprocess.Popen(
            [sys.executable, "-c", HOLDER], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    killed, living = (Path(each.stdout.readline().strip()) for each in held)
    (killed / "duckdb_temp_storage-0.tmp").write_bytes(b"rows")
    other = tmp_path / "why401-spill-other"
    other.mkdir()
    (tmp_path / "why401-spill-link").symlink_to(other)
    held[0].send_signal(signal.SIGKILL)
    held[0].wait()

    assert [killed] == spill.remove_abandoned(tmp_path)
    assert [False, True, True] == [path.exists() for path in (killed, living, other)]
    held[1].communicate("\n")
    assert not living.exists()
