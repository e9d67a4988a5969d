"""What passes on the same route tells why another request does not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from analyzer.diagnosis.route_history import MAX_ISSUERS, MAX_VALUES, NOTHING, Memory
from analyzer.verdicts import Diagnosis
from collector.events import Event, Origin, Outcome, Request, TokenFacts, TokenKind, TokenTimes, gateway
from collector.settings import IssuerSettings, Settings
from tests.tokens import ISSUER, token
from why401.explainer import Explainer

AT = 1772532000  # 2026-03-03T10:00:00Z, the records' time
RBAC = {"response_code": 403, "response_code_details": "rbac_access_denied_matched_policy[none]"}
FAILS = {"response_code": 401, "response_code_details": "jwt_authn_access_denied{Jwt_verification_fails}"}
CLAIMS = {"iat": AT - 10, "exp": AT + 3590, "scope": "orders:read orders:write", "roles": ["customer", "admin"]}
CONFIGURED = IssuerSettings(issuer=ISSUER, audiences=("orders-api",))


def record(changes: dict[str, Any], **fields: Any) -> str:
    return json.dumps(
        {
            "start_time": "2026-03-03T10:00:00.000Z",
            "method": "POST",
            "path": "/orders/17",
            "authority": "api.example.com",
            "response_code": 200,
            "response_code_details": "via_upstream",
            "response_flags": "-",
            "authorization": "Bearer " + token(**{**CLAIMS, **changes}),
            "upstream_host": "10.0.0.9:80",
        }
        | ({"upstream_host": "-"} if fields else {})
        | fields
    )


def diagnose(refused: str, passes: int = 1, *, settings: Settings | None = None) -> Diagnosis:
    """The diagnosis of a record after `passes` good requests on the same route."""
    explainer = Explainer(settings or Settings(issuers=(CONFIGURED,)))
    for _ in range(passes):
        explainer.explain(record({}))
    diagnosis = explainer.explain(refused).diagnosis
    assert diagnosis
    return diagnosis


@pytest.mark.parametrize(
    ("changes", "code", "says"),
    [
        (
            {"scope": ["orders:read", "orders:write"]},
            "claim_representation",
            "`scope` is an array; it is a string in an accepted token",
        ),
        (
            {"scope": None, "scp": ["orders:write"]},
            "claim_representation",
            "the token has `scp` where an accepted token has `scope`",
        ),
        ({"roles": "admin"}, "claim_representation", "`roles` is a string; it is an array in"),
        (
            {"scope": "orders:read"},
            "scope_insufficient",
            "missing scope `orders:write`, which an accepted token has; the token has `orders:read`",
        ),
        ({"scope": None}, "scope_insufficient", "no `scope` claim; an accepted token has one"),
        ({"sub": None}, "user_claim_missing", "no user claim (expected `sub`)"),
    ],
    ids=["scope as a list", "scp for scope", "roles as text", "a scope less", "no scope", "no sub"],
)
def test_no_policy_matched_is_told_apart_by_what_passes(changes: dict[str, Any], code: str, says: str) -> None:
    """RBAC says the same of all of them; the token beside one that passes says which it is."""
    refused = record(changes, **RBAC)

    assert code == diagnose(refused).code
    assert any(says in evidence.says for evidence in diagnose(refused).evidence)


def test_without_passing_traffic_the_answer_stays_modest() -> None:
    """The same record alone: access_denied, and not surely."""
    alone = diagnose(record({"scope": "orders:read"}, **RBAC), passes=0)

    assert "access_denied" == alone.code
    assert alone.confidence < 0.9


def test_another_role_is_no_missing_scope() -> None:
    """A value that differs inside an equal shape leaves the policy's own answer: access_denied."""
    assert "access_denied" == diagnose(record({"roles": ["customer"]}, **RBAC)).code


def test_a_lifetime_far_beyond_what_passes() -> None:
    """`Jwt verification fails` about a signature that verifies: the one odd thing is 90 days."""
    configured = IssuerSettings(issuer=ISSUER, audiences=("orders-api",), required_claims=())
    refused = record({"exp": AT + 90 * 86_400}, **FAILS)
    found = diagnose(refused, settings=Settings(issuers=(configured,)))

    assert "token_too_old" in (found.code, *found.also, *(rival.code for rival in found.rivals))


