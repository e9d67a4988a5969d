"""Counters by cause: what is counted, how many series there can be, and the traces that they lead to."""

from __future__ import annotations

import urllib.request

from msgspec.structs import replace

from collector.events import Outcome
from collector.settings import IssuerSettings, Settings, TelemetrySettings
from collector.telemetry import Sum, Telemetry
from tests.analyzer.alerts.sinks import free_port
from tests.analyzer.verdict_samples import failing, passing, unread
from why401.outputs.counts import IDLE_S, Counter, Counts
from why401.outputs.leaving import leaving

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def by_label(sums: list[Sum], label: str) -> dict[str, float]:
    out: dict[str, float] = {}
    for each in sums:
        out[each.attributes[label]] = out.get(each.attributes[label], 0) + each.value
    return out


def issued_by(issuer: str):
    verdict = failing()
    return replace(verdict, event=replace(verdict.event, token=replace(verdict.event.token, iss=issuer)))


def test_requests_and_failures_are_counted_by_their_labels() -> None:
    """A verdict that stands for many counts as many; what is no request counts as none."""
    counts = Counts(Settings(), Telemetry())
    for verdict, count in ((failing(), 1), (failing(), 1), (passing(), 40), (unread(), 1)):
        counts.add(verdict, count)
    failed = failing()
    counts.add(replace(failed, event=replace(failed.event, outcome=Outcome.ERROR)), 1)

    assert {"denied": 2, "allowed": 40, "error": 1} == by_label(list(counts.requests.read()), "outcome")
    (only,) = counts.failures.read()
    assert {
        "cause": "issuer", "code": "audience_mismatch", "gateway": "envoy", "instance": "edge-1", "issuer": "https://idp.example.com",
    } == only.attributes  # fmt: skip
    assert 3 == only.value


def test_a_flood_of_issuers_leaves_a_bounded_number_of_series_and_hides_nothing() -> None:
    """Names beyond the bound are one; configured issuers and every code stay."""
    counts = Counts(Settings(issuers=(IssuerSettings(issuer="https://ours.example.com"),)), Telemetry())
    for n in range(5_000):
        counts.add(issued_by(f"https://{n}.example.com"), 1)
    counts.add(issued_by("https://ours.example.com"), 7)

    sums = list(counts.failures.read())

    assert 101 < len(sums) <= 110
    assert 7 == by_label(sums, "issuer")["https://ours.example.com"]
    assert {"audience_mismatch": 5_007} == by_label(sums, "code")


def test_combinations_beyond_the_bound_fold_into_other() -> None:
    """Names that are each admitted may still make too many series; those that are idle for an hour make room."""
    now = [0.0]
    counter = Counter(("code", "gateway", "issuer"), (("issuer",), ("gateway",)), most=3, clock=lambda: now[0])
    event = failing().event
    for gateway, issuer in ("ab", "ac", "ad", "ae", "bf", "af"):
        counter.add(("expired", gateway, issuer), 1, event)

    folded = {tuple(each.attributes.values())[1:]: each.value for each in counter.read()}
    assert {("a", "b"): 1, ("a", "c"): 1, ("a", "d"): 1, ("(other)", "(other)"): 3} == folded

    now[0] = IDLE_S + 1
    counter.add(("expired", "a", "g"), 1, event)
    assert [("a", "g")] == [tuple(each.attributes.values())[1:] for each in counter.read()]


def scraped(port: int, accept: str) -> str:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/metrics", headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read().decode()


def test_exemplars_are_shown_to_whoever_can_read_them() -> None:
    """OpenMetrics has the trace of one request, the classic format has none, and an id of another form is none."""
    telemetry, port = Telemetry(), free_port()
    provider = telemetry.start(TelemetrySettings(prometheus=f"127.0.0.1:{port}"))
    counts = Counts(Settings(), telemetry)
    try:
        counts.add(failing(trace_id=TRACE), 1)
        counts.add(passing(), 3)
        strange = failing(trace_id="Root=1-67891233-abcdef")
        counts.add(strange, 0)  # does not take the place of one that opens a trace
        counts.add(replace(strange, diagnosis=replace(strange.diagnosis, code="token_expired")), 1)
        new, classic = scraped(port, "application/openmetrics-text; version=1.0.0"), scraped(port, "text/plain")
    finally:
        provider.shutdown()

    about = 'why401_auth_failures_total{cause="issuer",code="audience_mismatch",gateway="envoy",instance="edge-1",issuer="https://idp.example.com"} 1.0'
    assert f'{about} # {{trace_id="{TRACE}"}} 1.0' in new
    assert about in classic
    assert (1, 0) == (new.count(TRACE), classic.count(TRACE))
    assert "Root=" not in new


def test_whoever_fails_after_the_commit_stops_nothing() -> None:
    """The rows are in the lake: the others hear of them all the same, and the error is counted."""
    telemetry, told = Telemetry(), []

    def broken(*_: object) -> None:
        raise RuntimeError

    with leaving(Settings(), telemetry, broken) as tell:
        tell(failing(), 1)
    with leaving(Settings(), telemetry, lambda *given: told.append(given)) as tell:
        tell(failing(), 1)

    assert (1, 1) == (telemetry.value("why401.errors", stage="outputs", kind="RuntimeError"), len(told))
