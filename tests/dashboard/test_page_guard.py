"""By which names the page may be asked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from collector.settings import DashboardSettings, LoginSettings, Settings
from dashboard.page_guard import Guard, Names, names
from tests.waiting import finished

# Address and further settings -> names that are known, names that are not.
KNOWN: dict[str, tuple[dict[str, Any], list[str], list[str]]] = {
    "loopback": (
        {"address": "127.0.0.1:8501"},
        ["127.0.0.1:8501", "localhost", "LOCALHOST:8501", "[::1]:8501", "localhost."],
        ["evil.example", "127.0.0.1.evil.example", "10.0.0.7", "", "a@localhost", "localhost/x", "localhost:x", "[::1"],
    ),
    "one address": ({"address": "10.0.0.7:8501"}, ["10.0.0.7:8501"], ["10.0.0.8", "localhost", "evil.example"]),
    "every address": (
        {"address": "0.0.0.0:8501"},
        ["10.0.0.7:8501", "[2001:db8::1]:8501", "localhost:8501"],
        ["evil.example", "10.0.0.7.evil.example"],
    ),
    "behind a proxy": (
        {"address": "127.0.0.1:8501", "hosts": ("Why401.example.com", "other.example:8443")},
        ["why401.example.com", "other.example:8443", "127.0.0.1:8501"],
        ["example.com", "x.why401.example.com"],
    ),
    "with a login": (
        {"address": "127.0.0.1:8501", "login": LoginSettings(redirect_uri="https://page.example/oauth2callback")},
        ["page.example"],
        ["oauth2callback"],
    ),
}


def about(dashboard: dict[str, Any]) -> Names:
    return names(replace(Settings(), dashboard=replace(DashboardSettings(), **dashboard)))


@pytest.mark.parametrize(("dashboard", "known", "unknown"), KNOWN.values(), ids=KNOWN)
def test_the_page_is_known_by_what_is_configured(dashboard, known, unknown):
    """Configured names and loopback, in any case and with any port; of addresses what can be reached."""
    found = about(dashboard)

    assert known == [host for host in [*known, *unknown] if found.knows(host)]


def test_a_proxy_that_renames_the_host_is_named_by_the_origin():
    """The browser's origin must be the host it asked, or one that is configured, with its port."""
    found = about({"hosts": ("why401.example.com", "other.example:8443")})
    local = "127.0.0.1:8501"

    assert found.may_connect(local, "https://why401.example.com")
    assert found.may_connect(local, "https://other.example:8443")
    assert not found.may_connect(local, "https://other.example")
    assert not found.may_connect(local, "https://why401.example.com.evil.example")
    assert not found.may_connect("evil.example", "https://why401.example.com")


@pytest.mark.parametrize(
    ("path", "accept", "answer"),
    [
        ("/a/b/c", b"text/html,*/*", (303, b"/?range=6h")),
        ("/group/", b"text/html", (303, b"/group?range=6h")),
        ("//evil.example/x", b"text/html", (303, b"/?range=6h")),
        ("/group", b"text/html", (200, b"")),
        ("/nothing", b"text/html", (200, b"")),
        ("/static/js/index.js", b"*/*", (200, b"")),
        ("/media/a.csv", b"text/html", (200, b"")),
        ("/a/b/c", b"*/*", (200, b"")),
    ],
)
def test_a_path_without_a_page_leads_home(path, accept, answer):
    """Whoever follows a wrong link sees the overview with the link's range, not a blank page; Streamlit's files are left alone."""

    async def page(_scope, _receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})

    sent: list[dict[str, Any]] = []

    async def send(message):
        sent.append(message)

    asked = {
        "type": "http", "method": "GET", "path": path, "query_string": b"range=6h",
        "headers": [(b"host", b"127.0.0.1:8501"), (b"accept", accept)],
    }  # fmt: skip
    finished(Guard(page, about({"address": "127.0.0.1:8501"}), [(b"x-frame-options", b"DENY")])(asked, None, send))
    found = dict(sent[0]["headers"])

    assert (*answer, b"DENY") == (sent[0]["status"], found.get(b"location", b""), found[b"x-frame-options"])
