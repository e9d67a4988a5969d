"""Library messages, each answered without anything that is known of its own product: what an unlisted library can expect."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from analyzer.diagnosis import Diagnoser
from benchmarks.accuracy.answers import Answer, answer
from benchmarks.labelled import Labelled, without
from collector.settings import Settings
from why401.explainer import Explainer


def of_held_out(messages: Iterable[Labelled]) -> Iterator[Answer]:
    """One answer per message, family by family."""
    explainers: dict[str, Explainer] = {}
    for message in messages:
        explainer = explainers.setdefault(message.family, ignorant(message.family))
        yield answer(explainer, message.family, message.name, message.codes, message.text)


def ignorant(family: str) -> Explainer:
    """An explainer that has never heard of a family of products."""
    explainer = Explainer(Settings())
    explainer.analyzer.diagnoser = Diagnoser(read=without(family).read)
    return explainer
