"""Several lines about one request become one event, and every record stays accounted for."""

from __future__ import annotations

from concurrent.futures import Future

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.events import Event, Origin, Outcome
from collector.joining.pairs import MAX_OPEN
from collector.joining.recent import Recent
from collector.joining.stage import Joining, join, placed
from collector.records import Batch, Position, RawRecord
from collector.records import joined as joined_positions
from collector.settings import JoiningSettings
from collector.telemetry import Telemetry
from tests.collector.test_pipeline import collector

TESTED = collector()
SECOND = "2026/03/03 10:00:0"
NGINX_ERROR = '{second}0 [error] 31#31: *{connection} auth_jwt: JWT verification failed: token expired, client: {client}, server: api, request: "GET {path} HTTP/1.1", host: "api.example.com"'
ACCESS = '{client} - - [03/Mar/2026:10:00:0{at} +0000] "GET {path} HTTP/1.1" {status} 179 "-" "curl/8.1"'
APACHE_ERROR = "[Tue Mar 03 10:00:00.123456 2026] [auth_openidc:error] [pid 9:tid 9] [client {client}:40001] oidc_util_jwt_verify: signature verification failed"
APACHE_ACCESS = '{client} - - [03/Mar/2026:10:00:00 +0000] "GET /x HTTP/1.1" 401 - "-" "curl/8.1"'


def nginx_error(*, client: str = "192.0.2.1", path: str = "/v1/orders", connection: int = 7) -> str:
    return NGINX_ERROR.format(second=SECOND, client=client, path=path, connection=connection)


def nginx_access(*, client: str = "192.0.2.1", path: str = "/v1/orders", at: int = 0, status: int = 401) -> str:
    return ACCESS.format(client=client, path=path, at=at, status=status)


def joined(*lines: str) -> list[Event]:
    """One event per line; lines about one request share theirs."""
    return join([TESTED.collect_line(_record(line)) for line in lines])


def _record(line: str) -> RawRecord:
    return RawRecord(Origin("file", "log"), 1_772_532_000 * 10**9, text=line)


def refused(events: list[Event]) -> list[Event]:
    """The refusals among them, each once."""
    return list({id(event): event for event in events if event.outcome is Outcome.DENIED}.values())


def distinct(events: list[Event]) -> int:
    return len({id(event) for event in events})


@pytest.mark.parametrize("lines", [(0, 1), (1, 0)], ids=["error first", "access first"])
def test_error_and_access_line_are_one_request(lines: tuple[int, int]) -> None:
    """nginx's words and nginx's status meet by client, method, path and second, in either order."""
    both = (nginx_error(), nginx_access())
    first, second = joined(*(both[index] for index in lines))

    assert first is second
    assert (401, "auth_jwt: JWT verification failed: token expired") == (first.request.status, first.words.message)
    assert (Outcome.DENIED, 179) == (first.outcome, first.words.body_bytes)


def test_a_line_that_many_write_takes_the_name_of_the_product_that_says_why() -> None:
    """The combined log names nobody; the error log beside it is nginx's own."""
    access = '192.0.2.1 - - [03/Mar/2026:10:00:00 +0000] "GET /v1/orders HTTP/1.1" 401 179 "-" "curl/8.7.1"'
    first, second = joined(nginx_error(), access)

    assert first is second
    assert ("nginx", 401) == (first.gateway.kind, first.request.status)


def test_apisix_reason_exit_and_access_line_are_one_request() -> None:
    """Three lines: the plugin's reason, its exit with the status (same connection), and the access log."""
    head = "2026/03/03 10:00:00 [warn] 31#31: *7 [lua] "
    tail = ', client: 192.0.2.1, server: _, request: "GET /v1/orders HTTP/1.1", host: "api.example.com"'
    events = joined(
        f"{head}jwt-auth.lua:250: phase_func(): failed to verify jwt: 'exp' claim expired{tail}",
        f"{head}plugin.lua:1174: run_plugin(): jwt-auth exits with http status code 401{tail}",
        nginx_access(),
    )

    assert 1 == distinct(events)
    assert ("apisix", 401) == (events[0].gateway.kind, events[0].request.status)
    assert "'exp' claim expired" in events[0].words.message


