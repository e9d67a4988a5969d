"""The demo's working day as data: what passes on a normal day, what always fails a little, and what is broken, act by act.

As in faults.py, the code of an act is true by construction: what why401 says of it is compared with that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from why401.demo.bootstrap import Route, for_scope, for_users
from why401.demo.faults import BY_NAME, Fault, Good
from why401.demo.mint import DROP
from why401.demo.requests import At, Caller, claiming, good, send

EDGES: Final = ("edge-1", "edge-2")
CACHE_S: Final = (2, 86_400)  # how long each edge keeps a key set: the second one would hear of a new key tomorrow
NOISE_SHARE: Final = 0.02
ROUTES: Final = (
    Route("/v1/orders", "shop"),
    Route("/v1/catalog", "shop"),
    Route("/v1/basket", "shop"),
    Route("/v1/partner", "partner"),
    for_users("/v1/warehouse", "mixed"),
    Route("/v1/devices", "devices"),
)
STRICT: Final = for_scope("/v1/catalog", "shop", "catalog:read")
STRICT_ROUTES: Final = tuple(STRICT if route.prefix == STRICT.prefix else route for route in ROUTES)

_OWN: Final = {"azp": "partner-sync"}
_SINCE: Final = {"iat": At(-30), "nbf": At(-30)}
DAY: Final = (
    Good("day-orders", 38, send("/v1/orders/4711", good("shop"))),
    Good("day-catalog", 18, send("/v1/catalog/shoes", good("shop"))),
    Good("day-basket", 10, send("/v1/basket/1", good("shop"))),
    Good("day-partner", 12, send("/v1/partner/1", claiming("partner", **_OWN))),
    Good("day-warehouse", 12, send("/v1/warehouse/1", claiming("mixed", azp="scanner"))),
    Good("day-devices", 10, send("/v1/devices/1", claiming("devices", sub="device-17", azp="sensors", **_SINCE))),
)
NOISE: Final = (BY_NAME["expired-minutes"], BY_NAME["expired-minutes"], BY_NAME["token-absent"])


def _with_newest_key(caller: Caller) -> str:
    return caller.mint.sign(caller.mint.claims("shop", caller.subject), caller.mint.key("shop"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Something that breaks, and how it is mended. `broken` and `mended` are what the terminal says.

    `of_ten` requests of ten that `instead_of` names become `fault`; afterwards, too, when it `stays`: it passes then.
    """

    fault: Fault
    instead_of: str
    of_ten: int = 10
    stays: bool = False
    broken: str
    mended: str
    mark: str = ""  # what the team that changed something tells why401; "": the logs show the change
    where: str = ""  # the gateway instance, when it is one
    rotates: bool = False
    strict: bool = False

    @property
    def name(self) -> str:
        """The name of its fault."""
        return self.fault.name


ACTS: Final = (
    Act(
        fault=Fault("act-rotation", "key_not_found", "Signed with a key that edge-2 does not know yet.", send("/v1/orders/4711", _with_newest_key)),
        instead_of="day-orders", of_ten=4, stays=True, rotates=True, where="edge-2",
        broken="Issuer shop rotates its signing key. edge-1 has the new key set; edge-2 keeps yesterday's.",
        mended="edge-2 is restarted and fetches the key set.",
    ),
    Act(
        fault=Fault("act-audience", "audience_mismatch", "The client asks for the audience of another API.", send("/v1/partner/1", claiming("partner", azp="partner-sync", aud="orders-api-v2"))),
        instead_of="day-partner", mark="partner-sync 7.1",
        broken="Client partner-sync 7.1 is released. It asks for the audience orders-api-v2; the gateways expect orders-api.",
        mended="partner-sync is rolled back to 7.0.",
    ),
    Act(
        fault=Fault("act-user-claim", "user_claim_missing", "The issuer leaves out sub, and a rule requires it.", send("/v1/warehouse/1", claiming("mixed", azp="scanner", sub=DROP))),
        instead_of="day-warehouse", mark="auth.example.com 26.4",
        broken="Issuer auth.example.com is upgraded to 26.4. Its tokens no longer carry the user (sub).",
        mended="auth.example.com maps the user to sub again.",
    ),
    Act(
        fault=Fault("act-clock", "clock_skew", "The clock of the issuer's host is four minutes fast.", send("/v1/devices/1", claiming("devices", sub="device-17", azp="sensors", iat=At(240), nbf=At(240), exp=At(3840)))),
        instead_of="day-devices", mark="devices.example.com moved to host id-7",
        broken="Issuer devices.example.com moves to host id-7, whose clock is four minutes fast.",
        mended="Time synchronization runs on id-7.",
    ),
    Act(
        fault=Fault("act-scope", "scope_insufficient", "The new rule requires catalog:read, which no client has.", send("/v1/catalog/shoes", good("shop"))),
        instead_of="day-catalog", strict=True, mark="policy catalog v12",
        broken="Policy catalog v12 is deployed to both gateways. /v1/catalog now requires the scope catalog:read, which no client has.",
        mended="The policy is rolled back to v11.",
    ),
)  # fmt: skip
