"""Products that say why they refuse at DEBUG only, by the loggers that say it.

Everywhere else a line below INFO repeats what a louder one says, and would count the refusal twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class DebugLoggers:
    """One product: how its loggers' names begin or end, and where its code logs the reason."""

    product: str
    starts: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    source: str = ""


PRODUCTS: Final[tuple[DebugLoggers, ...]] = (
    DebugLoggers(
        product="elasticsearch",
        starts=("o.e.x.s.a.j.", "org.elasticsearch.xpack.security.authc.jwt."),
        ends=(".JwtRealm", ".JwtAuthenticator"),
        source='elastic/elasticsearch x-pack/plugin/security/…/authc/jwt/JwtRealm.java: logger.debug("… JWT validation failed")',
    ),
    DebugLoggers(
        product="opensearch",
        starts=("c.a.d.a.h.j.", "com.amazon.dlic.auth.http.jwt.", "o.o.s.a."),
        source='opensearch-project/security HTTPJwtAuthenticator.java: log.debug("Invalid or expired JWT token.", e)',
    ),
    DebugLoggers(
        product="quarkus",
        starts=("io.quarkus.oidc.", "io.qua.oid.", "io.smallrye.jwt.", "io.sma.jwt."),
        source='quarkusio/quarkus extensions/oidc OidcProvider.java: LOG.debugf("Verification of the token … has failed")',
    ),
    DebugLoggers(
        product="micronaut",
        starts=("io.micronaut.security.token.", "i.m.s.t."),
        source='micronaut-projects/micronaut-security JwtValidator: LOG.debug("JWT token could not be authenticated")',
    ),
    DebugLoggers(
        product="trino",
        starts=("io.trino.server.security.",),
        source="trinodb/trino core AuthenticationFilter.java and security/jwt",
    ),
)  # fmt: skip
_STARTS: Final = tuple(start for product in PRODUCTS for start in product.starts)
_ENDS: Final = tuple(end for product in PRODUCTS for end in product.ends)


def speaks_at_debug(logger: str) -> bool:
    """Whether this logger gives a refusal's reason at DEBUG and nowhere else."""
    return bool(logger) and (logger.startswith(_STARTS) or logger.endswith(_ENDS))
