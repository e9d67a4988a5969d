"""What several targets share: a collector without network, raw records, the fixtures as seeds, a secret to plant."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

from collector.events import Origin
from collector.pipeline import Collector
from collector.records import RawRecord
from collector.redaction.pseudonyms import Pseudonyms
from collector.safe import Safe
from collector.settings import Settings
from collector.telemetry import Telemetry
from collector.token.verification import KeySets, Verifier

ROOT: Final = Path(__file__).parent.parent
FIXTURES: Final = ROOT / "tests" / "fixtures" / "gateways"
MAX_SEED: Final = 4096
# {"alg":"ES256","kid":"k-7"} . {"iss":"https://idp.example.com/","sub":"usr_canary_7731"} . 64 bytes of noise
HEADER: Final = "eyJhbGciOiJFUzI1NiIsImtpZCI6ImstNyJ9"
PAYLOAD: Final = "eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlLmNvbS8iLCJzdWIiOiJ1c3JfY2FuYXJ5Xzc3MzEifQ"
SIGNATURE: Final = "kX3vQz9Yb0TnW5rLh2DfG7sJ1mEoA8cUpRiK6tNyVqZwB4xHgSdFeMaCjPlOuI3Tk7Y5W9b1r0nQvX2zLhDfGs"
PLANTED: Final = f"Bearer {HEADER}.{PAYLOAD}.{SIGNATURE}"
# What only this token has: the beginning of its payload is that of every token of its issuer.
_OWN: Final = (PAYLOAD[52:], SIGNATURE)
PIECES: Final = tuple(part[at : at + 16] for part in _OWN for at in range(0, len(part) - 15, 8))


@cache
def telemetry() -> Telemetry:
    """One for the process."""
    return Telemetry()


@cache
def collector() -> Collector:
    """A collector with a key and no issuers."""
    settings = Settings()
    verifier = Verifier(settings, KeySets((), Path(), telemetry()))
    return Collector(settings, verifier, Pseudonyms(b"k" * 32, 1), telemetry())


def text_of(data: bytes) -> str:
    """As every source decodes it."""
    return data.decode("utf-8", "replace")


def raw(text: str = "", **parts: Any) -> RawRecord:
    """A raw record of now."""
    return RawRecord(Origin(kind=Safe("file"), source=Safe("fuzz")), 1_795_430_000 * 10**9, text=text, **parts)


def fixtures() -> Iterator[dict[str, Any]]:
    """The records of every gateway's fixtures."""
    for path in sorted(FIXTURES.glob("*/*.json")):
        yield json.loads(path.read_text(encoding="utf-8"))["record"]


def fixture_lines() -> Iterator[bytes]:
    """The same as lines, the short ones."""
    for record in fixtures():
        line = record["text"] if record.get("text") else json.dumps(record.get("fields") or {})
        if len(line) < MAX_SEED:
            yield line.encode("utf-8", "replace")


def leaked(shown: str | bytes) -> list[str]:
    """Pieces of the planted secret that are in it."""
    text = shown if isinstance(shown, str) else shown.decode("utf-8", "replace")
    return [piece for piece in PIECES if piece in text]


def must(holds: object, promise: str) -> None:
    """Raise when a promise is broken; `assert` would be gone under -O."""
    if not holds:
        raise AssertionError(promise)


def every(nth: int, items: Iterable[bytes]) -> Iterator[bytes]:
    """A sample."""
    return (item for n, item in enumerate(items) if n % nth == 0)
