"""Bounds on what outsiders choose."""

from __future__ import annotations

from analyzer.name_bounds import ADMIT, NameBounds
from collector.events import Event, Origin, Outcome, TokenFacts, gateway
from collector.safe import OTHER

LIMITS = {"issuer": 3, "client": 3, "kid": 3, "audience": 3, "route": 3, "host": 3, "instance": 3, "agent": 3}


def test_known_names_stay_themselves() -> None:
    """While there is room everything has its name."""
    bounds = NameBounds(LIMITS)

    assert ["a", "b", "a"] == [bounds.name("issuer", value) for value in "aba"]


def test_a_flood_of_new_names_is_other() -> None:
    """A million random issuers make one bucket and bounded memory."""
    bounds = NameBounds(LIMITS, known=[("issuer", "configured")])
    shown = {bounds.name("issuer", f"random-{n}") for n in range(100_000)}

    assert shown == {"random-0", "random-1", "random-2", OTHER}
    assert "configured" == bounds.name("issuer", "configured")
    assert len(bounds._waiting["issuer"]) <= 4 * LIMITS["issuer"]


def test_a_real_newcomer_still_gets_its_name() -> None:
    """What is seen often enough takes the place of the name that was idle longest."""
    bounds = NameBounds(LIMITS)
    for value in "abc":
        bounds.name("issuer", value)
    bounds.name("issuer", "a")

    shown = [bounds.name("issuer", "newcomer") for _ in range(ADMIT)]

    assert (OTHER, "newcomer") == (shown[0], shown[-1])
    assert "a" == bounds.name("issuer", "a")


def test_an_event_within_bounds_is_not_copied() -> None:
    """The common case costs nothing."""
    event = Event(1, 1, Origin("otlp"), gateway("envoy"), Outcome.DENIED, token=TokenFacts(iss="a", aud=("x",)))

    assert event is NameBounds().bounded(event)
