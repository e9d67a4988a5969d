"""What a process stands on, where a test can take it away: a disk, a clock, a PostgreSQL server."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

POSTGRES: Final = Path("/usr/lib/postgresql")
DISK: Final = "size=1g,nr_inodes=50k,mode=700"


@dataclass(frozen=True, slots=True)
class Disk:
    """A small file system of its own."""

    folder: Path

    @contextmanager
    def full(self) -> Iterator[None]:
        """Not a byte is free meanwhile."""
        ballast = self.folder / "ballast"
        try:
            with ballast.open("wb", buffering=0) as file:
                for size in (1 << 20, 1 << 12):
                    with suppress(OSError):
                        while True:
                            file.write(bytes(size))
            yield
        finally:
            ballast.unlink(missing_ok=True)

    @contextmanager
    def without_inodes(self) -> Iterator[None]:
        """No file can be made meanwhile, though there is room."""
        ballast = self.folder / "inodes"
        ballast.mkdir()
        try:
            with suppress(OSError):
                for number in range(1 << 20):
                    (ballast / str(number)).touch()
            yield
        finally:
            shutil.rmtree(ballast)


@contextmanager
def disk(folder: Path) -> Iterator[Disk | None]:
    """A file system at `folder`, None where none may be mounted."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", DISK, "chaos", str(folder)]
    if os.geteuid() or subprocess.run(command, check=False, capture_output=True).returncode:
        yield None
        return
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@dataclass(frozen=True, slots=True)
class Clock:
    """The wall clock of the processes with its environment, and of them alone (clock.c)."""

    library: Path
    file: Path

    def set(self, offset_s: int) -> None:
        """So many seconds ahead; in place, since the processes map the file."""
        with self.file.open("r+b", buffering=0) as file:
            file.write(offset_s.to_bytes(8, sys.byteorder, signed=True))

    @property
    def environment(self) -> dict[str, str]:
        """Of the processes."""
        return {"LD_PRELOAD": str(self.library), "CHAOS_CLOCK": str(self.file)}


def clock(folder: Path) -> Clock | None:
    """None where there is no C compiler."""
    compiler = shutil.which("cc")
    if not compiler:
        return None
    made = Clock(folder / "clock.so", folder / "clock")
    made.file.write_bytes(bytes(8))
    source = Path(__file__).with_name("clock.c")
    words = ["-O2", "-shared", "-fPIC", "-o", str(made.library), str(source), "-ldl", "-pthread"]
    subprocess.run([compiler, *words], check=True)
    return made


@dataclass(frozen=True, slots=True)
class Server:
    """A PostgreSQL server of our own."""

    command: list[str]
    catalog: str
    folder: str

    def start(self) -> None:
        """Return when it answers, after crash recovery."""
        self._run("-w", "start")

    def stop(self, mode: str) -> None:
        """`fast` ends sessions in order, `immediate` as a crash does."""
        self._run("-m", mode, "-w", "stop")

    def _run(self, *words: str) -> None:
        subprocess.run([*self.command, *words], check=True, stdout=subprocess.DEVNULL, cwd=self.folder)


@contextmanager
def postgres() -> Iterator[Server]:
    """Started; gone afterwards with its data."""
    from tests.brokers import free_ports

    versions = sorted(POSTGRES.glob("*/bin/initdb"))
    if not versions:
        raise SystemExit(f"no PostgreSQL server's binaries below {POSTGRES}")
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []  # PostgreSQL refuses to run as root
    folder = tempfile.mkdtemp(prefix="chaos-")
    if user:
        shutil.chown(folder, "postgres")
    (port,) = free_ports(1)
    cluster = ["-D", f"{folder}/cluster"]
    words = [*user, str(versions[-1]), *cluster, "-U", "why401", "-A", "trust", "-E", "UTF8", "--locale=C"]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, cwd=folder)
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=''"
    ctl = [*user, str(versions[-1].with_name("pg_ctl")), *cluster, "-o", options, "-l", f"{folder}/log"]
    server = Server(ctl, f"postgres:host=127.0.0.1 port={port} user=why401 dbname=postgres", folder)
    server.start()
    try:
        yield server
    finally:
        server.stop("immediate")
        shutil.rmtree(folder, ignore_errors=True)
