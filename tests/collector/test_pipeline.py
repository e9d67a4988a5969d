"""Raw record in, exactly one event out, whatever the record is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.events import Event, Origin, Outcome, TokenKind, Verification, to_json
from collector.pipeline import UNREAD_REASONS, Collector
from collector.records import Parsed, RawRecord
from collector.redaction.pseudonyms import Pseudonyms
from collector.settings import IssuerSettings, Settings
from collector.telemetry import Telemetry
from collector.token.verification import KeySets, Verifier
from tests.tokens import ISSUER, jwks, token

ARRIVED_S = 1_795_000_000


def collector(issuers: tuple[IssuerSettings, ...] = ()) -> Collector:
    chosen = Settings(issuers=issuers)
    telemetry = Telemetry()
    key_sets = KeySets(issuers, Path(), telemetry)
    key_sets.load()
    return Collector(chosen, Verifier(chosen, key_sets), Pseudonyms(b"k" * 32, 1), telemetry)


TESTED = collector()


def collect(record: object, tested: Collector = TESTED) -> Event:
    text = record if isinstance(record, str) else json.dumps(record)
    return tested.collect(RawRecord(Origin("file", "x", -1, 7), ARRIVED_S * 10**9, text=text))


def envoy(authorization: str = "", **fields: object) -> dict[str, object]:
    """A JSON access log of Envoy with operator-chosen names."""
    return {
        "start_time": "2026-03-03T10:00:00.000Z",
        "method": "GET",
        "path": "/orders/17",
        "response_code": 401,
        "response_code_details": "jwt_authn_access_denied{Jwt_is_expired}",
        "response_flags": "-",
        "authorization": authorization or "-",
        "upstream_host": "-",
    } | fields


def test_a_refused_request_becomes_an_event() -> None:
    """Gateway, request, words, token facts and the distance of its times from the event's time."""
    event = collect(envoy(f"Bearer {token(exp=1772532000 - 90)}"))

    assert ("envoy", Outcome.DENIED, "/orders/{id}", 401) == (
        event.gateway.kind,
        event.outcome,
        event.request.route,
        event.request.status,
    )
    assert (TokenKind.JWS, -90.0) == (event.token.kind, event.times.exp_s)
    assert "Jwt_is_expired" in event.words.reason


def test_the_token_is_nowhere_in_the_event() -> None:
    """Not whole, not in part, not its subject, wherever the record carried it."""
    text = token(sub="alice@example.com")
    record = envoy(f"Bearer {text}", path=f"/a?access_token={text}", response_code_details=f"said {text}")

    wire = to_json(collect(record)).decode()

    pieces = [text, *text.split("."), "alice"]
    assert [] == [piece for piece in pieces if piece in wire]


def test_a_missing_header_that_the_log_shows_is_a_fact() -> None:
    """A field that holds "-" says that no credential came; no such field says nothing."""
    without = envoy()
    del without["authorization"]

    assert (TokenKind.ABSENT, TokenKind.UNKNOWN) == (collect(envoy()).token.kind, collect(without).token.kind)


def test_the_user_is_a_pseudonym_that_joins() -> None:
    """The same user in two tokens has one pseudonym, another user another; neither can be read."""
    first, second, other = (
        collect(envoy(f"Bearer {token(sub=sub, jti=jti)}")).token.user
        for sub, jti in (("a", "1"), ("a", "2"), ("b", "3"))
    )

    assert (True, False, 32) == (first == second, first == other, len(first))


def test_verification_uses_the_configured_key_set(tmp_path: Path) -> None:
    """The collector says whether the signature holds, by the operator's keys."""
    (tmp_path / "keys.json").write_text(json.dumps(jwks("k1")))
    tested = collector((IssuerSettings(issuer=ISSUER, jwks=str(tmp_path / "keys.json")),))

    good, strange = (
        collect(envoy(f"Bearer {token(key=key)}"), tested).token.verification for key in ("k1", "stranger")
    )

    assert (Verification.VERIFIED, Verification.NO_KEY) == (good, strange)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("{broken", "broken_json"),
        ("[" * 100_000, "broken_json"),
        ("the quick brown fox", "no_parser"),
        ("[8c2e1f3a] the quick brown fox", "no_parser"),
        ("2026-03-03 10:00:00,123 - carts.db - ERROR - could not connect", "not_admitted"),
        ("2026-03-03 10:00:00,123 - carts.auth - DEBUG - token refused: wrong audience", "not_admitted"),
        ('{"level":"error","msg":"disk is full"}', "not_admitted"),
        (
            '{"log":"time=\\"2026-03-03T10:00:00Z\\" level=info msg=\\"server started\\"","stream":"stdout"}',
            "not_admitted",
        ),
        ('{"hello": "world"}', "no_parser"),
        ("\x00\x01\x02", "no_parser"),
    ],
)
def test_what_no_parser_knows_is_counted_by_reason(text: str, reason: str) -> None:
    """An unread event with a reason of the closed set."""
    event = collect(text)

    assert (Outcome.UNREAD, reason) == (event.outcome, event.words.reason)
    assert reason in UNREAD_REASONS


