"""Two values that ought to be equal: in what do they differ? The answer is the near miss that a person would spot last."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from urllib.parse import SplitResult, urlsplit

ENVIRONMENTS: Final = (
    "prod", "production", "prd", "live", "stage", "staging", "stg", "dev", "develop", "development", "test", "tst", "qa",
    "uat", "int", "sandbox", "local", "localhost", "preprod", "demo",
)  # fmt: skip


def nearest(received: str, expected: Iterable[str]) -> tuple[str, str]:
    """The expected value that `received` misses by the least, and the difference in words; ("", "") when none is near."""
    near = ((value, difference(received, value)) for value in expected)
    return next(((value, words) for value, words in near if words), ("", ""))


def difference(received: str, expected: str) -> str:
    """How two values differ, when they differ in one thing only; "" when they are equal or far apart.

    >>> difference("https://idp.example.com", "https://idp.example.com/")
    'trailing slash missing'
    """
    if received == expected or not received or not expected:
        return ""
    return _by_text(received, expected) or _by_url(received, expected) or _api_against_client(received, expected)


def _by_text(received: str, expected: str) -> str:
    if received == expected.rstrip("/") or received + "/" == expected:
        return "trailing slash missing"
    if received.rstrip("/") == expected or received == expected + "/":
        return "trailing slash too many"
    if received.strip() == expected.strip():
        return "white space around it"
    if received.lower() == expected.lower():
        return "letter case"
    if received.isascii() != expected.isascii() and len(received) == len(expected):
        return "look-alike letters"
    return ""


def _by_url(received: str, expected: str) -> str:
    r, e = _split(received), _split(expected)
    if r is None or e is None:
        return ""
    same_path = r.path.rstrip("/") == e.path.rstrip("/")
    if r.netloc == e.netloc and same_path and r.scheme != e.scheme:
        return f"{r.scheme or 'no scheme'} instead of {e.scheme or 'no scheme'}"
    if r.hostname == e.hostname and same_path:
        return "port"
    if r.hostname == e.hostname:
        return _path_difference(r.path, e.path)
    return _host_difference(r, e) if same_path else _entra(r, e)


def _split(value: str) -> SplitResult | None:
    try:
        parts = urlsplit(value if "://" in value else "//" + value)
        return parts if (parts.hostname and "." in parts.hostname) or parts.hostname == "localhost" else None
    except ValueError:
        return None


def _path_difference(received: str, expected: str) -> str:
    r, e = [part for part in received.split("/") if part], [part for part in expected.split("/") if part]
    if r[:-1] == e[:-1] and len(r) == len(e) and r and r[-2:-1] in (["realms"], ["tenants"]):
        return f"realm {r[-1]} instead of {e[-1]}"
    if r == [part for part in e if part != "v2.0"] or e == [part for part in r if part != "v2.0"]:
        return "version of the endpoint (v1 against v2.0)"
    if "auth" in set(r) ^ set(e) and [p for p in r if p != "auth"] == [p for p in e if p != "auth"]:
        return "path prefix /auth (Keycloak dropped it in 17)"
    if len(r) == len(e) and sum(a != b for a, b in zip(r, e, strict=True)) == 1:
        return "one part of the path"
    return "path" if r and e and r[0] == e[0] else ""


def _host_difference(r: SplitResult, e: SplitResult) -> str:
    left, right = str(r.hostname).split("."), str(e.hostname).split(".")
    if _environment(left) != _environment(right) and _without_environment(left) == _without_environment(right):
        return f"another environment ({_environment(left) or 'none'} instead of {_environment(right) or 'none'})"
    if left[-1] in ("local", "internal", "svc", "cluster", "lan") or right[-1] in (
        "local",
        "internal",
        "svc",
        "cluster",
        "lan",
    ):
        return "internal against external host name"
    if left[-2:] == right[-2:]:
        return "host name"
    return ""


def _environment(labels: list[str]) -> str:
    words = [word for label in labels for word in label.split("-")]
    return next((word for word in words if word in ENVIRONMENTS), "")


def _without_environment(labels: list[str]) -> list[str]:
    kept = ("-".join(word for word in label.split("-") if word not in ENVIRONMENTS) for label in labels)
    return [label for label in kept if label]


def _entra(r: SplitResult, e: SplitResult) -> str:
    """Entra ID writes sts.windows.net/TENANT/ in v1 tokens, login.microsoftonline.com/TENANT/v2.0 in v2 tokens."""
    hosts = {str(r.hostname), str(e.hostname)}
    if hosts == {"sts.windows.net", "login.microsoftonline.com"}:
        return "Entra ID token version (v1 sts.windows.net against v2.0 login.microsoftonline.com)"
    return ""


def _api_against_client(received: str, expected: str) -> str:
    bare = received.removeprefix("api://"), expected.removeprefix("api://")
    if bare[0] == bare[1]:
        return "api:// prefix"
    if bare[0].rstrip("/").endswith("/" + bare[1]) or bare[1].rstrip("/").endswith("/" + bare[0]):
        return "URI against bare name"
    return ""
