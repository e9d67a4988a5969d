"""A mebibyte of anything: records that would cost more than linear time somewhere, if anything did."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Final

MIB: Final = 1 << 20


def _envoy(authorization: str) -> str:
    record = {"start_time": "2026-03-03T10:00:00.000Z", "method": "GET", "path": "/orders", "response_code": 401}
    details = {"response_code_details": "jwt_authn_access_denied{Jwt_is_expired}", "response_flags": "-"}
    return json.dumps(record | details | {"authorization": authorization, "upstream_host": "-"})


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


_TOKEN: Final = (
    f"{_part({'alg': 'RS256', 'kid': 'k1'})}.{_part({'iss': 'https://idp.example.com/', 'sub': 'u'})}.{'A' * 342}"
)
HOSTILE: Final[dict[str, Callable[[], str]]] = {
    "one long token": lambda: _envoy("Bearer " + "eyJ" + "a" * MIB),
    "dots": lambda: _envoy("Bearer eyJ" + "." * MIB),
    "a message of words": lambda: "error: " + "jwt token is not expired issuer " * (MIB // 32),
    "brackets": lambda: "[" * MIB,
    "quotes": lambda: '{"a":"' + '\\"' * (MIB // 2) + '"}',
    "many tokens": lambda: " ".join([_TOKEN] * (MIB // len(_TOKEN))),
    "a claim of a mebibyte": lambda: f"Bearer {_part({'alg': 'RS256'})}.{_part({'iss': 'x' * (MIB // 2)})}.{'A' * 342}",
    "a stack trace": lambda: "java.lang.IllegalStateException: x\n" + "\tat a.b.C.d(C.java:1)\n" * (MIB // 22),
    "percent": lambda: "GET /?token=" + "%2525" * (MIB // 5),
    "nested JSON text": lambda: json.dumps({"message": json.dumps({"message": json.dumps({"message": "x" * MIB})})}),
}
