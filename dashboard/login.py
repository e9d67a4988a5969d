"""Who may open the page: settings checked, and handed to Streamlit's OpenID Connect login (docs/decisions/0013)."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from collector.errors import ConfigurationError
from collector.settings import LoginSettings, Settings
from collector.settings.checks import is_loopback

_NEEDED: Final = ("client_id", "client_secret", "redirect_uri")


def check(settings: Settings) -> None:
    """Raises ConfigurationError for half a login, and for a page that others reach without one."""
    login = settings.dashboard.login
    host, _, _ = settings.dashboard.address.rpartition(":")
    if not login.issuer:
        if is_loopback(host) or settings.insecure:
            return
        right = (
            "anyone who can reach the page could read it: set [dashboard.login], bind 127.0.0.1, or set insecure = true"
        )
        raise ConfigurationError("dashboard.address", settings.dashboard.address, right, file=settings.file)
    for name in _NEEDED:
        if not getattr(login, name):
            raise ConfigurationError(f"dashboard.login.{name}", "", "required when issuer is set", file=settings.file)
    if not login.viewers and not login.operators:
        right = f"nobody could log in: list values of the claim {login.role_claim!r}, or e-mail addresses"
        raise ConfigurationError("dashboard.login.operators", (), right, file=settings.file)


def describe(settings: Settings) -> str:
    """How the page is protected, for `why401 check`."""
    login = settings.dashboard.login
    if not login.issuer:
        return "no login"
    groups = (("viewers", login.viewers), ("operators", login.operators))
    return f"login at {login.issuer}, " + ", ".join(f"{name}: {', '.join(who) or 'nobody'}" for name, who in groups)


@contextmanager
def streamlit_flags(login: LoginSettings) -> Iterator[list[str]]:
    """The flags that configure Streamlit's login; the file behind them is ours alone and goes with the process."""
    if not login.issuer:
        yield []
        return
    with tempfile.TemporaryDirectory(prefix="why401-login-") as folder:  # mode 0700
        file = Path(folder) / "secrets.toml"
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            out.write(secrets(login))
        yield [f"--secrets.files={file}"]


def secrets(login: LoginSettings) -> str:
    """What Streamlit reads: TOML with the section `auth`."""
    auth = {
        "redirect_uri": login.redirect_uri,
        "cookie_secret": _cookie_secret(login),
        "client_id": login.client_id,
        "client_secret": login.client_secret,
        "server_metadata_url": login.issuer.rstrip("/") + "/.well-known/openid-configuration",
    }
    lines = ["[auth]", *(f"{name} = {_text(value)}" for name, value in auth.items())]
    return "\n".join([*lines, "[auth.client_kwargs]", f"scope = {_text(login.scopes)}", ""])


def _cookie_secret(login: LoginSettings) -> str:
    """Equal on every replica and after a restart, and another one when the client's secret is rotated."""
    return hmac.new(login.client_secret.encode(), b"why401 dashboard cookie", hashlib.sha256).hexdigest()


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
