"""Warns once per gateway and place, while a collector runs, that complete credentials are logged, and names the setting that prevents it."""

from __future__ import annotations

import logging
from typing import Final

from analyzer.knowledge.credential_logging import PLACES, setting_for
from collector.telemetry import Telemetry

COUNTER: Final = "why401.raw_credentials.seen"
log = logging.getLogger("why401")


class Warner:
    """Reads the counter; gateways and places are closed sets, so memory is bounded."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        self._warned: set[tuple[str, str]] = set()

    def look(self) -> None:
        """Log a warning for every gateway and place that is new."""
        for gateway in self._telemetry.by(COUNTER, "gateway"):
            for place in PLACES:
                self._warn(gateway, place)

    def _warn(self, gateway: str, place: str) -> None:
        if (gateway, place) in self._warned or not self._telemetry.value(COUNTER, gateway=gateway, where=place):
            return
        self._warned.add((gateway, place))
        setting = setting_for(gateway, place)
        log.warning(
            "%s logs complete credentials (%s). why401 drops them, but they remain in the log of the gateway. %s (%s)",
            gateway, place, setting.says, setting.source,
        )  # fmt: skip
