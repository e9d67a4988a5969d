"""Which gateways are on this machine, by the usual places of their configurations and logs, and what to run for them.

The places are data (usual_places.toml). Nothing is opened but configurations, to say whether they tell what is expected of tokens.
"""

from __future__ import annotations

import os
import shlex
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, Final

MAX_FILES: Final = 20  # of one pattern
_UNITS: Final = ("etc/systemd/system", "lib/systemd/system", "usr/lib/systemd/system")


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """A gateway on this machine. `expected`: how many issuers its configuration names; `closed`: logs that we may not read."""

    gateway: str
    configs: tuple[Path, ...] = ()
    logs: tuple[Path, ...] = ()
    closed: tuple[Path, ...] = ()
    unit: str = ""
    expected: int = 0

    def says(self) -> str:
        """What was found, in a few words."""
        parts = [str(path) for path in self.configs]
        if self.expected:
            parts.append(f"{self.expected} issuer{'' if self.expected == 1 else 's'} expected")
        parts += [f"{len(self.logs)} log{'' if len(self.logs) == 1 else 's'}"] if self.logs else []
        parts += [f"{path} cannot be read by this user" for path in self.closed]
        return ", ".join(parts) or f"unit {self.unit}"

    def commands(self) -> Iterator[str]:
        """What to run, in this order."""
        from why401.cli.recipe import recipes

        if self.expected:
            yield "why401 init " + " ".join(f"--from {shlex.quote(str(path))}" for path in self.configs)
        if self.logs:
            logs = [shlex.quote(str(path)) for path in self.logs]
            yield f"why401 explain --failed {' '.join(logs)}"
            yield f"why401 up {' '.join(f'--file {log}' for log in logs)}"
        elif self.unit and not self.closed:
            yield f"journalctl --unit {self.unit} --output cat --lines 10000 | why401 explain --failed -"
        if self.gateway in recipes():
            yield f"why401 recipe {self.gateway}"


@cache
def places() -> Mapping[str, Mapping[str, Any]]:
    """Gateway → its usual places."""
    return tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


def found(root: Path = Path("/")) -> Iterator[Here]:
    """The gateways below `root`, in the order of the table."""
    for gateway, usual in places().items():
        here = _here(gateway, usual, root)
        if here.configs or here.logs or here.closed or here.unit:
            yield here


def _here(gateway: str, usual: Mapping[str, Any], root: Path) -> Here:
    configs = _there(root, usual["configs"])
    if usual.get("includes"):
        configs = tuple(dict.fromkeys(path.parent for path in configs))
    logs = [path for path in _there(root, usual["logs"]) if _has_something(path)]
    readable = tuple(path for path in logs if os.access(path, os.R_OK))
    return Here(
        gateway=gateway,
        configs=configs,
        logs=readable,
        closed=(*(path for path in logs if path not in readable), *_closed(root, usual["logs"])),
        unit=_unit(root, usual.get("units", ())),
        expected=_expected(configs),
    )


def _there(root: Path, patterns: tuple[str, ...]) -> tuple[Path, ...]:
    paths = (path for pattern in patterns for path in islice(sorted(root.glob(pattern.lstrip("/"))), MAX_FILES))
    return tuple(dict.fromkeys(paths))


def _closed(root: Path, patterns: tuple[str, ...]) -> tuple[Path, ...]:
    """Folders of logs that we may not look into, such as Debian's /var/log/apache2."""
    folders = dict.fromkeys((root / pattern.lstrip("/")).parent for pattern in patterns if "*" not in pattern)
    return tuple(folder for folder in folders if os.path.isdir(folder) and not os.access(folder, os.R_OK | os.X_OK))  # noqa: PTH112  # Path.is_dir raises below a folder that is closed itself


def _has_something(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except OSError:
        return False


def _unit(root: Path, names: tuple[str, ...]) -> str:
    """The first unit that is installed, "" for none."""
    there = (name for name in names for folder in _UNITS if (root / folder / f"{name}.service").exists())
    return next(there, "")


def _expected(configs: tuple[Path, ...]) -> int:
    """How many issuers the configurations name, 0 where they cannot be read."""
    from why401.expectations.formats import Unreadable
    from why401.expectations.inputs import read

    issuers: set[str] = set()
    for path in configs:
        try:
            told = read([str(path)])
        except (Unreadable, OSError):
            continue
        issuers.update(one.issuer.text for document in told.documents for one in document.expectations if one.issuer)
    return len(issuers)
