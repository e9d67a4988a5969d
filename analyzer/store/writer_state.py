"""What one writer remembers between commits, all of it bounded: labels, group members, words, first sights.

Not one class with analyzer/name_bounds.py: labels of sums are bounded per hour, because a roll-up is a row of an hour;
names of events are bounded for the life of the process, with a way back in, because groups live that long.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from analyzer.store.fence import Partition, Place
from analyzer.store.habits import Habits
from collector.safe import OTHER

MAX_LABELS: Final = 10_000  # distinct values per dimension and hour; passing requests may use all, failing ones half
MAX_MEMBERS: Final = {"gateway": 100, "issuer": 1_000, "route": 1_000, "client": 10_000, "user": 10_000}
MAX_MEMBERS_KEPT: Final = (
    100_000  # 40 MB over all groups; a forgotten member is written again, and compaction adds it up
)
MAX_GROUPS_KEPT: Final = 50_000
MAX_SUBJECTS: Final = 10_000  # per kind of change: an outsider's invented key ids must not become 10^6 changes
MAX_NEW_SUBJECTS: Final = 20  # per kind and commit
MAX_AFFECTED: Final = 50_000  # users with failures, of whom it is noted that they pass again; 6 MB
MAX_PASSES: Final = 10_000  # per hour: users, each at a gateway and a route
PASS_AGAIN_US: Final = 10 * 60 * 1_000_000  # so often at most is it noted again
Member = tuple[str, str, str]  # group_id, name of the dimension, value
Subject = tuple[str, str, str]  # kind, subject, detail
Pass = tuple[str, str, str]  # gateway, route, user


@dataclass(slots=True)
class WriterState:
    """Owned by the store's lock; `labels` may run ahead of a failed commit, the rest follows commits."""

    hour: int = 0
    labels: dict[str, set[str]] = field(default_factory=dict)
    members: OrderedDict[Member, tuple[int, int]] = field(default_factory=OrderedDict)  # total, total written
    member_counts: dict[tuple[str, str], int] = field(default_factory=dict)
    words: OrderedDict[str, tuple[Any, int]] = field(default_factory=OrderedDict)  # group -> diagnosis, its time (us)
    subjects: dict[str, set[Subject]] = field(default_factory=dict)
    places: dict[Partition, Place] = field(default_factory=dict)  # as this writer committed them last
    affected: OrderedDict[str, None] = field(default_factory=OrderedDict)  # users with failures, the latest last
    passes: dict[Pass, int] = field(default_factory=dict)  # when they were noted last (us)
    habits: Habits = field(default_factory=Habits)
    allowed: int = 0

    def fold(self, dimension: str, value: str, *, passing: bool) -> str:
        """The value, or OTHER when the dimension has too many in this hour."""
        known = self.labels.setdefault(dimension, set())
        if value in known:
            return value
        if len(known) >= (MAX_LABELS if passing else MAX_LABELS // 2):
            return OTHER
        known.add(value)
        return value

    def start_commit(self, hour: int) -> None:
        """Forget the labels and the passes of an earlier hour."""
        if hour != self.hour:
            self.hour = hour
            self.labels.clear()
            self.passes.clear()

    def is_news(self, passed: Pass, at: int) -> bool:
        """Whether a user had failures before, and that it passes at this gateway and route was not noted of late."""
        if passed[2] not in self.affected:
            return False
        noted = self.passes.get(passed)
        return len(self.passes) < MAX_PASSES if noted is None else at >= noted + PASS_AGAIN_US

    def learn_affected(self, users: Iterable[str]) -> None:
        """Remember users with failures, within the bound."""
        for user in users:
            self.affected[user] = None
            self.affected.move_to_end(user)
        while len(self.affected) > MAX_AFFECTED:
            self.affected.popitem(last=False)

    def has_room_for(self, member: Member, pending: int) -> bool:
        """Whether a group may have one more member beside `pending` ones."""
        return self.member_counts.get(member[:2], 0) + pending < MAX_MEMBERS[member[1]]

    def has_room(self, kind: str) -> bool:
        """Whether one more first sight of this kind may be recorded."""
        return len(self.subjects.get(kind, ())) < MAX_SUBJECTS

    def learn_members(self, members: Mapping[Member, tuple[int, int]]) -> None:
        """Take over what a commit wrote."""
        for member, totals in members.items():
            if member not in self.members:
                self.member_counts[member[:2]] = self.member_counts.get(member[:2], 0) + 1
            self.members[member] = totals
            self.members.move_to_end(member)
        while len(self.members) > MAX_MEMBERS_KEPT:
            self.members.popitem(last=False)
        while len(self.member_counts) > MAX_GROUPS_KEPT * len(MAX_MEMBERS):
            self.member_counts.pop(next(iter(self.member_counts)))

    def learn_words(self, words: Mapping[str, tuple[Any, int]]) -> None:
        """Take over which words of groups a commit wrote."""
        for group_id, entry in words.items():
            self.words[group_id] = entry
            self.words.move_to_end(group_id)
        while len(self.words) > MAX_GROUPS_KEPT:
            self.words.popitem(last=False)

    def learn_subject(self, subject: Subject) -> None:
        """Remember a first sight, within the bound."""
        self.subjects.setdefault(subject[0], set()).add(subject)
