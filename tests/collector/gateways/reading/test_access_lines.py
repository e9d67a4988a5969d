"""Access lines of frameworks: what the request asked for and how it was answered."""

from __future__ import annotations

import pytest

from collector.gateways.reading.access_lines import access

LINES = (
    ("Completed /api/carts/ 401 Unauthorized in 699.199µs", "", "/api/carts/", 401),
    ("Completed 403 Forbidden in 22ms (Views: 4.6ms)", "", "", 403),
    ("GET /api/carts 401 2ms - 407b", "GET", "/api/carts", 401),
    ("--> GET /api/carts 401 3ms 12b", "GET", "/api/carts", 401),
    ("  xxx GET /api/carts 401 67ms -", "GET", "/api/carts", 401),
    ("--> GET /api/carts 401 3ms", "GET", "/api/carts", 401),
    ("192.0.2.7:58328 GET http://carts:8080/api/carts 401 57  1.2ms", "GET", "/api/carts", 401),
    ("GET http://carts:8080/api/carts  401 57", "GET", "/api/carts", 401),
    ("401 Unauthorized: GET - /api/carts in 5ms", "GET", "/api/carts", 401),
    ("192.0.2.7:54321 [401]: GET /api/carts", "GET", "/api/carts", 401),
    ("[response] http://carts:8080: get /api/carts {} 401 (12ms)", "get", "/api/carts", 401),
    ('192.0.2.7 ann [carts] "GET /api/carts HTTP/1.1" 401 0.003', "GET", "/api/carts", 401),
    ('access: "GET /api/carts HTTP/2" status=403', "GET", "/api/carts", 403),
)


@pytest.mark.parametrize(("line", "method", "path", "status"), LINES)
def test_a_request_and_its_answer(line: str, method: str, path: str, status: int) -> None:
    """Each framework has its own order of method, path and status."""
    read = access("gizmo", line)

    assert read is not None
    assert (method, path, status) == (read.method, read.path, read.status)


@pytest.mark.parametrize(
    "line",
    [
        "Completed the order 401 in time",
        '401 reasons to say "GET /x HTTP/1.1" again',
        'upstream sent "GET /x HTTP/1.1", host: "a"',
    ],
)
def test_no_request(line: str) -> None:
    """A number beside words is no answer."""
    assert access("gizmo", line) is None
