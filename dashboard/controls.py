"""The controls of a problem's life: what an operator decides on the page is checked, written, and told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pandas as pd
import streamlit as st

from analyzer.lake.errors import LakeError
from analyzer.store.deciding import decide as stored
from analyzer.store.deciding import undo as taken_back
from analyzer.store.group_state import MAX_NAME, Decision, State
from dashboard import client, config, life, panels, roles, wording
from dashboard.errors import NotPermitted
from dashboard.scope import Scope

MUTES: Final = {
    "1 hour": timedelta(hours=1),
    "8 hours": timedelta(hours=8),
    "1 day": timedelta(days=1),
    "1 week": timedelta(weeks=1),
    "For good": None,
}
_TOLD: Final = "decision_told"  # of the session: what became of the last one
MAX_NOTE_TYPED: Final = 2_000


def draw(row: Mapping[str, Any], seen: Scope, params: Mapping[str, Any]) -> None:
    """The state in words, and what an operator may do about it. `row` is the group's, of the view `groups`."""
    group = str(row["group_id"])
    decisions = client.query("group_decision", **params).to_dict("records")
    found = [decision for decision in decisions if decision["group_id"] == group]
    _tell()
    for decision in found:
        _say(life.decided(decision, seen.now))
    if row["status"] == "quiet" or row["state"] == "resolved":
        _recovery(params)
    if len(decisions) > len(found):
        _merged(seen, params)
    if roles.is_operator():
        _buttons(group, found[0] if found else {}, seen)


def _tell() -> None:
    """What became of the last decision, once."""
    told = st.session_state.pop(_TOLD, None)
    if told:
        (st.success if told[0] else st.error)(wording.escape(told[1], 300))


def history(row: Mapping[str, Any], params: Mapping[str, Any]) -> None:
    """Who decided what, when and why: the audit trail, the newest first."""
    rows = client.query("group_history", **params)
    if rows.empty:
        return
    with panels.panel(
        "History", "group_history", params, "Every decision and note about this group; none is ever changed."
    ):
        shown = pd.DataFrame(
            {
                "when": [f"{at:%d %b %H:%M}" for at in rows["noted_at"]],
                "who": rows["author"],
                "what": [life.entry(one, str(row["group_id"])) for one in rows.to_dict("records")],
                "note": rows["note"],
            }
        )
        columns = {
            "when": panels.text("When (UTC)", width=110), "who": panels.text("Who", width=110), "what": panels.text("What"),
            "note": panels.text("Note", width="medium"),
        }  # fmt: skip
        panels.table(shown, columns)


def decide(group: str, **what: Any) -> None:
    """Store a decision of whoever looks at the page. A callback: what became of it is told when the page is drawn again."""
    note = str(st.session_state.get(f"note-{group}") or "")[:MAX_NOTE_TYPED]

    def write() -> str:
        made = Decision(group_id=group, author=roles.author(), note=note, **what)
        others = len(stored(config.settings(), made)) - 1
        more = f", with {wording.plural(others, 'merged group')}" if others else ""
        return f"{(made.says or 'noted').capitalize()}{more}."

    _told(write)
    st.session_state[f"note-{group}"] = ""


def undo(group: str) -> None:
    """Take back the latest decision. A callback."""
    _told(lambda: f"{taken_back(config.settings(), group, roles.author()).note.capitalize()}.")


def _told(write: Any) -> None:
    try:
        roles.require_operator()
        st.session_state[_TOLD] = (True, write())
        client.forget()
    except (LakeError, NotPermitted, ValueError) as error:
        st.session_state[_TOLD] = (False, wording.visible(error, 300))


def _say(sentence: str) -> None:
    if sentence:
        panels.say(sentence.replace("`", "'"))


