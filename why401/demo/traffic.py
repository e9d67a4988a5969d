"""The driver: threads with persistent connections that send good and broken requests at a steady rate.

Everything sent carries its label: `x-request-id` is `NAME.NUMBER`, so a log line can be joined to the fault that
made it.
"""

from __future__ import annotations

import http.client
import random
import threading
import time
from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from why401.demo.faults import FAULTS, GOOD, Fault, Good
from why401.demo.mint import Mint
from why401.demo.requests import REQUEST_ID, Caller, DemoRequest

GOOD_SHARE: Final = 0.72
CYCLE_S: Final = 600.0  # of a demo without an end
TIMEOUT_S: Final = 10.0
MAX_THREADS: Final = 8
USERS: Final = 200
_AGENTS: Final = (
    "okhttp/4.12.0",
    "python-requests/2.32.3",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15",
    "Go-http-client/2.0",
    "Dalvik/2.1.0 (Linux; U; Android 14; Pixel 8)",
)


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back."""

    status: int
    body: bytes = field(repr=False)
    challenge: str = ""


class Client:
    """One persistent HTTP/1.1 connection to the gateway, opened again when the gateway closed it."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)

    def send(self, request: DemoRequest, label: str, caller: Caller) -> Reply:
        """Send one request. Raises OSError or http.client.HTTPException."""
        try:
            return self._exchange(request, label, caller)
        except (OSError, http.client.HTTPException):
            self._connection.close()
            raise

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _exchange(self, request: DemoRequest, label: str, caller: Caller) -> Reply:
        connection = self._connection
        connection.putrequest(request.method, request.path, skip_host=True, skip_accept_encoding=True)
        for name, value in _headers(request, label, caller):
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        return Reply(response.status, response.read(), response.headers.get("www-authenticate", ""))


def _headers(request: DemoRequest, label: str, caller: Caller) -> list[tuple[str, str]]:
    usual = {
        "host": "api.example.com",
        "user-agent": caller.user_agent,
        "x-forwarded-for": caller.address,
        REQUEST_ID: label,
        "content-length": "0",
    }
    own = {name for name, _ in request.headers}
    return [*((name, value) for name, value in usual.items() if name not in own), *request.headers]


def caller(mint: Mint, number: int) -> Caller:
    """The number-th request's client: one of 200 users, each with its own address and software."""
    user = (number * 7919) % USERS
    return Caller(mint, f"user-{user:04d}", f"203.0.113.{user + 1}", _AGENTS[user % len(_AGENTS)], number)


def weights(share: float) -> list[float]:
    """The weight of each of `GOOD + FAULTS` at this share of the cycle; good ones weigh `GOOD_SHARE` of the usual sum."""
    broken = [fault.profile.factor(share) for fault in FAULTS]
    usual = float(len(FAULTS))
    scale = GOOD_SHARE / (1 - GOOD_SHARE) * usual / sum(good.weight for good in GOOD)
    return [*(good.weight * scale for good in GOOD), *broken]


@dataclass(frozen=True, slots=True)
class Turn:
    """What is sent next, to which port."""

    chosen: Fault | Good
    port: int


class Driver(ABC):
    """Sends what `_choose` says at a steady rate until `stop()`. `sent`, `statuses`, `refused` and `failures` are its books."""

    def __init__(self, mint: Mint, *, rate: float, seed: int = 401) -> None:
        self.mint = mint
        self.rate = rate
        self.sent: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.refused: Counter[str] = Counter()  # by fault; one that passes (a rotation before its time) is not here
        self.failures: Counter[str] = Counter()  # by exception; an answer of any status is no failure
        self._random = random.Random(seed)  # noqa: S311  # a repeatable mix, no secret
        self._lock = threading.Lock()
        self._number = 0
        self._start = 0.0
        self._stop = threading.Event()
        count = max(1, min(MAX_THREADS, int(rate // 10) + 1))
        self._threads = [threading.Thread(target=self._run, name=f"demo-traffic-{n}") for n in range(count)]

    @abstractmethod
    def _choose(self, number: int, due: float) -> Turn:
        """The number-th request, due that many seconds after the start; called by one thread at a time."""

    def start(self) -> None:
        """Start the threads."""
        self._start = time.monotonic()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop and wait for the threads. Idempotent."""
        self._stop.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    @property
    def total(self) -> int:
        """Requests that were answered."""
        return sum(self.statuses.values())

    @property
    def refusals(self) -> int:
        """Requests that were refused for a fault."""
        return sum(self.refused.values())

    def _run(self) -> None:
        clients: dict[int, Client] = {}
        while True:
            with self._lock:
                self._number += 1
                number, due = self._number, self._number / self.rate
                turn = self._choose(number, due)
            if self._stop.wait(max(0.0, self._start + due - time.monotonic())):
                break
            client = clients.get(turn.port) or clients.setdefault(turn.port, Client(turn.port))
            self._send(client, number, turn.chosen)
        for client in clients.values():
            client.close()

    def _send(self, client: Client, number: int, chosen: Fault | Good) -> None:
        who = caller(self.mint, number)
        try:
            reply = client.send(chosen.build(who), f"{chosen.name}.{number}", who)
        except (OSError, http.client.HTTPException) as error:
            with self._lock:
                self.failures[type(error).__name__] += 1
            return
        with self._lock:
            self.sent[chosen.name] += 1
            self.statuses[reply.status] += 1
            if reply.status >= 400 and isinstance(chosen, Fault):
                self.refused[chosen.name] += 1


class Traffic(Driver):
    """Every fault of the table, in cycles, between requests that are good."""

    def __init__(self, mint: Mint, port: int, *, rate: float, cycle_s: float = CYCLE_S, seed: int = 401) -> None:
        super().__init__(mint, rate=rate, seed=seed)
        self.cycle_s = cycle_s
        self._port = port
        self._cycle = 0

    def _choose(self, number: int, due: float) -> Turn:
        cycles = due / self.cycle_s
        if int(cycles + 0.5) > self._cycle:
            self._cycle += 1
            self.mint.rotate()
        return Turn(self._random.choices((*GOOD, *FAULTS), weights(cycles % 1.0))[0], self._port)
