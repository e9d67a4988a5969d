"""What is read of a payload, whatever is in it and in whichever order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from collector.token.claims import DATES, TEXTS, read_claims

WRONG = {
    **dict.fromkeys(DATES, -1.5),
    **dict.fromkeys(TEXTS, ""),
    "aud": ["a", 1],
    "email": "nobody",
}


@given(st.permutations(sorted(WRONG)))
def test_faults_come_in_one_order(names: list[str]) -> None:
    """Equal faults are equal evidence: in which order a token lists its claims says nothing."""
    faults = read_claims({name: WRONG[name] for name in names}).faults

    assert [(name, fault) for name in DATES for fault in ("negative", "fractional")] == list(faults[:8])
    assert [*(name for name in TEXTS if name != "email"), "aud", "email"] == [name for name, _ in faults[8:]]


def test_a_token_that_expires_before_it_is_valid_is_reversed() -> None:
    """Dates in text count as well."""
    assert (("exp", "reversed"),) == read_claims({"nbf": "1795000900", "exp": 1_795_000_000}).faults
    assert () == read_claims({"nbf": 1_795_000_000, "exp": 1_795_000_900, "aud": "a", "sub": "x"}).faults
