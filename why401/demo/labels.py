"""Labelled records: what a real Envoy wrote about requests whose fault is known.

The label is joined by the request id (`NAME.NUMBER`), which Envoy keeps. One fault is refused before Envoy has read
any header; its record has no id at all and is known by that.
"""

from __future__ import annotations

import http.client
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import orjson

from why401.demo.envoy import DemoEnvoy
from why401.demo.faults import BY_NAME, FAULTS, GOOD, Fault
from why401.demo.mint import Mint
from why401.demo.requests import Build
from why401.demo.settings_file import write_config
from why401.demo.traffic import Client, Reply, caller

FLUSH_S: Final = 60.0  # a hang limit: Envoy writes its log ten times a second
_ANONYMOUS: Final = next(fault for fault in FAULTS if fault.anonymous)


def fault_of(request_id: str | None) -> Fault | None:
    """The fault that a request id names; None for good traffic and strange ids."""
    if not request_id:
        return _ANONYMOUS
    return BY_NAME.get(request_id.rpartition(".")[0])


class LabelledRun:
    """An Envoy to send faults to, one after the other; use it in a with block.

    `config` is the why401.toml that goes with it: its key set URLs answer until the block ends.
    """

    def __init__(self, folder: Path, *, otlp_port: int = 9) -> None:
        self.mint = Mint()
        self.envoy = DemoEnvoy(folder, self.mint, otlp_port=otlp_port)
        self.config = write_config(folder, self.mint, services=self.envoy.services.port, otlp=otlp_port)
        self.replies: dict[str, Reply] = {}  # by fault, the last one
        self.sent = 0

    def __enter__(self) -> LabelledRun:
        self.envoy.__enter__()
        self._client = Client(self.envoy.port)
        self.send(good.name for good in GOOD)  # Envoy fetches the key sets
        self._probe(BY_NAME["replayed"].build, "first-use")
        self.mint.rotate()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()
        self.envoy.stop()

    def send(self, names: Iterable[str] = BY_NAME) -> None:
        """Send one request of each name, fault or good. Raises OSError when Envoy is gone."""
        for name in names:
            self.replies[name] = self._probe(_BUILDS[name], name)

    def _probe(self, build: Build, name: str) -> Reply:
        self.sent += 1
        who = caller(self.mint, self.sent)
        try:
            return self._client.send(build(who), f"{name}.{self.sent}", who)
        except http.client.HTTPException as error:
            raise ConnectionError(f"{name}: {type(error).__name__}") from None

    def records(self) -> list[dict[str, Any]]:
        """Every access log record, as soon as Envoy has written all that were sent. Raises TimeoutError."""
        expected = self.sent + 1  # DemoEnvoy's own warm-up
        limit = time.monotonic() + FLUSH_S
        while time.monotonic() < limit:
            lines = self.envoy.access_log.read_bytes().splitlines()
            if len(lines) >= expected:
                return [orjson.loads(line) for line in lines]
            time.sleep(0.05)
        raise TimeoutError(f"Envoy wrote {len(lines)} of {expected} records in {FLUSH_S:g} s")

    def labelled(self) -> list[tuple[Fault, dict[str, Any]]]:
        """(fault, record) of every refused request."""
        found = [(fault_of(record["request_id"]), record) for record in self.records()]
        return [(fault, record) for fault, record in found if fault]


_BUILDS: Final[dict[str, Build]] = {one.name: one.build for one in (*FAULTS, *GOOD)}


def collect_labelled(seconds: float) -> list[tuple[str, str]]:
    """(expected code, JSON access log line) of every fault, in rounds until `seconds` are over; one round at least.

    The keys are gone when this returns: use LabelledRun to diagnose while the key sets still answer.
    """
    until = time.monotonic() + seconds
    with tempfile.TemporaryDirectory(prefix="why401-demo-") as folder, LabelledRun(Path(folder)) as run:
        run.send()
        while time.monotonic() < until:
            run.send()
        return [(fault.code, orjson.dumps(record).decode()) for fault, record in run.labelled()]
