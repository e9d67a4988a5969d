"""A complaint as an application would log it: with the token nowhere in it, or with the request's header beside it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson

from benchmarks.live.libraries.contract import Complaint

Form = Callable[[Complaint], str]


def bare(complaint: Complaint) -> str:
    """The message alone; nothing where it is no sentence but a value, and only the error's class says what is wrong."""
    return complaint.message if " " in complaint.message else ""


def typed(complaint: Complaint) -> str:
    """`ExceptionClass: message`, as a traceback ends."""
    return f"{complaint.exception}: {complaint.message}"


def python_line(complaint: Complaint) -> str:
    """logging with time, level and logger."""
    return f"{time.strftime('%Y-%m-%d %H:%M:%S')},417 WARNING shop.auth: token refused: {typed(complaint)}"


def pino(complaint: Complaint) -> str:
    """pino with its error serializer."""
    error = {"type": complaint.exception, "message": complaint.message, "code": complaint.code or None}
    return _json({**_PINO, "time": int(time.time() * 1000), "err": error, "msg": "token refused"})


def python_json(complaint: Complaint, token: str) -> str:
    """A JSON line of an application that logs the Authorization header as well."""
    head = {"timestamp": _now(), "level": "warning", "logger": "shop.auth", "status": 401}
    return _json({**head, "message": typed(complaint), "authorization": f"Bearer {token}"})


def pino_http(complaint: Complaint, token: str) -> str:
    """pino-http, which logs the request beside the error."""
    request = {"method": "GET", "url": "/v1/orders/4711", "headers": {"authorization": f"Bearer {token}"}}
    error = {"type": complaint.exception, "message": complaint.message, "code": complaint.code or None}
    said = {"req": request, "res": {"statusCode": 401}, "err": error, "msg": "request errored"}
    return _json({**_PINO, "time": int(time.time() * 1000), **said})


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _json(record: Mapping[str, Any]) -> str:
    return orjson.dumps(record).decode()


_PINO: Final = {"level": 40, "pid": 17, "hostname": "shop-api-0", "name": "shop-api"}
WITH_TOKEN: Final[Mapping[str, Callable[[Complaint, str], str]]] = {"python": python_json, "node": pino_http}
FORMS: Final[Mapping[str, tuple[Form, ...]]] = {
    "python": (bare, typed, python_line),
    "node": (bare, typed, pino),
}
