"""What each client usually sends, and since when it sends something else: a new version, another audience, tokens without a claim.

What a client never sent before is a change once enough requests, and enough of its requests, have it. A client that is new or seldom
seen has no habits, nor has one that sends something else each time. Everything is bounded, also against whoever invents clients and
versions: only requests that passed, or whose token verified, make a client known, and a client makes few changes in an hour.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from collector.safe import OTHER

HOUR_US: Final = 3_600_000_000
KNOWN_REQUESTS: Final = 100  # after so many requests a client has habits,
KNOWN_US: Final = HOUR_US // 6  # and after so long
SEEN: Final = 20  # requests with something new make a change: fewer may be somebody's experiment,
SHARE: Final = 0.05  # and this share of the client's requests since the first of them
FORGOTTEN_HOURS: Final = 24  # of a client's activity without a value: then it is new again
MAX_CLIENTS: Final = 6_000  # with their issuers and kinds; the one that was idle longest is forgotten
MAX_USUAL: Final = 100  # values of a client: with more it has no habits, but sends what it likes
MAX_NEW: Final = 20  # values of a client that may become changes
MAX_EACH: Final = 3  # changes of a client in an hour
MAX_ALL: Final = 20  # changes of one kind in an hour
MAX_AUDIENCES: Final = 5
MAX_CLAIMS: Final = 40
MAX_SUBJECT: Final = 200

VERSION: Final = "client_version_changed"
AUDIENCE: Final = "audience_changed"
CLAIMS: Final = "claims_changed"
_BROWSERS: Final = ("Edge", "Opera", "Firefox", "Chrome", "Safari", "Mozilla")  # whose versions are their makers'


class Who(NamedTuple):
    """Whose habit it is: `client` may be "" for tokens that name none."""

    kind: str
    issuer: str
    client: str


class Sight(NamedTuple):
    """What was sent: for claims all their names, for the other kinds one value."""

    who: Who
    values: tuple[str, ...]
    is_trusted: bool


class Seen(NamedTuple):
    """How often in a commit, when (us), and for how many requests that stands: a sample is one of many."""

    times: int
    first: int
    last: int
    requests: int

    def and_also(self, more: Seen) -> Seen:
        """Both together."""
        first, last = min(self.first, more.first), max(self.last, more.last)
        return Seen(self.times + more.times, first, last, self.requests + more.requests)


class Change(NamedTuple):
    """Something new: kind, subject and detail of a row of `store.changes`, and since when (us)."""

    kind: str
    subject: str
    detail: str
    at: int


class _New(NamedTuple):
    """A value that is not usual: how often, since when, and how many requests the client had sent before."""

    times: int
    requests: int
    first: int
    before: int


@dataclass(slots=True)
class Habit:
    """Of one client; times are microseconds."""

    requests: int = 0
    first: int | None = None
    last: int = 0
    hours: int = 0  # in which it sent something
    usual: dict[str, int] = field(default_factory=dict)  # value -> `hours` when it was seen last
    new: dict[str, _New] = field(default_factory=dict)
    hour: int = 0
    changes: int = 0  # in that hour

    @property
    def is_known(self) -> bool:
        """It was seen often enough, for long enough, and does not send something else each time."""
        is_old = self.requests >= KNOWN_REQUESTS and self.last - (self.first or 0) >= KNOWN_US
        return is_old and not self.is_various

    @property
    def is_various(self) -> bool:
        """It sends something else each time."""
        return len(self.usual) > MAX_USUAL

    def copy(self) -> Habit:
        """To be changed while a commit is planned."""
        return replace(self, usual=dict(self.usual), new=dict(self.new))

    def count(self, times: Seen) -> None:
        """Count requests."""
        self.requests += times.requests
        self.first = times.first if self.first is None else min(self.first, times.first)
        self.hours += times.last // HOUR_US > self.last // HOUR_US or not self.hours
        self.last = max(self.last, times.last)

    def allow(self, values: Iterable[str]) -> None:
        """Take what it sends for usual; once it sends something else each time, no more of it."""
        if not self.is_various:
            self.usual |= dict.fromkeys(values, self.hours)

    def forget(self) -> None:
        """What it has not sent for long, though it sent other things, is not usual any more."""
        since = self.hours - FORGOTTEN_HOURS
        if any(at < since for at in self.usual.values()):
            self.usual = {value: at for value, at in self.usual.items() if at >= since}


@dataclass(slots=True)
class Habits:
    """Those of all clients, the idlest first. One writer owns it."""

    clients: OrderedDict[Who, Habit] = field(default_factory=OrderedDict)
    hours: Counter[tuple[str, int]] = field(default_factory=Counter)  # kind and hour -> changes

    def planned(self, seen: Mapping[Sight, Seen]) -> tuple[dict[Who, Habit], list[Change]]:
        """What the habits will be when a commit with these sights succeeds, and what is new in it. Changes nothing."""
        after: dict[Who, Habit] = {}
        found: list[Change] = []
        room = Counter(self.hours)
        for who, sights_of in _by_client(seen).items():
            habit = self._of(who, sights_of)
            if habit is None:
                continue
            after[who] = habit
            for change in _met(habit, sights_of):
                hour = change.kind, change.at // HOUR_US
                if room[hour] < MAX_ALL:
                    room[hour] += 1
                    found.append(change)
        return after, found

    def learn(self, after: Mapping[Who, Habit], changes: Iterable[Change]) -> None:
        """Take over what a commit wrote."""
        for who, habit in after.items():
            self.clients[who] = habit
            self.clients.move_to_end(who)
        while len(self.clients) > MAX_CLIENTS:
            self.clients.popitem(last=False)
        self.hours.update((change.kind, change.at // HOUR_US) for change in changes)
        while len(self.hours) > MAX_CLIENTS:
            self.hours.pop(next(iter(self.hours)))

    def recall(self, seen: Mapping[Sight, Seen]) -> None:
        """Take what was sent earlier for usual, all of it."""
        for who, sights_of in _by_client(seen).items():
            habit = self.clients[who] = Habit()
            for sight in (*sights_of, *sights_of):  # again, now that all claims are known which may be absent
                habit.allow(_features(habit, sight))
            _met(habit, sights_of)

    def _of(self, who: Who, sights_of: Iterable[Sight]) -> Habit | None:
        known = self.clients.get(who)
        if known is not None:
            return known.copy()
        return Habit() if any(sight.is_trusted for sight in sights_of) else None


def _by_client(seen: Mapping[Sight, Seen]) -> dict[Who, dict[Sight, Seen]]:
    found: dict[Who, dict[Sight, Seen]] = {}
    for sight, times in seen.items():
        found.setdefault(sight.who, {})[sight] = times
    return found


class Sent(NamedTuple):
    """What a request shows of its client's habits; issuer, client and user agent are bounded names."""

    issuer: str
    client: str
    agent: str
    client_version: str
    agent_version: str
    audiences: Sequence[str]
    claims: Sequence[str]  # names


