"""Alerts as Alertmanager takes them (API v2) and as it sends them on (webhook, version 4). Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from analyzer.alerts.ledger import Alert

KEEP: Final = timedelta(minutes=5)  # Alertmanager ends an alert that is not posted again for so long
_NO_END: Final = "0001-01-01T00:00:00Z"


def address(base: str) -> str:
    """Where an Alertmanager takes alerts."""
    return f"{base.rstrip('/')}/api/v2/alerts"


def posted(alerts: Iterable[Alert], now: datetime) -> list[dict[str, Any]]:
    """The body of `POST /api/v2/alerts`: what fires, said again and again, and what has ended, with its end."""
    return [
        {
            "labels": labels(one), "annotations": _annotations(one), "generatorURL": one.link,
            "startsAt": _time(min(one.since, one.opened_at)), "endsAt": _time(one.resolved_at or now + KEEP),
        }
        for one in alerts
    ]  # fmt: skip


def sent_on(alert: Alert, receiver: str) -> dict[str, Any]:
    """The body that Alertmanager posts to a webhook for a group of one alert."""
    status = "firing" if alert.resolved_at is None else "resolved"
    about, said = labels(alert), _annotations(alert)
    fingerprint = hashlib.sha256(repr(sorted(about.items())).encode()).hexdigest()[:16]
    one = {
        "status": status, "labels": about, "annotations": said, "generatorURL": alert.link, "fingerprint": fingerprint,
        "startsAt": _time(alert.since), "endsAt": _time(alert.resolved_at) if alert.resolved_at else _NO_END,
    }  # fmt: skip
    return {
        "version": "4", "groupKey": f'{{}}:{{alert_id="{alert.alert_id}"}}', "truncatedAlerts": 0, "status": status,
        "receiver": receiver, "groupLabels": {"alertname": about["alertname"]}, "commonLabels": about,
        "commonAnnotations": said, "externalURL": alert.link, "alerts": [one],
    }  # fmt: skip


def labels(alert: Alert) -> dict[str, str]:
    """By which Alertmanager tells alerts apart and routes them."""
    return {
        "alertname": f"Why401{alert.rule.capitalize()}", "service": "why401", "severity": alert.severity, "rule": alert.rule,
        "subject": alert.subject,
    }  # fmt: skip


def _annotations(alert: Alert) -> dict[str, str]:
    return {"summary": alert.title, "description": alert.says, "dashboard": alert.link}


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