def test_an_unknown_issuer_beside_the_one_that_passes() -> None:
    """Without any configuration: the issuer that passes here is one slash away."""
    found = diagnose(record({"iss": ISSUER[:-1]}, **FAILS), settings=Settings())

    assert ("issuer_not_trusted", "the trailing slash is missing") == (found.code, found.near_miss)


def test_configured_scopes_settle_it_without_traffic() -> None:
    """`required_scopes` of the route's issuer table."""
    needs = IssuerSettings(issuer=ISSUER, routes=("/orders/*",), required_scopes=("orders:write",))
    settings = Settings(issuers=(needs,))

    found = diagnose(record({"scope": "orders:read"}, **RBAC), passes=0, settings=settings)
    assert "scope_insufficient" == found.code
    assert "this route requires `orders:write`; the token has `orders:read`" in [
        evidence.says for evidence in found.evidence
    ]


def test_an_issuer_holds_for_its_routes_only() -> None:
    """The same issuer with other audiences per route: each route is judged by its own."""
    orders = IssuerSettings(issuer=ISSUER, audiences=("orders-api",), routes=("/orders/*",))
    billing = IssuerSettings(issuer=ISSUER, audiences=("billing-api",), routes=("/bills/*",))
    denied = {
        "response_code": 403,
        "response_code_details": "jwt_authn_access_denied{Audiences_in_Jwt_are_not_allowed}",
    }
    settings = Settings(issuers=(orders, billing))

    found = diagnose(record({}, path="/bills/1", **denied), passes=0, settings=settings)
    assert "audience_mismatch" == found.code
    assert any("billing-api" in evidence.says for evidence in found.evidence)


def passed(number: int = 0, *, iss: str = ISSUER, route: str = "/orders/{id}", **facts: Any) -> Event:
    token_facts = TokenFacts(TokenKind.JWS, iss=iss, claims=(("iss", "string"), ("scope", "string")), **facts)
    request = Request("GET", route, "api.example.com", 200)
    origin = Origin("file", "x", -1, number)
    times = TokenTimes(iat_s=-10.0, exp_s=50.0)
    return Event(0, 0, origin, gateway("envoy"), Outcome.ALLOWED, request=request, token=token_facts, times=times)


def test_only_what_all_tokens_have_is_common() -> None:
    """Claims and scopes are what every token had, audiences what any had, the lifetime the longest."""
    memory = Memory()
    memory.learn(passed(scopes=("a", "b"), aud=("x",)))
    memory.learn(passed(scopes=("b", "c"), aud=("y",)))
    common = memory.about(passed()).of(ISSUER)

    assert common
    assert (("b",), ("x", "y"), 60.0, 1) == (common.scopes, common.audiences, common.lifetime_s, common.tokens)
    assert (("iss", "string"), ("scope", "string")) == common.claims


def test_what_stays_the_same_is_the_same_object() -> None:
    """Equal evidence must be an equal cache key: more of the same changes nothing but the steps of the count."""
    memory = Memory()
    for _ in range(100):
        memory.learn(passed(scopes=("a",)))
    before = memory.about(passed())
    for _ in range(100):
        memory.learn(passed(scopes=("a",)))

    assert before == memory.about(passed())
    assert before.issuers[0].tokens == 100


def test_memory_is_bounded() -> None:
    """Routes, issuers of a route and audiences of an issuer; what is not remembered gives no evidence."""
    memory = Memory(max_routes=10)
    for number in range(100):
        memory.learn(passed(route=f"/route-{number}"))
        memory.learn(passed(iss=f"https://{number}.example", aud=(f"api-{number}",)))
        memory.learn(passed(aud=(f"api-{number}",)))

    about = memory.about(passed())
    assert 10 == len(memory)
    assert MAX_ISSUERS == len(about.issuers)
    assert all(len(one.audiences) < MAX_VALUES for one in about.issuers)
    assert NOTHING is memory.about(passed(route="/route-0"))


def test_refused_requests_and_hidden_tokens_teach_nothing() -> None:
    """Only a request that passed, with claims to see."""
    memory = Memory()
    memory.learn(Event(0, 0, Origin("file"), gateway("envoy"), Outcome.ALLOWED))
    memory.learn(Event(0, 0, Origin("file"), gateway("envoy"), Outcome.DENIED, token=passed().token))

    assert 0 == len(memory)
