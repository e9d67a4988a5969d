"""The opening page: what is wrong now, how much it matters, whom it affects, what changed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import pandas as pd
import streamlit as st

from analyzer.situation import impact, present
from analyzer.situation.impact import Problem, Situation
from dashboard import charts, client, panels, scope, wording
from dashboard.panels import REFRESH_S, number, panel, share, table, text
from dashboard.scope import Scope

MAX_LINES: Final = 10  # of problems on the first screen; the rest is folded by cause
MAX_CARDS: Final = 3  # of them with evidence, so that the chart stays within reach


# Asked side by side, the longest first.
STATEMENTS: Final = (
    "problems", "shared", "headline", "affected", "trend_by_cause", "changes", "by_gateway", "responders", "keys", "heat", "clocks", "unread",
    "pipeline_totals",
)  # fmt: skip


def page() -> None:
    """Draw the page; the live part draws itself again every few seconds."""
    panels.guarded(_bar)
    _live()


def _bar() -> None:
    client.ahead(*((name, {"gateway": scope.gateway()}) for name in present.COSTLY))
    scope.bar("Why requests are refused")


@st.fragment(run_every=REFRESH_S)
def _live() -> None:
    panels.guarded(_body)


def _body() -> None:
    seen = scope.current()
    if seen.newest is None:
        panels.nothing("The store is empty. This page fills in as requests arrive.")
        return
    client.ahead(*((name, seen.params) for name in STATEMENTS))
    first = st.container()
    is_known = all(client.has(name, **seen.params) for name in present.COSTLY)
    with first:
        if is_known:
            _first(seen)
        else:  # what is ready is shown meanwhile
            waiting = st.empty()
            waiting.header("Comparing with what is usual …", anchor=False)
    _rest(seen)
    if not is_known:
        waiting.empty()
        with first:
            _first(seen)


def _first(seen: Scope) -> None:
    """The sentence and the problems: what the page is opened for."""
    rows = client.query("problems", **seen.params)
    now = present.folded(rows.to_dict("records"), client.rows, gateway=seen.gateway, shown=MAX_LINES)
    st.header(wording.sentence(sentence(seen, now), 600), anchor=False)
    _problems(seen, _matching(seen, now.problems), rows[rows["gateway"] == seen.gateway])


def _rest(seen: Scope) -> None:
    _figures(seen)
    _trend(seen)
    left, right = st.columns(2)
    with left:
        _gateways(seen)
        _who_answered(seen)
        panels.keys(seen)
    with right:
        _heat(seen)
        _clocks(seen)
        _unread(seen)
    _pipeline(seen)


def _matching(seen: Scope, problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """Those that the filters leave; the sentence above stays about everything, and says nothing of them."""
    if not seen.filters:
        return problems
    wanted = set(client.query("groups_in_scope", **seen.params)["group_id"])
    found = tuple(problem for problem in problems if wanted.intersection(problem.groups))
    if not found:
        panels.nothing("No problem in this window matches the filters.")
    return found


def sentence(seen: Scope, now: Situation) -> str:
    """The first line of the page: the state in one sentence, or that nothing arrives and what the state was."""
    if now.overall is None:
        return "No requests in the last day."
    if not seen.is_frozen or seen.newest is None:
        return impact.sentence(now.overall, now.problems, seen.now)
    silence = f"No data received for {wording.span((seen.now - seen.newest).total_seconds())}."
    return f"{silence} As of {wording.clock(seen.newest, seen.now)} UTC: {impact.sentence(now.overall, now.problems, seen.newest)}"


def _figures(seen: Scope) -> None:
    totals = client.query("headline", **seen.params).iloc[0]
    affected = client.query("affected", **seen.params).iloc[0]
    now = _success(totals["requests"], totals["refused"])
    before = _success(totals["requests_before"], totals["refused_before"])
    with st.container(horizontal=True, gap="small"):
        st.metric(
            f"Pass rate, {seen.title}",
            wording.percent(now),
            _points(now, before),
            help="Of the chosen time range, compared with the range before it.",
            border=True,
            height="stretch",
        )
        st.metric(
            "Refused",
            wording.count(totals["refused"]),
            help="Denied, or failed during authentication.",
            border=True,
            height="stretch",
        )
        st.metric("Requests", wording.count(totals["requests"]), border=True, height="stretch")
        st.metric(
            "Users affected",
            wording.count(affected["users"]),
            help="Distinct pseudonyms; no names are stored.",
            border=True,
            height="stretch",
        )
        st.metric("Clients affected", wording.count(affected["clients"]), border=True, height="stretch")
        st.metric(
            "Last event",
            wording.ago(seen.newest, seen.now),
            help="When the store last received an event.",
            border=True,
            height="stretch",
        )


def _success(requests: int, refused: int) -> float | None:
    return (requests - refused) / requests if requests else None


def _points(now: float | None, before: float | None) -> str | None:
    if now is None or before is None:
        return None
    return f"{(now - before) * 100:+.1f} points"


def _problems(seen: Scope, problems: tuple[Problem, ...], rows: pd.DataFrame) -> None:
    """At most ten lines, the urgent ones first; the rest by cause, folded."""
    by_group = {str(row.group_id): row for row in rows.itertuples()}
    listed = [problem for problem in problems if problem.state != "archived"]
    shown = list(filter(_is_shown, listed))[:MAX_LINES]
    cards = list(filter(lambda problem: problem.is_urgent, shown[:MAX_CARDS]))
    for problem in shown:
        _entry(seen, problem, by_group[problem.groups[0]] if problem in cards else None, rows)
    _folded(seen, [problem for problem in listed if problem not in shown], rows)


def _is_shown(problem: Problem) -> bool:
    return problem.is_active or problem.was_unusual


def _entry(seen: Scope, problem: Problem, row: Any | None, rows: pd.DataFrame) -> None:
    """A line; with the group's row a card with evidence, and the parts of an incident behind it."""
    with st.container(border=row is not None, gap="xsmall"):
        _line(seen, problem)
        if row is not None:
            _evidence(seen, problem, row)
        if len(problem.groups) > 1:
            _parts(seen, problem, rows)


