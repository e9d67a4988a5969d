"""caddy-jwt's line names nothing of the request but the token's two ends."""

from __future__ import annotations

import json

from collector.settings import Settings
from tests.tokens import token
from why401.explainer import Explainer, as_mapping


def test_the_reason_and_the_request_are_one_event_without_the_tokens_end() -> None:
    """The access line shows the token, the other line its ends; the event shows neither."""
    raw = token(aud="billing")
    reason = {
        "level": "error", "ts": 1778479628.25, "logger": "http.authentication.providers.jwt", "msg": "invalid token",
        "token_string": f"{raw[:16]}…{raw[-16:]}", "error": "invalid audience",
    }  # fmt: skip
    access = {
        "level": "info", "ts": 1778479628.26, "logger": "http.log.access.log0", "msg": "handled request", "status": 401,
        "request": {"method": "GET", "host": "shop.example.net", "uri": "/carts", "remote_ip": "192.0.2.1",
                    "headers": {"Authorization": [f"Bearer {raw}"]}},
    }  # fmt: skip

    first, second = Explainer(Settings()).explain_all([json.dumps(reason), json.dumps(access, ensure_ascii=False)])

    assert first is second
    assert (401, "invalid token: invalid audience", "jws") == (
        first.event.request.status,
        first.event.words.message,
        first.event.token.kind,
    )
    assert raw[-16:] not in json.dumps(as_mapping(first))
