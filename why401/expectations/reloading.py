"""`issuers_from` while why401 runs: a gateway's configuration that changed is read again, and said when it changed.

What is expected has a time: a request is judged by what was expected when it was refused. A file that is half written, or that
nobody can read any more, changes nothing; it is logged once and counted.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from itertools import islice
from pathlib import Path
from typing import Final

from collector.errors import Why401Error
from collector.settings import IssuerSettings, Settings
from collector.telemetry import Telemetry
from why401.expectations.expected import issuers_of, joined, paths
from why401.expectations.inputs import MAX_FILES, files_of, read

LOOK_SECONDS: Final = 5.0
MAX_NAMED: Final = 5  # of the differences that a change names
log = logging.getLogger("why401")

Issuers = tuple[IssuerSettings, ...]
Expect = Callable[[Issuers, int], None]
"""`expect(issuers, since_ns)`: what is expected from then on. Called on the watcher's thread."""
Changed = Callable[[str, str, int], None]
"""`changed(files, differences, at_ns)`. May raise: that is counted."""


@dataclass(slots=True)
class Watcher:
    """Looks at the files now and then."""

    settings: Settings
    telemetry: Telemetry
    told: Sequence[Expect]
    changed: Changed | None = None
    _own: Issuers = ()
    _issuers: Issuers = ()
    _seen: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._issuers = self.settings.issuers
        self._seen = self._stamps()
        read_before = issuers_of(read(paths(self.settings)))
        self._own = tuple(one for one in self._issuers if one not in read_before)

    def look(self) -> None:
        """Read what has changed since the last look. Never raises."""
        try:
            self._look()
        except (Why401Error, OSError) as error:  # half written, or gone: the last whole one counts
            self.telemetry.count("why401.errors", stage="issuers_from", kind=type(error).__name__)
            log.warning("issuers_from: %s; what was read before still counts", error)

    def _look(self) -> None:
        stamps = self._stamps()
        if stamps == self._seen:
            return
        names = sorted(name for name in {*stamps, *self._seen} if stamps.get(name) != self._seen.get(name))
        self._seen = stamps
        issuers = joined(self._own, issuers_of(read(paths(self.settings))))
        if issuers == self._issuers:
            return
        before, self._issuers = self._issuers, issuers
        at_ns = min(time.time_ns(), max((stamps[name][0] for name in names if name in stamps), default=time.time_ns()))
        for expect in self.told:
            expect(issuers, at_ns)
        self._tell(", ".join(names[:MAX_NAMED]), "; ".join(differences(before, issuers)[:MAX_NAMED]), at_ns)

    def _tell(self, names: str, says: str, at_ns: int) -> None:
        log.info("issuers_from: %s changed", names)
        try:
            if self.changed:
                self.changed(names, says, at_ns)
        except Exception as error:  # what is expected holds all the same
            self.telemetry.count("why401.errors", stage="issuers_from", kind=type(error).__name__)

    def _stamps(self) -> dict[str, tuple[int, int, int]]:
        stamps = {}
        for path in islice((file for name in paths(self.settings) for file in files_of(Path(name))), MAX_FILES):
            try:
                stat = path.stat()
            except OSError:
                continue
            stamps[str(path)] = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        return stamps


@contextmanager
def watched(
    settings: Settings, telemetry: Telemetry, told: Sequence[Expect], changed: Changed | None = None
) -> Iterator[None]:
    """While the block runs."""
    watcher, stop = Watcher(settings, telemetry, told, changed), threading.Event()

    def run() -> None:
        while not stop.wait(LOOK_SECONDS):
            watcher.look()

    thread = threading.Thread(target=run, name="issuers-from", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(10)


def differences(before: Issuers, after: Issuers) -> list[str]:
    """What changed, by issuer and setting.

    >>> old = IssuerSettings(issuer="https://idp/", audiences=("orders",))
    >>> new = IssuerSettings(issuer="https://idp/", audiences=("orders-v2",))
    >>> differences((old,), (new, IssuerSettings(issuer="https://b/")))
    ['https://idp/: audiences orders, now orders-v2', 'https://b/: new']
    """
    names = dict.fromkeys(one.issuer for one in (*before, *after))
    return [f"{name}: {says}" for name in names for says in _changed(_of(before, name), _of(after, name))]


def _of(issuers: Issuers, name: str) -> list[IssuerSettings]:
    return [one for one in issuers if one.issuer == name]


def _changed(old: Sequence[IssuerSettings], new: Sequence[IssuerSettings]) -> list[str]:
    if not old or not new:
        return ["new" if new else "gone"]
    return [] if old == new else [*_settings(old[0], new[0])] or ["changed on some routes"]


def _settings(old: IssuerSettings, new: IssuerSettings) -> Iterator[str]:
    for one in fields(IssuerSettings):
        was, now = getattr(old, one.name), getattr(new, one.name)
        if was != now:
            yield f"{one.name} {_shown(was)}, now {_shown(now)}"


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) or "any" if isinstance(value, tuple) else str(value) or "none"
