"""Knowledge: words of any gateway are read or not, never with a code that nobody defined; every fix can be filled."""

from __future__ import annotations

from collections.abc import Iterable

from analyzer.knowledge import fixes_for, read_words
from analyzer.knowledge.signatures import signatures
from analyzer.taxonomy import CODES
from collector.gateways import PARSERS
from fuzz.stages import every, must, text_of

_KINDS = ("", *(known.name for known in PARSERS))


def check(data: bytes) -> None:
    """Read, twice, and ask for the fixes of what was read."""
    kind, text = _KINDS[(data[0] if data else 0) % len(_KINDS)], text_of(data[1:])
    readings = read_words(text, kind)
    must(readings == read_words(text, kind), "reading is a function")
    for reading in readings:
        must(reading.code in CODES or not reading.code, "a code of the taxonomy")
        for fix in fixes_for(
            reading.code, kind, reading.library, {"issuer": text, "audience": text, "alg": text, "kid": text}
        ):
            must(len(fix.says) < 20_000 + 8 * len(text), "a fix is bounded")


def seeds() -> Iterable[bytes]:
    """Examples of the entries."""
    examples = (example for signature in signatures() for example in signature.examples)
    return (b"\x00" + text.encode() for text in every(7, examples))  # type: ignore[arg-type, attr-defined]
