"""As many events as refusals, each with its reason: whatever order the lines about them arrive in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.events import Event, Origin, Outcome
from collector.joining.stage import Joining, join
from collector.records import Batch, RawRecord
from collector.redaction import safe
from collector.settings import JoiningSettings
from collector.telemetry import Telemetry
from tests.collector.test_pipeline import collector

TESTED: Final = collector()
REASONS: Final = (
    "token is expired by 3h",
    "signature is invalid",
    'invalid audience, expected "shop"',
    "issuer is not trusted",
    "token is malformed: could not base64 decode header",
    "insufficient scope",
)
MOST: Final = 10


@dataclass(frozen=True, slots=True)
class Refused:
    """One request that was refused: its number among all, the reason, and the connection that it came on."""

    number: int
    why: str

    @property
    def id(self) -> str:
        """As long as those that servers make."""
        return f"9a1c77f0-0000-4000-8000-{self.number:012d}"


Lines = Callable[[Refused], list[str]]


def nginx(one: Refused) -> list[str]:
    """Error and access log; the client and the second are all that both name."""
    return [
        f'2026/03/03 10:00:00 [error] 31#31: *{one.number} auth_jwt: {one.why}, client: 192.0.2.1, server: api, request: "GET /v1 HTTP/1.1"',
        '192.0.2.1 - - [03/Mar/2026:10:00:00 +0000] "GET /v1 HTTP/1.1" 401 179 "-" "curl/8.1"',
    ]


def apache(one: Refused) -> list[str]:
    """Three modules speak on one connection, and the access log names no more than the client."""
    head = "[Tue Mar 03 10:00:00.12{at} 2026] [{module}:error] [pid 9:tid 9] [client 192.0.2.1:{port}] "
    return [
        head.format(at=1000 + one.number, module="auth_openidc", port=40000 + one.number) + f"oidc_validate: {one.why}",
        head.format(at=1100 + one.number, module="auth_openidc", port=40000 + one.number) + "oidc_check: returning 401",
        head.format(at=1200 + one.number, module="authz_core", port=40000 + one.number)
        + "AH01630: client denied by server configuration: /srv/www",
        '192.0.2.1 - - [03/Mar/2026:10:00:00 +0000] "GET /x HTTP/1.1" 401 - "-" "curl/8.1"',
    ]


def caddy(one: Refused) -> list[str]:
    """Everybody sends tokens with the same two ends."""
    request = f'{{"client_ip":"192.0.2.1","method":"GET","host":"h","uri":"/v1","headers":{{"Authorization":["Bearer {"a" * 60}"]}}}}'
    return [
        f'{{"level":"error","ts":1772532000.{one.number:03},"logger":"http.handlers.jwt","msg":"invalid token","token_string":"{"a" * 16}…{"a" * 16}","error":"{one.why.replace(chr(34), "")}"}}',
        f'{{"level":"info","ts":1772532000.2,"logger":"http.log.access","msg":"handled request","request":{request},"status":401,"size":0}}',
    ]


def python_server(one: Refused) -> list[str]:
    """The application's line names no client, the server's no time."""
    return [
        f"2026-03-03 10:00:00,{one.number:03} WARNING app.auth: token rejected: {one.why}",
        f'INFO:     192.0.2.1:{54000 + one.number} - "POST /v1 HTTP/1.1" 401 Unauthorized',
    ]


def zap(one: Refused) -> list[str]:
    """A reason and an echo, without anything that ties them."""
    return [
        f'{{"level":"warn","ts":"2026-03-03T10:00:00.{one.number:03}Z","caller":"auth/jwt.go:81","msg":"failed to verify a JWT","error":"{one.why.replace(chr(34), "")}"}}',
        '{"level":"warn","ts":"2026-03-03T10:00:00.200Z","caller":"auth/store.go:98","msg":"invalid auth token"}',
    ]


def node_log(one: Refused) -> list[str]:
    """Three lines, one reason; every request has the same worker and second."""
    head = "[2026-03-03 10:00:00] [{}] [worker-11]"
    return [
        f"{head.format('DEBU')}[jwt] get user error:Bearer eyJhbGciOiJub25lIn0.e30.c2ln,err is: [jwt_auth] {one.why}",
        f"{head.format('ERRO')}auth error: missing or invalid token",
        f"{head.format('ERRO')}missing or invalid token",
    ]


def with_ids(one: Refused) -> list[str]:
    """A front proxy's access line and the words of the service behind it, of another kind."""
    why = one.why.replace('"', "'")
    return [
        f'{{"start_time":"2026-03-03T10:00:00.{one.number:03}Z","method":"GET","path":"/v1","response_code":401,"response_flags":"-","upstream_host":"10.0.0.1:80","x_request_id":"{one.id}"}}',
        f'{{"levelname":"WARNING","message":"token rejected: {why}","asctime":"2026-03-03 10:00:00,100","request_id":"{one.id}"}}',
        f'{{"levelname":"ERROR","message":"request failed: 401 Unauthorized","asctime":"2026-03-03 10:00:00,100","request_id":"{one.id}"}}',
    ]


