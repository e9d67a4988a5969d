r"""Loki's labels of a stream: a selector's text, or an object. They become a record's resource, and what they say of program and level.

>>> of_text('{app="nginx", pod="web-1\\n", level="error"}')
{'app': 'nginx', 'pod': 'web-1\n', 'level': 'error'}
"""

from __future__ import annotations

from collections.abc import Mapping
from json import JSONDecoder
from typing import Any, Final

from collector.sources.otlp.receiver import Refusal, Refused

MAX_LABELS: Final = 64  # Loki's own limit is 15
# Labels of Promtail, Alloy, Fluent Bit and Docker's driver, and the resource attributes that OpenTelemetry has for them.
_NAMED: Final = (
    ("service.name", ("service_name", "app", "app_kubernetes_io_name", "container", "container_name", "job")),
    ("k8s.pod.name", ("pod", "pod_name")),
    ("host.name", ("host", "hostname", "node_name", "node", "nodename", "instance")),
)
_QUOTED: Final = JSONDecoder(strict=False)


def of_text(text: str) -> dict[str, str]:
    """The labels of a selector with nothing but equalities. Raises Refused."""
    labels: dict[str, str] = {}
    at, end = text.find("{") + 1, text.rfind("}")
    if not 0 < at <= end:
        raise _no_labels()
    while at < end and len(labels) < MAX_LABELS:
        equals = text.find("=", at, end)
        if equals < 0:
            if text[at:end].strip(" ,"):
                raise _no_labels()
            break
        labels[text[at:equals].strip(" ,")], at = _value(text, equals + 1)
    return labels


def _value(text: str, at: int) -> tuple[str, int]:
    """A quoted string, whose escapes are JSON's or Go's, and where it ends."""
    while text[at : at + 1] == " ":
        at += 1
    if text[at : at + 1] != '"':
        raise _no_labels()
    try:
        value, end = _QUOTED.raw_decode(text, at)
    except ValueError:  # an escape that Go has and JSON has not: kept as it is written
        end = text.find('"', at + 1) + 1
        if not end:
            raise _no_labels() from None
        value = text[at + 1 : end - 1]
    return str(value).encode("utf-8", "replace").decode(), end


def resource_of(labels: Mapping[str, str]) -> dict[str, Any]:
    """The labels, and the names that OpenTelemetry has for some of them."""
    out: dict[str, Any] = dict(labels)
    for name, aliases in _NAMED:
        found = next((labels[alias] for alias in aliases if labels.get(alias)), "")
        if found and name not in out:
            out[name] = found
    return out


def _no_labels() -> Refused:
    return Refused(Refusal.BAD_DATA, 'expected labels such as {app="nginx"}', where="labels")
