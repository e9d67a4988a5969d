"""What real incidents teach, end to end: one message with many causes splits, many messages with one cause are one group.

The rows are those of 88 public issue threads about JWT failures at gateways: what was said, what it was, what told it apart.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest

from analyzer.verdicts import Verdict
from collector.settings import IssuerSettings, Settings
from tests.tokens import ISSUER, jwks, raw, rsa_key, token
from why401.explainer import Explainer

AT = 1772532000  # 2026-03-03T10:00:00Z, the records' time
TIMES = {"iat": AT - 10, "exp": AT + 600}
CLAIMS = {"iss": ISSUER, "aud": "orders-api", "sub": "u", **TIMES}
NO_KEY = "Jwks doesn't have key to match kid or alg from Jwt"
NOT_CONFIGURED = "Jwt issuer is not configured"
ANOTHER_ALG = "Signed JWT rejected: Another algorithm expected, or no matching key(s) found"
NO_CONSUMER = "No credentials found for given 'iss'"
RBAC = {"response_code": 403, "response_code_details": "rbac_access_denied_matched_policy[none]"}
DER = bytes.fromhex("3045022100") + b"\x8f" * 32 + bytes.fromhex("0220") + b"\x11" * 32


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key sets as files: a usable one, and one that arrived without a key."""
    folder: Path = tmp_path_factory.mktemp("keys")
    (folder / "one.json").write_text(json.dumps(jwks("k1")))
    (folder / "none.json").write_text('{"keys": []}')
    return folder


@pytest.fixture
def explainer(keys: Path) -> Explainer:
    return configured(str(keys / "one.json"))


def configured(key_set: str) -> Explainer:
    """As the operator of one issuer would configure it."""
    issuer = IssuerSettings(issuer=ISSUER, audiences=("orders-api",), algorithms=("RS256", "ES256"), jwks=key_set)
    return Explainer(Settings(issuers=(issuer,)))


def good(**changes: Any) -> str:
    return token(**{**TIMES, **changes})


def envoy(credential: str, says: str = "", **fields: Any) -> str:
    """An Envoy access log line about a refused request."""
    record = {
        "start_time": "2026-03-03T10:00:00.000Z",
        "method": "GET",
        "path": "/orders",
        "authority": "api.example.com",
        "response_code": 401,
        "response_code_details": f"jwt_authn_access_denied{{{says.replace(' ', '_')}}}",
        "response_flags": "-",
        "authorization": f"Bearer {credential}" if credential else "-",
        "upstream_host": "-",
    }
    return json.dumps(record | fields)


def passing(**changes: Any) -> str:
    via = {"response_code": 200, "response_code_details": "via_upstream", "upstream_host": "10.0.0.9:80"}
    return envoy(good(**changes), **via)


def service(credential: str, says: str) -> str:
    """A JSON line of an application or gateway that writes its library's words."""
    headers = {"authorization": f"Bearer {credential}"}
    return json.dumps(
        {"time": "2026-03-03T10:00:00Z", "level": "error", "message": says, "status": 401, "headers": headers}
    )


def apim(credential: str, reason: str) -> str:
    """Azure API Management's gateway log."""
    properties = {
        "method": "GET", "url": "https://api.example.com/orders", "responseCode": 401, "lastErrorSource": "validate-jwt",
        "lastErrorReason": reason, "lastErrorMessage": "JWT not valid.",
        "requestHeaders": {"Authorization": f"Bearer {credential}"},
    }  # fmt: skip
    head = {"time": "2026-03-03T10:00:00.000Z", "resourceId": "/x/SERVICE/APIM", "category": "GatewayLogs"}
    return json.dumps(head | {"operationName": "Microsoft.ApiManagement/GatewayLogs", "properties": properties})


def found(verdict: Verdict) -> tuple[str, str]:
    """Code and group."""
    assert verdict.diagnosis
    assert verdict.group
    return verdict.diagnosis.code, verdict.group.id


def stranger() -> str:
    return token(key="k9", **TIMES)


