"""Every fault at once: what why401 finds is compared with what was made, code by code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from why401.demo.envoy import DemoEnvoy
from why401.demo.faults import FAULTS
from why401.demo.settings_file import write_config
from why401.demo.staging import Stage
from why401.demo.summary import read_found, table
from why401.demo.traffic import CYCLE_S, Driver, Traffic

# Of a cycle: fetched at its start, the cached key set is stale from the rotation half way until then.
STALE_SHARE: Final = 0.8


class Zoo(Stage):
    """`why401 demo --all-faults`."""

    @property
    def cycle_s(self) -> float:
        """How long a round of outages and rotations takes."""
        return self.plan.seconds or CYCLE_S

    def _envoys(self) -> Sequence[DemoEnvoy]:
        cache = max(2, int(self.cycle_s * STALE_SHARE))
        plan = self.plan
        return [
            DemoEnvoy(plan.folder, self.mint, otlp_port=plan.otlp.number, listen_port=plan.listen, jwks_cache_s=cache)
        ]

    def _configured(self, services: int) -> Path:
        page = self.plan.page.number if self.plan.page else 0
        return write_config(self.plan.folder, self.mint, services=services, otlp=self.plan.otlp.number, dashboard=page)

    def _driver(self) -> Driver:
        return Traffic(self.mint, self.envoys[0].port, rate=self.plan.rate, cycle_s=self.cycle_s)

    def play(self) -> None:
        """Faults until the time is over."""
        end = "until Ctrl-C" if self.plan.seconds is None else f"for {self.plan.seconds:g} s"
        self.progress.say(f"sending {self.plan.rate:g} requests/s with {len(FAULTS)} kinds of faults {end}")
        self.rest(float("inf"))

    def line(self) -> str:
        """The state of the traffic."""
        return f"{super().line()}, {self.mint.rotations} key rotations"

    def summarize(self) -> None:
        """The table of what was caused and what was found."""
        traffic = self.traffic
        self.progress.say(
            f"{traffic.total} requests answered, {traffic.refusals} refused with "
            f"{len(traffic.refused)} kinds of faults, {sum(traffic.failures.values())} unanswered, "
            f"{self.mint.rotations} key rotations"
        )
        for line in table(traffic.refused, read_found(self.config)):
            self.progress.say(line)
