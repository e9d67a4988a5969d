"""What is worth a message now: the rules of `[alerts]`, asked of the lake's views. Knows nothing of what was said before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, Final

from analyzer.alerts import burning, texts
from analyzer.alerts.finding import CRITICAL, WARNING, Finding, Seen
from analyzer.lake.reader import Reader, used
from analyzer.situation import impact, present
from analyzer.situation.impact import ASIDE, Level, Measured, Situation, Window
from collector.settings import AlertSettings

MAX_PROBLEMS: Final = 50  # urgent lines that become findings
CRITICAL_SHARE: Final = 0.05  # of all requests, or of those of one gateway, refused above the usual
ENOUGH: Final = 50  # refusals or records of which a share is worth a message
EXPECTED: Final = 20  # requests that should have come: none of so many is no chance
FORGOTTEN: Final = timedelta(days=7)  # a gateway that was silent for so long is not expected any more
REPLAY: Final = timedelta(days=1)  # older data is a replay, not late
Row = Mapping[str, Any]


@cache
def _sql(name: str) -> str:
    file = files("analyzer.alerts").joinpath("queries", f"{name}.sql")
    return file.read_text(encoding="utf-8").strip() if file.is_file() else present.sql(name)


def asking(reader: Reader) -> present.Ask:
    """Rows of a statement of ours or of the present state, once each: for one look. Raises LakeError, duckdb.Error."""
    known: dict[tuple[Any, ...], list[dict[str, Any]]] = {}

    def ask(name: str, **params: Any) -> list[dict[str, Any]]:
        key = (name, *sorted(params.items()))
        if key not in known:
            known[key] = asked(name, params)
        return known[key]

    def asked(name: str, params: Mapping[str, Any]) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = reader.table(_sql(name), used(_sql(name), params)).to_pylist()
        return rows

    return ask


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look at the lake. `silent`: gateways about whose silence an alert is open, with its beginning."""

    ask: present.Ask
    settings: AlertSettings
    now: datetime
    link: str
    silent: Mapping[str, datetime]


def look(at: Look) -> Seen:
    """Everything that is wrong now. Raises LakeError, duckdb.Error."""
    (arrival,) = at.ask("arrival", now=at.now)
    until = arrival["until"]
    if until is None:
        return Seen(now=at.now, is_late=True)
    senders = at.ask("senders", until=until)
    if at.now - until >= timedelta(minutes=at.settings.late_minutes):
        return Seen(now=at.now, findings=tuple(_late(at, arrival, senders)), is_late=True)
    rows = at.ask("problems", gateway="")
    found = present.folded(rows, at.ask, shown=MAX_PROBLEMS)
    sending = frozenset(row["gateway"] for row in senders if not _is_silent(at, row, until))
    findings = (
        *findings_of(at, found, rows),
        *_spike(at, found),
        *_objective(at, until),
        *_unclassified(at, until),
        *_silence(at, senders, until),
    )
    by_group = {group: problem for problem in found.problems for group in problem.groups}
    return Seen(now=at.now, findings=findings, problems=by_group, sending=sending)


def findings_of(at: Look, found: Situation, rows: Sequence[Row]) -> Iterator[Finding]:
    """Each urgent line of the page."""
    urgent = [problem for problem in found.problems if problem.is_urgent][:MAX_PROBLEMS]
    for problem in urgent:
        row = _row(rows, problem.groups[0], "")
        behind = present.behind(problem, at.ask, row.get("gateways") or ())
        overall = _overall(found, rows, problem.only_at)
        about = texts.About(problem=problem, row=row, overall=overall, behind=behind, now=at.now)
        yield _problem(about, at.link)


def _problem(about: texts.About, link: str) -> Finding:
    problem = about.problem
    is_critical = problem.only_at or impact.judged(problem.measured).excess >= CRITICAL_SHARE
    return Finding(
        rule=problem.state if problem.state != "ongoing" else "spike",
        subject=problem.groups[0],
        severity=CRITICAL if is_critical else WARNING,
        since=problem.since,
        title=texts.title_of(problem),
        says=texts.problem(about),
        groups=problem.groups,
        link=f"{link}/group?group={problem.groups[0]}",
    )


def _row(rows: Sequence[Row], group: str, gateway: str) -> Row:
    return next((row for row in rows if (row["group_id"], row["gateway"]) == (group, gateway)), {})


def _overall(found: Situation, rows: Sequence[Row], gateway: str) -> Measured | None:
    row = _row(rows, "", gateway) if gateway else None
    return impact.measured(row) if row else found.overall


