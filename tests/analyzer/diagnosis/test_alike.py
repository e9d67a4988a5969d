"""What rules see of a request: nothing of it alone, and everything that decides."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from analyzer.diagnosis import Diagnoser
from analyzer.diagnosis.alike import evidence_of
from collector.events import Event, Gateway, Origin, Outcome, Request, TokenFacts, TokenKind, TokenTimes, Words
from collector.settings import Settings
from tests.collector.gateways import cases
from why401.explainer import Explainer

TOKEN = TokenFacts(
    kind=TokenKind.JWS, size=512, parts=(40, 300, 170), signature_bytes=256, alg="RS256", iss="https://idp.example.com/",
    aud=("orders",), claims=(("iss", "string"), ("aud", "string"), ("exp", "integer")), user="u1", key_epoch=1,
)  # fmt: skip
EVENT = Event(
    1, 2, Origin("kafka"), Gateway("envoy"), Outcome.DENIED, request=Request(method="GET", status=401, request_id="r1"),
    words=Words(reason="jwt_authn_access_denied{Audiences_in_Jwt_are_not_allowed}"), token=TOKEN, times=TokenTimes(exp_s=330.2, iat_s=-270.1),
)  # fmt: skip


@pytest.mark.parametrize(
    "other",
    [
        replace(EVENT, token=replace(TOKEN, user="u2", size=530, parts=(40, 318, 170))),
        replace(EVENT, time_ns=9, observed_ns=9, origin=Origin("otlp")),
        replace(EVENT, request=replace(EVENT.request, request_id="r2", client="10.0.0.0/24", route="/a", trace_id="t")),
        replace(EVENT, times=TokenTimes(exp_s=340.0, iat_s=-260.0)),
    ],
    ids=["user", "time", "request", "seconds"],
)
def test_many_tokens_are_one_evidence(other: Event) -> None:
    """A thousand users with one fault are one diagnosis, and one object."""
    diagnoser = Diagnoser()

    assert evidence_of(EVENT) == evidence_of(other)
    assert diagnoser.diagnose(EVENT) is diagnoser.diagnose(other)
    assert 1 == diagnoser.cached


@pytest.mark.parametrize(
    "other",
    [
        replace(EVENT, time_known=False),
        replace(EVENT, zone_known=False),
        replace(EVENT, outcome=Outcome.ERROR),
        replace(EVENT, token=replace(TOKEN, size=9_000)),
        replace(EVENT, token=replace(TOKEN, kid="k2")),
        replace(EVENT, request=replace(EVENT.request, request_id="")),
        replace(EVENT, times=TokenTimes(exp_s=-300.2, iat_s=-900.1)),
    ],
    ids=["time known", "zone known", "outcome", "long token", "kid", "no id", "expired"],
)
def test_what_decides_makes_another_evidence(other: Event) -> None:
    """What a rule may look at is in the evidence."""
    assert evidence_of(EVENT) != evidence_of(other)


def test_each_request_is_told_its_own_id() -> None:
    """Two requests with equal evidence: the sentence that says where to look names each one's id."""
    explainer = Explainer(Settings())
    record = {
        "start_time": "2026-05-04T10:00:00Z", "method": "GET", "path": "/a", "response_code": 403, "response_flags": "UAEX",
        "response_code_details": "ext_authz_denied",
    }  # fmt: skip

    found = [
        explainer.explain(json.dumps({**record, "x_request_id": one})).diagnosis for one in ("first-1", "second-2")
    ]

    assert ["first-1.", "second-2."] == [one.missing[0].rpartition(" ")[2] for one in found if one]


def test_a_diagnosis_does_not_depend_on_who_came_before() -> None:
    """Every fixture of every gateway gets the answer that it gets without what was remembered of others."""
    remembering, forgetting = Explainer(Settings()), Explainer(Settings())
    texts = [text for path in cases.FILES if (text := cases.raw_record(cases.load(path)).text)] * 2
    wrong = []
    for text in texts:
        forgetting.analyzer.diagnoser.forget()
        if remembering.explain(text).diagnosis != forgetting.explain(text).diagnosis:
            wrong.append(text)

    assert len(texts) >= 400
    assert [] == wrong
