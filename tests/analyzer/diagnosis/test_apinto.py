"""Refusals of Apinto in every shape of its logs: the five causes are told apart, in APIPark's access log alone too."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import pytest

from analyzer.taxonomy import CODES
from collector.events import Outcome
from collector.settings import IssuerSettings, Settings
from tests.tokens import ISSUER, jwks, now, part, raw, token
from why401.explainer import Explainer

NOBODY: Final = "missing or invalid token"
HEADER: Final = {"Accept": "*/*", "Host": "shop.example.net", "User-Agent": "okhttp/4.12.0"}
HS: Final = {"alg": "HS256", "typ": "JWT"}


def bearer(*, exp_s: int = 600, nbf_s: int = -600, **claims: Any) -> Callable[[], str]:
    """A signed token under its scheme, its times in seconds from when the test runs."""
    return lambda: f"Bearer {token(**{'exp': now() + exp_s, 'nbf': now() + nbf_s, **claims})}"


def _claims(**claims: Any) -> dict[str, Any]:
    return {"iss": ISSUER, "sub": "u", "exp": now() + 600, **claims}


# The Authorization header as sent (None: none) and the true code, where every body is `missing or invalid token`.
SENT: Final[dict[str, tuple[str, Callable[[], str | None]]]] = {
    "no header": ("token_missing", lambda: None),
    "the scheme alone": ("token_missing", lambda: "Bearer"),
    "expired": ("token_expired", bearer(exp_s=-900)),
    "not valid yet": ("clock_skew", bearer(nbf_s=900)),
    "no issuer": ("issuer_missing", bearer(iss=None)),
    "an issuer that is a number": ("claim_type_invalid", lambda: "Bearer " + raw(HS, _claims(iss=7), b"\x9c" * 32)),
    "exp as text": ("claim_type_invalid", lambda: "Bearer " + raw(HS, _claims(exp="soon"), b"\x9c" * 32)),
    "typ of RFC 9068": ("header_unsupported", bearer(headers={"typ": "at+jwt"})),
    "no typ": ("header_unsupported", lambda: "Bearer " + raw({"alg": "HS256"}, _claims(), b"\x9c" * 32)),
    "an algorithm without code": ("alg_not_allowed", lambda: "Bearer " + raw({"alg": "PS256", "typ": "JWT"}, _claims())),
    "unsigned": ("alg_none", lambda: f"Bearer {part({'alg': 'none', 'typ': 'JWT'})}.{part(_claims())}."),
    "two parts": ("token_malformed", lambda: f"Bearer {part(HS)}.{part(_claims())}"),
    "payload is text": ("token_malformed", lambda: "Bearer " + raw(HS, "nonsense", b"\x9c" * 32)),
    "null": ("token_malformed", lambda: "Bearer null"),
    "cut": ("token_truncated", lambda: f"Bearer {token()}"[:200]),
    "signature cut": ("token_truncated", lambda: f"Bearer {token()}"[:-60]),
    "encrypted": ("jwe_unsupported", lambda: "Bearer " + ".".join([part({"alg": "dir", "enc": "A256GCM"}), "", "bm8", "bm8", "bm8"])),
    "a reference token": ("token_opaque", lambda: "Bearer 8xLOxBtZp8iRGOnTkZ1nJcAw"),
    "an API key that nobody has": ("consumer_not_found", lambda: "9f1c0a77e02b4d5f9c11d20b7a6e3f58"),
    "the scheme twice": ("scheme_invalid", lambda: f"Bearer Bearer {token()}"),
    "in quotes": ("scheme_invalid", lambda: f'"Bearer {token()}"'),
    "Basic": ("scheme_invalid", lambda: "Basic dXNlcjpwYXNzd29yZA=="),
}  # fmt: skip
# What a plugin behind, or before, the authentication says: body, status, label of the application, code.
SAID: Final[dict[str, tuple[str, int, str, str]]] = {
    "application disabled": ("the app(shop@app) is disabled", 401, "", "caller_blocked"),
    "application's credential is over": ("apikey error: token is expired", 401, "", "caller_blocked"),
    "no application at all": ("no app to auth", 401, "", "auth_not_configured"),
    "not subscribed": ("Forbidden", 403, "web", "access_denied"),
    "visit strategy": ("not allowed", 403, "web", "access_denied"),
    "group denied": ('{"message":"Unauthorized"}', 401, "web", "access_denied"),
    "address": ("[ip_restriction] Illegal IP!", 403, "", "source_denied"),
    "address, as JSON": ('{"message":"[ip_restriction] Illegal IP!","status_code":403}', 403, "", "source_denied"),
    "rate": ("[rate_limiting] API rate limit of minute exceeded", 403, "web", "caller_blocked"),
    "rate, as JSON": ('{"message":"[rate_limiting] API rate limit of day exceeded","status_code":429}', 403, "web", "caller_blocked"),
    "quota": ("out of calls", 416, "web", "caller_blocked"),
    "introspection says no": ("verify introspection error: token is not active", 401, "", "token_revoked"),
    "introspection says expired": ("verify introspection error: token is expired", 401, "", "token_expired"),
    "introspection says scope": ("verify introspection error: invalid scope", 401, "", "scope_insufficient"),
    "introspection fails": ("do introspect access token error: context deadline exceeded", 500, "", "introspection_failed"),
    "introspected client without application": ("set app label error: consumer(web) not found", 401, "", "consumer_not_found"),
    "replayed": ("replay attack detected, nonce: 4, sign: 0c, timestamp: 1", 403, "", "token_replayed"),
    "wrong sign": ("invalid sign", 403, "", "sender_constraint_failed"),
    "no nonce": ("missing nonce", 400, "", "sender_constraint_failed"),
    "clock ahead": ("timestamp 1700001000 is too new, current time is 1700000000", 400, "", "clock_skew"),
    "AI provider's keys": ("all key resources for provider openai is invalid", 400, "web", "upstream_rejected"),
    "no AI provider's key": ("no key resource for provider openai", 402, "web", "auth_not_configured"),
}  # fmt: skip


def _encoded(value: str | None) -> str:
    return urlencode(HEADER | ({} if value is None else {"Authorization": value}))


def apipark(value: str | None, body: str = NOBODY, status: int = 401, application: str = "") -> str:
    """The fields that APIPark configures (module/log/iml.go), those without a bearing on it left out."""
    return json.dumps({
        "ai_model": "", "ai_model_input_token": "0", "api": "orders", "application": application, "authorization": "",
        "cluster": "c1", "msec": now() * 1000, "node": "n1", "provider": "", "proxy_header": _encoded(value), "proxy_status": "",
        "proxy_uri": "/v1/orders", "remote_addr": "192.0.2.7", "request_header": _encoded(value), "request_host": "shop.example.net",
        "request_id": "8c8e1e21-3952-48fa-889c-c1380b37d375", "request_method": "GET", "request_scheme": "http",
        "request_uri": "http://shop.example.net/v1/orders?page=2", "response_body": body, "response_header": "Content-Length=24",
        "response_headers": {"content-length": "24"}, "response_time": 0, "service": "up", "src_ip": "192.0.2.7",
        "status": status, "strategy": "",
    })  # fmt: skip


def nested(value: str | None, body: str = NOBODY, status: int = 401, application: str = "") -> str:
    """A format with objects: `@request`, `@proxy`, `@response`."""
    return json.dumps({
        "time_iso8601": "2026-11-29T22:59:48.586Z", "msec": now() * 1000, "request_id": "1b7cd89f-b16b-4c19-bec8-0306eca88d73",
        "request": {"request_method": "GET", "url": "http://shop.example.net/v1/orders", "header": _encoded(value), "src_ip": "192.0.2.7"},
        "proxy": {"proxy_uri": "/v1/orders", "proxy_addr": "10.0.0.7:80", "proxy_status": ""},
        "response": {"status": status, "response_body": body, "application": application},
    })  # fmt: skip


def line(value: str | None, body: str = NOBODY, status: int = 401, application: str = "") -> str:
    """The same as values parted by tabs; bodies are base64."""
    head = f'"GET http /v1/orders shop.example.net {_encoded(value)} 192.0.2.7"'
    answer = f'"Content-Length=24 {base64.b64encode(body.encode()).decode()}"'
    cells = (
        str(now() * 1000), "1b7cd89f-b16b-4c19-bec8-0306eca88d73", head, '"GET http /v1/orders - - -"', answer,
        f'"{status} -"', '"3 0"', application or "-",
    )  # fmt: skip
    return "\t".join(cells)


SHAPES: Final[dict[str, Callable[..., str]]] = {"apipark": apipark, "nested": nested, "line": line}


@pytest.fixture(scope="module")
def explainer() -> Explainer:
    return Explainer(Settings())


def answer(explainer: Explainer, text: str) -> tuple[str, str]:
    verdict = explainer.explain(text)
    assert verdict.event.outcome in (Outcome.DENIED, Outcome.ERROR), verdict.event.outcome
    assert verdict.diagnosis is not None
    return verdict.event.gateway.kind, verdict.diagnosis.code


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("fault", SENT)
def test_the_header_tells_what_the_body_does_not(explainer: Explainer, fault: str, shape: str) -> None:
    """Without configuration, from an access log alone."""
    code, sent = SENT[fault]

    assert ("apinto", code) == answer(explainer, SHAPES[shape](sent()))


@pytest.mark.parametrize("shape", ["apipark", "nested"])
@pytest.mark.parametrize("fault", SAID)
def test_the_body_tells_what_a_plugin_refused(explainer: Explainer, fault: str, shape: str) -> None:
    """A good token was sent."""
    body, status, application, code = SAID[fault]

    assert ("apinto", code) == answer(explainer, SHAPES[shape](f"Bearer {token()}", body, status, application))


@pytest.mark.parametrize("fault", [name for name, (_, _, application, _) in SAID.items() if not application])
def test_a_body_in_base64_is_read(explainer: Explainer, fault: str) -> None:
    """A line has no names: the label of the application cannot be told from others."""
    body, status, _, code = SAID[fault]

    assert ("apinto", code) == answer(explainer, line(f"Bearer {token()}", body, status))


def test_the_five_causes_are_told_apart() -> None:
    """Together the tables have every cause."""
    codes = {code for code, _ in SENT.values()} | {said[3] for said in SAID.values()}

    assert {"issuer", "format", "library", "gateway", "policy"} == {CODES[code].cause for code in codes}


NODE: Final = {
    "[jwt] get user error:{token},err is: Bad token; [jwt_auth] Invalid typ": "header_unsupported",
    "[jwt] get user error:{token},err is: Bad token; [jwt_auth] Invalid alg": "alg_not_allowed",
    "[jwt] get user error:{token},err is: [jwt_auth] Invalid signature": "signature_invalid",
    "[jwt] get user error:{token},err is: [jwt_auth] nbf must be a number": "claim_missing",
    "[jwt] get user error:{token},err is: no match algorithm,need ES256,now RS256": "alg_not_allowed",
    "[jwt] get user error:{nobody},err is: user not found": "user_claim_missing",
    "[jwt] get user error:{token},err is: invalid data type": "claim_type_invalid",
    "[jwt] get user error:{token},err is: invalid key/secret": "auth_not_configured",
    "[aksk] get user error: invalid authorization": "scheme_invalid",
    "%!w(*errors.withStack=&{0xc0004a2018 0xc0003b21e0}), issuer: https://idp.example.com/.well-known/openid-configuration, key: k1": "signature_invalid",
    '%!w(*errors.errorString=&{token expired}), payload: {"iss":"https://idp.example.com/","sub":"u","exp":1700000000}': "token_expired",
    '%!w(*errors.errorString=&{token not valid yet}), payload: {"iss":"https://idp.example.com/","sub":"u"}': "clock_skew",
    '%!w(*errors.errorString=&{exp claim type error}), payload: {"iss":"https://idp.example.com/","exp":"x"}': "claim_type_invalid",
    '%!w(*fmt.wrapError=&{get issuer jwks error: Get "https://idp.example.com/jwks": EOF, uri: u 0xc0001}), issuer: https://idp.example.com/c': "jwks_unreachable",
    "valid token error:token expiredtoken:b7f0": "token_expired",
    "auth error: the app(shop@app) is disabled": "caller_blocked",
    "auth error: oauth2 error: token is expired": "caller_blocked",
    "auth error: no app to auth": "auth_not_configured",
    "acl deny, group is interns": "access_denied",
    "groups is not allow, groups is [interns guests]": "access_denied",
    "groups is not allow, groups is []": "claim_missing",
    "groups is not allow, groups is <nil>": "access_denied",
    "[ip_restriction] Illegal IP!": "source_denied",
    "refuse by limiting strategy": "caller_blocked",
    "not allowed": "access_denied",
    "client secret is not match: fail to match secret,now: a,hope: b,client id is web,client id web": "login_flow_failed",
    "invalid client id": "consumer_not_found",
    "get issuer config error: 503, issuer: https://idp.example.com, body: no healthy upstream": "jwks_unreachable",
}  # fmt: skip


@pytest.mark.parametrize("said", NODE)
def test_the_node_log_gives_the_reason(explainer: Explainer, said: str) -> None:
    """With the worker's process id before it, and without one as older versions write it."""
    message = said.replace("{token}", f"Bearer {token()}").replace("{nobody}", f"Bearer {token(sub=None)}")
    level = "DEBU" if "get user" in said or "withStack" in said else "ERRO"
    lines = [f"[2026-11-29 17:46:18] [{level}] {process}{message}" for process in ("[worker-19816]", "")]

    assert [("apinto", NODE[said])] * 2 == [answer(explainer, text) for text in lines]


