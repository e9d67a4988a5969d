"""What the store counts of many refusals of a live gateway at once.

One token again and again, or many clients behind one address: lines of different requests lie between each other then, and
name the same client, path and second. The store must count as many failures as the clients did, each under the code that
the same request gets when it is alone.
"""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from analyzer.pipeline import Analyzer
from benchmarks.live.contract import Crowd
from collector.events import Event, Origin, Outcome
from collector.joining.stage import Joining
from collector.pipeline import Collector
from collector.records import Batch, RawRecord
from collector.redaction import fixed, safe
from collector.redaction.pseudonyms import Pseudonyms
from collector.settings import JoiningSettings, Settings
from collector.telemetry import Telemetry
from collector.token.verification import KeySets, Verifier

_LINES_AT_ONCE: Final = 7  # of one log, before the other is read: a source takes turns


def stored(crowd: Crowd, settings: Settings) -> Counter[str]:
    """Code -> failures that `why401 up` stores of these logs, each read in small batches, in turn."""
    stage = Joining(_collector(settings), JoiningSettings(), Telemetry(), lambda: 100.0)
    batches = [out for batch in _batches(crowd.logs) for out in stage(batch)]
    events = [event for batch in (*batches, *stage.rest()) for event in batch.items]
    return Counter(_codes(events, Analyzer(settings)))


def _collector(settings: Settings) -> Collector:
    key_sets = KeySets(settings.issuers, settings.base, Telemetry())
    key_sets.load()
    return Collector(settings, Verifier(settings, key_sets), Pseudonyms(secrets.token_bytes(32), 0), Telemetry())


def _codes(events: Iterable[Event], analyzer: Analyzer) -> Iterator[str]:
    for event in events:
        if event.outcome in (Outcome.DENIED, Outcome.ERROR):
            diagnosis = analyzer.judge(event).diagnosis
            yield diagnosis.code if diagnosis else "unread"


def _batches(logs: Sequence[Sequence[str]]) -> Iterator[Batch[RawRecord]]:
    for at in range(0, max(map(len, logs), default=0), _LINES_AT_ONCE):
        for number, log in enumerate(logs):
            origin = Origin(fixed("file"), safe(f"log{number}", 20).text)
            if lines := log[at : at + _LINES_AT_ONCE]:
                yield Batch([RawRecord(origin, time.time_ns(), text=line) for line in lines])