def test_apache_lines_meet_by_client_alone() -> None:
    """mod_auth_openidc names no path: the client and the second suffice, and of two candidates the first is taken."""
    one = joined(APACHE_ERROR.format(client="192.0.2.1"), APACHE_ACCESS.format(client="192.0.2.1"))
    error = APACHE_ERROR.format(client="192.0.2.1")
    two = joined(error, error, APACHE_ACCESS.format(client="192.0.2.1"))

    assert 1 == distinct(one)
    assert (401, "oidc_util_jwt_verify: signature verification failed") == (one[0].request.status, one[0].words.message)
    assert two[0] is two[2] is not two[1]


def test_tyk_lines_in_a_row_are_one_request() -> None:
    """Tyk says it twice in other words: the middleware's error, then what became of the request."""
    line = (
        'time="Mar 03 10:00:00" level={} msg="{}" api_id=a1 mw=JWTMiddleware org_id=o1 origin=192.0.2.1 path=/v1/orders'
    )
    first, second = joined(
        line.format("error", "JWT validation error: token is expired"),
        line.format("info", "Attempted access with invalid key."),
    )

    assert first is second
    assert "JWT validation error: token is expired" == first.words.message
    assert "" == first.words.reason, "an echo adds nothing"


def test_tyk_tells_one_refusal_in_three_lines() -> None:
    """Whatever failed, Tyk also writes that the key does not exist: that line says that it refused, and not why."""
    line = 'time="2026-03-03T10:00:00Z" level={} message="{}" api_id=a1 {}mw=JWTMiddleware org_id=o1 origin=192.0.2.1 path=/v1/orders'
    access = 'time="2026-03-03T10:00:00Z" level=info prefix=access-log api_id=a1 client_ip=192.0.2.1 method=GET org_id=o1 path=/v1/orders response_code_details=jwt_token_invalid response_flag=TKI status=403 latency_total=1 upstream_latency=0'
    events = joined(
        line.format("error", "JWT validation error", 'error="crypto/rsa: verification error" '),
        line.format("info", "Attempted JWT access with non-existent key.", ""),
        access,
    )

    assert 1 == distinct(events)
    assert "JWT validation error: crypto/rsa: verification error" == events[0].words.message


def test_tyk_error_and_access_line_are_one_request() -> None:
    """An access line that has a reason code of its own still lacks what the middleware said."""
    error = 'time="2026-03-03T10:00:00Z" level=error msg="JWT validation error" api_id=a1 error="key is of invalid type" mw=JWTMiddleware org_id=o1 origin=192.0.2.1 path=/v1/orders'
    access = 'time="2026-03-03T10:00:00Z" level=info prefix=access-log api_id=a1 client_ip=192.0.2.1 method=GET org_id=o1 path=/v1/orders response_code_details=token_invalid response_flag=TKI status=403 latency_total=1 upstream_latency=0'
    first, second = joined(error, access)

    assert first is second
    assert (403, "token_invalid") == (first.request.status, first.words.reason)
    assert "JWT validation error: key is of invalid type" == first.words.message


def test_springs_chain_is_one_request_and_its_thread_serves_many() -> None:
    """Validator, provider and manager tell of one refusal; the same thread's next validator begins another."""
    line = "2026-03-03T10:00:00.{:03}Z DEBUG 1 --- [nio-8080-exec-5] o.s.s.{} : {}"
    one = [
        line.format(1, "oauth2.jwt.JwtClaimValidator", "The iss claim is not valid"),
        line.format(1, "o.s.r.a.JwtAuthenticationProvider", "Failed to authenticate since the JWT was invalid"),
        line.format(
            2,
            "authentication.ProviderManager",
            "Authentication failed with provider JwtAuthenticationProvider since An error occurred while attempting to decode the Jwt: The iss claim is not valid",
        ),
    ]
    events = joined(*one, *one)

    assert 2 == distinct(events)
    assert events[0] is events[2]
    assert "The iss claim is not valid" == events[0].words.message


def test_aws_lines_meet_by_request_id() -> None:
    """Execution log lines and the access log of one request carry the same id."""
    identifier = "f2c7a8e4-0d5b-4a53-9f4e-0f6a6f1f9f01"
    events = joined(
        f"({identifier}) Unauthorized request: {identifier}",
        f"({identifier}) Gateway response type: UNAUTHORIZED with status code: 401",
    )

    assert 1 == distinct(events)
    assert ("UNAUTHORIZED", 401) == (events[0].words.reason, events[0].request.status)


