"""A message to try a channel with, as a real one would be."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from analyzer.alerts import alertmanager, courier
from analyzer.alerts.alerter import link, parcel
from analyzer.alerts.channels import ALERTMANAGER, Target
from analyzer.alerts.finding import WARNING
from analyzer.alerts.ledger import Alert
from collector.settings import Settings


def trial(settings: Settings, targets: Sequence[Target]) -> list[tuple[str, str]]:
    """Each channel's name with "" when it took the message, else why it did not."""
    now = datetime.now(UTC)
    one = Alert(
        alert_id="test", rule="test", subject="test", severity=WARNING, since=now, opened_at=now, told_at=now, phase_at=now,
        title="Test: why401 can reach this channel", says="This is a test. Nothing is wrong.", link=link(settings),
        groups=set(), is_held=False,
    )  # fmt: skip
    posted = json.dumps(alertmanager.posted([one], now))
    parcels = [
        courier.Parcel(kind=target.kind, url=alertmanager.address(target.url), title="", body=posted)
        if target.kind == ALERTMANAGER
        else parcel(one, target)
        for target in targets
    ]
    return [(target.name, why) for target, why in zip(targets, courier.deliver(parcels), strict=True)]
