"""Ad hoc SQL in worker processes: answers and errors cross the pipe, and no worker outlives its parent."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from analyzer.lake import NoStore, QueryRefused, QueryTimeout
from analyzer.lake.adhoc import first_rows
from analyzer.lake.attach import Access
from analyzer.lake.query_pool import QueryPool
from analyzer.lake.query_worker import HEADER, READY, Order
from analyzer.lake.reader import Reader
from analyzer.store import Store, open_memory_store
from collector.settings import DashboardSettings, Settings
from tests.analyzer.verdict_samples import failing

ENDLESS = "SELECT levenshtein(repeat('a', 400000), repeat('b', 400000))"


@pytest.fixture(scope="module")
def full_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store with failures; its limits are in a file, because a worker reads the file."""
    file = tmp_path_factory.mktemp("settings") / "why401.toml"
    file.write_text("[dashboard]\nmemory_mib = 256\nquery_timeout_seconds = 20\n")
    limits = DashboardSettings(memory_mib=256, query_timeout_seconds=20)
    store = open_memory_store(replace(Settings(), dashboard=limits, file=str(file)))
    store.append([failing(n) for n in range(9)], [], {})
    yield store
    store.close()


@pytest.fixture
def pool(full_store: Store) -> Iterator[QueryPool]:
    """Workers over it."""
    made = QueryPool(full_store.settings)
    yield made
    made.close()


def test_an_answer_is_that_of_this_process(full_store: Store, pool: QueryPool) -> None:
    """Times, lists and structs are the same from a worker."""
    sql = "SELECT event_time, evidence, audiences, confidence FROM failures ORDER BY event_time LIMIT 5"
    reader = Reader(full_store.settings, Access(memory_mib=256), timeout_s=20)

    assert first_rows(reader, sql).to_pylist() == pool.ask(sql).to_pylist()
    reader.close()


def test_an_error_is_the_same_error(pool: QueryPool, tmp_path: Path) -> None:
    """A refusal keeps its words, a missing store its place; the worker lives on."""
    with pytest.raises(QueryRefused, match="no view"):
        pool.ask("SELECT * FROM nothing")
    assert 1 == len(pool.ask("SELECT 1"))

    nowhere = QueryPool(replace(Settings(), data_dir=str(tmp_path / "nowhere")))
    with pytest.raises(NoStore) as missing:
        nowhere.ask("SELECT 1")
    nowhere.close()
    assert str(tmp_path / "nowhere") in missing.value.place


def test_a_worker_is_used_again(pool: QueryPool) -> None:
    """Starting one takes a second, so it is kept."""
    pool.ask("SELECT 1")
    first = pool.idle()
    pool.ask("SELECT 2")

    assert (1, first) == (len(first), pool.idle())


def test_a_statement_that_ignores_its_interrupt_is_killed(full_store: Store, tmp_path: Path) -> None:
    """QueryTimeout after the limit and a moment, and the next statement has a new process."""
    file = tmp_path / "why401.toml"
    file.write_text("[dashboard]\nmemory_mib = 256\nquery_timeout_seconds = 5\n")
    limits = DashboardSettings(memory_mib=256, query_timeout_seconds=5)
    pool = QueryPool(replace(full_store.settings, dashboard=limits, file=str(file)))
    with pytest.raises(QueryTimeout) as caught:
        pool.ask(ENDLESS)

    assert (5, ()) == (caught.value.timeout_s, pool.idle())
    assert 1 == len(pool.ask("SELECT 1"))
    pool.close()


def test_a_worker_ends_with_its_parent(full_store: Store) -> None:
    """Even in the middle of a statement that ignores interrupts."""
    worker = subprocess.Popen(
        [sys.executable, "-m", "analyzer.lake.query_worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert worker.stdin
    assert worker.stdout
    worker.stdin.write(Order.of(full_store.settings).line() + b"\n")
    worker.stdin.flush()
    assert READY == HEADER.unpack(worker.stdout.read(HEADER.size))[0]
    worker.stdin.write(json.dumps(ENDLESS).encode() + b"\n")
    worker.stdin.close()

    assert 0 == worker.wait(30)
    worker.stdout.close()
