"""What the person at the page may do. Without a login configured it is the operator, as on one's own machine."""

from __future__ import annotations

import time
from collections.abc import Mapping
from enum import IntEnum
from typing import Any, Final

import streamlit as st

from collector.settings import LoginSettings
from collector.settings.private import os_user
from collector.visible import visible
from dashboard import config
from dashboard.errors import NotPermitted

CLOCK_SKEW_S: Final = 60


class Role(IntEnum):
    """Each may do what the one before may."""

    NOBODY = 0
    VIEWER = 1  # reads
    OPERATOR = 2  # also changes, exports, and runs SQL


def role_of(claims: Mapping[str, Any], login: LoginSettings) -> Role:
    """The role of a person with these claims of an ID token."""
    if str(claims.get("iss", "")).rstrip("/") != login.issuer.rstrip("/"):
        return Role.NOBODY
    names = _groups(claims, login.role_claim) | _addresses(claims)
    if names & {name.casefold() if "@" in name else name for name in login.operators}:
        return Role.OPERATOR
    return Role.VIEWER if names & {name.casefold() if "@" in name else name for name in login.viewers} else Role.NOBODY


def is_over(claims: Mapping[str, Any], login: LoginSettings, now: float) -> bool:
    """Whether the login is older than `session_hours`; Streamlit's cookie lives for thirty days."""
    issued = claims.get("iat")
    if isinstance(issued, bool) or not isinstance(issued, (int, float)):
        return True
    return not -CLOCK_SKEW_S <= now - issued <= login.session_hours * 3600


def current() -> Role:
    """The role of whoever looks at this page now."""
    login = config.settings().dashboard.login
    if not login.issuer:
        return Role.OPERATOR
    claims = person()
    return Role.NOBODY if not claims or is_over(claims, login, time.time()) else role_of(claims, login)


def is_operator() -> bool:
    """Whether to draw what only an operator may use."""
    return current() >= Role.OPERATOR


def require_operator() -> None:
    """The first line of everything that changes something: a control that is not drawn is no protection.

    Raises NotPermitted.
    """
    if not is_operator():
        raise NotPermitted


def author() -> str:
    """Whom a decision is put down to: a proven address or the subject of the login; without one, who runs the page."""
    claims = person()
    name = next(iter(sorted(_addresses(claims))), "") or str(claims.get("sub", ""))
    return visible(name, 200) if claims else os_user()


def person() -> Mapping[str, Any]:
    """The claims of who is logged in, or nothing."""
    return dict(st.user) if config.settings().dashboard.login.issuer and st.user.is_logged_in else {}


def _groups(claims: Mapping[str, Any], path: str) -> set[str]:
    """The claim's words; none with an @, so that a group cannot be named like somebody's address."""
    value: Any = claims.get(path)
    if value is None:
        value = claims
        for name in path.split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
    values = value if isinstance(value, (list, tuple)) else [value]
    return {item for item in values if isinstance(item, str) and "@" not in item}


def _addresses(claims: Mapping[str, Any]) -> set[str]:
    """The e-mail address, when the provider says that it is proven: some let people write there what they like."""
    address = claims.get("email")
    if not isinstance(address, str) or "@" not in address or claims.get("email_verified") is not True:
        return set()
    return {address.casefold()}
