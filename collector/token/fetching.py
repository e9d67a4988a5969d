"""A configured URL over https, as far as it is safe to follow: no redirect, no proxy for loopback, bounded in size and time."""

from __future__ import annotations

import contextlib
import urllib.request
from http.client import HTTPException, HTTPMessage
from typing import IO, Final
from urllib.parse import urlsplit

from collector.settings.checks import is_loopback

MAX_BYTES: Final = 1 << 20
TIMEOUT_S: Final = 5.0


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would take the fetch to a place that the operator did not configure."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        return None


def fetch_url(url: str) -> bytes:
    """At most MAX_BYTES from a configured https URL (plain http for loopback), no redirects. Raises OSError, ValueError."""
    parts = urlsplit(url)
    is_local = is_loopback(parts.hostname or "")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_local):
        raise ValueError(f"{parts.scheme or 'no'} scheme: only https is fetched")
    opener = urllib.request.build_opener(_NoRedirect, urllib.request.ProxyHandler({} if is_local else None))
    try:
        with contextlib.closing(opener.open(url, timeout=TIMEOUT_S)) as response:  # scheme checked above
            data: bytes = response.read(MAX_BYTES + 1)
    except HTTPException as error:
        raise ConnectionError(f"{type(error).__name__}: {error}") from error
    if len(data) > MAX_BYTES:
        raise ValueError(f"more than {MAX_BYTES} bytes")
    return data