def _line(seen: Scope, problem: Problem) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.badge(wording.STATUSES.get(problem.state, "open"), color=_colour(problem))
        st.page_link(
            panels.group_page(), label=f"**{wording.sentence(problem.title, 300)}**",
            query_params={"group": problem.groups[0], **seen.link}, icon=":material/chevron_right:", icon_position="right",
        )  # fmt: skip
        st.caption(wording.escape(_numbers(seen, problem), 300), width="content")


def _parts(seen: Scope, incident: Problem, rows: pd.DataFrame) -> None:
    """The problems of an incident, folded."""
    with st.expander(f"Its {len(incident.groups)} problems"):
        panels.pick_group(rows[rows["group_id"].isin(incident.groups)], seen, key=f"parts-{incident.groups[0]}")


def _evidence(seen: Scope, problem: Problem, row: Any) -> None:
    if _is_text(row.because):
        panels.say(row.because, limit=160)
    if _is_text(row.fix):
        panels.say(row.fix.partition("\n")[0], before="Fix: ", limit=240)
    cause = wording.CAUSES.get(row.cause, wording.CAUSES["unknown"])
    facts = f"{cause} · {row.code} · confidence {wording.percent(row.confidence, 0)} · {wording.listed(row.gateways)} · {_routes(row.routes)}"
    st.caption(wording.escape(facts, 400))
    suspect = present.behind(problem, client.rows, [] if row.gateways is None else list(row.gateways)).suspect
    if suspect:
        st.caption(f":material/history: Suspect change: {wording.escape(suspect.says(seen.now), 300)}")


def _numbers(seen: Scope, problem: Problem) -> str:
    """Since when, how much, whom."""
    when = impact.ended(problem, seen.now) if problem.is_over else _since(seen, problem)
    hour = problem.measured.windows[-1]
    assignee = (f"assigned to {problem.assignee}",) if problem.assignee else ()
    return " · ".join(
        (
            when,
            f"{wording.count(hour.failures)} in the last hour, {wording.percent(hour.share)} of requests",
            wording.plural(problem.users, "user"),
            wording.plural(problem.clients, "client"),
            *assignee,
        )
    )


def _since(seen: Scope, problem: Problem) -> str:
    where = f"at {problem.instance} " if problem.instance and problem.is_urgent else ""
    return f"{where}since {wording.clock(problem.since, seen.now)} ({wording.ago(problem.since, seen.now)})"


