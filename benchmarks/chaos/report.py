"""What happened in an arrangement, and what is in the lake at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(slots=True)
class Report:
    """Filled while it runs."""

    rounds: Counter[str] = field(default_factory=Counter)  # by fault
    records: int = 0  # that must be stored
    lost: int = 0  # of them
    doubled: int = 0  # rows too many
    restarts: int = 0  # of a process, by whoever keeps it running
    crashes: int = 0  # by a signal that nobody sent
    outage_s: float = 0.0  # the longest time in which nobody committed
    said: Counter[str] = field(default_factory=Counter)  # last words of processes that ended by themselves
    notes: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)  # other promises

    def lines(self, name: str) -> Iterator[str]:
        """For a person: one line, and one for each thing that was unexpected."""
        notes = "".join(f", {what} {times}" for what, times in self.notes.items())
        yield (
            f"{name}: rounds {self.rounds.total()} {dict(self.rounds)}, records {self.records:,}, lost {self.lost}, doubled {self.doubled}, "
            f"restarts {self.restarts}, crashes {self.crashes}, longest outage {self.outage_s:.1f} s{notes}"
        )
        yield from (f"  ended by itself, {times} times: {words}" for words, times in self.said.items())
        yield from (f"  BROKEN  {what}" for what in self.broken)

    @property
    def is_kept(self) -> bool:
        """Whether every promise was."""
        return not (self.lost or self.doubled or self.broken)