def test_the_body_of_acl_in_base64_is_not_about_the_key(explainer: Explainer) -> None:
    """Lines have no label of the application; the app plugin never answers with JSON."""
    assert ("apinto", "access_denied") == answer(explainer, line("9f1c0a77e02b4d5f", '{"message":"Unauthorized"}'))


def test_no_secret_of_a_client_is_kept(explainer: Explainer) -> None:
    """Apinto logs both secrets when they differ."""
    text = "client secret is not match: fail to match secret,now: hunter2hunter2,hope: correcthorse,client id is web,client id web"
    verdict = explainer.explain(f"[2026-11-29 17:46:18] [ERRO] [worker-7]{text}")

    assert [] == [secret for secret in ("hunter2", "correcthorse") if secret in repr(verdict)]


def test_with_the_key_set_a_good_token_points_to_the_application(tmp_path: Path) -> None:
    """Verified, in time, for this API: nobody but the gateway's list of applications can have refused it."""
    keys = tmp_path / "jwks.json"
    keys.write_text(json.dumps(jwks("k1")))
    issuer = IssuerSettings(issuer=ISSUER, audiences=("orders-api",), jwks=str(keys))

    found = [answer(Explainer(Settings(issuers=(issuer,))), shape(f"Bearer {token()}")) for shape in SHAPES.values()]

    assert [("apinto", "consumer_not_found")] * 3 == found


