"""`nbf` and `iat` ahead of the validator's clock: clock_skew, or claim_representation when the unit is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from analyzer.diagnosis import zone
from analyzer.diagnosis.findings import Case, Finding, Strength, span

_FAR_YEAR: Final = re.compile(r"(?<![0-9-])\+?([1-9][0-9]{4})-(?:0[1-9]|1[0-2])-[0-3][0-9](?![0-9])")
_WRONG_UNITS: Final = ("milliseconds", "out_of_range")


def rule(case: Case) -> Iterator[Finding]:
    """A token from the future means that the issuer's clock is ahead or the validator's is behind."""
    yield from _printed(case)
    if case.event.time_known and _has_start(case):
        yield from _compared(case)


def _has_start(case: Case) -> bool:
    return bool(case.event.token.claim_type("nbf") or case.event.token.claim_type("iat"))


def _compared(case: Case) -> Iterator[Finding]:
    in_wrong_unit = {claim for claim, fault in case.event.token.faults if fault in _WRONG_UNITS}
    known = _starts(case)
    ahead = [(claim, s) for claim, s in known if s > 0 and claim not in in_wrong_unit]
    yield from (_ahead(case, claim, offset) for claim, offset in ahead)
    if not ahead and not in_wrong_unit:
        yield from _begun(case, [-s for _, s in known])


def _starts(case: Case) -> list[tuple[str, float]]:
    starts = (("nbf", case.times.nbf_s), ("iat", case.times.iat_s))
    return [(claim, s) for claim, s in starts if s is not None]


def _begun(case: Case, past: list[float]) -> Iterator[Finding]:
    if not any(zone.may_hide_future(case, s) for s in past):
        yield Finding("clock_skew", Strength.REFUTES, "time", "`nbf` and `iat` are before the request time")


def _ahead(case: Case, claim: str, offset: float) -> Finding:
    says = f"`{claim}` is {span(offset)} after the request (leeway {case.skew_s} s)"
    if offset > case.skew_s and zone.explains_future(case, offset):
        strength = Strength.LIKELY if claim == "nbf" else Strength.HINT
        return Finding("clock_skew", strength, "time", f"{says}; {zone.UNSURE}", discriminant=claim)
    if offset > case.skew_s:
        strength = Strength.PROOF if claim == "nbf" else Strength.LIKELY  # many libraries ignore a future iat
        return Finding("clock_skew", strength, "time", says, discriminant=claim)
    return Finding("clock_skew", Strength.HINT, "time", says, discriminant=claim)


def _printed(case: Case) -> Iterator[Finding]:
    """Libraries print the time that they parsed: one in the year 58865 is milliseconds taken for seconds."""
    found = _FAR_YEAR.search(f"{case.event.words.reason} {case.event.words.message}"[:2_000])
    if found:
        says = f"the message reports a time in the year {found[1]}: milliseconds used where RFC 7519 requires seconds"
        yield Finding("claim_representation", Strength.STRONG, "message", says, discriminant="milliseconds")
