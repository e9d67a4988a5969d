"""The processes of a demo: started in order, watched, and ended so that no record is lost."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from why401.demo.children import Child, HeldPort
from why401.demo.envoy import DemoEnvoy
from why401.demo.mint import Mint
from why401.demo.progress import Progress
from why401.demo.traffic import Driver

UP_S: Final = 60.0
DASHBOARD_S: Final = 60.0
DRAIN_S: Final = 1.5  # Envoy sends its last records within 0.2 s, why401 commits within 0.5 s
TICK_S: Final = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a demo is run. `seconds` of traffic; None: until Ctrl-C."""

    folder: Path
    seconds: float | None
    rate: float
    listen: int
    otlp: HeldPort
    page: HeldPort | None


class Stage(ABC):
    """One run: `envoys` and `config` are made at once, then everything is started and `play` goes on until it ends."""

    traffic: Driver

    def __init__(self, plan: Plan, progress: Progress) -> None:
        self.plan = plan
        self.progress = progress
        progress.begin("generating temporary keys")
        self.mint: Final = Mint()
        self.envoys = self._envoys()
        self.config = self._configured(self.envoys[0].services.port)
        self._checks: list[Callable[[], None]] = []  # one per process, raising when it has ended
        self._limit = float("inf")

    @abstractmethod
    def _envoys(self) -> Sequence[DemoEnvoy]:
        """The gateways, not started; the first one has the services."""

    @abstractmethod
    def _configured(self, services: int) -> Path:
        """Write why401.toml."""

    def _prepare(self, running: ExitStack) -> None:  # noqa: B027  # most need nothing
        """Whatever is needed before why401 starts; the services answer."""

    @abstractmethod
    def _driver(self) -> Driver:
        """The traffic, not started."""

    @abstractmethod
    def play(self) -> None:
        """Until the end, while the traffic runs."""

    @abstractmethod
    def summarize(self) -> None:
        """Say what was made and what was found."""

    def run(self) -> None:
        """All of it. Raises EnvoyFailed, ChildFailed; KeyboardInterrupt when there is nothing to sum up."""
        if self._worked():
            self.summarize()

    def _worked(self) -> bool:
        """False when interrupted before there was any traffic. Every process has ended on return."""
        is_driven = False
        with ExitStack() as running:
            for envoy in self.envoys:
                running.callback(envoy.stop)  # the services have a port from the beginning
            try:
                self._start(running)
                self.traffic = self._driver()
                is_driven = True
                running.callback(self.traffic.stop)
                self.traffic.start()
                self._limit = time.monotonic() + (float("inf") if self.plan.seconds is None else self.plan.seconds)
                self.play()
            except KeyboardInterrupt:
                self.progress.say("stopping")
            if is_driven:
                self.traffic.stop()
                time.sleep(DRAIN_S)
        return is_driven

    def _start(self, running: ExitStack) -> None:
        self.envoys[0].services.start()  # why401 fetches key sets from it at once
        self._prepare(running)
        self.progress.begin("starting why401 up")
        self.plan.otlp.release()
        up = Child(self.plan.folder, "up", "up", "--config", str(self.config))
        running.callback(up.stop)
        self._checks.append(up.check)
        up.wait_listening(self.plan.otlp.number, UP_S, self.progress.turn)
        self.progress.begin("starting Envoy")
        for envoy in self.envoys:
            running.callback(envoy.stop)  # before `up`: Envoy's last records still find a receiver
            envoy.start()
        for envoy in self.envoys:
            envoy.wait_ready()
            self._checks.append(envoy.check)
            self.progress.say(
                f"{envoy.instance:9} http://127.0.0.1:{envoy.port}  (Envoy, pid {envoy.pid}, access log {envoy.access_log})"
            )
        if self.plan.page:
            self._show_dashboard(self.plan.page, running)

    def _show_dashboard(self, held: HeldPort, running: ExitStack) -> None:
        self.progress.begin("starting the dashboard")
        held.release()
        page = Child(self.plan.folder, "dashboard", "dashboard", "--config", str(self.config))
        running.callback(page.stop)
        self._checks.append(page.check)
        page.wait_listening(held.number, DASHBOARD_S, self.progress.turn)
        self.progress.say(f"dashboard http://127.0.0.1:{held.number}")

    @property
    def left_s(self) -> float:
        """Seconds of traffic that are left."""
        return max(0.0, self._limit - time.monotonic())

    def rest(self, seconds: float, is_enough: Callable[[], bool] = lambda: False) -> None:
        """Let the traffic run, no longer than its time is, or until it is enough. Raises EnvoyFailed, ChildFailed."""
        until = time.monotonic() + min(seconds, self.left_s)
        pause = threading.Event()
        while (left := until - time.monotonic()) > 0 and not is_enough():
            pause.wait(min(TICK_S, left))
            for check in self._checks:
                check()
            self.progress.rewrite(self.line())

    def line(self) -> str:
        """The state of the traffic."""
        return f"{self.traffic.total} answered, {self.traffic.refusals} refused"