@pytest.mark.parametrize(
    ("error", "access"),
    [
        (nginx_error(), nginx_access(client="192.0.2.2")),
        (nginx_error(), nginx_access(path="/v1/invoices")),
        (nginx_error(), nginx_access(at=5)),
        (nginx_error(), nginx_access(status=200)),
        (nginx_error(), APACHE_ACCESS.format(client="192.0.2.1")),
    ],
    ids=["another client", "another path", "five seconds later", "a request that passed", "another gateway"],
)
def test_other_requests_are_left_alone(error: str, access: str) -> None:
    """What differs in client, path, time, outcome or gateway is not one request."""
    assert 2 == distinct(joined(error, access))


def test_equal_requests_pair_one_to_one() -> None:
    """Two equal requests in one second are two events, however their lines are interleaved."""
    in_turn = joined(nginx_error(), nginx_access(), nginx_error(), nginx_access())
    interleaved = joined(nginx_error(connection=1), nginx_error(connection=2), nginx_access(), nginx_access())

    assert [2, 2] == [distinct(in_turn), distinct(interleaved)]


def test_open_halves_are_bounded() -> None:
    """A flood of halves from one client forgets the oldest and never grows."""
    events = joined(*(nginx_error(connection=number) for number in range(MAX_OPEN * 2)), nginx_access())

    assert MAX_OPEN * 2 == distinct(events)


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def stage(clock: Clock, window_ms: int = 1000) -> Joining:
    return Joining(collector(), JoiningSettings(window_ms=window_ms), Telemetry(), clock)


def experienced(clock: Clock) -> Joining:
    """One that knows for more than a minute that nginx writes both lines, and no more."""
    tested = stage(clock)
    tested(batch(nginx_error(client="198.51.100.9"), nginx_access(client="198.51.100.9")))
    clock.now += 61
    tested.due()
    return tested


def batch(*lines: str, first: int = 0) -> Batch[RawRecord]:
    position = Position("raw", 0, first, first + len(lines))
    return Batch([_record(line) for line in lines], (position,), Future())


def outcomes(batches: list[Batch[Event]]) -> list[list[str]]:
    return [[event.words.reason or str(event.request.status or "words") for event in one.items] for one in batches]


def test_a_half_waits_for_the_next_batch() -> None:
    """The batch is kept back; with the other half both batches go on as one, and both are acknowledged together."""
    clock, first, second = Clock(), batch(nginx_error()), batch(nginx_access(), first=1)
    tested = experienced(clock)

    assert [] == tested(first)
    (together,) = tested(second)

    assert ["joined", "401"] == [event.words.reason or str(event.request.status) for event in together.items]
    assert ["unread", "denied"] == [event.outcome for event in together.items]
    assert (Position("raw", 0, 0, 2),) == together.positions
    assert [False, False] == [first.done.done(), second.done.done()]
    together.done.set_result(None)
    assert [None, None] == [first.done.result(0), second.done.result(0)]


def test_a_failure_reaches_every_batch_of_the_pair() -> None:
    """A sink that fails the fused batch fails both sources' batches."""
    clock, first, second = Clock(), batch(nginx_error()), batch(nginx_access(), first=1)
    tested = experienced(clock)
    tested(first)
    (together,) = tested(second)

    together.done.set_exception(OSError("away"))
    assert ["away", "away"] == [str(one.done.exception(0)) for one in (first, second)]


def test_waiting_ends_with_the_window() -> None:
    """A half whose other never comes goes on alone after `window_ms`, and batches behind it in their order."""
    clock = Clock()
    tested = stage(clock)
    later = nginx_access(client="198.51.100.7", status=200)

    assert [[], []] == [tested(batch(nginx_error())), tested(batch(later))]
    assert [] == tested.due()
    clock.now += 1.1
    assert [["words"], ["200"]] == outcomes(tested.due())


def test_nobody_waits_where_only_one_kind_of_line_comes() -> None:
    """A gateway that ships no access log is found out in a minute; from then on its lines pass at once."""
    clock = Clock()
    tested = stage(clock)
    tested(batch(nginx_error()))
    clock.now += 61

    assert [["words"], ["words"]] == outcomes([*tested.due(), *tested(batch(nginx_error(connection=8)))])


