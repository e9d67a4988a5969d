"""What a live library is: real code that refuses tokens whose fault is known, in words of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from why401.demo.faults import BY_NAME
from why401.demo.mint import Issuer, Mint
from why401.demo.requests import Caller

USER: Final = "sub"
REQUIRED: Final = ("exp", USER)  # beside iss and aud, where a library can be asked to
# Faults that need nothing but a token of `shop`.
TOKEN_ONLY: Final = (
    "iss-trailing-slash", "iss-http", "iss-other-realm", "iss-case", "iss-staging", "iss-missing",
    "aud-other-api", "aud-client-id", "aud-path", "aud-list-without-us", "aud-missing",
    "kid-rotated", "kid-unknown", "signature-wrong-key", "signature-payload-changed", "nbf-future", "iat-future",
    "token-empty", "token-null", "token-undefined", "token-two-parts", "token-header-not-json", "token-padded",
    "token-standard-base64", "token-percent-encoded", "token-cut-signature", "token-cut-claims", "token-opaque",
    "token-id", "token-refresh", "exp-missing", "sub-missing", "sub-number", "sub-empty", "exp-text", "aud-object",
    "jti-number", "exp-negative", "alg-hs256-public-key", "alg-ps256", "alg-none", "token-jwe", "header-crit",
    "nbf-milliseconds", "expired-seconds", "expired-minutes",
)  # fmt: skip


@dataclass(frozen=True, slots=True, repr=False)
class Case:
    """One token with one fault; `code` is the true one. The token is a secret: it is in no repr."""

    fault: str
    code: str
    token: str


@dataclass(frozen=True, slots=True, repr=False)
class Trust:
    """What a verifier is configured with."""

    issuer: Issuer
    jwks: Mapping[str, Any]  # from before the rotation
    alg: str = "RS256"


@dataclass(frozen=True, slots=True)
class Complaint:
    """A library's own words about one case: the class of its error, its message and, where it has one, its code."""

    fault: str
    exception: str
    message: str
    code: str = ""


Says = tuple[tuple[str, tuple[str, ...]], ...]


class Library(Protocol):
    """One library that this machine may have."""

    @property
    def name(self) -> str:
        """As in analyzer/knowledge/libraries, where it is listed."""

    @property
    def listed(self) -> bool:
        """Its wordings are in the knowledge base."""

    @property
    def language(self) -> str:
        """`python` or `node`: whose loggers write the line."""

    @property
    def says(self) -> Says:
        """What its words say where they cannot tell the fault: (a part of `exception: message`, the codes that these
        words mean by analyzer/taxonomy.toml). A cut token that fails the check is a bad signature to the library.
        """

    def missing(self) -> str:
        """What this machine lacks to run it, in words; "" when nothing."""

    def verify(self, cases: Sequence[Case], trust: Trust) -> Sequence[Complaint]:
        """Verify every token as an application would; the refused ones, in the order of the cases."""


def cases(mint: Mint) -> tuple[tuple[Case, ...], Trust]:
    """Every token-only fault, and a verifier's configuration in which it is one. Rotates the mint's key."""
    trust = Trust(mint.issuers["shop"], mint.jwks("shop"))
    mint.rotate()
    return tuple(_case(name, Caller(mint, number=number)) for number, name in enumerate(TOKEN_ONLY)), trust


def _case(name: str, caller: Caller) -> Case:
    fault = BY_NAME[name]
    header = dict(fault.build(caller).headers)["authorization"]
    return Case(name, fault.code, header.partition(" ")[2])


def accepted(library: Library, case: Case, complaint: Complaint) -> frozenset[str]:
    """The true code, and what the words say where they cannot tell it."""
    words = f"{complaint.exception}: {complaint.message} {complaint.code}"
    said = next((codes for part, codes in library.says if part in words), ())
    return frozenset((case.code, *said))


def complain(cases: Sequence[Case], verify: Callable[[str], object]) -> Iterator[Complaint]:
    """A complaint for every token that `verify` raises for."""
    for case in cases:
        try:
            verify(case.token)
        except Exception as error:
            yield Complaint(case.fault, type(error).__name__, str(error).replace(case.token or "\0", "<token>"))
