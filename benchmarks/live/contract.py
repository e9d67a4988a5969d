"""What a live gateway is, and what comes out of driving one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from benchmarks.live.recipe import Recipe
from why401.demo.faults import FAULTS, Fault
from why401.demo.mint import Mint

ROUTE: Final = "/v1/orders/4711"
# Faults that need nothing but one issuer and the route above. The others need a demo Envoy's routes.
PORTABLE: Final = tuple(
    fault.name
    for fault in FAULTS
    if fault.name
    in {
        "iss-trailing-slash", "iss-http", "iss-other-realm", "iss-case", "iss-staging", "iss-missing",
        "aud-other-api", "aud-client-id", "aud-path", "aud-list-without-us", "aud-missing",
        "kid-rotated", "kid-unknown", "signature-wrong-key", "signature-payload-changed",
        "nbf-future", "token-absent", "token-empty", "scheme-basic", "scheme-doubled", "scheme-absent", "scheme-token",
        "scheme-colon", "scheme-quotes", "token-null", "token-undefined", "token-two-parts", "token-header-not-json",
        "token-padded", "token-standard-base64", "token-cut-signature", "token-cut-claims", "token-opaque", "token-id",
        "token-refresh", "exp-missing", "sub-number", "exp-text", "aud-object", "exp-negative",
        "alg-hs256-public-key", "alg-ps256", "alg-none", "token-jwe", "nbf-milliseconds", "headers-too-large",
        "expired-seconds", "expired-minutes",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Running:
    """A started gateway. `logs` are the files that it appends to, in the order in which their lines belong together."""

    port: int
    logs: tuple[Path, ...]
    settle_s: float = 0.4  # this long without a new byte counts as all that a request leaves in them
    config: Path | None = None  # what it was started with, where that tells what it expects of tokens
    recipe: Recipe | None = None  # whose lines are in the configuration, and whose commands a newcomer follows


class LiveGateway(Protocol):
    """One gateway that this machine may be able to run."""

    @property
    def name(self) -> str:
        """As in the tables: "nginx (njs)"."""

    @property
    def kind(self) -> str:
        """The collector's gateway kind."""

    @property
    def without_token(self) -> bool:
        """Its usual log does not carry the token: the score is printed apart."""

    @property
    def relabelled(self) -> Mapping[str, str]:
        """Fault -> code, where this gateway's setup makes another code true; why stands beside it."""

    @property
    def left_out(self) -> Mapping[str, str]:
        """Fault -> why it cannot be asked of this gateway."""

    def missing(self) -> str:
        """What this machine lacks to run it, in words; "" when nothing."""

    def run(self, folder: Path, mint: Mint, jwks_url: str) -> AbstractContextManager[Running]:
        """Start it with `shop` as its only issuer, answering 200 to good tokens on every path. Ended on exit by its pid."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One request that was refused for a known fault, and every line that the gateway wrote about it."""

    fault: str
    code: str  # the true one
    status: int
    lines: Sequence[str]
    # Its Authorization headers, as they left: nothing of them may come out.
    sent: tuple[str, ...] = field(default=(), repr=False)
    request: str = ""  # method and path


@dataclass(frozen=True, slots=True)
class Crowd:
    """Refusals that were asked for at once, from one address, by fault; and what each log of the gateway got of them."""

    name: str
    sent: Mapping[str, int]
    logs: tuple[Sequence[str], ...]


def expected(gateway: LiveGateway, fault: Fault) -> str:
    """The true code of a fault at this gateway."""
    return gateway.relabelled.get(fault.name, fault.code)