def test_window_of_zero_joins_within_a_batch_only() -> None:
    """`window_ms = 0`: no batch is kept back, pairs inside of one still meet."""
    tested = stage(Clock(), window_ms=0)

    assert [["words"]] == outcomes(tested(batch(nginx_error())))
    assert [["joined", "401"]] == outcomes(tested(batch(nginx_error(connection=8), nginx_access())))


def test_rest_hands_over_what_waits() -> None:
    """At shutdown nothing stays behind."""
    tested = stage(Clock())
    tested(batch(nginx_error()))

    assert [["words"]] == outcomes(tested.rest())
    assert [] == tested.rest()


LINES = st.one_of(
    st.builds(nginx_error, client=st.sampled_from(["192.0.2.1", "192.0.2.2"]), connection=st.integers(1, 3)),
    st.builds(nginx_access, client=st.sampled_from(["192.0.2.1", "192.0.2.2"]), at=st.integers(0, 9)),
    st.just("not a log line"),
    st.just(nginx_access(status=200)),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.lists(LINES, max_size=5), st.floats(0, 1.5)), max_size=12))
def test_every_record_comes_out_once_in_order(script: list[tuple[list[str], float]]) -> None:
    """Whatever arrives when: as many events as records, positions in order, every batch acknowledged."""
    clock, offset, out, sent = Clock(), 0, list[Batch[Event]](), []
    tested = stage(clock)
    for lines, wait_s in script:
        sent.append(batch(*lines, first=offset))
        offset += len(lines)
        out += [*tested(sent[-1]), *tested.due()]
        clock.now += wait_s
    out += tested.rest()
    for one in out:
        one.done.set_result(None)

    assert offset == sum(len(one.items) for one in out)
    assert joined_positions(one.positions[0] for one in sent) == joined_positions(
        p for one in out for p in one.positions
    )
    assert all(1 == len(one.positions) for one in out)
    assert all(one.done.done() for one in sent)


VERDICT = '{{"level":"error","ts":1772532000.{at},"logger":"http.handlers.jwt","msg":"invalid token","token_string":"aaaa…zzzz","error":"{why}"}}'
WHYS = (
    "token is expired",
    "signature is invalid",
    "audience not satisfied",
    "issuer not satisfied",
    "token is malformed",
)


def test_verdicts_that_share_a_tokens_ends_stay_apart() -> None:
    """Each has a reason of its own: without a request id two of them are two requests."""
    events = joined(*(VERDICT.format(at=at, why=why) for at, why in enumerate(WHYS)))

    assert [f"invalid token: {why}" for why in WHYS] == [event.words.message for event in events]


ZAP = '{{"level":"warn","ts":"2026-03-03T10:00:{at}Z","caller":"{file}","msg":"{message}"}}'


@pytest.mark.parametrize(
    ("at", "message", "expected"),
    [
        ("00.101", "invalid auth token", 1),
        ("00.601", "invalid auth token", 2),
        ("00.101", "token signature is invalid", 2),
    ],
    ids=["an echo at once", "an echo half a second later", "another reason"],
)
def test_a_reason_takes_an_echo_at_once(at: str, message: str, expected: int) -> None:
    """What names a cause of its own, or comes late, is about another request."""
    reason = ZAP.format(at="00.100", file="auth/a.go:1", message="token is expired")
    events = joined(reason, ZAP.format(at=at, file="auth/b.go:2", message=message))

    assert expected == distinct(events)


def test_a_broken_verifier_is_the_cause_of_the_verdict_behind_it() -> None:
    """The line before names what broke; the verdict only that a key was not there. Behind the verdict it is another's."""
    cause = ZAP.format(at="00.100", file="auth/keys.go:1", message="failed to fetch jwks: connection refused")
    verdict = ZAP.format(at="00.101", file="auth/b.go:2", message="token rejected: no key with this kid in the jwks")

    (first, second), apart = joined(cause, verdict), joined(verdict, cause)
    assert first is second
    assert "failed to fetch jwks: connection refused" == first.words.message
    assert 2 == distinct(apart)


@pytest.mark.parametrize(("endpoint", "expected"), [("/v1/orders/:id", 1), ("/v1/carts/:id", 2), ("/v1/orders", 2)])
def test_an_endpoints_template_is_the_path_of_its_requests(endpoint: str, expected: int) -> None:
    """KrakenD's verdict names the endpoint, gin's access line what was asked for."""
    verdict = f"[KRAKEND] 2026/03/03 - 10:00:00.715 ▶ ERROR [ENDPOINT: {endpoint}][JWTValidator] Unable to validate the token: token is expired"
    access = '[GIN] 2026/03/03 - 10:00:00 | 401 |     251.417µs |     192.0.2.1 | GET      "/v1/orders/4711"'

    assert expected == distinct(joined(verdict, access))


