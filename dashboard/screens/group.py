"""One group: the diagnosis, its evidence, who is affected, how to fix it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import pandas as pd
import streamlit as st

from analyzer.situation import impact, present
from analyzer.situation.impact import Problem
from dashboard import charts, client, controls, downloads, near_miss, panels, roles, scope, ticket, wording
from dashboard.panels import REFRESH_S, number, panel, share, table, text
from dashboard.scope import Scope

FIELDS: Final = {
    "issuer": "Issuer (iss)",
    "audience": "Audience (aud)",
    "kid": "Key id (kid)",
    "alg": "Algorithm (alg)",
    "typ": "Type (typ)",
    "token_kind": "Kind of token",
    "scope": "Scopes",
}
ID_LENGTH: Final = 64
# Asked side by side as soon as the page is opened; of a group that did not fail in the window some are asked again.
STATEMENTS: Final = (
    "group", "group_decision", *present.COSTLY, "group_compared", "group_received", "group_trend", "changes", "differs", "group_where",
    "group_history", "group_samples",
)  # fmt: skip
AROUND: Final = timedelta(days=1)  # before its last failure: what is compared when none is in the window


def page() -> None:
    """Draw the group that `?group=` names."""
    panels.guarded(lambda: scope.bar("Group"))
    panels.guarded(_one)


def chosen() -> str:
    """The group id of the address, "" without one."""
    return str(st.query_params.get("group", ""))[:ID_LENGTH]


def _one() -> None:
    seen = scope.current()
    params = {**seen.params, "group": chosen()}
    client.ahead(*((name, params) for name in STATEMENTS))
    found = client.query("group", **params)
    if found.empty:
        st.subheader("Group not found", anchor=False)
        st.text("It may be past its retention, or the link may be incomplete. Requested id:")
        st.code(wording.visible(chosen()), language=None)
        st.page_link(panels.groups_page(), label="All groups", icon=":material/list_alt:", query_params=seen.link)
        return
    row = found.iloc[0].to_dict()
    around = _around(row, seen, params)
    badge, suspect = _title(row, seen)
    is_known = all(client.has(name, **seen.params) for name in present.COSTLY)
    if is_known:
        _judged(row, seen, badge, suspect)
    controls.draw(row, seen, params)
    _figures(row, seen, around)
    left, right = st.columns([3, 2])
    with left:
        _compared(row, around)
        _evidence(row, params)
        _received(around)
        _live_trend()
        _differences(around)
    with right:
        _fix(row, params)
        _missing(row)
        _rivals(row)
        _where(around)
        controls.history(row, params)
        _identity(row)
    _samples(around)
    if not is_known:  # what is ready was shown meanwhile
        _judged(row, seen, badge, suspect)


def _around(row: Mapping[str, Any], seen: Scope, params: Mapping[str, Any]) -> Mapping[str, Any]:
    """The window; when the problem did not fail in it, the day before its last failure, so that there is something to see."""
    if row["last_seen"] >= seen.since and row["first_seen"] < seen.until:
        return params
    last = (
        min(row["last_seen"].to_pydatetime(), seen.until)
        if row["first_seen"] < seen.until
        else row["last_seen"].to_pydatetime()
    )
    return {**params, "since": last - AROUND, "until": last + timedelta(minutes=1)}


def _title(row: Mapping[str, Any], seen: Scope) -> tuple[Any, Any]:
    """What it is, and since when; and the places of its badge and of the change behind it."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        badge = st.empty()
        st.header(wording.sentence(row["title"], 200), anchor=False)
    began = f"{wording.clock(row['first_seen'], seen.now)} ({wording.ago(row['first_seen'], seen.now)})"
    st.caption(
        wording.escape(
            f"{wording.CAUSES.get(str(row['cause']), wording.CAUSES['unknown'])} · {row['code']} · since {began}"
            f" · last seen {wording.ago(row['last_seen'], seen.now)} · {wording.listed(row['gateways'], 6)}"
        )
    )
    return badge, st.empty()


def _judged(row: Mapping[str, Any], seen: Scope, badge: Any, suspect: Any) -> None:
    """State and suspect change in the overview's words; of a group that did not fail for a day, what the lake says."""
    known = impact.situation(client.rows("problems", **seen.params), seen.gateway).problems
    problem = next((one for one in known if row["group_id"] in one.groups), None)
    status = problem.state if problem else _status(row)
    badge.badge(wording.STATUSES.get(status, "open"), color=panels.STATUS_COLOURS.get(status, "gray"))
    if says := _suspect(problem, row, seen):
        suspect.warning(f"Suspect change: {wording.escape(says, 300)}", icon=":material/history:")


