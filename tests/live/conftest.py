"""Live gateways of a run are driven side by side: each mostly waits for its own log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final

import pytest

from benchmarks.live.contract import LiveGateway
from benchmarks.live.score import Score, score

AT_ONCE: Final = 3  # a JVM, two Go programs and their broken tokens fill two cores
Drives = Mapping[str, Future[Score]]


@pytest.fixture(scope="session")
def drives(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drives]:
    """By name, of every gateway that a collected test marks with `live(GATEWAY)` and that this machine can run."""
    marks = [mark for item in request.session.items for mark in item.iter_markers("live") if mark.args]
    gateways: list[LiveGateway] = [mark.args[0] for mark in marks]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {one.name: pool.submit(score, one, _folder(tmp_path_factory)) for one in gateways if not one.missing()}


def _folder(factory: pytest.TempPathFactory) -> Path:
    folder: Path = factory.mktemp("live")
    return folder