def test_an_access_line_with_an_empty_id_is_not_about_a_request_that_has_one() -> None:
    """Apache gives an id to requests that wrote an error line; the access log shows it, or a dash."""
    error = APACHE_ERROR.format(client="192.0.2.1").replace("[client", "[R:awy1XZoov] [client")
    access = APACHE_ACCESS.format(client="192.0.2.1")

    assert 2 == distinct(joined(error, f"{access} request_id=-"))
    assert 1 == distinct(joined(error, f"{access} request_id=awy1XZoov"))
    assert 1 == distinct(joined(error, access))


def test_of_several_candidates_the_likest_is_taken() -> None:
    """The path agrees with one of them; nothing is known of the other."""
    plain = APACHE_ERROR.format(client="192.0.2.1")
    named = nginx_error(path="/v1/orders")
    events = joined(plain, named, nginx_access(path="/v1/orders"))

    assert events[2] is events[1] is not events[0]


ENVOY = (
    '{{"start_time":"2026-03-03T10:00:00.{at:03}Z","method":"GET","path":"/o/{at}","protocol":"HTTP/1.1","response_code":401,'
    '"response_code_details":"jwt_authn_access_denied{{Jwt_is_expired}}","response_flags":"-","request_id":"0f0f0f0f-0000-4000-8000-{at:012d}"}}'
)
MIXED = (
    "error: jwt of session {at} expired",
    "2026-03-03 10:00:00,{at:03} - carts.auth - ERROR - token refused, request_id=0f0f0f0f-0000-4000-8000-{at:012d}",
    ENVOY,
    "[2026-03-03 10:00:00.{at:03}][12][warning][jwt] [source/extensions/filters/http/jwt_authn/filter.cc:9] Jwt verification fails",
    '2026/03/03 10:00:00 [error] 31#31: *{at} auth_jwt: token expired, client: 192.0.2.{at}, server: api, request: "GET /o/{at} HTTP/1.1"',
    '192.0.2.{at} - - [03/Mar/2026:10:00:00 +0000] "GET /o/{at} HTTP/1.1" 401 179 "-" "curl/8.1"',
)


@given(st.lists(st.tuples(st.sampled_from(MIXED), st.integers(1, 4)), max_size=14))
@settings(deadline=None, max_examples=150)
def test_whole_lines_are_joined_as_if_each_had_been_looked_at(chosen: list[tuple[str, int]]) -> None:
    """A whole line beside others' words is looked at only once a line comes that it may belong to: nothing else changes."""
    collected = [TESTED.collect_line(_record(line.format(at=at))) for line, at in chosen]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Recent, "is_apart", lambda _self, _line: False)
        expected = placed(collected)

    assert expected == placed(collected)


def test_a_whole_line_waits_for_words_with_its_id() -> None:
    """Another program's line names the request's id after words that have nothing to do with it."""
    other, reason, access = MIXED[0], MIXED[1], ENVOY
    events = joined(other.format(at=9), access.format(at=1), access.format(at=2), reason.format(at=2))

    assert events[2] is events[3] is not events[1]
    assert 3 == distinct(events)


def test_words_without_times_that_share_a_sentence_are_two_refusals() -> None:
    """What a console shows of two requests, each with its access line and its words: both were refused for one reason."""
    access = 'INFO:     192.0.2.{client}:0 - "GET /carts HTTP/1.1" 401 Unauthorized'
    events = joined(
        access.format(client=1),
        "WARNING:  cart refused: the token has expired",
        access.format(client=2),
        "WARNING:  gizmo refused: the token has expired",
    )

    assert events[0] is events[1]
    assert events[2] is events[3]
    assert distinct(events) == 2


def test_reasons_in_one_frame_are_two_refusals() -> None:
    """A library's frame names a cause as well; what stands last is the reason, and it differs."""
    events = joined(
        "2026/03/03 10:00:00 cart refused: could not parse the token: gizmo: must have three parts",
        "2026/03/03 10:00:00 cart refused: could not parse the token: gizmo: illegal base64 data in the gizmo",
    )

    assert distinct(events) == 2


