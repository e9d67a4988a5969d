"""Event in, verdict out: diagnosis on the full facts, bounds on names that outsiders chose, then grouping."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from analyzer.diagnosis import Diagnoser
from analyzer.grouping import CURRENT
from analyzer.knowledge.user_files import knowledge
from analyzer.name_bounds import NameBounds
from analyzer.verdicts import Verdict
from collector.counted import Allowed
from collector.events import Event, Outcome
from collector.settings import Settings

JUDGED: Final = (Outcome.DENIED, Outcome.ERROR)


class Analyzer:
    """Diagnosis and grouping with their bounded state. One worker owns it. Raises KnowledgeError at its start."""

    def __init__(self, settings: Settings) -> None:
        self.diagnoser = Diagnoser(settings.issuers, knowledge(settings.knowledge_files).read)
        known = [("issuer", issuer.issuer) for issuer in settings.issuers]
        known += [("audience", audience) for issuer in settings.issuers for audience in issuer.audiences]
        self.names = NameBounds(known=known)

    def judge(self, event: Event) -> Verdict:
        """Diagnose on the full facts, then bound what outsiders chose, then group."""
        if event.outcome not in JUDGED:
            self.diagnoser.learn(event)
            return self.sample(event)
        diagnosis = self.diagnoser.diagnose(event)
        bounded = self.names.bounded(event)
        return Verdict(bounded, diagnosis, CURRENT(bounded, diagnosis))

    def sample(self, event: Event) -> Verdict:
        """The verdict on an event that was learned from already."""
        return Verdict(self.names.bounded(event))

    def count(self, allowed: Allowed) -> Allowed:
        """Learn from requests that were allowed, and bound what outsiders chose."""
        self.diagnoser.learn(allowed.event, allowed.count)
        return replace(allowed, event=self.names.bounded(allowed.event, allowed.count))