def sights(sent: Sent, *, is_trusted: bool) -> Iterator[Sight]:
    """One per kind that it shows anything of. The view `shared` has the same texts."""
    if OTHER in (sent.issuer, sent.client, sent.agent):
        return
    caller = sent.client or sent.agent
    if caller and (version := _version(sent)):
        yield Sight(Who(VERSION, sent.issuer, caller), (f"{caller} {version}"[:MAX_SUBJECT],), is_trusted)
    if sent.claims and (audiences := _audiences(sent)):
        yield Sight(Who(AUDIENCE, sent.issuer, sent.client), (audiences[:MAX_SUBJECT],), is_trusted)
    if 0 < len(sent.claims) <= MAX_CLAIMS:
        yield Sight(Who(CLAIMS, sent.issuer, sent.client), tuple(sorted(sent.claims)), is_trusted)


def _audiences(sent: Sent) -> str:
    """`orders, billing from shop`; "" for too many, or one that is not kept by its name."""
    if len(sent.audiences) > MAX_AUDIENCES or OTHER in sent.audiences:
        return ""
    audiences = ", ".join(sent.audiences)
    return f"{audiences} from {sent.client}" if audiences and sent.client else audiences


def _version(sent: Sent) -> str:
    """`7.1.0`, or `with okhttp 4.12.0` where only a library's version is known; a browser's is its maker's."""
    if sent.client_version or not sent.agent_version or sent.agent in _BROWSERS:
        return sent.client_version
    return f"with {sent.agent} {sent.agent_version}"


def _met(habit: Habit, sights: Mapping[Sight, Seen]) -> list[Change]:
    """Take what one client sent in a commit into its habit; what has become a change by it."""
    if not habit.is_known:
        _learned(habit, sights)
        return []
    before = habit.requests
    for times in sights.values():
        habit.count(times)
    habit.forget()
    met = ((sight.who, value, times) for sight, times in sights.items() for value in _features(habit, sight))
    return [change for who, value, times in met if (change := _judged(habit, who, value, times, before))]


def _learned(habit: Habit, sights: Mapping[Sight, Seen]) -> None:
    """Of a client that is not known yet whatever can be believed is usual."""
    for sight, times in sights.items():
        if sight.is_trusted:
            habit.count(times)
            habit.allow(_features(habit, sight))


def _judged(habit: Habit, who: Who, value: str, times: Seen, before: int) -> Change | None:
    if value not in habit.usual:
        return _new(habit, who, value, times, before)
    habit.usual[value] = habit.hours
    return None


def _features(habit: Habit, sight: Sight) -> Sequence[str]:
    """Of claims, each that is there, and each that the client has sent and is not."""
    if sight.who.kind != CLAIMS:
        return sight.values
    names = set(sight.values)
    lacking = (value[5:] for value in habit.usual if value.startswith("with "))
    return [*(f"with {name}" for name in sight.values), *(f"without {name}" for name in lacking if name not in names)]


def _new(habit: Habit, who: Who, value: str, seen: Seen, before: int) -> Change | None:
    known = habit.new.pop(value, _New(0, 0, seen.first, before))
    new = _New(known.times + seen.times, known.requests + seen.requests, min(known.first, seen.first), known.before)
    if new.times < SEEN or new.requests < SHARE * (habit.requests - new.before):
        habit.new[value] = new
        if len(habit.new) > MAX_NEW:
            habit.new.pop(next(iter(habit.new)))
        return None
    habit.usual[value] = habit.hours
    hour = new.first // HOUR_US
    habit.hour, habit.changes = hour, (habit.changes if hour == habit.hour else 0) + 1
    return Change(who.kind, value, who.issuer, new.first) if habit.changes <= MAX_EACH else None
