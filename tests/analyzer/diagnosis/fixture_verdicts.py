"""The verdicts on every gateway fixture, for tests of all of them at once."""

from __future__ import annotations

from functools import cache

from analyzer.pipeline import Analyzer
from analyzer.verdicts import Verdict
from collector.pipeline import Collector
from collector.redaction.pseudonyms import Pseudonyms
from collector.settings import IssuerSettings, Settings
from collector.telemetry import Telemetry
from collector.token.verification import KeySets, Verifier
from tests.collector.gateways.cases import FILES, IDS, formats, load, raw_record

CONFIGURED = IssuerSettings(issuer="https://idp.example.com/", audiences=("orders-api",))


@cache
def fixture_verdicts(*, configured: bool = False) -> dict[str, Verdict]:
    """Fixture's name -> its verdict as in `why401 up`, each by an analyzer of its own, so none learns from another."""
    issuers = (CONFIGURED,) if configured else ()
    found = {}
    for name, file in zip(IDS, FILES, strict=True):
        case = load(file)
        settings, telemetry = Settings(issuers=issuers, formats=tuple(formats(case))), Telemetry()
        verifier = Verifier(settings, KeySets(settings.issuers, settings.base, telemetry))
        collector = Collector(settings, verifier, Pseudonyms(bytes(32), 0), telemetry)
        found[name] = Analyzer(settings).judge(collector.collect(raw_record(case)))
    return found