def test_an_object_that_is_printed_below_two_errors_is_no_repetition() -> None:
    """Node prints what an error holds: the same claim may be absent in one token and wrong in the next."""
    held = "\n  claim: 'aud',\n  reason: 'audience check'\n}"
    events = joined(
        f'Token verification failed: ClaimError: missing required "aud" claim {{{held}',
        f'Token verification failed: ClaimError: unexpected "aud" claim value {{{held}',
    )

    assert distinct(events) == 2


COMPLETED = '{{"level":30,"time":177253200{at}000,"pid":7,"{key}":"{id}","res":{{"statusCode":401}},"responseTime":2.2,"msg":"request completed"}}'
REFUSED = '{{"level":30,"time":177253200{at}000,"pid":7,"{key}":"{id}","res":{{"statusCode":401}},"err":{{"message":"jwt expired"}},"msg":"jwt expired"}}'


@pytest.mark.parametrize("key", ["reqId", "request_id", "traceId", "requestUUID", "x-request-id"])
def test_a_reason_with_its_status_and_the_end_of_its_request_are_one_refusal(key: str) -> None:
    """A program says under one id why it refused and that it has answered, each time with the status."""
    events = joined(
        REFUSED.format(at=0, key=key, id="a-1"),
        REFUSED.format(at=0, key=key, id="a-2"),
        COMPLETED.format(at=0, key=key, id="a-2"),
        COMPLETED.format(at=0, key=key, id="a-1"),
        REFUSED.format(at=1, key=key, id="a-3"),
    )

    assert ["jwt expired"] * 3 == [event.words.message for event in refused(events)]


LOGIN = (
    "Mar  3 10:00:00 authd: Info: bearer(ann,192.0.2.7,<{id}>): check failed: token has expired",
    "Mar  3 10:00:00 authd: Info: file(ann,192.0.2.7,<{id}>): unknown user",
    "Mar  3 10:00:01 ftp-login: Info: Disconnected (auth failed, 1 attempts): user=<ann>, rip=192.0.2.7, session=<{id}>",
)


def test_the_lines_of_one_login_are_one_refusal() -> None:
    """They share the session; another login of the same user has another one, and a second attempt in it is a second refusal."""
    first, second = (tuple(line.format(id=each) for line in LOGIN) for each in ("q0IPEn1hJpt/AAAB", "kZggEn1hKJt/AAAB"))
    mixed = [line for pair in zip(first, second, strict=True) for line in pair]

    assert 1 == len(refused(joined(*first)))
    assert 2 == len(refused(joined(*mixed)))
    assert 2 == len(refused(joined(first[0], first[0], *first[1:])))


def test_a_session_of_http_has_many_requests() -> None:
    """Two reasons in one session are two refusals; the access line of one of them is not the other's."""
    words = (
        "2026-03-03 10:00:0{at},000 - carts.{name} - WARNING - {why} sessionId=77c0ffee1 path=/carts/{at} method=GET"
    )
    expired = words.format(at=0, name="auth", why="token refused: expired")
    scope = words.format(at=1, name="rights", why="token refused: the scope is insufficient")

    assert 2 == distinct(joined(expired, scope))


def test_an_echo_belongs_to_the_reason_of_its_session() -> None:
    """Beside one that names another session it is a refusal of its own."""
    reason = "2026-03-03 10:00:00,000 - carts.auth - WARNING - token refused: jwt expired, sid=77c0ffee{at}"
    echo = "2026-03-03 10:00:00,010 - carts.web - WARNING - authentication failed, sid=77c0ffee{at}"

    assert 1 == len(refused(joined(reason.format(at=1), echo.format(at=1))))
    assert 2 == len(refused(joined(reason.format(at=1), echo.format(at=2))))


@pytest.mark.parametrize(("status", "expected"), [(401, 2), (400, 1)])
def test_headers_that_are_too_large_were_not_refused_for_the_token(status: int, expected: int) -> None:
    """nginx answers 400 to them: a 401 of the same client and path, two seconds before, is another request."""
    words = f'{SECOND}2 [info] 31#31: *7 client sent too long header line: "authorization: Bearer x" while reading client request headers, client: 192.0.2.1, server: api, request: "GET /v1/orders HTTP/1.1"'

    assert expected == distinct(joined(words, nginx_access(status=status, at=1)))
