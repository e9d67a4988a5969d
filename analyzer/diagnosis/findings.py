"""What a rule sees and what it reports: `Case` in, `Finding`s out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import IntEnum
from typing import Final

from msgspec import Struct

from analyzer.diagnosis.cuts import Cutter, cutter
from analyzer.diagnosis.near import NearMiss
from analyzer.diagnosis.route_history import NOTHING, Passed
from analyzer.knowledge import Reading
from collector.events import Event, TokenKind, TokenTimes
from collector.settings import IssuerSettings
from collector.structs import Dataclass

# What a token is refused for that lacks one of these; of any other claim it is claim_missing.
MISSING: Final = {"iss": "issuer_missing", "aud": "audience_missing", "sub": "user_claim_missing"}
DEFAULT_SKEW_S: Final = 60  # what a validator allows that nothing is configured for; many libraries allow none


class Strength(IntEnum):
    """How much one finding settles."""

    REFUTES = -1  # the code is ruled out: the token shows the opposite
    HINT = 1  # consistent with the code, but seen in accepted traffic too
    LIKELY = 2  # most validators would reject this
    STRONG = 3  # the standard or the configuration forbids it
    PROOF = 4  # computed from the token, the request or the configuration: nothing else explains it


class Finding(Dataclass, Struct, frozen=True, gc=False):
    """One fact for (or, with REFUTES, against) a code. `source` as in verdicts.Evidence."""

    code: str
    strength: Strength
    source: str
    says: str
    near_miss: NearMiss | None = None
    discriminant: str = (
        ""  # FROZEN: what one change would touch; the winner's is part of the group's id, so no shown text
    )


class Case(Dataclass, Struct, frozen=True, gc=False):
    """Everything that is known about one rejected request. Times are quantised, so equal cases are equal."""

    event: Event
    times: TokenTimes
    readings: tuple[Reading, ...] = ()
    issuers: tuple[IssuerSettings, ...] = ()  # those configured for this gateway and route
    passed: Passed = NOTHING  # what passes on the same route
    seen_cut: Cutter = Cutter.UNKNOWN  # who cut the token, by the gateway's other requests
    lifetime_s: float = 0.0  # of the token, in whole seconds; 0: not known

    @property
    def expected(self) -> IssuerSettings | None:
        """The configuration of the token's own issuer."""
        for issuer in self.issuers:  # a loop: rules ask often
            if issuer.issuer == self.event.token.iss:
                return issuer
        return None

    @property
    def cut_by(self) -> Cutter:
        """Who cut a token that ends too early."""
        return cutter(self.event.token, self.seen_cut, self.readings)

    @property
    def skew_s(self) -> int:
        """The leeway that the validator allows, as configured."""
        expected = self.expected or (self.issuers[0] if len(self.issuers) == 1 else None)
        return expected.clock_skew_seconds if expected else DEFAULT_SKEW_S

    @property
    def is_unseen(self) -> bool:
        """The log shows nothing of the credential but, at best, that there was one."""
        return self.event.token.kind in (TokenKind.UNKNOWN, TokenKind.REDACTED) and not self.shows_claims

    @property
    def shows_claims(self) -> bool:
        """The payload could be read."""
        return bool(self.event.token.claims)


Rule = Callable[[Case], Iterable[Finding]]
"""A rule: one cause per file, exports `rule`. It never raises and looks at nothing but the Case."""


def quantise(times: TokenTimes) -> TokenTimes:
    """Whole seconds up to ten minutes where a leeway applies, else up to two; then minutes up to three hours, then hours.

    A leeway applies to an `exp` in the past and to an `iat` or `nbf` in the future: there a second may decide.
    """
    iat, nbf, exp = times.iat_s, times.nbf_s, times.exp_s
    return TokenTimes(
        iat_s=_step(iat, 600 if iat is not None and iat > 0 else 120),
        nbf_s=_step(nbf, 600 if nbf is not None and nbf > 0 else 120),
        exp_s=_step(exp, 600 if exp is not None and exp < 0 else 120),
        auth_time_s=_step(times.auth_time_s, 120),
    )


def _step(seconds: float | None, exact: int) -> float | None:
    if seconds is None:
        return None
    size = abs(seconds)
    step = 1 if size < exact else 60 if size < 10_800 else 3600
    return float(int(seconds / step) * step) if size >= 1 else float(round(seconds))


def listed(values: Sequence[str], most: int = 3) -> str:
    """Values as code, the first `most` of them.

    >>> listed(["orders", "billing", "web", "app"])
    '`orders`, `billing`, `web` …'
    """
    return ", ".join(f"`{value}`" for value in values[:most]) + (" …" if len(values) > most else "")


def span(seconds: float) -> str:
    """A duration for people: "45 s", "12 min", "3 h", "2 days"."""
    size = abs(seconds)
    if size < 120:
        return f"{size:.0f} s"
    if size < 7_200:
        return f"{size / 60:.0f} min"
    if size < 172_800:
        return f"{size / 3600:.0f} h"
    return f"{size / 86_400:.0f} days"
