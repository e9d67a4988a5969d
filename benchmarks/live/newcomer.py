"""What a newcomer gets who follows a recipe: `why401 init --from`, `why401 up` over the logs, and what is in the store then."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path
from typing import Final

from click.testing import CliRunner

from analyzer.lake import connect_reader, run_query
from analyzer.store import open_store
from analyzer.store.sink import StoreSink
from benchmarks.live.drive import Driven
from benchmarks.live.recipe import Recipe
from collector.intake import BoundedIntake
from collector.joining.stage import Joining
from collector.settings import Settings, load
from collector.sources.file import FileSource
from collector.telemetry import Telemetry
from collector.worker import Worker
from why401.cli import main
from why401.run import collector_of

_CODES: Final = "SELECT code, count(*) FROM failures GROUP BY code"
WAIT_S: Final = 60.0


def found(recipe: Recipe, folder: Path) -> Counter[str]:
    """Code -> refusals in the store. Raises RuntimeError when `why401 init` reads nothing."""
    config = folder / "newcomer.toml"
    sources = [word for path in recipe.configurations(folder) for word in ("--from", path)]
    result = CliRunner().invoke(main, ["init", str(config), *sources])
    if result.exit_code:
        raise RuntimeError(result.output)
    off = {"otlp.grpc": "", "otlp.http": "", "telemetry.prometheus": "", "files.follow": False}
    settings = load(config, {}, {"data_dir": str(folder / "lake"), "files.paths": recipe.logs(folder)} | off)
    _read(settings)
    with connect_reader(settings, memory_mib=256) as con:
        return Counter(dict(run_query(con, _CODES, timeout_s=WAIT_S).rows))


def _read(settings: Settings) -> None:
    """As `why401 up --no-follow`, which takes the signals of its process and so runs in the main thread only."""
    telemetry = Telemetry()
    with collector_of(settings, telemetry) as collector:
        sink = StoreSink(settings, open_store(settings, telemetry), telemetry)
        intake, stop = BoundedIntake(settings.queue, sink, telemetry), threading.Event()
        stage = Joining(collector, settings.joining, telemetry)
        worker = threading.Thread(target=Worker(intake, stage, sink, telemetry).run, args=(stop,))
        worker.start()
        try:
            FileSource(settings.files, telemetry).run(intake, threading.Event())
        finally:
            intake.close()
            stop.set()
            worker.join(WAIT_S)
            sink.close()


def asked(driven: Driven) -> Counter[str]:
    """Code -> refusals, as the clients know them."""
    codes = {one.fault: one.code for one in driven.refused}
    counts = Counter(codes.values())
    for crowd in driven.crowds:
        for fault, times in crowd.sent.items():
            counts[codes[fault]] += times
    return counts


def right(asked_for: Counter[str], in_store: Counter[str]) -> float:
    """The share of refusals that are in the store under their code; one too many counts as wrong.

    >>> right(Counter(token_expired=3, token_missing=1), Counter(token_expired=3, unclassified=1))
    0.75
    """
    return (asked_for & in_store).total() / max(asked_for.total(), in_store.total())
