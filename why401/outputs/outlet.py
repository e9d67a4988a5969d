"""Sends failures to one destination, beside the pipeline: whatever becomes of it, the store's commit is done."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from analyzer.verdicts import Verdict
from collector.telemetry import Telemetry
from why401.outputs.carriers import Carrier, Refused, Unavailable

log = logging.getLogger("why401")
BATCH: Final = 200
LONGEST_PAUSE_S: Final = 30.0
STOP_S: Final = 5.0
Encode = Callable[[Sequence[Verdict]], Sequence[bytes]]  # a batch → what is carried


class Outlet:
    """A bounded queue and a thread. What does not fit is dropped and counted; nobody waits."""

    def __init__(self, name: str, encode: Encode, carrier: Carrier, telemetry: Telemetry, most: int) -> None:
        self._name = name
        self._encode = encode
        self._carrier = carrier
        self._telemetry = telemetry
        self._most = most
        self._waiting: deque[Verdict] = deque()
        self._stop = threading.Event()
        self._come = threading.Event()
        self._last_said = ""
        self._thread = threading.Thread(target=self._run, name=f"export to {name}", daemon=True)
        telemetry.gauge("why401.exports.waiting", lambda: len(self._waiting), to=name)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def add(self, verdict: Verdict, _: int) -> None:
        """Queue a failure; anything else is none of ours."""
        if verdict.diagnosis is None:
            return
        if len(self._waiting) >= self._most:
            self._count(1, "dropped")
            return
        self._waiting.append(verdict)
        self._come.set()

    def stop(self) -> None:
        """Send what waits for some seconds; the rest is dropped and counted."""
        self._stop.set()
        self._come.set()
        self._thread.join(STOP_S)
        self._count(len(self._waiting), "dropped")

    def _run(self) -> None:
        while not self._stop.is_set():
            self._come.wait()
            self._come.clear()
            while self._waiting and self._sent([self._waiting[n] for n in range(min(BATCH, len(self._waiting)))]):
                pass
        self._carrier.close()

    def _sent(self, batch: Sequence[Verdict]) -> bool:
        """Whether to go on; False only when the process stops while nobody takes it."""
        result = self._result(batch)
        if result is None:
            return False
        for _ in batch:
            self._waiting.popleft()
        self._count(len(batch), result)
        return True

    def _result(self, batch: Sequence[Verdict]) -> str | None:
        pause = 1.0
        while True:
            try:
                self._carrier.carry(self._encode(batch))
            except Unavailable as error:
                self._say(f"is not available ({error}); trying again")
                if self._stop.wait(pause):
                    return None
                pause = min(2 * pause, LONGEST_PAUSE_S)
            except Refused as error:
                self._say(f"refuses what is sent ({error})")
                return "refused"
            except Exception as error:  # a failure that no format was made for must not block those behind it
                self._telemetry.count("why401.errors", stage="outputs", kind=type(error).__name__)
                return "refused"
            else:
                self._last_said = ""
                return "sent"

    def _say(self, what: str) -> None:
        if what != self._last_said:
            self._last_said = what
            log.warning("export: %s %s", self._name, what)

    def _count(self, number: int, result: str) -> None:
        if number:
            self._telemetry.count("why401.exports", number, to=self._name, result=result)
