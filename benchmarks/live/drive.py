"""Send every portable fault to a live gateway and keep what it wrote about each: one request at a time, so that the
lines that appear belong to it. Then many at once: a storm of one token, and several clients behind one address.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from benchmarks.live.contract import PORTABLE, Crowd, LiveGateway, Refusal, Running, expected
from benchmarks.live.recipe import Recipe
from collector.sources.lines import records_of
from why401.demo.faults import BY_NAME, GOOD, Fault, Good
from why401.demo.mint import Mint
from why401.demo.requests import Caller, DemoRequest
from why401.demo.services import Services
from why401.demo.settings_file import write_config
from why401.demo.traffic import Client, Reply, caller

STORM: Final = 12  # requests with one token
EACH: Final = 3  # requests of each fault, in the crowd of clients
CLIENTS: Final = 6  # connections at once
STORMED: Final = "expired-minutes"
# Most gateways refuse these, for reasons that most of them tell apart.
CROWDED: Final = (
    "expired-minutes", "aud-other-api", "iss-other-realm", "signature-wrong-key", "nbf-future", "token-absent",
    "token-two-parts",
)  # fmt: skip
WAIT_S: Final = 10.0
_GOOD: Final = next(good for good in GOOD if good.name == "ok-orders")


@dataclass(frozen=True, slots=True)
class Driven:
    """One round: what was refused, what passed although its fault is real, and the configuration an operator would have."""

    refused: tuple[Refusal, ...]
    passed: tuple[str, ...]
    good: Refusal
    config: Path
    crowds: tuple[Crowd, ...]
    gateway_config: Path | None = None  # what the gateway itself was started with
    recipe: Recipe | None = None
    accepted: tuple[Refusal, ...] = ()  # those that passed, with what was sent


@contextmanager
def drive(gateway: LiveGateway, folder: Path) -> Iterator[Driven]:
    """Drive one gateway; its issuer's key set answers until the block ends. Raises RuntimeError when good tokens fail."""
    mint = Mint()
    services = Services(mint)
    services.start()
    try:
        config = write_config(folder, mint, services=services.port, otlp=9)
        jwks_url = f"http://127.0.0.1:{services.port}/jwks/shop.json"
        with gateway.run(folder, mint, jwks_url) as running:
            yield _round(gateway, running, mint, config)
    finally:
        services.stop()


def _round(gateway: LiveGateway, running: Running, mint: Mint, config: Path) -> Driven:
    good = _one(running, mint, _GOOD, 0)
    if not 200 <= good.status < 300:
        raise RuntimeError(f"{gateway.name} answers {good.status} to a good token: {good.lines}")
    mint.rotate()
    refused, accepted = [], []
    for number, name in enumerate(PORTABLE, 1):
        if name in gateway.left_out:
            continue
        fault = BY_NAME[name]
        one = _one(running, mint, fault, number)
        if 200 <= one.status < 300:
            accepted.append(one)
        else:
            refused.append(replace(one, code=expected(gateway, fault)))
    names = {one.fault for one in refused}
    storm = _crowd(running, mint, "storm", [STORMED] * STORM, one_token=True) if STORMED in names else None
    crowd = _crowd(running, mint, "crowd", [name for name in CROWDED if name in names] * EACH)
    return Driven(
        refused=tuple(refused),
        passed=tuple(one.fault for one in accepted),
        accepted=(good, *accepted),
        good=good,
        config=config,
        crowds=tuple(filter(None, (storm, crowd))),
        gateway_config=running.config,
        recipe=running.recipe,
    )


def _crowd(running: Running, mint: Mint, name: str, faults: Sequence[str], *, one_token: bool = False) -> Crowd:
    """Ask for all of it at once, from one address; the tokens are made before."""
    who = caller(mint, 0)
    requests = [BY_NAME[fault].build(who) for fault in faults]
    requests = requests[:1] * len(faults) if one_token else requests
    before = [_size(log) for log in running.logs]
    with ThreadPoolExecutor(CLIENTS) as pool:
        labels = (f"{name}.{number}" for number in range(len(faults)))
        list(pool.map(lambda request, label: _send(running.port, request, label, who), requests, labels))
    _settle(running, sum(before))
    logs = tuple(_lines(log, start) for log, start in zip(running.logs, before, strict=True))
    return Crowd(name, Counter(faults), logs)


def _one(running: Running, mint: Mint, what: Fault | Good, number: int) -> Refusal:
    before = [_size(log) for log in running.logs]
    who = caller(mint, number)
    request = what.build(who)
    reply = _send(running.port, request, f"{what.name}.{number}", who)
    _settle(running, sum(before))
    lines = [line for log, start in zip(running.logs, before, strict=True) for line in _lines(log, start)]
    sent = tuple(value for name, value in request.headers if name == "authorization")
    return Refusal(
        what.name, getattr(what, "code", "ok"), reply.status, tuple(lines), sent, f"{request.method} {request.path}"
    )


def _send(port: int, request: DemoRequest, label: str, who: Caller) -> Reply:
    """A connection of its own: several gateways close theirs after an error."""
    client = Client(port)
    try:
        return client.send(request, label, who)
    finally:
        client.close()


def _settle(running: Running, before: int) -> None:
    """Wait until something was written and nothing more comes."""
    limit, quiet_since, last = time.monotonic() + WAIT_S, time.monotonic(), before
    while time.monotonic() < limit:
        size = sum(_size(log) for log in running.logs)
        if size != last:
            quiet_since, last = time.monotonic(), size
        if last > before and time.monotonic() - quiet_since >= running.settle_s:
            return
        time.sleep(0.05)


def _size(log: Path) -> int:
    return log.stat().st_size if log.exists() else 0


def _lines(log: Path, start: int) -> list[str]:
    """Records, as every source splits them: a stack trace belongs to the line above it."""
    if not log.exists():
        return []
    with log.open("rb") as file:
        file.seek(start)
        return records_of(file.read().decode("utf-8", "replace"))
