"""The process that delivers messages, and that may be killed: `python -m analyzer.alerts.courier`.

Input: one line of JSON, a list of parcels. Output: a line `[number, ""]` for each that arrived, or with why it did not. A
library for a hundred services, its imports and its connections are no part of the process that takes logs in.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from analyzer.alerts.channels import APPRISE

LIMIT_S: Final = 30.0  # for all parcels together; they travel side by side
GRACE_S: Final = 5.0  # it leaves by itself before it is killed
CONNECT_S: Final = 10.0
LATE: Final = "no answer in time"
_MOST: Final = 1 << 20  # bytes of the courier's answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """`body` is text for apprise, else JSON."""

    kind: str
    url: str = field(repr=False)
    title: str
    body: str
    severity: str = ""  # critical, warning; success when it is over


def deliver(parcels: Sequence[Parcel], limit_s: float = LIMIT_S) -> list[str]:
    """Why a parcel did not arrive, for each of them; "" when it did. Takes no longer than the limit and a moment."""
    if not parcels:
        return []
    found = [LATE] * len(parcels)
    asked = json.dumps([limit_s, [asdict(parcel) for parcel in parcels]]).encode()
    command = [sys.executable, "-m", "analyzer.alerts.courier"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        out, _ = process.communicate(asked, timeout=limit_s + GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        out, _ = process.communicate()
    for number, why in _answers(out[:_MOST]):
        found[number] = why
    return found


def _answers(out: bytes) -> Iterator[tuple[int, str]]:
    """Whole lines of ours; a killed process may leave half of one."""
    for line in out.splitlines():
        try:
            number, why = json.loads(line)
            yield int(number), str(why)
        except (ValueError, TypeError):
            continue


def main() -> None:
    """Deliver side by side, and leave when all is done or the time is over."""
    limit_s, given = json.loads(sys.stdin.buffer.read())
    lock = threading.Lock()

    def carry(number: int, parcel: Parcel) -> None:
        why = _carried(parcel)
        with lock:
            sys.stdout.write(json.dumps([number, why]) + "\n")
            sys.stdout.flush()

    threads = [
        threading.Thread(target=carry, args=(number, Parcel(**one)), daemon=True) for number, one in enumerate(given)
    ]
    timer = threading.Timer(limit_s, os._exit, (0,))
    timer.daemon = True
    timer.start()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _carried(parcel: Parcel) -> str:
    carrier: Callable[[Parcel], str] = _by_apprise if parcel.kind == APPRISE else _by_http
    try:
        return carrier(parcel)
    except Exception as error:  # its text may quote the URL: only the kind goes on
        return type(error).__name__


def _by_apprise(parcel: Parcel) -> str:
    import logging

    import apprise

    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    kinds = {"critical": "failure", "warning": "warning", "success": "success"}
    service: Any = apprise.Apprise()
    if not service.add(parcel.url):
        return "apprise does not know this URL"
    arrived = service.notify(
        title=parcel.title, body=parcel.body, notify_type=kinds.get(parcel.severity, "info"), body_format="text"
    )
    return "" if arrived else "the service did not take it"


def _by_http(parcel: Parcel) -> str:
    """A POST of JSON. Redirects are not followed: the address is the operator's."""
    url = urlsplit(parcel.url)
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = kind(url.hostname or "", url.port, timeout=CONNECT_S)
    try:
        path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        connection.request("POST", path, parcel.body.encode(), _headers(url.username, url.password))
        status = connection.getresponse().status
    finally:
        connection.close()
    return "" if 200 <= status < 300 else f"HTTP {status}"


def _headers(user: str | None, password: str | None) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "User-Agent": "why401"}
    if user is None:
        return headers
    pair = f"{unquote(user)}:{unquote(password or '')}".encode()
    return headers | {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}


if __name__ == "__main__":
    main()
