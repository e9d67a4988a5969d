"""What holds of every live gateway: driven, judged, and held against what is known to be true."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import orjson
import pytest

from benchmarks.live.contract import LiveGateway, Refusal
from benchmarks.live.drive import Driven
from benchmarks.live.score import Counted, Predicted, Scored
from collector.events import Outcome
from collector.settings import load
from tests.live.conftest import Drives
from why401.explainer import Explainer, as_mapping

AT_LEAST: Final = 20  # a gateway that refuses fewer proves little
MOST_AT_ONCE: Final = 9  # refusals that are counted
MIN_SECRET: Final = 16  # shorter ones ("null") are words


HANG_S: Final = 280.0
# Faults that a configuration alone does not tell of, at one gateway or another.
UNPREDICTED: Final = {
    "headers-too-large": "the size of the request is not asked about",
    "kid-rotated": "a key without an id: only passing tokens tell that another id is in use",
    "kid-unknown": "a key without an id: only passing tokens tell that another id is in use",
    "nbf-future": "go-oidc allows five minutes for nbf, mod_auth_openidc ten for iat",
    "exp-negative": "haproxy and mod_auth_openidc take a negative number for none",
    "token-padded": "go-jose reads padded base64",
    "token-standard-base64": "Nimbus reads both alphabets of base64",
    "sub-number": "Nimbus takes a number for `sub` where nothing asks for the user",
}


def check(
    gateway: LiveGateway,
    drives: Drives,
    known_wrong: Mapping[str, str] | None = None,
    untold: Mapping[str, str] | None = None,
) -> None:
    """Hold its answers against the truth. `known_wrong` names the faults that may be wrong, each with its reason.

    `untold`: faults whose answer needs more than the gateway's own configuration tells, each with the reason.
    """
    if lacking := gateway.missing():
        pytest.skip(f"{gateway.name}: {lacking}")
    driven, scored, counted, _, predicted = drives[gateway.name].result(HANG_S)

    assert len(scored) >= AT_LEAST, f"only {[one.refusal.fault for one in scored]} refused; passed: {driven.passed}"
    _check_answers(gateway, scored, known_wrong or {})
    _check_own_configuration(driven, scored, untold or {})
    _check_secrets(driven, scored)
    assert Outcome.ALLOWED in _outcomes(driven), driven.good.lines
    _check_counts(counted)
    _check_predictions(predicted)


def _check_predictions(predicted: Sequence[Predicted]) -> None:
    """`why401 trace` says what the gateway did, wherever its configuration decides; where it does not, nothing."""
    told = [one for one in predicted if one.said]
    wrong = {one.fault: f"{one.did}, predicted {one.said}" for one in told if one.said != one.did}

    assert {fault: says for fault, says in wrong.items() if fault not in UNPREDICTED} == {}
    assert len(told) >= AT_LEAST or not predicted


def _check_answers(gateway: LiveGateway, scored: Iterable[Scored], known_wrong: Mapping[str, str]) -> None:
    """Every answer is right but the known ones, and those are still wrong. Without a token in the log nothing is promised unless they are named."""
    wrong = {one.refusal.fault: f"{one.refusal.code}, answered {one.code}" for one in scored if not one.is_right}
    kinds = {one.verdict.event.gateway.kind for one in scored if one.code != "unclassified"}
    assert "application" not in kinds, "read by `explain` only, which takes any text for an application's words"
    if gateway.without_token and not known_wrong:
        assert all(one.verdict.event.outcome is not Outcome.UNREAD for one in scored)
        return
    surprising = {fault: told for fault, told in wrong.items() if fault not in known_wrong}
    assert surprising == {}, surprising
    assert sorted(set(known_wrong) - set(wrong)) == [], "no longer wrong: take them out"


def _check_own_configuration(driven: Driven, scored: Sequence[Scored], untold: Mapping[str, str]) -> None:
    """`why401 init --from` what the gateway was started with answers as the settings that a person wrote."""
    if driven.gateway_config is None:
        return
    others = {
        one.refusal.fault: f"{one.code}, by its configuration {one.code_by_config}"
        for one in scored
        if one.code_by_config != one.code
    }
    surprising = {fault: told for fault, told in others.items() if fault not in untold}
    assert surprising == {}, surprising
    assert sorted(set(untold) - set(others)) == [], "told by now: take them out"


def _check_counts(counted: Sequence[Counted]) -> None:
    """Of a storm of one token, and of many clients behind one address: the store has the clients' own count of each code."""
    assert [one.name for one in counted] == ["storm", "crowd"]
    assert {one.name: one.asked for one in counted} == {one.name: one.stored for one in counted}
    assert all(one.asked.total() >= MOST_AT_ONCE for one in counted)


def _check_secrets(driven: Driven, scored: Iterable[Scored]) -> None:
    """No signature, password or reference token stands in anything that leaves the collector."""
    answers = [(one.refusal, as_mapping(one.verdict)) for one in scored]
    answers += [(driven.good, as_mapping(verdict)) for verdict in _verdicts(driven)]
    assert [refusal.fault for refusal, answer in answers if _leaks(refusal, answer)] == []


def _leaks(refusal: Refusal, answer: Mapping[str, Any]) -> bool:
    text = orjson.dumps(answer).decode()
    return any(secret in text for sent in refusal.sent for secret in secrets(sent))


def secrets(sent: str) -> list[str]:
    """What must not be seen again of one Authorization value: behind the last dot, or all of an opaque one."""
    credential = sent.rpartition(" ")[2].strip('"')
    last = credential.rpartition(".")[2]
    return [last[:MIN_SECRET], last[-MIN_SECRET:]] if len(last) >= MIN_SECRET else []


def _outcomes(driven: Driven) -> set[Outcome]:
    return {verdict.event.outcome for verdict in _verdicts(driven)}


def _verdicts(driven: Driven) -> list[Any]:
    explainer = Explainer(load(driven.config, {}))
    return [explainer.explain(line) for line in driven.good.lines]