def with_threads(one: Refused) -> list[str]:
    """An Erlang process serves one connection."""
    head = f"2026-03-03 10:00:00.100{one.number:03}+00:00 [error] <0.{900 + one.number}.0> "
    return [f"{head}OAuth 2 token rejected: {one.why}", f"{head}User 'reader' failed authentication by backend oauth2"]


PRODUCTS: Final = (nginx, apache, caddy, python_server, zap, node_log, with_ids, with_threads)


def record(line: str, source: str = "log") -> RawRecord:
    return RawRecord(Origin("file", safe(source, 20).text), 1_772_532_000 * 10**9, text=line)


def of_stage(batches: list[list[RawRecord]]) -> list[Event]:
    """What the store gets when the lines arrive in these batches."""
    stage = Joining(TESTED, JoiningSettings(), Telemetry(), lambda: 100.0)
    out = [one for records in batches for one in stage(Batch(records))]
    return [event for batch in (*out, *stage.rest()) for event in batch.items if event.outcome is not Outcome.UNREAD]


def of_explain(batches: list[list[RawRecord]]) -> list[Event]:
    """The distinct events of the same lines in `why401 explain`."""
    events = join([TESTED.collect_line(record) for records in batches for record in records])
    return list({id(event): event for event in events if event.outcome is not Outcome.UNREAD}.values())


def reasons(events: list[Event]) -> Counter[str]:
    """How many events have each reason; what has none is counted by its words."""
    said = (f"{event.words.message} {event.words.reason}" for event in events)
    return Counter(
        next((why for why in REASONS if why.replace('"', "") in text.replace('"', "").replace("'", "")), text)
        for text in said
    )


def sent(requests: list[Refused]) -> Counter[str]:
    return Counter(one.why for one in requests)


def test_every_product_is_read_line_by_line() -> None:
    """Each line of each product is a refusal to its parser: else the properties below would prove nothing."""
    lines = [(product.__name__, line) for product in PRODUCTS for line in product(Refused(7, REASONS[0]))]

    unread = [(name, line) for name, line in lines if TESTED.collect(record(line)).outcome is Outcome.UNREAD]
    assert unread == []


@pytest.mark.parametrize("product", PRODUCTS, ids=lambda product: product.__name__)
def test_a_storm_of_one_token(product: Lines) -> None:
    """Ten refusals of one token at once: all reasons, then all that follows, as buffered logs come."""
    requests = [Refused(number, REASONS[0]) for number in range(MOST)]
    lines = [product(one) for one in requests]
    by_place = [[record(each[place]) for each in lines] for place in range(len(lines[0]))]
    by_request = [[record(line) for line in each] for each in lines]

    assert sent(requests) == reasons(of_stage(by_place)) == reasons(of_explain(by_place))
    assert sent(requests) == reasons(of_stage(by_request)) == reasons(of_explain(by_request))


def _format(product: Lines) -> str:
    """Two servers that write the same access lines about the same client cannot be told apart."""
    return "combined" if product in (nginx, apache) else product.__name__


@st.composite
def interleaved(draw: st.DrawFn) -> tuple[list[Refused], list[list[RawRecord]]]:
    """Requests of several products, each in a log of its own, and their lines: in any order, in batches of any size."""
    requests, lines = list[Refused](), list[RawRecord]()
    for product in draw(st.lists(st.sampled_from(PRODUCTS), min_size=1, max_size=3, unique_by=_format)):
        for why in draw(st.lists(st.sampled_from(REASONS), min_size=1, max_size=MOST)):
            requests.append(Refused(len(requests), why))
            lines += [record(line, product.__name__) for line in product(requests[-1])]
    mixed = draw(st.permutations(lines))
    return requests, list(_batches(mixed, draw(st.integers(1, len(lines)))))


def _batches(lines: list[RawRecord], size: int) -> Iterator[list[RawRecord]]:
    return (lines[at : at + size] for at in range(0, len(lines), size))


@settings(max_examples=60, deadline=None)
@given(interleaved())
def test_counts_per_reason_survive_any_order(drawn: tuple[list[Refused], list[list[RawRecord]]]) -> None:
    """With and without ids, threads and times: where nothing proves which lines belong together, the counts are right."""
    requests, batches = drawn

    assert sent(requests) == reasons(of_stage(batches))
    assert sent(requests) == reasons(of_explain(batches))
