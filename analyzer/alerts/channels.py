"""Where messages go: the lines of `[alerts] urls`. A URL may hold a password, so nothing here shows one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, urlsplit

from analyzer.alerts.ledger import Channel
from collector.errors import ConfigurationError
from collector.settings import Settings

ALERTMANAGER: Final = "alertmanager"
WEBHOOK: Final = "webhook"
OTLP: Final = "otlp"
APPRISE: Final = "apprise"
MAX_CHANNELS: Final = 20
MAX_NAME: Final = 40
_ONLY: Final = "[critical]"
_OURS: Final = {
    f"{kind}+{scheme}": (kind, scheme) for kind in (ALERTMANAGER, WEBHOOK, OTLP) for scheme in ("http", "https")
}
_FORM: Final = '"NAME URL" per line, with a URL of apprise, or alertmanager+http(s)://HOST:PORT, webhook+http(s)://HOST/PATH, or otlp+http(s)://HOST:PORT'


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One channel. `url` is an HTTP address for Alertmanager and webhooks, else apprise's own."""

    name: str
    kind: str
    url: str = field(repr=False)
    only_critical: bool = False

    @property
    def channel(self) -> Channel:
        """As the ledger knows it."""
        return Channel(name=self.name, only_critical=self.only_critical)


def targets(settings: Settings) -> tuple[Target, ...]:
    """The channels of `[alerts] urls`. Raises ConfigurationError, which names the line and never its content."""
    lines = [line.strip() for line in settings.alerts.urls.splitlines()]
    found = [
        _target(line, number, settings.file)
        for number, line in enumerate(lines, 1)
        if line and not line.startswith("#")
    ]
    if len(found) > MAX_CHANNELS:
        raise ConfigurationError("alerts.urls", f"{len(found)} lines", f"at most {MAX_CHANNELS}", file=settings.file)
    return tuple(_named(found, settings.file))


def _target(line: str, number: int, file: str) -> Target:
    *names, address = line.split()
    url = _split(address)
    name = names[0].removesuffix(_ONLY) if names else url.scheme
    if not url.scheme or len(names) > 1 or not 0 < len(name) <= MAX_NAME or not name.isprintable():
        raise ConfigurationError("alerts.urls", f"line {number}", f"expected {_FORM}", file=file)
    kind, scheme = _OURS.get(url.scheme, (APPRISE, ""))
    if scheme and not url.hostname:
        raise ConfigurationError("alerts.urls", f"line {number}", f"a host is missing; expected {_FORM}", file=file)
    shown = address if kind == APPRISE else f"{scheme}{address[len(url.scheme) :]}"
    return Target(name=name, kind=kind, url=shown, only_critical=bool(names) and names[0] != name)


def _split(address: str) -> SplitResult:
    try:
        return urlsplit(address)
    except ValueError:  # a bracket that is not closed
        return urlsplit("")


def _named(found: list[Target], file: str) -> Iterator[Target]:
    twice = [name for name, n in Counter(one.name for one in found).items() if n > 1]
    if twice:
        raise ConfigurationError("alerts.urls", twice[0], "each channel needs a name of its own", file=file)
    yield from found


def misread(target: Target) -> bool:
    """Whether apprise makes nothing of a URL. Needs the extra `alerts`."""
    if target.kind != APPRISE:
        return False
    import logging

    import apprise

    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # it would quote the URL
    return apprise.Apprise.instantiate(target.url, suppress_exceptions=True) is None
