"""Addresses become networks, on the fast path of access logs as on the slow one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.redaction import engine, redact
from collector.redaction.views import fold

UA = '"Mozilla/5.0 (X11) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f'203.0.113.9 - - "GET / HTTP/1.1" 200 {UA}', f'203.0.113.0/24 - - "GET / HTTP/1.1" 200 {UA}'),
        ("client: 203.0.113.9, server: x", "client: 203.0.113.0/24, server: x"),
        ("from 203.0.113.9.", "from 203.0.113.0/24."),
        ("203.0.113.9:443 refused", "203.0.113.0/24:443 refused"),
        ("allow 203.0.113.9/24", "allow 203.0.113.0/24"),
        ("allow 2001:db8:85a3::9/48", "allow 2001:db8:85a3::/48"),
        ("1.2.3.4.5 v1.2.3.4 300.1.1.1 1.1.1.256", "1.2.3.4.5 v1.2.3.4 300.1.1.1 1.1.1.256"),
        ("version 1.2.3.4, release: 4.3.2.1", "version 1.2.3.4, release: 4.3.2.1"),
        ("127.0.0.1 0.0.0.0", "127.0.0.1 0.0.0.0"),
    ],
)
def test_an_address_keeps_its_network(text, expected):
    """Hosts go, networks, versions and loopback stay."""
    assert redact(text).text == expected


PIECES = st.sampled_from(
    ["203.0.113.9", "10.1.2.3", "127.0.0.1", "/24", " ", '"', ",", ":", "-", "4444", "a", "/", "é", "Chrome/", "."]
)


@given(st.lists(PIECES, max_size=10).map("".join))
@settings(max_examples=400, deadline=None)
def test_the_fast_path_gives_what_all_rules_give(text):
    """Lines in which only IPv4 addresses can be are redacted as by every rule."""
    hits = engine._hits(fold(text), engine._triggered(fold(text)))
    slow = engine._until_clean(text, hits) if hits else engine.Redacted(text)
    assert redact(text) == slow
