"""Verdicts for the store's tests: plain, cheap, and different where a test says so."""

from __future__ import annotations

import time

from analyzer.verdicts import Diagnosis, Evidence, Fix, Group, Rival, Verdict
from collector.events import (
    Event,
    Gateway,
    Origin,
    Outcome,
    Request,
    Responder,
    TokenFacts,
    TokenKind,
    TokenTimes,
    Words,
)

START_S = int(time.time()) // 3600 * 3600 - 86_400  # a full hour, younger than any retention
DIAGNOSIS = Diagnosis(
    code="audience_mismatch",
    cause="issuer",
    confidence=0.9,
    title="Token for another audience",
    evidence=(Evidence("token", 'aud is "a"; it\'s expected to be "b"'), Evidence("message", "audience not allowed")),
    rivals=(Rival("issuer_not_trusted", "iss is configured"),),
    missing=("log RESPONSE_CODE_DETAILS",),
    fix=(Fix("set audiences", "https://example.com/docs"),),
    also=("token_expired",),
    near_miss="trailing slash",
    expected="b",
    received="a",
    missing_scope="write",
    library="jose",
    discriminant="aud b",
)
GROUP = Group("v1-0123456789abcdef", "v1", (("issuer", "https://idp.example.com"), ("audience", "b")))
TOKEN = TokenFacts(
    kind=TokenKind.JWS,
    scheme="Bearer",
    location="authorization",
    credentials=1,
    size=300,
    parts=(40, 200, 58),
    signature_bytes=32,
    alg="RS256",
    typ="JWT",
    kid="key-1",
    iss="https://idp.example.com",
    aud=("a",),
    client="shop",
    scopes=("read", "write"),
    claims=(("sub", "string"), ("aud", "array")),
    anomalies=("double_bearer",),
    user="u-1",
    key_epoch=3,
)


def failing(n=0, *, at_s=START_S, token=TOKEN, diagnosis=DIAGNOSIS, group=GROUP, origin=None, **request):
    """A denied request, `n` seconds after `at_s`."""
    about = {"method": "GET", "route": "/orders/{id}", "host": "api", "status": 401} | request
    event = Event(
        time_ns=(at_s + n) * 10**9,
        observed_ns=(at_s + n + 1) * 10**9,
        origin=origin or Origin("otlp", "10.0.0.1"),
        gateway=Gateway("envoy", "edge-1", "1.39"),
        outcome=Outcome.DENIED,
        responder=Responder.GATEWAY,
        request=Request(**about),
        words=Words(reason="jwt_authn_access_denied", message="Audiences in Jwt are not allowed", body_bytes=32),
        token=token,
        times=TokenTimes(iat_s=-60.0, exp_s=600.0),
    )
    return Verdict(event, diagnosis, group)


def passing(n=0, *, at_s=START_S, token=TOKEN, origin=None):
    """An allowed request."""
    event = Event(
        time_ns=(at_s + n) * 10**9,
        observed_ns=(at_s + n + 1) * 10**9,
        origin=origin or Origin("otlp", "10.0.0.1"),
        gateway=Gateway("envoy", "edge-1", "1.39"),
        outcome=Outcome.ALLOWED,
        request=Request(method="GET", route="/orders/{id}", host="api", status=200),
        token=token,
    )
    return Verdict(event)


def unread(reason="no_parser", message="what is <num>"):
    """A record that no parser knew."""
    event = Event(
        time_ns=START_S * 10**9,
        observed_ns=START_S * 10**9,
        origin=Origin("otlp"),
        gateway=Gateway("unknown"),
        outcome=Outcome.UNREAD,
        words=Words(reason=reason, message=message),
    )
    return Verdict(event)
