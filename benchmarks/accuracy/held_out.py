"""Library messages, each answered without anything that is known of its own product: what an unlisted library can expect."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from analyzer.diagnosis import Diagnoser
from analyzer.diagnosis.messages import ReadUnlisted
from analyzer.knowledge.learned import Learned
from analyzer.knowledge.opinion import Opinion
from benchmarks.accuracy.answers import Answer, answer
from benchmarks.labelled import Labelled, without
from benchmarks.training.array import Trained
from collector.settings import Settings
from why401.explainer import Explainer


def of_held_out(messages: Iterable[Labelled], trained: Trained) -> Iterator[Answer]:
    """One answer per message, family by family."""
    by_family: dict[str, list[Labelled]] = {}
    for message in messages:
        by_family.setdefault(message.family, []).append(message)
    for family, some in by_family.items():
        explainer = ignorant(family, Opinion(Learned(trained.without(family))).read)
        for message in some:
            yield answer(explainer, family, message.name, message.codes, message.text)


def ignorant(family: str, unlisted: ReadUnlisted) -> Explainer:
    """An explainer that has no signature of a family of products, and reads with what was learned without it."""
    explainer = Explainer(Settings())
    explainer.analyzer.diagnoser = Diagnoser(read=without(family).read, unlisted=unlisted)
    return explainer