def test_a_line_that_is_not_admitted_may_still_hold_a_record() -> None:
    """A layout that is read from the outside does not hide the object inside."""
    event = collect('2026-03-03 10:00:00 INFO {"method":"GET","path":"/x","status":401}')

    assert (Outcome.DENIED, 401) == (event.outcome, event.request.status)


def test_an_unread_record_leaves_a_redacted_template() -> None:
    """The template shows the shape and holds no secret."""
    secret = token()

    message = collect(f"strange line 4711 {secret} end").words.message

    assert "strange line" in message
    assert [] == [piece for piece in secret.split(".") if piece in message]


@settings(max_examples=200)
@given(
    st.one_of(
        st.text(max_size=400),
        st.dictionaries(
            st.text(max_size=12), st.one_of(st.none(), st.integers(), st.text(max_size=30)), max_size=8
        ).map(json.dumps),
    )
)
def test_one_record_is_one_event(text: str) -> None:
    """Never raises; the event survives the wire."""
    event = collect(text)

    assert Origin("file", "x", -1, 7) == event.origin


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, Outcome.ALLOWED),
        (302, Outcome.ALLOWED),
        (401, Outcome.DENIED),
        (403, Outcome.DENIED),
        (431, Outcome.DENIED),
        (404, Outcome.ALLOWED),
        (502, Outcome.ALLOWED),
    ],
)
def test_the_outcome_follows_the_status(status: int, outcome: Outcome) -> None:
    """A status that has nothing to do with authentication is a request that passed it."""
    record = envoy(response_code=status, response_code_details="via_upstream", upstream_host="10.0.0.1:80")

    assert outcome == collect(record).outcome


def test_a_message_of_authentication_makes_a_4xx_a_refusal() -> None:
    """Gateways answer 400 and 404 for broken tokens, too."""
    record = envoy(response_code=400, response_code_details="jwt_authn_access_denied{Jwt_header_is_an_invalid_JSON}")

    assert Outcome.DENIED == collect(record).outcome


def test_without_any_time_the_arrival_counts_and_is_marked() -> None:
    """exp and nbf are not judged against an arrival."""
    record = envoy(f"Bearer {token()}")
    del record["start_time"]

    event = collect(record)

    assert (ARRIVED_S * 10**9, False) == (event.time_ns, event.time_known)


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("org.springframework.security.access.AccessDeniedException: Access Denied", TokenKind.UNKNOWN),
        (f"refused token={token()} of a caller", TokenKind.JWS),
        (f'invalid token "{token()}"', TokenKind.JWS),
    ],
)
def test_a_token_in_a_sentence_starts_at_a_boundary(message: str, kind: TokenKind) -> None:
    """The letters ewo inside "framework" start no token."""
    event = TESTED.event(RawRecord(Origin("file"), 1), Parsed("application", message=message, outcome=Outcome.DENIED))

    assert kind == event.token.kind


SPELLINGS = (
    "https://idp.example.com/realms/shop", "https://idp.example.com/realms/shop/", "HTTPS://IDP.example.com/Realms/shop", "http://idp.example.com:80/realms/shop",
    "http://keycloak.svc:8080/realms/shop", "",
)  # fmt: skip


def test_two_hundred_people_are_two_hundred_however_their_issuer_is_spelled() -> None:
    """Slash, case, scheme, default port, another host of the same realm, no issuer: one pseudonym per subject."""
    shop = IssuerSettings(issuer=SPELLINGS[0])
    tested = collector((shop,))
    users = {
        collect(envoy(f"Bearer {token(sub=f'user-{n}', iss=iss)}"), tested).token.user
        for n in range(200)
        for iss in SPELLINGS
    }

    assert 200 == len(users)


@pytest.mark.parametrize(
    "iss", ["https://idp.example.com/realms/bank", "https://evil.example.net/", "shop", "https://[broken"]
)
def test_people_of_another_issuer_are_others(iss: str) -> None:
    """Another realm, another company, no URL at all: the same subject is another person there."""
    tested = collector((IssuerSettings(issuer=SPELLINGS[0]),))
    one, other = (
        collect(envoy(f"Bearer {token(sub='user-1', iss=spelled)}"), tested).token.user
        for spelled in (SPELLINGS[0], iss)
    )

    assert one
    assert other
    assert one != other


def test_spellings_agree_without_a_configuration() -> None:
    """Nothing is configured: slash, case, scheme and port do not matter, and the host does."""
    users = [collect(envoy(f"Bearer {token(sub='user-1', iss=iss)}")).token.user for iss in SPELLINGS]

    assert (1, 3) == (len({*users[:4]}), len({*users}))


def test_the_pseudonym_of_a_plain_issuer_is_the_one_of_older_stores() -> None:
    """An issuer in the usual spelling keeps its pseudonyms, so that an upgrade does not count its users twice."""
    for issuers in ((), (IssuerSettings(issuer=SPELLINGS[0]),)):
        event = collect(envoy(f"Bearer {token(sub='user-1', iss=SPELLINGS[0])}"), collector(issuers))

        assert Pseudonyms(b"k" * 32, 1).of("user", f"{SPELLINGS[0]} user-1") == event.token.user
