"""Access lines of frameworks: what the request asked for and how it was answered."""

from __future__ import annotations

import pytest

from collector.gateways.reading.access_lines import access
from collector.gateways.reading.places import LEARNED

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
    ("401 - PUT /api/carts - 192.0.2.7 - Opera/9.80 (Windows NT 6.1; U; en) Presto/2.10", "PUT", "/api/carts", 401),
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
        "GET /api/carts took 403 ms",
        "worker 401 handling GET /api/carts",
        "retrying GET /api/carts after 403",
        "expected GET /api/carts 401 got 200",
        "Mapped {GET, /api/carts/401} route",
        "user 403 called GET /api/carts",
        "cache miss for GET /api/carts, 401 entries",
        "queue GET /api/carts: 403 waiting",
        "GET /api/carts rows=403",
        'method=GET path=/api/carts status=401 dur=7ms reason="the token has expired"',
        "GET /api/carts failed, the other side said 401",
        "401 - GET /api/carts - wget/1.21 was refused: the token has expired",
        "[401] Started GET /api/carts for 192.0.2.7 at 2026-03-03 10:00:00",
    ],
)
def test_no_request(line: str) -> None:
    """A number beside words is no answer."""
    assert access("gizmo", line) is None


@pytest.mark.parametrize(
    ("line", "status", "client"),
    [
        ("[carts/ab12-000001] GET http://carts:80/api/carts HTTP/1.1 from 192.0.2.7:41966 - 401 22B in 369.6µs", 401, "192.0.2.7"),
        ("GET /api/carts 401", 401, ""),
        ("403 GET /api/carts 12ms", 403, ""),
        ("192.0.2.7 [GET] </api/carts> (401) [3 ms]", 401, "192.0.2.7"),
        ("GET /api/carts 58 401 0.003", 401, ""),
        ("http.carts: GET /api/carts -> 403 in 3 ms", 403, ""),
        ("| 401 | 192.0.2.7 | 3ms | GET | /api/carts |", 401, "192.0.2.7"),
        ("method=GET path=/api/carts status=401 duration=3ms", 401, ""),
        ("'GET /api/carts HTTP/2' 1.7kb 403 'ann'", 403, ""),
        ("0.003s 17 GET /api/carts 401 Unauthorized 192.0.2.7", 401, "192.0.2.7"),
        # A number that is no status stands beside it.
        ("GET /api/carts/403 200 3ms", 200, ""),
        ("GET /api/carts 200 in 401 ms", 200, ""),
        ("GET /api/carts 200 403B", 200, ""),
        ("app[401]: GET /api/carts?code=403 200 - 401 bytes", 200, ""),
        ("GET /api/carts id=401 200", 200, ""),
    ],
)  # fmt: skip
def test_any_order_of_values(line: str, status: int, client: str) -> None:
    """A request, a status, and values around them in any order are an access line, whoever wrote it."""
    read = access("gizmo", line)

    assert read is not None
    assert ("GET", status, client) == (read.method, read.status, read.client)
    assert read.path.partition("?")[0] in ("/api/carts", "/api/carts/403")


TOKEN = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4ifQ."


@pytest.mark.parametrize(
    "line",
    [
        '[10:00:00] 192.0.2.7 "GET /api/carts HTTP/1.1" 401 - "Bearer {}"',
        '"Bearer {}" "GET /api/carts HTTP/1.1" 401 17',
        "GET /api/carts 401 3.2 ms - 17 Bearer {} curl/8",
        "Bearer {} 192.0.2.7 GET /api/carts 401",
        'GET /api/carts status=401 auth="Bearer {}" took=3ms',
        '192.0.2.7:5000 - "GET /api/carts HTTP/1.1" 401 Unauthorized "curl/8" "Bearer {}"',
    ],
)
def test_a_column_with_the_credential(line: str) -> None:
    """It is found wherever it stands."""
    read = access("gizmo", line.format(TOKEN))

    assert read is not None
    assert read.status == 401
    assert read.headers["authorization"] == f"Bearer {TOKEN}"
    assert read.credential_logged


def test_an_empty_column_of_the_credential() -> None:
    """Of a file whose lines had it there, "-" says that no credential was sent."""
    line = '[10:00:00] "GET /api/carts HTTP/1.1" 401 - "curl/8" "{}"'
    before = access("gizmo", line.format("-"), "carts.log")
    for _ in range(LEARNED):
        access("gizmo", line.format(f"Bearer {TOKEN}"), "carts.log")
    after = access("gizmo", line.format("-"), "carts.log")

    assert before is not None
    assert not before.credential_logged
    assert after is not None
    assert after.credential_logged
    assert not after.headers
