"""The command: which arrangements, for how long, and what is printed."""

from __future__ import annotations

import argparse
import random
import signal
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import Final

from benchmarks import chaos
from benchmarks.chaos import writers
from benchmarks.chaos.report import Report
from benchmarks.chaos.surroundings import Server, postgres

ARRANGEMENTS: Final = ("writers-postgres", "writers-sqlite", "service-postgres", "service-sqlite")


def main(arguments: list[str]) -> int:
    """Run it and print the report; 1 when a promise is broken."""
    parser = argparse.ArgumentParser(
        prog="benchmarks chaos", description=chaos.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=10.0, help="in all")
    parser.add_argument("--seed", type=int, default=1, help="chooses the faults")
    parser.add_argument("--only", choices=ARRANGEMENTS, action="append", help="one arrangement [all in turn]")
    parser.add_argument("--fault", action="append", default=[], help="of a service, one fault only [all of them]")
    about = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever ends it leaves nothing running
    names = about.only or ARRANGEMENTS
    chance = random.Random(about.seed)
    return max(_told(name, about.minutes * 60 / len(names), chance, about.fault) for name in names)


def _told(name: str, seconds: float, chance: random.Random, faults: list[str]) -> int:
    """Run one arrangement and print its report; 1 when a promise is broken."""
    try:
        with (
            tempfile.TemporaryDirectory() as folder,
            postgres() if name.endswith("postgres") else nullcontext() as server,
        ):
            report = _run(name, Path(folder), server, seconds, chance, faults)
    except (Exception, SystemExit) as error:  # the others are tried all the same
        print(f"{name}: BROKEN  {type(error).__name__}: {error}", flush=True)
        return 1
    print("\n".join(report.lines(name)), flush=True)
    return 0 if report.is_kept else 1


def _run(
    name: str, folder: Path, server: Server | None, seconds: float, chance: random.Random, faults: list[str]
) -> Report:
    if name.startswith("writers"):
        return writers.run(server, folder, seconds, chance)
    from benchmarks.chaos import service  # Kafka's client only where there is Kafka

    return service.run(folder, server, seconds, chance, faults)
