"""What several of the store's tests need."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from analyzer.store import open_store
from collector.errors import Fenced
from collector.records import Position
from collector.telemetry import Telemetry
from tests.analyzer.verdict_samples import failing


def racing(settings, writers: int) -> tuple[int, int, list[tuple[int]]]:
    """Writers that all commit the first batch of one partition at once: winners, fenced, rows."""
    stores = [open_store(settings, Telemetry()) for _ in range(writers)]

    def commit(store) -> bool:
        try:
            store.append([failing(), failing()], [Position("t", 0, 0, 2)], {})
        except Fenced:
            return False
        return True

    with ThreadPoolExecutor(writers) as pool:
        won = list(pool.map(commit, stores))
    rows = stores[0].rows("SELECT count(*) FROM failures UNION ALL SELECT count(*) FROM positions ORDER BY ALL")
    for store in stores:
        store.close()
    return won.count(True), won.count(False), rows
