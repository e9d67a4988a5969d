"""One record in, its verdict out, without a store: what `why401 explain` does, and tests and benchmarks too.

The record passes the same collector, joining and analyzer as in `why401 up`, so a record that a parser knows gets the
same verdict. Two kinds of input get one only here: a bare token, and text that no parser knows. The latter is assumed to
be an application's message about a refused request when it speaks of a refusal, and its `Explanation` says so.
"""

from __future__ import annotations

import heapq
import secrets
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from operator import itemgetter
from typing import Any, Final

import orjson
from msgspec import Struct, structs

from analyzer.diagnosis import OK
from analyzer.diagnosis.missing import BARE_TOKEN
from analyzer.pipeline import Analyzer
from analyzer.verdicts import Diagnosis, Verdict
from collector.errors import ConfigurationError
from collector.events import Event, Origin, Outcome, gateway, to_json
from collector.gateways import names
from collector.gateways.reading.fragments import is_fragment
from collector.gateways.reading.log_lines import condensed
from collector.joining.halves import Line
from collector.joining.stage import placed
from collector.pipeline import Collector
from collector.records import Parsed, RawRecord
from collector.redaction import fixed
from collector.redaction.pseudonyms import Pseudonyms
from collector.settings import Settings
from collector.structs import Unshown
from collector.telemetry import Telemetry
from collector.token.verification import KeySets, Verifier
from why401.assumed import is_refusal

__all__ = ["Explainer", "Explanation", "Writer", "as_mapping"]

MAX_WAITING: Final = 500  # records at a run's end that wait for lines about the same requests
RUN_RECORDS: Final = 2_000  # of several inputs that are answered together
MAX_HELD: Final = 5_000  # diagnoses, about 2 kB each
MAX_TOKEN_TEXT: Final = 100_000  # characters; a longer line is not a bare token
_ORIGIN: Final = Origin(kind=fixed("argument"))
_BARE_TOKEN: Final = gateway(fixed(BARE_TOKEN))
# Nothing to assume: the record is empty, or it breaks us, which it would do again.
_SETTLED: Final = frozenset(("empty", "failed"))
_NOT_ADMITTED: Final = "not_admitted"
_NOT_AUTH: Final = "not_auth"  # a parser knows the line, and it is not one of those that tell of a refusal


class Explanation(Verdict, frozen=True, gc=False):
    """A verdict on what was asked about.

    `is_assumed`: no parser knows the record, or its parser leaves it out (`is_left_out`), so it was read as an application's
    message about a refused request. In `why401 up` such a record is stored as unread. `unread_reason` says why it is: one of the reasons of
    `why401.records.dropped`; "" for a record that is read there.
    """

    is_assumed: bool = False
    unread_reason: str = ""

    @property
    def is_read(self) -> bool:
        """Whether `why401 up` reads the record as one about a request."""
        return not self.unread_reason

    @property
    def is_not_admitted(self) -> bool:
        """Whether the line's layout is known, and its words report no refusal to `why401 up`."""
        return self.unread_reason == _NOT_ADMITTED

    @property
    def is_left_out(self) -> bool:
        """Whether a parser knows the record and says that it tells of no refused request."""
        return self.unread_reason == _NOT_AUTH


class _Collected(Unshown, Struct, frozen=True, gc=False):
    """What the collector made of one record."""

    event: Event
    line: Line | None = None
    text: str = ""  # what an assumed message is made of
    is_token: bool = False
    unread: Event | None = None  # what `why401 up` stores of a record that is read here only

    @property
    def is_assumed(self) -> bool:
        return self.unread is not None and not self.is_token


