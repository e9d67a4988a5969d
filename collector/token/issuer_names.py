"""One name per issuer, however tokens spell it: for pseudonyms only, so that one person is not counted once per spelling.

Verification and diagnosis compare `iss` exactly, as verifiers do.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

_DEFAULT_PORTS: Final = (":80", ":443")
_OWN_PATH: Final = 2  # segments ("realms", "shop") that make a path name a tenant, whatever the host is called
_Parts = tuple[str, tuple[str, ...]]


class IssuerNames:
    """The configured spelling of an issuer, or its spelling without what people get wrong.

    >>> names = IssuerNames(["https://idp.example.com/realms/shop"])
    >>> names.of("HTTP://idp.example.com:80/realms/shop/") == names.of("http://keycloak.svc/realms/shop")
    True
    >>> names.of("https://Other.example.net/")
    'https://other.example.net'
    """

    def __init__(self, configured: Iterable[str]) -> None:
        self._exact = tuple(dict.fromkeys(configured))
        self._by_parts: dict[_Parts, str] = {}
        by_path: dict[tuple[str, ...], list[str]] = {}
        for issuer in self._exact:
            parts = _parts(issuer)
            self._by_parts.setdefault(parts, issuer)
            by_path.setdefault(parts[1], []).append(self._by_parts[parts])
        # The same tenant behind another host name (inside and outside of a cluster), when only one can be meant.
        self._by_path = {
            path: found[0] for path, found in by_path.items() if len(path) >= _OWN_PATH and len({*found}) == 1
        }

    def of(self, iss: str) -> str:
        """The name of the issuer of a token; of a token without `iss` it is the only issuer that is configured, or ""."""
        if iss in self._exact:
            return self._by_parts[_parts(iss)]
        if not iss:
            return self._exact[0] if len(self._exact) == 1 else ""
        parts = _parts(iss)
        return self._by_parts.get(parts) or self._by_path.get(parts[1]) or _spelled(iss, parts)


def _parts(iss: str) -> _Parts:
    """Host and segments of the path: no scheme, default port, case, white space or empty segment."""
    text = iss.strip().lower()
    try:
        url = urlsplit(text)
    except ValueError:  # a bracket that closes nothing
        return text, ()
    if not url.netloc:
        return text.rstrip("/"), ()
    host = url.netloc
    for port in _DEFAULT_PORTS:
        host = host.removesuffix(port)
    return host.rstrip("."), tuple(segment for segment in url.path.split("/") if segment)


def _spelled(iss: str, parts: _Parts) -> str:
    host, path = parts
    return f"https://{'/'.join((host, *path))}" if "://" in iss else host