Case = tuple[str, Callable[[], str]]
SPLITS: dict[str, list[Case]] = {
    "key not found": [
        ("key_not_found", lambda: envoy(good(), NO_KEY)),  # published by now: the gateway's cache is older
        ("key_not_found", lambda: envoy(stranger(), NO_KEY)),  # never published: another environment's key, a realm made anew
        ("alg_not_allowed", lambda: envoy(jwt.encode(CLAIMS, "s" * 32, headers={"kid": "k1"}), NO_KEY)),
        ("key_type_mismatch", lambda: envoy(raw({"alg": "ES256", "typ": "JWT", "kid": "k1"}, CLAIMS, b"\x91" * 64), NO_KEY)),
    ],
    "issuer is not configured": [
        ("issuer_not_trusted", lambda: envoy(good(iss="http://keycloak.svc/"), NOT_CONFIGURED)),
        ("issuer_not_trusted", lambda: envoy(good(iss=ISSUER[:-1]), NOT_CONFIGURED)),
        ("issuer_not_trusted", lambda: envoy(good(iss=ISSUER.replace("https", "http")), NOT_CONFIGURED)),
        ("issuer_not_trusted", lambda: envoy(good(iss="https://evil.example.net/"), NOT_CONFIGURED)),
        ("issuer_missing", lambda: envoy(good(iss=None), NOT_CONFIGURED)),
        ("upstream_rejected", lambda: envoy(good(), response_code_details="via_upstream", upstream_host="10.0.0.9:80")),
    ],
    "another algorithm expected, or no matching key(s)": [
        ("issuer_not_trusted", lambda: service(token(key="k9", iss="https://idp-staging.example.com/", **TIMES), ANOTHER_ALG)),
        ("alg_not_allowed", lambda: service(jwt.encode(CLAIMS, rsa_key("k1"), "RS512", {"kid": "k1"}), ANOTHER_ALG)),
        ("key_not_found", lambda: service(stranger(), ANOTHER_ALG)),
    ],
    "no credentials found for given iss": [
        ("issuer_not_trusted", lambda: service(good(iss=ISSUER[:-1]), NO_CONSUMER)),  # the credential's key has the slash
        ("consumer_not_found", lambda: service(good(), NO_CONSUMER)),  # consumer missing, or its push was refused
        ("consumer_not_found", lambda: service(good(), NO_CONSUMER.replace("iss", "azp"))),  # key_claim_name
    ],
    "invalid signature": [
        ("signature_invalid", lambda: service(raw({"alg": "ES256", "typ": "JWT", "kid": "e1"}, CLAIMS, DER), "invalid signature")),
        ("signature_invalid", lambda: service(raw({"alg": "ES256", "typ": "JWT", "kid": "e1"}, CLAIMS, b"\x91" * 63), "invalid signature")),
        ("token_use_invalid", lambda: service(raw({"alg": "RS256", "typ": "JWT", "kid": "k1", "nonce": "n"}, CLAIMS), "invalid signature")),
        ("alg_not_allowed", lambda: service(jwt.encode(CLAIMS, "s" * 32, headers={"kid": "k1"}), "invalid signature")),
        ("signature_invalid", lambda: service(token(key="k9", headers={"kid": "k1"}, **TIMES), "invalid signature")),
        ("key_not_found", lambda: service(stranger(), "invalid signature")),
        ("token_truncated", lambda: service(good()[:-60], "invalid signature")),
    ],
    "RBAC: access denied": [
        ("token_missing", lambda: envoy("", **RBAC)),
        ("claim_representation", lambda: envoy(good(scope=["orders:write"]), **RBAC)),
        ("scope_insufficient", lambda: envoy(good(scope="orders:read"), **RBAC)),
        ("claim_not_allowed", lambda: envoy(good(scope="orders:write"), **RBAC | {"response_code_details": "rbac_access_denied_matched_policy[need-mfa]"})),
    ],
    "401 with a good token": [
        ("upstream_rejected", lambda: envoy(good(), response_code_details="via_upstream", upstream_host="10.0.0.9:80")),
        ("credential_stripped", lambda: envoy(good(), response_code_details="via_upstream", upstream_host="10.0.0.9:80", www_authenticate='Bearer realm="orders"')),
        ("credential_ambiguous", lambda: envoy(f"{good()},Bearer {good()}", "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections")),
        ("token_missing", lambda: envoy("", "Jwt is missing", x_authorization=f"Bearer {good()}")),
        ("preflight_blocked", lambda: envoy("", "Jwt is missing", method="OPTIONS")),
        ("token_expired", lambda: envoy(good(exp=AT - 30), response_code_details="via_upstream", upstream_host="10.0.0.9:80")),
    ],
}  # fmt: skip


@pytest.mark.parametrize("message", SPLITS)
def test_one_message_with_many_causes_splits(message: str, explainer: Explainer) -> None:
    """Each cause has its code, and no two of them share a group."""
    explainer.explain(passing(scope="orders:write"))
    answers = [found(explainer.explain(record())) for _, record in SPLITS[message]]

    assert [code for code, _ in SPLITS[message]] == [code for code, _ in answers]
    assert len(answers) == len({group for _, group in answers})


def test_key_not_found_splits_by_the_state_of_the_key_set(keys: Path) -> None:
    """The same line, where the key set cannot be had, holds no key, or is older at one instance than at its neighbours."""
    unreachable = configured("http://127.0.0.1:9/jwks.json").explain(envoy(good(), NO_KEY))
    empty = configured(str(keys / "none.json")).explain(envoy(good(), NO_KEY))
    neighbours = Explainer(Settings())
    neighbours.explain(passing())
    one_stale = neighbours.explain(envoy(good(), NO_KEY))

    assert "jwks_unreachable" == found(unreachable)[0]
    assert "jwks_invalid" == found(empty)[0]
    assert "key_not_found" == found(one_stale)[0]
    assert "stale at some instances" in dict(one_stale.group.parts).values()


SAME: dict[str, tuple[str, list[Callable[[], str]]]] = {
    "unknown kid after a rotation": (
        "key_not_found",
        [
            lambda: envoy(stranger(), NO_KEY),
            lambda: service(stranger(), "KID_ALG_UNMATCH"),
            lambda: service(stranger(), "Unable to find key with kid k9"),
            lambda: service(stranger(), "SecurityTokenSignatureKeyNotFoundException: IDX10501: Signature validation failed. Unable to match key: kid: 'k9'."),
            lambda: apim(stranger(), "TokenSignatureKeyNotFound"),
            lambda: service(stranger(), "Signed JWT rejected: Another algorithm expected, or no matching key(s) found"),
        ],
    ),
    "wrong issuer": (
        "issuer_not_trusted",
        [
            lambda: envoy(good(iss=ISSUER[:-1]), NOT_CONFIGURED),
            lambda: apim(good(iss=ISSUER[:-1]), "TokenIssuerNotAllowed"),
            lambda: service(good(iss=ISSUER[:-1]), "The iss claim is not valid"),
            lambda: service(good(iss=ISSUER[:-1]), "oidc: id token issued by a different provider"),
            lambda: service(good(iss=ISSUER[:-1]), "Token issuer not allowed"),
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("cause", SAME)
def test_many_messages_with_one_cause_are_one_group(cause: str, explainer: Explainer) -> None:
    """Whoever says it in whatever words: one code, one group, across gateways."""
    code, records = SAME[cause]
    answers = {found(explainer.explain(record())) for record in records}

    assert {code} == {one for one, _ in answers}
    assert 1 == len(answers)
