"""Says once, while a collector runs, which gateway writes whole credentials into its log, and which setting stops it."""

from __future__ import annotations

import logging
from typing import Final

from analyzer.knowledge.credential_logging import PLACES, setting_for
from collector.telemetry import Telemetry

COUNTER: Final = "why401.raw_credentials.seen"
log = logging.getLogger("why401")


class Warner:
    """Reads the counter; gateways and places are from closed sets, so it stays small."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        self._told: set[tuple[str, str]] = set()

    def look(self) -> None:
        """Warn of what was not seen before."""
        for gateway in self._telemetry.by(COUNTER, "gateway"):
            for place in PLACES:
                self._tell(gateway, place)

    def _tell(self, gateway: str, place: str) -> None:
        if (gateway, place) in self._told or not self._telemetry.value(COUNTER, gateway=gateway, where=place):
            return
        self._told.add((gateway, place))
        setting = setting_for(gateway, place)
        log.warning(
            "%s logs whole credentials (%s); they are dropped here, but stand in that log. %s (%s)",
            gateway, place, setting.says, setting.source,
        )  # fmt: skip
