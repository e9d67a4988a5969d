"""The verdicts on every gateway fixture, for tests of all of them at once."""

from __future__ import annotations

from functools import cache

from analyzer.verdicts import Verdict
from collector.settings import IssuerSettings, Settings
from tests.collector.gateways.cases import FILES, IDS, formats, load, raw_record
from why401.explainer import Explainer

CONFIGURED = IssuerSettings(issuer="https://idp.example.com/", audiences=("orders-api",))


@cache
def fixture_verdicts(*, configured: bool = False) -> dict[str, Verdict]:
    """Fixture's name -> its verdict, each by an analyzer of its own, so none learns from another."""
    issuers = (CONFIGURED,) if configured else ()
    found = {}
    for name, file in zip(IDS, FILES, strict=True):
        case = load(file)
        settings = Settings(issuers=issuers, formats=tuple(formats(case)))
        found[name] = Explainer(settings).explain(raw_record(case).text or "")
    return found