def _recovery(params: Mapping[str, Any]) -> None:
    rows = client.query("group_recovery", **params).to_dict("records")
    if not rows:
        st.caption("Whether users pass again cannot be seen: none is known in these requests.")
        return
    passing = [wording.visible(user, 12) for user in rows[0]["sample"]]
    _say(life.recovered(rows[0]))
    if passing:
        st.caption(wording.escape(f"Pass again, among others: {', '.join(passing)} (pseudonyms)"))


def _merged(seen: Scope, params: Mapping[str, Any]) -> None:
    for other in client.query("merged", **params).itertuples():
        label = f"Merged into this one: {wording.sentence(other.title, 120)}"
        st.page_link(panels.group_page(), label=label, query_params={"group": str(other.group_id), **seen.link})


def _buttons(group: str, decision: Mapping[str, Any], seen: Scope) -> None:
    is_open = decision.get("state", "open") == "open" or bool(decision.get("failed_again"))
    with st.container(horizontal=True, gap="small"):
        if is_open:
            st.button(
                "Resolve", on_click=decide, args=(group,), kwargs={"state": State.RESOLVED}, icon=":material/check:"
            )
        else:
            st.button("Reopen", on_click=decide, args=(group,), kwargs={"state": State.OPEN}, icon=":material/undo:")
        with st.popover("Mute", icon=":material/notifications_off:"):
            for name, length in MUTES.items():
                st.button(name, key=f"mute-{name}", on_click=_mute, args=(group, length), width="stretch")
        with st.popover("More", icon=":material/more_horiz:"):
            _more(group, decision, seen)


def _more(group: str, decision: Mapping[str, Any], seen: Scope) -> None:
    st.text_area(
        "Note",
        key=f"note-{group}",
        max_chars=MAX_NOTE_TYPED,
        height=80,
        help="Kept with the next decision, or by itself.",
    )
    st.button("Add note", on_click=decide, args=(group,), width="stretch")
    st.button(
        "Resolve in the next release", on_click=decide, args=(group,), width="stretch",
        kwargs={"state": State.RESOLVED, "next_release": True},
        help="Until a new gateway version or a mark (`why401 mark`) is seen, it has not regressed when it fails.",
    )  # fmt: skip
    st.button(
        "Archive",
        on_click=decide,
        args=(group,),
        kwargs={"state": State.ARCHIVED},
        width="stretch",
        help="In no list, whatever it does.",
    )
    st.text_input(
        "Assign to", value=str(decision.get("assignee") or ""), key=f"assignee-{group}", max_chars=MAX_NAME,
        on_change=_assign, args=(group,),
    )  # fmt: skip
    _merge_controls(group, decision, seen)
    st.button("Undo the last decision", on_click=undo, args=(group,), width="stretch")


def _merge_controls(group: str, decision: Mapping[str, Any], seen: Scope) -> None:
    if decision.get("merged_into"):
        name = "Fold with others again" if decision["merged_into"] == group else "Take out of the merge"
        st.button(name, on_click=decide, args=(group,), kwargs={"merged_into": ""}, width="stretch")
        return
    rows = client.query("attention", **seen.params, state="open")
    titles = {str(one.group_id): f"{one.title} ({one.group_id})" for one in rows.itertuples() if one.group_id != group}
    st.selectbox(
        "Merge into", list(titles), index=None, key=f"merge-{group}", placeholder="Choose a group",
        format_func=lambda one: wording.visible(titles[one], 120).replace("`", ""), on_change=_merge, args=(group,),
    )  # fmt: skip
    st.button(
        "Always show by itself", on_click=decide, args=(group,), kwargs={"merged_into": group}, width="stretch",
        help="It is never folded into an incident.",
    )  # fmt: skip


def _mute(group: str, length: timedelta | None) -> None:
    until = datetime.now(UTC) + length if length else None
    decide(group, state=State.MUTED, muted_until=until)


def _assign(group: str) -> None:
    decide(group, assignee=str(st.session_state[f"assignee-{group}"]).strip())


def _merge(group: str) -> None:
    chosen = st.session_state[f"merge-{group}"]
    if chosen:
        decide(group, merged_into=str(chosen))
