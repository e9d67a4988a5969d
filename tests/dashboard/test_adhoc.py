"""Ad hoc SQL in worker processes: answers and errors cross the pipe, and no worker outlives its page."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dashboard import adhoc, client, config
from dashboard.errors import QueryRefused, StoreMissing
from dashboard.worker import HEADER, READY
from tests.waiting import HANG_S

ENDLESS = "SELECT levenshtein(repeat('a', 400000), repeat('b', 400000))"


@pytest.fixture(autouse=True)
def _no_leftover() -> Iterator[None]:
    yield
    adhoc.workers().close()


def test_an_answer_is_that_of_the_page(lake: Path, use: Callable[..., None]) -> None:
    """Times, lists and structs come over as they are."""
    use(lake)
    sql = "SELECT event_time, evidence, audiences, confidence FROM failures ORDER BY event_time LIMIT 5"

    assert client.adhoc(sql).to_pandas().astype(str).equals(adhoc.ask(sql).astype(str))


def test_an_error_is_the_same_error(lake: Path, use: Callable[..., None], tmp_path: Path) -> None:
    """A refusal keeps its words, a missing store its place; the worker lives on."""
    use(lake)
    with pytest.raises(QueryRefused, match="no view"):
        adhoc.ask("SELECT * FROM nothing")
    assert 1 == len(adhoc.ask("SELECT 1"))

    adhoc.workers().close()
    use(tmp_path / "nowhere")
    with pytest.raises(StoreMissing) as missing:
        adhoc.ask("SELECT 1")
    assert str(tmp_path / "nowhere") in missing.value.where


def test_a_worker_is_used_again(lake: Path, use: Callable[..., None]) -> None:
    """Starting one takes a second, so it is kept."""
    use(lake)
    adhoc.ask("SELECT 1")
    first = adhoc.workers()._idle[0]._process.pid
    adhoc.ask("SELECT 2")

    assert [first] == [worker._process.pid for worker in adhoc.workers()._idle]


def test_a_worker_ends_with_its_page(lake: Path, use: Callable[..., None]) -> None:
    """Even in the middle of what heeds no interrupt."""
    use(lake)
    environment = {**os.environ, config.CONFIG_ENV: os.environ[config.CONFIG_ENV]}
    worker = subprocess.Popen(
        [sys.executable, "-m", "dashboard.worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    )
    assert worker.stdin
    assert worker.stdout
    assert READY == HEADER.unpack(worker.stdout.read(HEADER.size))[0]
    worker.stdin.write(json.dumps(ENDLESS).encode() + b"\n")
    worker.stdin.close()

    assert 0 == worker.wait(HANG_S)
    worker.stdout.close()
