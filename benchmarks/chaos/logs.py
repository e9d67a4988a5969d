"""A log file that is written and rotated in every way that a machine knows, also while nobody reads it."""

from __future__ import annotations

import gzip
import json
import random
import shutil
import threading
import time
from pathlib import Path
from typing import Any, Final

from benchmarks.traffic import envoy_json

KEPT: Final = 6  # rotated files
_LINE: Final[dict[str, Any]] = json.loads(envoy_json(1, tokens=1)[0])


def line(kind: str, number: int) -> str:
    """An access log line of a refused request, with an id of its own."""
    now = time.time()
    at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now * 1000) % 1000:03}Z"
    about = {
        "start_time": at,
        "path": f"/orders/{number % 500}",
        "request_id": f"{kind * 4}-0000-4000-8000-{number:012d}",
    }
    return json.dumps(_LINE | about)


class Log:
    """Every line once; whoever rotates waits for whoever writes, so copytruncate itself loses nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.written = 0
        self._live = folder / "access.log"
        self._changing = threading.Lock()
        folder.mkdir()

    @property
    def pattern(self) -> str:
        """For `files.paths`."""
        return f"{self._live}*"

    def write(self, count: int) -> None:
        """Append so many lines."""
        with self._changing, self._live.open("a", encoding="ascii") as file:
            for number in range(self.written, self.written + count):
                print(line("0e", number), file=file)
            self.written += count

    def rotate(self, chance: random.Random) -> str:
        """In one of the ways of logrotate; its name."""
        how = chance.choice((self._rename, self._copy_and_truncate, self._compress))
        with self._changing:
            how()
        return how.__name__.strip("_")

    def rotated(self) -> list[Path]:
        """All but the live one, the oldest last."""
        return sorted(self.folder.glob("access.log.*"), key=_generation)

    def delete(self, files: list[Path]) -> None:
        """The oldest of these files, of which every line is stored, beyond what is kept."""
        with self._changing:
            for file in files[KEPT:]:
                file.unlink(missing_ok=True)

    def _rename(self) -> None:
        self._shift()
        if self._live.exists():
            self._live.rename(self.folder / "access.log.1")

    def _copy_and_truncate(self) -> None:
        self._shift()
        if self._live.exists():
            shutil.copy2(self._live, self.folder / "access.log.1")
            self._live.write_bytes(b"")

    def _compress(self) -> None:
        """As gzip does: beside the file, which goes when the copy is whole."""
        plain = [file for file in self.rotated() if file.suffix != ".gz"]
        for file in plain[-1:]:
            with file.open("rb") as source, gzip.open(f"{file}.gz", "wb") as target:
                shutil.copyfileobj(source, target)
            file.unlink()

    def _shift(self) -> None:
        for file in reversed(self.rotated()):
            tail = ".gz" if file.suffix == ".gz" else ""
            file.rename(self.folder / f"access.log.{_generation(file) + 1}{tail}")


def _generation(file: Path) -> int:
    return int(file.name.removesuffix(".gz").rpartition(".")[2])
