"""What is done to a service in a round."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable, Mapping
from typing import Final

from benchmarks.chaos.rig import Rig

SESSION_S: Final = 6  # after which Kafka gives the partitions of a stopped process to another one
HOUR: Final = 3600
CLOCKS: Final = (-240 * HOUR, -2 * HOUR, -90, 90, 2 * HOUR, 240 * HOUR, 9600 * HOUR)  # s
Fault = Callable[[Rig, random.Random], None]


def possible(rig: Rig, only: list[str]) -> Mapping[str, Fault]:
    """Those that can be done here, or those of them that were asked for. Raises SystemExit when none is left."""
    here = {name: fault for name, (needs, fault) in FAULTS.items() if not needs or getattr(rig, needs)}
    kept = {name: fault for name, fault in here.items() if not only or name in only}
    if not kept:
        raise SystemExit(f"no fault {', '.join(only)} here; there are: {', '.join(here)}")
    return kept


def _kill(rig: Rig, chance: random.Random) -> None:
    process = chance.choice(rig.processes)
    process.kill()
    time.sleep(chance.uniform(0.0, 3.0))
    rig.restart(process)


def _crash(rig: Rig, chance: random.Random) -> None:
    """Only who works; the supervisor starts it again."""
    chance.choice(rig.processes).signal_worker(signal.SIGKILL)
    rig.report.restarts += 1


def _stop(rig: Rig, chance: random.Random) -> None:
    process = chance.choice(rig.processes)
    process.signal_worker(signal.SIGSTOP)
    time.sleep(chance.uniform(0.5, 2.0 * SESSION_S))
    process.signal_worker(signal.SIGCONT)


def _broker_stopped(rig: Rig, chance: random.Random) -> None:
    _broker_away(rig, chance, hard=False)


def _broker_killed(rig: Rig, chance: random.Random) -> None:
    _broker_away(rig, chance, hard=True)


def _broker_away(rig: Rig, chance: random.Random, *, hard: bool) -> None:
    rig.broker.stop(hard=hard)
    time.sleep(chance.uniform(0.0, 5.0))
    if chance.random() < 0.3:
        _kill(rig, chance)
    rig.broker.start()


def _disk_full(rig: Rig, chance: random.Random) -> None:
    assert rig.disk
    with rig.disk.full():
        _while_it_lasts(rig, chance)


def _no_inodes(rig: Rig, chance: random.Random) -> None:
    assert rig.disk
    with rig.disk.without_inodes():
        _while_it_lasts(rig, chance)


def _clock(rig: Rig, chance: random.Random) -> None:
    assert rig.clock
    rig.clock.set(chance.choice(CLOCKS))
    try:
        _while_it_lasts(rig, chance)
    finally:
        rig.clock.set(0)


def _while_it_lasts(rig: Rig, chance: random.Random) -> None:
    """Sometimes a process must start under it."""
    if chance.random() < 0.4:
        _kill(rig, chance)
    time.sleep(chance.uniform(1.0, 8.0))


def _files(rig: Rig, chance: random.Random) -> None:
    """Rotated some times, while the reader is killed or while it reads."""
    assert rig.log
    rotated = rig.log.rotated()
    rig.await_files()
    is_read = chance.random() < 0.3
    if not is_read:
        rig.processes[0].kill()
    rig.log.delete(rotated)
    for _ in range(chance.randint(1, 3)):
        rig.report.notes[rig.log.rotate(chance)] += 1
        time.sleep(chance.uniform(0.0, 1.0))
    if not is_read:
        rig.restart(rig.processes[0])


def _postgres_fast(rig: Rig, chance: random.Random) -> None:
    _postgres_away(rig, chance, "fast")


def _postgres_immediate(rig: Rig, chance: random.Random) -> None:
    _postgres_away(rig, chance, "immediate")


def _postgres_away(rig: Rig, chance: random.Random, mode: str) -> None:
    assert rig.server
    rig.server.stop(mode)
    time.sleep(chance.uniform(0.0, 3.0))
    rig.server.start()


# Name -> what it needs of the rig, and what it does.
FAULTS: Final[dict[str, tuple[str, Fault]]] = {
    "kill": ("", _kill), "crash": ("", _crash), "stop": ("", _stop),
    "broker stopped": ("broker", _broker_stopped), "broker killed": ("broker", _broker_killed),
    "disk full": ("disk", _disk_full), "no inodes": ("disk", _no_inodes), "clock": ("clock", _clock), "files": ("log", _files),
    "fast": ("server", _postgres_fast), "immediate": ("server", _postgres_immediate),
}  # fmt: skip
