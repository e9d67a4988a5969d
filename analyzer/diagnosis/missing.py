"""The one fact that would make an answer certain, as a setting that an operator can change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from analyzer.diagnosis.findings import Case
from collector.events import TokenKind

SURE: Final = 0.9
BARE_TOKEN: Final = "token"  # noqa: S105  # no password: the gateway kind of a token that was explained without a log line
# Where each gateway keeps its reason when the default log does not have it (reference: each gateway's documentation).
REASON_SETTINGS: Final = {
    "envoy": "add %RESPONSE_CODE_DETAILS% to Envoy's access log format",
    "istio": "add %RESPONSE_CODE_DETAILS% to meshConfig.accessLogFormat",
    "envoy-gateway": "add %RESPONSE_CODE_DETAILS% to the EnvoyProxy telemetry.accessLog format",
    "haproxy": "capture the verdict: http-request set-var(txn.jwt_err) and log %[var(txn.jwt_err)]",
    "nginx": "log $auth_jwt_error (or the module's error log at info) and $sent_http_www_authenticate",
    "apache": "set LogLevel auth_openidc:info and log %{WWW-Authenticate}o",
}
TOKEN_SETTINGS: Final = {
    "envoy": "log %REQ(AUTHORIZATION)% (why401 drops the token and keeps its shape), or jwt_authn's payload_in_metadata",
    "istio": "log %REQ(AUTHORIZATION)% in meshConfig.accessLogFormat; why401 drops the token and keeps its shape",
    "haproxy": "capture request header Authorization len 4096; why401 drops the token and keeps its shape",
    "nginx": "log $http_authorization; why401 drops the token and keeps its shape",
    "apache": "log %{Authorization}i; why401 drops the token and keeps its shape",
}


def missing(case: Case, confidence: float) -> tuple[str, ...]:
    """What to log or configure, most useful first; nothing when the answer is sure."""
    return () if confidence >= SURE else tuple(_missing(case))


def _missing(case: Case) -> Iterator[str]:
    kind = case.event.gateway.kind
    if not case.event.words and kind != BARE_TOKEN:
        yield REASON_SETTINGS.get(kind, "log the verifier's own reason beside the status")
    if case.event.token.kind in (TokenKind.UNKNOWN, TokenKind.REDACTED) and not case.shows_claims:
        yield TOKEN_SETTINGS.get(kind, "log the Authorization header (why401 drops the token and keeps its shape)")
    if not case.issuers:
        yield "tell why401 what the verifier expects: [[issuers]] in why401.toml"
    elif case.expected and not case.expected.jwks:
        yield f'tell why401 the key set: jwks = "discovery" for issuer {case.expected.issuer}'
    if not case.event.time_known:
        yield "log the time of the request: without it exp and nbf cannot be judged"
