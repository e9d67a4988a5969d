"""nbf and iat in the verifier's future: clock_skew, or claim_representation when the unit is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from analyzer.diagnosis.findings import Case, Finding, Strength, span

_FAR_YEAR: Final = re.compile(r"(?<![0-9-])\+?([1-9][0-9]{4})-(?:0[1-9]|1[0-2])-[0-3][0-9](?![0-9])")


def rule(case: Case) -> Iterator[Finding]:
    """A token from the future means that the issuer's clock is ahead, or the verifier's behind."""
    yield from _stated(case)
    if not case.event.time_known or case.event.token.claim_type("nbf") == case.event.token.claim_type("iat") == "":
        return
    wrong_unit = {claim for claim, fault in case.event.token.faults if fault in ("milliseconds", "out_of_range")}
    found = False
    for claim, offset in (("nbf", case.times.nbf_s), ("iat", case.times.iat_s)):
        if offset is None or offset <= 0 or claim in wrong_unit:
            continue
        found = True
        yield _ahead(case, claim, offset)
    if not found and not wrong_unit:
        yield Finding("clock_skew", Strength.REFUTES, "time", "nbf and iat lie before the request")


def _ahead(case: Case, claim: str, offset: float) -> Finding:
    says = f"{claim} lies {span(offset)} after the request; the leeway is {case.skew_s} s"
    if offset > case.skew_s:
        strength = Strength.PROOF if claim == "nbf" else Strength.LIKELY  # many libraries ignore a future iat
        return Finding("clock_skew", strength, "time", says, discriminant=claim)
    return Finding("clock_skew", Strength.HINT, "time", says, discriminant=claim)


def _stated(case: Case) -> Iterator[Finding]:
    """Libraries print the time that they read: one in the year 58865 is milliseconds taken for seconds."""
    found = _FAR_YEAR.search(f"{case.event.words.reason} {case.event.words.message}"[:2_000])
    if found:
        says = f"the verifier read a time in the year {found[1]}: milliseconds where RFC 7519 counts seconds"
        yield Finding("claim_representation", Strength.STRONG, "message", says, discriminant="milliseconds")
