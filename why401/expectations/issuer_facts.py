"""Asks issuers for their metadata and key sets: `why401 lint --fetch`. Only what the given files name is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import orjson

from collector.token.fetching import fetch_url
from collector.token.verification import parse_jwks
from why401.expectations.lint import IssuerFacts, to_fetch
from why401.expectations.told import Expectation

MAX_ISSUERS: Final = 50
_WELL_KNOWN: Final = "/.well-known/openid-configuration"
Fetch = Callable[[str], bytes]


def ask(expectations: Iterable[Expectation], fetch: Fetch = fetch_url) -> dict[str, IssuerFacts]:
    """What each issuer says of itself; one that does not answer has the error instead."""
    chosen = list(to_fetch(tuple(expectations)).items())[:MAX_ISSUERS]
    return {issuer: _facts(one, fetch) for issuer, one in chosen}


def _facts(one: Expectation, fetch: Fetch) -> IssuerFacts:
    issuer, jwks = one.issuer.text if one.issuer else "", one.jwks.text if one.jwks else ""
    named, uri = _metadata(issuer, fetch) if issuer.startswith(("https://", "http://")) else ("", "")
    url = uri if jwks == "discovery" else jwks
    if "://" not in url:
        return IssuerFacts(issuer=named, error="" if url else "the metadata does not answer or names no jwks_uri")
    try:
        return IssuerFacts(issuer=named, keys=parse_jwks(fetch(url)))
    except (OSError, ValueError) as error:
        return IssuerFacts(issuer=named, error=f"{url}: {error}")


def _metadata(issuer: str, fetch: Fetch) -> tuple[str, str]:
    """`issuer` and `jwks_uri`; empty where there is no metadata, which OAuth does not require."""
    try:
        document = orjson.loads(fetch(issuer.rstrip("/") + _WELL_KNOWN))
    except (OSError, ValueError):
        return "", ""
    if not isinstance(document, dict):
        return "", ""
    return str(document.get("issuer", "")), str(document.get("jwks_uri", ""))
