"""What became of a stream of records, in a few lines: what was refused and why, what passed, what could not be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from analyzer.verdicts import Diagnosis, Verdict
from collector.events import Outcome
from collector.visible import visible

MOST_SHOWN: Final = 20  # codes, and reasons
_JOINED: Final = "joined"
_OK: Final = "ok"


class Tally:
    """Counts of verdicts. A record that was joined to another about the same request is counted as such.

    >>> tally = Tally()
    >>> list(tally.lines())
    ['0 records']
    """

    def __init__(self) -> None:
        self._refused: Counter[str] = Counter()
        self._titles: dict[str, Diagnosis] = {}
        self._unread: Counter[str] = Counter()
        self._passed = 0

    @property
    def records(self) -> int:
        """All that were counted."""
        return self._refused.total() + self._unread.total() + self._passed

    def add(self, verdict: Verdict, records: int = 1) -> None:
        """Count the record that a verdict is about, or several."""
        if diagnosis := refusal(verdict):
            self._refused[diagnosis.code] += records
            self._titles.setdefault(diagnosis.code, diagnosis)
        elif verdict.event.outcome is Outcome.UNREAD:
            self._unread[verdict.event.words.reason] += records
        else:
            self._passed += records

    def refused(self) -> Iterator[tuple[Diagnosis, int]]:
        """The first diagnosis of each code and how many have it, the most frequent first."""
        for code, number in self._refused.most_common():
            yield self._titles[code], number

    def lines(self) -> Iterator[str]:
        """The summary: a line of totals, then one per code and one per reason, the most frequent first."""
        joined = self._unread[_JOINED]
        parts = (
            (self._refused.total(), "refused"),
            (self._passed, "passed"),
            (joined, "joined to another line about the same request"),
            (self._unread.total() - joined, "not about a request"),
        )
        said = ", ".join(f"{number:,} {what}" for number, what in parts if number)
        yield f"{self.records:,} record{'' if self.records == 1 else 's'}" + (f": {said}" if said else "")
        for code, number in self._refused.most_common(MOST_SHOWN):
            diagnosis = self._titles[code]
            yield f"  {number:>7,}  {code} ({diagnosis.cause}): {visible(diagnosis.title)}"
        yield from _more(self._refused, "codes")
        reasons = Counter({reason: number for reason, number in self._unread.items() if reason != _JOINED})
        for reason, number in reasons.most_common(MOST_SHOWN):
            yield f"  {number:>7,}  unread: {visible(reason)}"
        yield from _more(reasons, "reasons")


def refusal(verdict: Verdict) -> Diagnosis | None:
    """Why the request was refused; None for one that passed and for what is no request."""
    diagnosis = verdict.diagnosis
    return None if diagnosis is None or diagnosis.code == _OK else diagnosis


def _more(counts: Counter[str], what: str) -> Iterator[str]:
    rest = counts.most_common()[MOST_SHOWN:]
    if rest:
        yield f"  {sum(number for _, number in rest):>7,}  {len(rest)} more {what}"
