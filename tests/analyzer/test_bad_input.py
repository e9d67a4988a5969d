"""Records that nobody planned for: every one is answered, and no token of theirs is in the answer."""

from __future__ import annotations

import json
import time

import pytest

from benchmarks.hostile import HOSTILE
from collector.settings import IssuerSettings, Settings
from tests.tokens import ISSUER, raw, token
from tests.waiting import HANG_S
from why401.explainer import Explainer, as_mapping

AT = 1772532000  # 2026-03-03T10:00:00Z


@pytest.fixture(scope="module")
def explainer() -> Explainer:
    return Explainer(Settings(issuers=(IssuerSettings(issuer=ISSUER, audiences=("orders-api",)),)))


def good(**claims: object) -> str:
    return token(**{"iat": AT - 10, "exp": AT + 600, **claims})


def envoy(**fields: object) -> str:
    record = {
        "start_time": "2026-03-03T10:00:00.000Z",
        "method": "GET",
        "path": "/orders",
        "response_code": 401,
        "response_code_details": "jwt_authn_access_denied{Jwt_is_expired}",
        "response_flags": "-",
        "authorization": "-",
        "upstream_host": "-",
    }
    return json.dumps(record | fields)


def answer(explainer: Explainer, record: str, *secrets: str) -> dict[str, object]:
    """The JSON answer; no signature and no payload of the secrets is in it."""
    mapping = as_mapping(explainer.explain(record))
    text = json.dumps(mapping)
    assert not [secret for secret in secrets for piece in secret.split(".")[1:] if piece and piece in text]
    return mapping


def test_two_tokens_in_one_record(explainer: Explainer) -> None:
    """The one that stands in Authorization is judged, and that there are two is said."""
    stale, fresh = good(exp=AT - 900), good()
    told = answer(explainer, envoy(authorization=f"Bearer {fresh}", path=f"/orders?access_token={stale}"), stale, fresh)

    assert "credential_ambiguous" in (told["code"], *told["also"])


def test_a_token_in_a_message_in_json_in_syslog(explainer: Explainer) -> None:
    """Three wrappers deep the token's facts are read, and nothing of it survives."""
    secret = good(exp=AT - 900)
    inner = json.dumps(
        {"time": "2026-03-03T10:00:00Z", "level": "error", "msg": f"jwt rejected: Bearer {secret} is expired"}
    )
    told = answer(explainer, f"<134>1 2026-03-03T10:00:00Z gw-1 orders 17 - - {inner}", secret)

    assert "token_expired" == told["code"]
    assert ISSUER == told["event"]["token.iss"]


def test_claims_that_lie_are_not_believed(explainer: Explainer) -> None:
    """A token quoted from another gateway's error body: its claims are facts about the token, never about the request."""
    lie = raw(
        {"alg": "none", "kid": "../../etc/passwd"},
        {"iss": "https://evil.example.net/", "error": "token_replayed", "status": 200, "gateway": "kong"},
    )
    told = answer(
        explainer,
        envoy(
            response_code=503, response_code_details="via_upstream", body=f'{{"error":"invalid_token","token":"{lie}"}}'
        ),
        lie,
    )

    assert "token_replayed" != told["code"]
    assert "envoy" == told["gateway"]


def test_times_in_the_future(explainer: Explainer) -> None:
    """A record from the year 2099 and a token from 2199 are arithmetic like any other."""
    record = envoy(
        start_time="2099-01-01T00:00:00Z",
        authorization=f"Bearer {good(iat=7_226_582_400, nbf=7_226_582_400, exp=7_226_586_000)}",
        response_code_details="jwt_authn_access_denied{Jwt_not_yet_valid}",
    )

    assert "clock_skew" == answer(explainer, record)["code"]


def test_records_of_other_gateways_in_the_same_file(explainer: Explainer) -> None:
    """Each line is read by its own gateway's rules, whatever stood above it."""
    lines = [
        envoy(),
        '192.0.2.7 - - [03/Mar/2026:09:00:00 +0000] "GET /a HTTP/1.1" 401 179 "-" "curl/8.1"',
        'time="2026-03-03T10:00:00Z" level=error msg="JWT validation error" api_id=a1 error="token is expired" mw=JWTMiddleware org_id=o1 origin=192.0.2.1 path=/b',
        "2026-03-03T10:00:00.000Z ERROR 1 --- [nio-1] o.s.s.o.s.r.w.BearerTokenAuthenticationFilter : Jwt expired at 2026-03-03T09:00:00Z",
        '{"level":"error","ts":1772532000,"logger":"http.authentication.providers.jwt","msg":"invalid token","error":"\\"exp\\" not satisfied"}',
        "not a log line at all",
    ]
    kinds = [verdict.event.gateway.kind for verdict in explainer.explain_all(lines)]

    assert ["envoy", "generic", "tyk", "spring", "caddy", ""] == kinds


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_mebibyte_of_anything_is_answered_in_time(kind: str, explainer: Explainer) -> None:
    """Linear work: nothing hangs, nothing raises, and what comes out is small."""
    record = HOSTILE[kind]()
    start = time.monotonic()
    told = answer(explainer, record)

    assert time.monotonic() - start < HANG_S
    assert len(json.dumps(told)) < 64_000
