"""What a rule sees and what it says: `Case` in, `Finding`s out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from analyzer.diagnosis.route_history import NOTHING, Passed
from analyzer.knowledge import Reading
from collector.events import Event, TokenKind, TokenTimes
from collector.settings import IssuerSettings

DEFAULT_SKEW_S: Final = 60  # Envoy, Nimbus, Spring and go-jose; 22 other libraries grant none


class Strength(IntEnum):
    """How much one finding settles."""

    REFUTES = -1  # the code cannot be: the token says the opposite
    HINT = 1  # compatible with the code, seen in good traffic too
    LIKELY = 2  # most verifiers would refuse this
    STRONG = 3  # the standard or the configuration forbids it
    PROOF = 4  # arithmetic on the token, the request or the configuration: no other reading is left


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact for (or, with REFUTES, against) a code. `source` as in verdicts.Evidence."""

    code: str
    strength: Strength
    source: str
    says: str
    near_miss: str = ""
    discriminant: str = ""  # what one change would touch; grouping reads the winner's


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that is known about one refused request. Times are quantised, so equal cases are equal."""

    event: Event
    times: TokenTimes
    readings: tuple[Reading, ...] = ()
    issuers: tuple[IssuerSettings, ...] = ()  # those configured for this gateway and route
    passed: Passed = NOTHING  # what passes on the same route

    @property
    def expected(self) -> IssuerSettings | None:
        """The configuration of the token's own issuer."""
        for issuer in self.issuers:  # a loop: rules ask often
            if issuer.issuer == self.event.token.iss:
                return issuer
        return None

    @property
    def skew_s(self) -> int:
        """The leeway that the verifier grants, as configured."""
        expected = self.expected or (self.issuers[0] if len(self.issuers) == 1 else None)
        return expected.clock_skew_seconds if expected else DEFAULT_SKEW_S

    @property
    def shows_claims(self) -> bool:
        """The payload could be read."""
        return bool(self.event.token.claims)

    @property
    def shows_token(self) -> bool:
        """A credential came and its form is known."""
        return self.event.token.kind not in (TokenKind.ABSENT, TokenKind.UNKNOWN)


Rule = Callable[[Case], Iterable[Finding]]
"""A rule: one cause per file, exports `rule`. It never raises and looks at nothing but the Case."""


def quantise(times: TokenTimes) -> TokenTimes:
    """Seconds up to ten minutes where a leeway counts, else up to two; then minutes up to three hours, then hours.

    A leeway counts for an exp in the past and an iat or nbf in the future: there a second may decide.
    """
    iat, nbf, exp = times.iat_s, times.nbf_s, times.exp_s
    return TokenTimes(
        _step(iat, 600 if iat is not None and iat > 0 else 120),
        _step(nbf, 600 if nbf is not None and nbf > 0 else 120),
        _step(exp, 600 if exp is not None and exp < 0 else 120),
        _step(times.auth_time_s, 120),
    )


def _step(seconds: float | None, exact: int) -> float | None:
    if seconds is None:
        return None
    size = abs(seconds)
    step = 1 if size < exact else 60 if size < 10_800 else 3600
    return float(int(seconds / step) * step) if size >= 1 else float(round(seconds))


def span(seconds: float) -> str:
    """A duration in words: "45 s", "12 min", "3 h", "2 days"."""
    size = abs(seconds)
    if size < 120:
        return f"{size:.0f} s"
    if size < 7_200:
        return f"{size / 60:.0f} min"
    if size < 172_800:
        return f"{size / 3600:.0f} h"
    return f"{size / 86_400:.0f} days"
