"""What outsiders write into tokens and requests: markup, formulas, control characters, look-alikes, SQL."""

from __future__ import annotations

import json
import time
from typing import Final

from tests.tokens import raw

EVIL: Final = "evil.example"
PAYLOADS: Final = (
    f"<img src=https://{EVIL}/i onerror=alert(1)>",
    "<script>alert(2)</script>",
    f"![p](https://{EVIL}/p.png?t=1)",
    f"[go](javascript:alert(3)) [go](https://{EVIL}/go)",
    f"<https://{EVIL}/auto> https://{EVIL}/bare www.{EVIL} a@{EVIL}",
    ":material/home: :streamlit: :red[x] :red-background[x] :blue-badge[x] :small[x]",
    "$\\frac{1}{2}$ $$\\href{javascript:alert(4)}{x}$$",
    "&lt;img src=x onerror=alert(5)&gt; &#60;script&#62;alert(6)&#60;/script&#62;",
    "`code` **bold** ~~gone~~ # heading\n# heading\n- item\n|a|b|\n|-|-|",
    "data:text/html,<script>alert(7)</script>",
    '" onmouseover=alert(8) x=" </textarea><script>alert(9)</script>',
    f"<svg/onload=alert(10)><iframe src=https://{EVIL}/f></iframe><link rel=stylesheet href=https://{EVIL}/c>",
    "{{constructor.constructor('alert(11)')()}} ${alert(12)} <%= alert(13) %>",
    "\u202egnp.exe\u2066 \u200bzero\ufeff width",
    f"\x1b]8;;https://{EVIL}\x07link\x1b]8;;\x07 \x1b[2J\x1b[31mred\x9b31m",
    "first\r\nAuthorization: forged\r\nsecond\x00\x08\x7f",
    '=HYPERLINK("https://evil.example")',
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "https://id.ex\u0430mple.com",
    "'; DROP VIEW failures; --",
)  # fmt: skip


def lines(repeat: int = 3) -> list[str]:
    """Envoy's access log with every payload in issuer, key id, claim name, client, audience, path, agent, host and reason."""
    made = []
    for number in range(repeat * len(PAYLOADS)):
        payload = PAYLOADS[number % len(PAYLOADS)]
        made.append(json.dumps(_line(number, payload)))
    return made


def _line(number: int, payload: str) -> dict[str, object]:
    now = int(time.time())
    said = ("jwt_authn_access_denied{Jwt_issuer_is_not_configured}", payload, f"the token has expired: {payload}")
    claims = {"iss": payload, "aud": [payload], "azp": payload, payload: 1, "iat": now - 900, "exp": now + 600}
    token = raw({"alg": "RS256", "typ": payload, "kid": payload}, claims)
    return {
        "start_time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{number % 1000:03}Z",
        "method": "GET",
        "path": f"/{payload}/{number}",
        "protocol": "HTTP/1.1",
        "response_code": 401,
        "response_code_details": said[number % len(said)],
        "authorization": f"Bearer {token}",
        "authority": payload,
        "user_agent": payload,
        "request_id": payload,
    }