@pytest.mark.parametrize("asked", ["apikey", "basic", "aksk"])
def test_the_driver_that_the_client_asked_for_did_not_know_it(explainer: Explainer, asked: str) -> None:
    """`Authorization-Type` chooses the driver (plugins/app/app.go)."""
    record = json.loads(apipark("HMAC-SHA256 Access=k, SignedHeaders=host, Signature=00"))
    record["request_header"] = urlencode(HEADER | {"Authorization-Type": asked})

    assert ("apinto", "token_missing") == answer(explainer, json.dumps(record))

    record["request_header"] = urlencode(HEADER | {"Authorization-Type": asked, "X-Key": "9f1c0a77"})
    del record["proxy_header"]
    record["request_header"] = record["request_header"].replace("Host", "Authorization=k&Host")

    assert ("apinto", "consumer_not_found") == answer(explainer, json.dumps(record))


def test_what_the_upstream_says_is_the_upstreams(explainer: Explainer) -> None:
    """`proxy_status` is set once a request was sent on."""
    record = json.loads(apipark(f"Bearer {token()}", "Forbidden", 403, "web")) | {"proxy_status": 403}

    assert ("apinto", "upstream_rejected") == answer(explainer, json.dumps(record))


def test_all_lines_of_one_refusal_are_one(explainer: Explainer) -> None:
    """Three in the node log, and the access record with the same token; another token's are another refusal's."""
    sent = [f"Bearer {token(exp=now() - age)}" for age in (900, 1900)]
    at = datetime.fromtimestamp(now(), UTC).strftime("%Y-%m-%d %H:%M:%S")
    said = "[jwt] get user error:{},err is: [jwt_auth] token expired"
    lines = [f"[{at}] [DEBU] [worker-7]{said.format(value)}" for value in sent]
    lines += [f"[{at}] [ERRO] [worker-7]{echo}" for echo in (f"auth error: {NOBODY}", NOBODY) for _ in sent]
    lines += [apipark(value) for value in sent]

    verdicts = explainer.explain_all(lines)

    assert len({id(verdict) for verdict in verdicts}) == len(sent)
    assert all(one is other for one, other in zip(verdicts[:2], verdicts[-2:], strict=True))
