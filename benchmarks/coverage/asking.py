"""What the knowledge base makes of a product's messages: by whose signature, by meaning, or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from analyzer.diagnosis import OK
from analyzer.diagnosis.messages import knows, read_event
from analyzer.knowledge import Reading, read_words
from analyzer.knowledge.match import Knowledge
from analyzer.knowledge.products import relatives
from analyzer.knowledge.signatures import signatures
from analyzer.pipeline import Analyzer
from benchmarks.coverage import messages, python_messages, trees, wording
from benchmarks.coverage.products import Product
from collector.events import Event, Origin, Outcome, Words, gateway
from collector.redaction import fixed, safe_text
from collector.settings import Settings

OWN: Final = "own"
OTHER: Final = "other"
MEANING: Final = "meaning"
NONE: Final = "unclassified"
MAX_TEXT: Final = 2_000
_MEANING_IDS: Final = "meaning."


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A message with its values, where it is written, who knows it, and the answer with and without the product's own file."""

    text: str
    place: str
    call: str
    bucket: str  # OWN, OTHER, MEANING, NONE
    signature: str
    code: str
    also: tuple[str, ...]
    confidence: float
    blind: str  # the code without the product's own signatures


def auth_messages(product: Product, tree: Path, revision: str = "") -> tuple[list[messages.Message], int]:
    """The distinct messages of a tree, values filled in, and how many texts were ignored with a reason."""
    found: dict[str, messages.Message] = {}
    ignored = set[str]()
    for message in _written(product, tree, revision):
        text = wording.filled(message.text)
        if any(
            row.pattern.search(text) or row.pattern.search(f"{message.path} {message.call}") for row in product.ignored
        ):
            ignored.add(text)
        else:
            found.setdefault(text, message)
    return [_with_text(message, text) for text, message in found.items()], len(ignored - found.keys())


def _with_text(message: messages.Message, text: str) -> messages.Message:
    return messages.Message(text=text, call=message.call, path=message.path, line=message.line)


def _written(product: Product, tree: Path, revision: str) -> Iterator[messages.Message]:
    for file in trees.files(tree, revision, product.paths, product.without):
        suffix = Path(file.path).suffix
        if suffix == ".py":
            found = python_messages.messages(file.path, file.text)
        elif language := messages.SUFFIXES.get(suffix):
            found = messages.messages(file.path, file.text, language)
        else:
            continue
        yield from (message for message in found if wording.is_message(message, product.constants))


class Asker:
    """Asks about messages of one product, in the way `why401 explain` answers a record of it."""

    def __init__(self, product: Product) -> None:
        self._product = product
        self._analyzer = Analyzer(Settings())
        self._kind = product.of if product.kind == "gateway" else "application"
        self._without = Knowledge([one for one in signatures() if not self._is_own(one.gateway, one.library)])

    def ask(self, found: Iterable[messages.Message]) -> list[Asked]:
        """One answer per message, in their order."""
        return [self._ask(message) for message in found]

    def _ask(self, message: messages.Message) -> Asked:
        event = self._event(message.text)
        diagnosis = self._analyzer.judge(event).diagnosis or OK
        bucket, chosen = self._known(event, message.text)
        blind = [reading.code for reading in read_event(event, self._without.read)]
        return Asked(
            text=message.text,
            place=f"{message.path}:{message.line}",
            call=message.call,
            bucket=bucket,
            signature=chosen.signature_id if chosen else "",
            code=diagnosis.code,
            also=chosen.also if chosen else (),
            confidence=diagnosis.confidence,
            blind=(*blind, NONE)[0],
        )

    def _known(self, event: Event, text: str) -> tuple[str, Reading | None]:
        """Who knows the text, and the interpretation."""
        readings = [reading for reading in read_words(text, self._kind) if knows(reading, self._kind)]
        own = [reading for reading in readings if self._is_own(reading.gateway, reading.library)]
        chosen = next(iter(own or readings or read_event(event)), None)
        return _bucket(own, readings, chosen), chosen

    def _is_own(self, gateway_name: str, library: str) -> bool:
        if self._product.kind == "library":
            return library == self._product.of
        return gateway_name in relatives("gateway", self._product.of)

    def _event(self, text: str) -> Event:
        return Event(
            time_ns=0,
            observed_ns=0,
            origin=Origin(kind=fixed("argument")),
            gateway=gateway(fixed(self._kind)),
            outcome=Outcome.DENIED,
            words=Words(message=safe_text(text, MAX_TEXT)),
        )


def _bucket(own: list[Reading], readings: list[Reading], chosen: Reading | None) -> str:
    if own:
        return OWN
    if readings:
        return OTHER
    return MEANING if chosen and chosen.signature_id.startswith(_MEANING_IDS) else NONE