def _spike(at: Look, found: Situation) -> Iterator[Finding]:
    """More is refused than usual altogether, by many small problems: none is urgent, put aside or over that explains it."""
    aside = [one for one in found.problems if one.state in ASIDE or one.is_over]
    overall = found.overall and impact.without(found.overall, aside)
    if overall is None or impact.judged(overall).level is not Level.HIGH:
        return
    judged = impact.judged(overall)
    yield Finding(
        rule="spike",
        severity=CRITICAL if judged.excess >= CRITICAL_SHARE else WARNING,
        since=at.now - timedelta(minutes=judged.window.minutes),
        title="More requests are refused than usual",
        says=texts.spike(overall, found.problems),
        link=at.link,
        opens=not any(problem.is_urgent for problem in found.problems),
    )


def _objective(at: Look, until: datetime) -> Iterator[Finding]:
    percent = at.settings.objective_percent
    if not percent:
        return
    (row,) = at.ask("burn", until=until)
    windows = {
        n: Window(minutes=n, requests=row[f"requests_{n}"], failures=row[f"failures_{n}"]) for n in burning.MINUTES
    }
    pair = burning.burning(windows, percent / 100, row["known_minutes"])
    if pair:
        yield Finding(
            rule="objective",
            severity=pair.severity,
            since=until - timedelta(minutes=pair.long),
            title=f"The error budget of {percent:g} % burns too fast",
            says=burning.told(pair, windows, percent / 100),
            link=at.link,
        )


def _unclassified(at: Look, until: datetime) -> Iterator[Finding]:
    (row,) = at.ask("unclassified", until=until, now=at.now)
    limit = at.settings.unclassified_percent / 100
    for subject, part, whole in (("refusals", "unexplained", "refused"), ("records", "unread", "received")):
        if row[whole] >= ENOUGH and row[part] >= limit * row[whole]:
            yield Finding(
                rule="unclassified",
                subject=subject,
                since=at.now - timedelta(hours=1),
                title=texts.UNCLASSIFIED[subject],
                says=texts.unclassified(subject, row[part], row[whole]),
                link=at.link,
            )


def _silence(at: Look, senders: Sequence[Row], until: datetime) -> Iterator[Finding]:
    """A gateway that usually sends and does not, while others do."""
    rows = {row["gateway"]: row for row in senders}
    for gateway in sorted(rows.keys() | at.silent.keys()):
        row = rows.get(gateway)
        since = row["newest"] if row else at.silent[gateway]
        if _is_worth_saying(at, gateway, since, row, until):
            yield Finding(
                rule="silence",
                subject=gateway,
                since=since,
                title=texts.silent(gateway),
                says=texts.silence(gateway, since, at.now, _per_minute(row) if row else None),
                link=at.link,
            )


def _is_worth_saying(at: Look, gateway: str, since: datetime, row: Row | None, until: datetime) -> bool:
    """It is silent, and that was said already or it should have sent since."""
    if row is not None and not _is_silent(at, row, until):
        return False
    if gateway in at.silent:
        return at.now - since < FORGOTTEN
    return row is not None and _is_missed(row, until)


def _is_silent(at: Look, row: Row, until: datetime) -> bool:
    return bool(until - row["newest"] > timedelta(minutes=at.settings.silence_minutes))


def _is_missed(row: Row, until: datetime) -> bool:
    minutes: float = (until - row["newest"]).total_seconds() / 60
    return minutes * _per_minute(row) >= EXPECTED


def _per_minute(row: Row) -> float:
    """Requests that a gateway usually sends in a minute of this hour; without earlier days, that it sent before."""
    return float(row["before"] if row["usually"] is None else row["usually"]) / 60


def _late(at: Look, arrival: Row, senders: Sequence[Row]) -> Iterator[Finding]:
    until = arrival["until"]
    age = at.now - until
    per_minute = sum(map(_per_minute, senders))
    if age < REPLAY and per_minute * age.total_seconds() / 60 >= EXPECTED:
        received = arrival["received"]
        arrives = received is not None and at.now - received < timedelta(minutes=at.settings.late_minutes)
        yield Finding(
            rule="late",
            severity=CRITICAL,
            since=until,
            title=texts.LATE,
            says=texts.late(until, at.now, per_minute, arrives=arrives),
            link=f"{at.link}/health",
        )


def utc_now() -> datetime:
    """The wall's clock."""
    return datetime.now(UTC)