class Explainer:
    """Collector and analyzer back to back, with the state of one run: what passed earlier is evidence for what is refused.

    Not thread-safe. `gateway` names the records' format; "" detects it. Raises ConfigurationError when no parser has that
    name, and what the settings' knowledge files raise.

    >>> from collector.settings import Settings
    >>> explainer = Explainer(Settings())
    >>> explainer.explain("jwt.exceptions.ExpiredSignatureError: Signature has expired").diagnosis.code
    'token_expired'
    """

    def __init__(self, settings: Settings, gateway: str = "") -> None:
        known = names(settings.formats)
        if gateway and gateway not in known:
            raise ConfigurationError("gateway", gateway, "expected one of " + ", ".join(known))
        telemetry = Telemetry()
        key_sets = KeySets(settings.issuers, settings.base, telemetry)
        key_sets.load()
        self._collector = Collector(
            settings, Verifier(settings, key_sets), Pseudonyms(secrets.token_bytes(32), 0), telemetry
        )
        self.analyzer = Analyzer(settings)
        self._gateway = gateway

    def explain(self, text: str) -> Explanation:
        """The verdict on one record, which may span lines, or on a bare token; never raises."""
        return self.explain_all([text])[0]

    def explain_all(self, texts: Sequence[str]) -> list[Explanation]:
        """A verdict per record, in order. Lines about one request share one, which knows what each of them says."""
        return next(self.explain_runs([(texts, False)]))

    def predict(self, parsed: Parsed) -> Verdict:
        """The verdict on a request that nobody logged, as if it had been refused without a word."""
        record = RawRecord(_ORIGIN, time.time_ns(), gateway=parsed.gateway)
        return self.analyzer.judge(replace(self._collector.event(record, parsed), time_known=True))

    def explain_runs(self, runs: Iterable[tuple[Sequence[str], bool]]) -> Iterator[list[Explanation]]:
        """The verdicts of an input that is read in runs, each with whether more of it is on the way.

        Of a run that goes on, the last records wait for the next one: lines about one request share a verdict wherever
        the input was cut.
        """
        return self._judged(([self._collect(text) for text in texts], goes_on) for texts, goes_on in runs)

    def explain_streams(self, streams: Iterable[Iterable[str]]) -> Iterator[list[Explanation]]:
        """The verdicts of several inputs as of one, in the order of their times, so that lines in different files find each other.

        A record without a time stays behind the one before it.
        """
        merged = heapq.merge(*map(self._timed, streams), key=itemgetter(0))
        yield from self._judged(_in_runs(collected for _, collected in merged))

    def _timed(self, stream: Iterable[str]) -> Iterator[tuple[int, _Collected]]:
        latest = 0
        for text in stream:
            collected = self._collect(text)
            if collected.event.time_known:
                latest = max(latest, collected.event.time_ns)
            yield latest, collected

    def _judged(self, runs: Iterable[tuple[list[_Collected], bool]]) -> Iterator[list[Explanation]]:
        waiting: list[_Collected] = []
        for collected, goes_on in runs:
            waiting += collected
            events, places = placed([(each.event, each.line) for each in waiting])
            end = _end_of_settled(places) if goes_on else len(places)
            yield self._judge_all(events, places[:end], waiting)
            del waiting[:end]

    def _judge_all(
        self, events: Sequence[Event], places: Sequence[int], collected: list[_Collected]
    ) -> list[Explanation]:
        verdicts = {place: self._judge(events[place], collected[place]) for place in sorted(set(places))}
        return [verdicts[place] for place in places]

    def _collect(self, text: str) -> _Collected:
        record = RawRecord(_ORIGIN, time.time_ns(), text=text, gateway=self._gateway)
        token = _bare_token(text)
        event, line = self._collector.collect_line(record)
        if token:
            return _Collected(self._of_token(record, token), is_token=True, unread=event)
        if not _is_unplaced(event) or not record.text.strip() or is_fragment(text):
            return _Collected(event, line)
        return _Collected(self._as_message(record), text=record.text, unread=event)

    def _of_token(self, record: RawRecord, token: str) -> Event:
        parsed = Parsed("", headers={"authorization": token}, credential_logged=True, outcome=Outcome.DENIED)
        return replace(self._collector.event(record, parsed), gateway=_BARE_TOKEN, time_known=True)

    def _as_message(self, record: RawRecord) -> Event:
        return self._collector.event(
            record, Parsed("application", message=condensed(record.text), outcome=Outcome.DENIED)
        )

    def _judge(self, event: Event, collected: _Collected) -> Explanation:
        if event.outcome is Outcome.UNREAD:
            return Explanation(event, unread_reason=event.words.reason)
        verdict = self.analyzer.judge(event)
        diagnosis, group = verdict.diagnosis or self.analyzer.diagnoser.diagnose(event), verdict.group
        unread = collected.unread
        if unread is None:
            return Explanation(verdict.event, diagnosis, group)
        if collected.is_token:
            if diagnosis.code == "unclassified":
                diagnosis, group = _SOUND_TOKEN, None
        elif not _is_refusal(collected.text, diagnosis, unread.words.reason):
            return Explanation(unread, unread_reason=unread.words.reason)
        return Explanation(
            verdict.event, diagnosis, group, is_assumed=collected.is_assumed, unread_reason=unread.words.reason
        )


def _is_refusal(text: str, diagnosis: Diagnosis, reason: str) -> bool:
    """Whether a text is one that `why401 up` does not read for this reason."""
    return is_refusal(text, diagnosis, is_doubtful=reason == _NOT_AUTH, is_alone=reason != _NOT_ADMITTED)


def _in_runs(collected: Iterable[_Collected]) -> Iterator[tuple[list[_Collected], bool]]:
    rest = iter(collected)
    while run := list(islice(rest, RUN_RECORDS)):
        yield run, True
    yield [], False


