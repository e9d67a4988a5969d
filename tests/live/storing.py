"""why401 with one source that is served: what clients send to it is in a lake at last."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from analyzer.lake import connect_reader, run_query
from analyzer.store import open_store
from analyzer.store.sink import StoreSink
from collector.intake import BoundedIntake
from collector.joining.stage import Joining
from collector.settings import Settings, load
from collector.sources import Source
from collector.telemetry import Telemetry
from collector.worker import Worker
from tests.waiting import HANG_S, eventually
from why401.run import collector_of


class Served(Source, Protocol):
    """A source that says when it listens."""

    ready: threading.Event


class Store:
    """What is in the lake of why401 while one source is served."""

    def __init__(self, settings: Settings, source: Served) -> None:
        self._settings = settings
        self.source = source

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with connect_reader(self._settings, memory_mib=256) as con:
            return run_query(con, sql, timeout_s=60).rows

    def codes(self) -> Counter[str]:
        try:
            return Counter(dict(self.rows("SELECT code, count(*) FROM failures GROUP BY code")))
        except Exception:  # the lake is not there yet
            return Counter()

    def awaited(self, *codes: str) -> Counter[str]:
        """What is in the store, when it has them."""
        eventually(lambda: set(codes) <= self.codes().keys(), f"{codes} in the store")
        return self.codes()


@contextmanager
def storing(
    folder: Path, source_of: Callable[[Settings, Telemetry], Served], wanted: Mapping[str, Any]
) -> Iterator[Store]:
    """why401 with one source, with these settings on top of none."""
    off = {"otlp.grpc": "", "otlp.http": "", "telemetry.prometheus": ""}
    (folder / "why401.toml").write_text("")
    settings = load(folder / "why401.toml", {}, {"data_dir": str(folder / "lake")} | off | wanted)
    telemetry, stop, stop_worker = Telemetry(), threading.Event(), threading.Event()
    source = source_of(settings, telemetry)
    with collector_of(settings, telemetry) as collector:
        sink = StoreSink(settings, open_store(settings, telemetry), telemetry)
        intake = BoundedIntake(settings.queue, sink, telemetry)
        work = Worker(intake, Joining(collector, settings.joining, telemetry), sink, telemetry).run
        threads = [
            threading.Thread(target=work, args=(stop_worker,)),
            threading.Thread(target=source.run, args=(intake, stop)),
        ]
        for thread in threads:
            thread.start()
        try:
            assert source.ready.wait(HANG_S)
            yield Store(settings, source)
        finally:
            stop.set()
            threads[1].join(HANG_S)
            intake.close()
            stop_worker.set()
            threads[0].join(HANG_S)
            sink.close()