def _routes(routes: Any) -> str:
    found = len(routes) if routes is not None else 0
    return "10 routes or more" if found >= 10 else wording.plural(found, "route")


def _colour(problem: Problem) -> Any:
    return "red" if problem.is_urgent else "green" if problem.is_over else "gray"


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _folded(seen: Scope, problems: Iterable[Problem], rows: pd.DataFrame) -> None:
    """One fold per cause, with a list that leads to the groups."""
    by_cause: dict[str, list[Problem]] = {}
    for problem in problems:
        by_cause.setdefault(problem.cause, []).append(problem)
    for cause, found in sorted(by_cause.items(), key=lambda entry: -len(entry[1])):
        wanted = [group for problem in found for group in problem.groups]
        name = wording.CAUSES.get(cause, wording.CAUSES["unknown"])
        with st.expander(f"{name}: {wording.plural(len(found), 'more problem')}"):
            panels.pick_group(rows[rows["group_id"].isin(wanted)], seen, key=f"folded-{cause}")


def _trend(seen: Scope) -> None:
    with panel(
        "Refused requests by cause",
        "trend_by_cause",
        seen.params,
        "Dashed lines mark changes: new keys, new issuers, reloads.",
    ):
        rows = client.query("trend_by_cause", **seen.params)
        changes = client.query("changes", **seen.params)
        if rows.empty:
            panels.nothing("No request was refused in this window.")
            return
        panels.chart(charts.failures_by_cause(rows, changes, seen.bucket_s), key="trend")


def _gateways(seen: Scope) -> None:
    with panel("Gateways", "by_gateway", seen.params):
        rows = client.query("by_gateway", **seen.params)
        columns = {
            "gateway": text("Gateway"),
            "success": share("Passed"),
            "refused": number("Refused"),
            "requests": number("Requests"),
        }
        table(rows, columns)


def _who_answered(seen: Scope) -> None:
    with panel(
        "Refused by", "responders", seen.params, "The component that sent the refusal to the client, by gateway."
    ):
        rows = client.query("responders", **seen.params)
        if rows.empty:
            panels.nothing("No request was refused in this window.")
            return
        panels.chart(charts.who_answered(rows), key="responders")


def _heat(seen: Scope) -> None:
    with panel(
        "Refused share by issuer and gateway",
        "heat",
        seen.params,
        "One dark cell points to that gateway's configuration; a dark row points to the issuer.",
    ):
        rows = client.query("heat", **seen.params)
        if rows.empty:
            panels.nothing("No traffic in this window.")
            return
        panels.chart(charts.issuers_by_gateways(rows), key="heat")


def _clocks(seen: Scope) -> None:
    with panel(
        "Clocks",
        "clocks",
        seen.params,
        "A token issued in a gateway's future means that two clocks differ. The band is one minute of leeway.",
    ):
        rows = client.query("clocks", **seen.params)
        if rows.empty:
            panels.nothing("Not enough refused tokens with an iat claim to compare clocks.")
            return
        panels.chart(charts.clocks(rows), key="clocks")


def _unread(seen: Scope) -> None:
    with panel(
        "Not explained yet",
        "unread",
        seen.params,
        "Log lines that no parser recognizes, and refusals whose cause is not determined; `<*>` replaces a value. "
        "`why401 propose ID` writes the knowledge entry for a message.",
    ):
        rows = client.query("unread", **seen.params)
        if rows.empty:
            panels.nothing("Every record was parsed and every refusal explained.")
            return
        columns = {
            "records": number("Records"),
            "gateways": text("Gateways"),
            "template": text("Message", width="large"),
            "reasons": text("Reason"),
            "template_id": text("ID"),
        }
        table(rows, columns)


def _pipeline(seen: Scope) -> None:
    with panel("Pipeline", "pipeline_totals", seen.params):
        rows = client.query("pipeline_totals", **seen.params)
        by_counter = rows.groupby("counter")["value"].sum()
        with st.container(horizontal=True):
            for counter in charts.COUNTERS:
                st.metric(counter.capitalize(), wording.count(by_counter.get(counter, 0)))
            st.metric("Last event", wording.ago(seen.newest, seen.now))