def _suspect(problem: Problem | None, row: Mapping[str, Any], seen: Scope) -> str:
    """The change that may be the cause; "" for none."""
    if problem is None:
        return row["suspect_change"] if isinstance(row["suspect_change"], str) else ""
    found = present.behind(problem, client.rows, _items(row["gateways"])).suspect
    return found.says(seen.now) if found else ""


def _figures(row: Mapping[str, Any], seen: Scope, params: Mapping[str, Any]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.metric(
            "Last hour",
            wording.count(row["last_hour"]),
            _more(row),
            delta_color="inverse",
            border=True,
            height="stretch",
        )
        st.metric("Total", wording.count(row["failures"]), border=True, height="stretch")
        st.metric("Users affected", wording.count(row["users"]), border=True, height="stretch")
        st.metric("Clients affected", wording.count(row["clients"]), border=True, height="stretch")
        st.metric("Confidence", wording.percent(row["confidence"], 0), border=True, height="stretch")
        _share(row, seen, params)


def _status(row: Mapping[str, Any]) -> str:
    """What a person decided comes first, unless it failed again."""
    return str(row["status"] if row["state"] == "open" or row["status"] == "regressed" else row["state"])


def _more(row: Mapping[str, Any]) -> str:
    difference = int(row["last_hour"]) - int(row["previous_hour"])
    return f"{difference:+,} vs. the hour before"


def _share(row: Mapping[str, Any], seen: Scope, params: Mapping[str, Any]) -> None:
    with st.container(width="content", gap="xsmall"):
        with st.popover("Share", icon=":material/link:", width="stretch"):
            st.text("This link shows the group to anyone who can open this page:")
            st.code(
                "?"
                + "&".join(
                    f"{key}={wording.visible(value)}" for key, value in {"group": chosen(), **seen.link}.items()
                ),
                language=None,
            )
        if roles.is_operator():  # whoever may only look takes nothing away
            st.download_button(
                "Ticket", lambda: ticket.markdown(row, seen.now, seen.link).encode(), f"{downloads.file_name(chosen())}.md", "text/markdown",
                on_click="ignore", icon=":material/assignment:", width="stretch", help="Title, evidence and fix as Markdown, for a ticket.",
            )  # fmt: skip
            with st.popover("Download", icon=":material/download:", width="stretch"):
                st.caption("The latest 10,000 failures of this window, redacted.")
                downloads.buttons(lambda: client.query("group_export", **params), chosen(), key="group")


def _compared(row: Mapping[str, Any], params: Mapping[str, Any]) -> None:
    """What is expected and what came, one below the other; of a near miss the characters that differ are marked."""
    rows = client.query("group_compared", **params)
    says = row.get("near_miss")
    near = says if isinstance(says, str) else ""
    if rows.empty and not near:
        return
    about = "What the gateway expects, and what the tokens have in its place. Of values that almost agree, what differs is coloured."
    with panel("Expected and received", "group_compared", params, about):
        if near:
            panels.near(near)
        told = near_miss.values(near)
        for one in rows.to_dict("records"):
            if told is None or (one["received"], one["expected"]) != told[:2]:
                _pair(one, is_only=len(rows) == 1)


def _pair(one: Mapping[str, Any], *, is_only: bool) -> None:
    values = {
        "Expected": one["expected"],
        "Received": one["received"],
        "Missing scope": one["missing_scope"],
    }
    for name, value in values.items():
        if value:
            panels.named(name, value)
    if not is_only:
        st.caption(f"{wording.percent(one['share'])} of these failures")


def _evidence(row: Mapping[str, Any], params: Mapping[str, Any]) -> None:
    with panel("Evidence", "group", params, "Facts behind the diagnosis. Each one can be checked."):
        for item in _items(row["evidence"]):
            panels.line(item["source"], item["says"])
        if not _items(row["evidence"]):
            panels.nothing("The only evidence is the status code.")


def _items(value: Any) -> list[Any]:
    return [] if value is None or isinstance(value, float) else list(value)


@st.fragment(run_every=REFRESH_S)
def _live_trend() -> None:
    panels.guarded(_trend)


def _trend() -> None:
    seen = scope.current()
    params = {**seen.params, "group": chosen()}
    with panel(
        "Failures over time",
        "group_trend",
        params,
        "Dashed lines mark changes; the step line is what failed so a week earlier, else a day earlier.",
    ):
        rows = client.query("group_trend", **params)
        if rows.empty:
            _no_failures(seen)
            return
        usual = charts.Usual(*_usual(seen, params))
        panels.chart(
            charts.failures_by_cause(rows, client.query("changes", **params), seen.bucket_s, height=180, usual=usual),
            key="group-trend",
        )


def _usual(seen: Scope, params: Mapping[str, Any]) -> tuple[pd.DataFrame, str]:
    """The same window a week earlier, or a day earlier if nothing failed so then: moved here, with its name."""
    rows = client.query("group_trend", **params)
    for days, name in ((7, "a week earlier"), (1, "a day earlier")):
        back = timedelta(days=days)
        if seen.until - seen.since <= back:
            rows = client.query("group_trend", **{**params, "since": seen.since - back, "until": seen.until - back})
            if len(rows):
                return rows.assign(bucket=rows["bucket"] + back), name
    return rows.head(0), ""


def _no_failures(seen: Scope) -> None:
    panels.nothing(f"No failures in this window ({seen.title}).")
    longer = [name for name in scope.RANGES if scope.RANGES[name] > seen.until - seen.since]
    if longer:
        st.page_link(
            panels.group_page(), label=f"Show the last {longer[-1]}", icon=":material/date_range:",
            query_params={**seen.link, "group": chosen(), "range": longer[-1]},
        )  # fmt: skip


def _received(params: Mapping[str, Any]) -> None:
    with panel(
        "Received and accepted values",
        "group_received",
        params,
        "Values in the refused tokens, next to values that pass for the same issuers.",
    ):
        rows = client.query("group_received", **params)
        if rows.empty:
            panels.nothing("The records contain no token data.")
            return
        shown = rows.assign(field=rows["field"].map(FIELDS).fillna("other"), differs=_differs(rows))
        table(
            shown,
            {
                "field": text("Field", width=110), "received": text("Received", width=200),
                "passes": text("Accepted", width=250), "differs": text("", width=60), "share": share("Share", width=80),
            },
            row_height=panels.height_of(shown, {"received": 32, "passes": 40}),
        )  # fmt: skip


def _differs(rows: pd.DataFrame) -> list[str]:
    pairs = zip(rows["received"], rows["passes"], strict=True)
    return ["differs" if passes and received not in passes.split("  or  ") else "" for received, passes in pairs]


def _differences(params: Mapping[str, Any]) -> None:
    about = "Every field of failing requests against the sample of passing ones, the most significant difference first."
    with panel("What differs", "differs", params, about):
        panels.differences(client.query("differs", **params))


def _fix(row: Mapping[str, Any], params: Mapping[str, Any]) -> None:
    with panel("How to fix it", "group", params, f"For {wording.escape(wording.listed(row['gateways']))}."):
        for position, item in enumerate(_items(row["fix"]), 1):
            panels.fix(position, item)
        if not _items(row["fix"]):
            panels.nothing("No known fix for this cause on this gateway.")
        if isinstance(row.get("library"), str) and row["library"]:
            st.caption(f"Validation library: {wording.escape(row['library'], 100)}")


def _missing(row: Mapping[str, Any]) -> None:
    facts = _items(row["missing"])
    if not facts:
        return
    with st.container(border=True):
        st.subheader("What would confirm it", anchor=False)
        for fact in facts:
            panels.say(fact)


def _rivals(row: Mapping[str, Any]) -> None:
    rivals = _items(row["rivals"])
    if not rivals:
        return
    with st.container(border=True):
        st.subheader("Also considered", anchor=False)
        for rival in rivals:
            panels.line(rival["code"], rival["why_not"])


def _where(params: Mapping[str, Any]) -> None:
    with panel("Where it happens", "group_where", params):
        rows = client.query("group_where", **params)
        if rows.empty:
            panels.nothing("No failures in this window.")
            return
        for tab, kind in zip(st.tabs(["Gateways", "Routes", "Clients"]), ("gateway", "route", "client"), strict=True):
            with tab:
                columns = {
                    "value": text(kind.capitalize(), width="medium"),
                    "failures": number("Failures"),
                    "users": number("Users"),
                }
                table(rows[rows["kind"] == kind], columns)


def _identity(row: Mapping[str, Any]) -> None:
    with st.expander("Why these failures form one group"):
        st.text("One change would fix all of them. Inputs of the fingerprint:")
        parts = dict(_items(row["parts"]))
        table(
            pd.DataFrame({"part": list(parts), "value": list(parts.values())}),
            {"part": text("Part"), "value": text("Value", width="medium")},
        )
        st.text(f"Group {wording.visible(row['group_id'])}, fingerprint {wording.visible(row['fingerprint_version'])}")


def _samples(params: Mapping[str, Any]) -> None:
    with panel("Latest requests (redacted)", "group_samples", params):
        rows = client.query("group_samples", **params)
        if rows.empty:
            panels.nothing("The individual requests of this group are past their retention.")
            return
        panels.requests(rows, when="HH:mm:ss.SSS")
