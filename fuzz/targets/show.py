"""What is shown: routes, networks, user agents, templates, texts and identifiers are bounded and printable."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

import orjson

from collector.redaction import redact_value, request_facts, safe_id, safe_text, template
from fuzz.stages import PLANTED, every, fixture_lines, leaked, must, text_of

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def check(data: bytes) -> None:
    """Each of them, on any text and on any text before a token."""
    text = text_of(data)
    for given in (text, f"/{text}/{PLANTED}/x", f"{text} {PLANTED}"):
        shown = (
            (request_facts.route(given), 500), (request_facts.user_agent(given), 60), (request_facts.network(given), 60), (request_facts.method(given), 10),
            (safe_text(given, 200), 200), (safe_id(given, 80), 80), (template(given), 300),
        )  # fmt: skip
        for made, limit in shown:
            must(len(made) <= limit, f"at most {limit} characters")
            must(not leaked(made), "no token is shown")
            must(not any(unicodedata.category(c) in _HIDDEN for c in made), "nothing invisible is shown")
    try:
        value = orjson.loads(data)
    except ValueError:
        return
    must(
        not leaked(orjson.dumps(redact_value({"a": value, "authorization": PLANTED, "b": [f"x {PLANTED}"]}))),
        "no value is left",
    )


def seeds() -> Iterable[bytes]:
    """Paths, agents, addresses, some fixtures."""
    yield from every(15, fixture_lines())
    yield from (
        b"/v1/orders/17/items?x=1",
        b"https://a.example/b/c",
        b"/a//b/%2e%2e/;x=1",
        b"Mozilla/5.0 (X) Chrome/1",
        b"[2001:db8::1]:443",
    )
    yield "\u202egnp.exe \x1b]8;;x\x07 \u200b \U000e0041".encode()