def _end_of_settled(places: Sequence[int]) -> int:
    """How many records may be answered: all but the last MAX_WAITING, and fewer where lines about one request would part."""
    last = max(len(places) - MAX_WAITING, 0)
    ends = dict(zip(places, range(len(places)), strict=True))  # place -> the last record that shares it
    end = reach = 0
    for index in range(last):
        reach = max(reach, ends[places[index]])
        if reach <= index:
            end = index + 1
    return end or last


def _is_unplaced(event: Event) -> bool:
    return event.outcome is Outcome.UNREAD and event.words.reason not in _SETTLED


# --- bare tokens -------------------------------------------------------------------------------------------


def _bare_token(text: str) -> str:
    """The credential, when the text is nothing else: with or without a scheme, or a whole Authorization header."""
    if text[:1] in "{[<" and len(text) > 1:
        return ""
    line, is_header = _header_value(text.strip())
    if len(line) > MAX_TOKEN_TEXT or "\n" in line:
        return ""
    if _is_lone_jwt(line):
        return line if is_header else f"Bearer {line}"  # a token alone says nothing of the header it was in
    return line if _is_schemed(line) else ""


def _header_value(line: str) -> tuple[str, bool]:
    """The value of an Authorization header, or the line itself; and which of them it is."""
    name, _, value = line.partition(":")
    is_header = name.strip().lower() == "authorization"
    return (value.strip(), True) if is_header else (line, False)


def _is_lone_jwt(line: str) -> bool:
    """One word that begins like a JOSE header: of two, three or five parts, or long enough to be what is left of one."""
    is_word = line.startswith("eyJ") and len(line.split(None, 1)) == 1
    return is_word and (line.count(".") in (1, 2, 4) or len(line) > 40)


def _is_schemed(line: str) -> bool:
    """`Bearer TOKEN`, `DPoP TOKEN`, and the scheme twice or with a colon, which is a fault worth explaining."""
    words = line.split(None, 3)
    return 2 <= len(words) <= 3 and words[0].lower().rstrip(":") in ("bearer", "dpop") and len(words[-1]) > 15


# --- JSON --------------------------------------------------------------------------------------------------


def as_mapping(verdict: Verdict) -> dict[str, Any]:
    """The JSON contract of `why401 explain --json`."""
    mapping: dict[str, Any] = orjson.loads(Writer().line(verdict))
    return mapping


class Writer:
    """Verdicts as lines of JSON. Equal evidence shares its diagnosis, which is most of a line and is written once."""

    def __init__(self) -> None:
        self._held: dict[int, tuple[Diagnosis, bytes]] = {}

    def line(self, verdict: Verdict) -> bytes:
        """One object of the contract and the line's end."""
        diagnosis, event = verdict.diagnosis or _UNREAD, verdict.event
        reason = verdict.unread_reason if isinstance(verdict, Explanation) else ""
        rest = {
            "gateway": event.gateway.kind or None,
            "outcome": event.outcome,
            "group": verdict.group.id if verdict.group else None,
            "assumed": isinstance(verdict, Explanation) and verdict.is_assumed,
            "read": not reason,
            "unread_reason": reason or None,
            "event": orjson.Fragment(to_json(event)),
        }
        return self._head(diagnosis) + orjson.dumps(rest)[1:] + b"\n"

    def _head(self, diagnosis: Diagnosis) -> bytes:
        """The object's beginning, up to and with the comma. The diagnosis is kept, so its id stays its own."""
        held = self._held.get(id(diagnosis))
        if held is None or held[0] is not diagnosis:
            if len(self._held) >= MAX_HELD:
                self._held.clear()
            held = self._held[id(diagnosis)] = (
                diagnosis,
                orjson.dumps(_of_diagnosis(diagnosis), default=structs.asdict)[:-1] + b",",
            )
        return held[1]


def _of_diagnosis(diagnosis: Diagnosis) -> dict[str, Any]:
    return {
        "code": diagnosis.code,
        "cause": diagnosis.cause or None,
        "confidence": diagnosis.confidence,
        "title": diagnosis.title,
        "evidence": diagnosis.evidence,
        "rivals": diagnosis.rivals,
        "missing": diagnosis.missing,
        "fix": diagnosis.fix,
        "also": diagnosis.also,
        "near_miss": diagnosis.near_miss or None,
        "library": diagnosis.library or None,
    }


_UNREAD: Final = Diagnosis("unclassified", "unknown", 0.0, "This is not a record that why401 can read.")
_SOUND_TOKEN: Final = replace(OK, title="Nothing is wrong with the token itself.")
