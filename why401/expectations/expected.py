"""What gateways' configurations expect, as settings: `[[issuers]]` without the file in between, for `issuers_from` and `why401 trace`."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from collector.errors import ConfigurationError
from collector.settings import IssuerSettings, Settings, load
from why401 import redact
from why401.expectations.formats import Unreadable
from why401.expectations.inputs import Found, read
from why401.expectations.toml_text import issuers_text


def issuers_of(found: Found) -> tuple[IssuerSettings, ...]:
    """What `why401 init --from` would write, read back. Raises ConfigurationError."""
    handle, name = tempfile.mkstemp(prefix="why401-", suffix=".toml")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(issuers_text(found, redact))
        return load(name, {}).issuers
    finally:
        Path(name).unlink()


def paths(settings: Settings) -> list[str]:
    """The files and folders of `issuers_from`."""
    return [str(settings.base / path) for path in settings.issuers_from]


def with_issuers_from(settings: Settings) -> Settings:
    """The settings with what `issuers_from` tells behind their own `[[issuers]]`. Raises ConfigurationError."""
    try:
        found = read(paths(settings))
    except Unreadable as error:
        names = ", ".join(settings.issuers_from)
        raise ConfigurationError(
            "issuers_from", names, f"a file that cannot be read: {error}", file=settings.file
        ) from None
    return replace(settings, issuers=joined(settings.issuers, issuers_of(found)))


def joined(own: Iterable[IssuerSettings], told: Iterable[IssuerSettings]) -> tuple[IssuerSettings, ...]:
    """A person's word goes before a file's: an issuer that is configured is not read."""
    own = tuple(own)
    named = {one.issuer for one in own}
    return (*own, *(one for one in told if one.issuer not in named))
