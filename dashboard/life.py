"""What was decided about a problem and what became of it, in sentences: pure, without a store or a page. Plain text."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dashboard import wording


def decided(row: Mapping[str, Any], now: datetime) -> str:
    """A row of the view `decisions` in a sentence or two; "" when nothing counts.

    >>> from datetime import UTC
    >>> now = datetime(2026, 11, 2, 15, tzinfo=UTC)
    >>> row = {"state": "resolved", "author": "ana", "decided_at": now.replace(hour=14), "next_release": False}
    >>> decided(row | {"failed_again": True, "assignee": "ben"}, now)
    'Resolved by ana at 14:00 (1 h ago), and it failed after that. Assigned to ben.'
    """
    said = (_state(row, now), f"Assigned to {_name(row['assignee'])}." if row.get("assignee") else "", _merge(row))
    return " ".join(filter(None, said))


def _state(row: Mapping[str, Any], now: datetime) -> str:
    if row["state"] == "open":
        return ""
    what = {"resolved": "Resolved", "muted": "Muted", "archived": "Archived"}[row["state"]]
    release = " in the next release" if row.get("next_release") else ""
    by = f"by {_name(row['author'])} at {wording.clock(row['decided_at'], now)} ({wording.ago(row['decided_at'], now)})"
    return f"{what}{release} {by}{_follows(row, now)}."


def _follows(row: Mapping[str, Any], now: datetime) -> str:
    until = row.get("muted_until")
    if not wording.is_nothing(until):
        return f", until {wording.clock(until, now)}"
    if row.get("failed_again"):
        return ", and it failed with that release" if row.get("next_release") else ", and it failed after that"
    return "; no release was seen since" if row.get("is_waiting") else ""


def _merge(row: Mapping[str, Any]) -> str:
    into = row.get("merged_into")
    if not into:
        return ""
    return "Always shown by itself." if into == row.get("group_id") else f"Merged into {wording.visible(into, 80)}."


def recovered(row: Mapping[str, Any]) -> str:
    """A row of the view `recovery` in a sentence: is the fix verified?

    >>> recovered({"users": 198, "passing": 171, "failing": 0, "unseen": 27})
    'Verified so far: 171 of 198 affected users pass again, and none fails. 27 have not been seen since.'
    """
    users, passing, failing, unseen = (int(row[name]) for name in ("users", "passing", "failing", "unseen"))
    known = wording.plural(users, "affected user")
    if not passing and not failing:
        return f"Not verified yet: {_none_of(users, known)} has been seen since."
    rest = f" {wording.count(unseen)} {'has' if unseen == 1 else 'have'} not been seen since." if unseen else ""
    passes = f"{wording.count(passing)} of {known} {'passes' if passing == 1 else 'pass'} again"
    if failing:
        return f"Not fixed for everybody: {passes}, {wording.count(failing)} still {'fails' if failing == 1 else 'fail'}.{rest}"
    return f"Verified{' so far' if unseen else ''}: {passes}, and none fails.{rest}"


def _none_of(users: int, known: str) -> str:
    return "the one affected user that is known" if users == 1 else f"none of {known}"


def entry(row: Mapping[str, Any], group_id: str) -> str:
    """What one row of the view `notes` decided, without its note.

    >>> entry({"state": "muted", "muted_until": None, "next_release": False, "assignee": None, "merged_into": None}, "v1-00")
    'muted'
    """
    from analyzer.store.group_state import Decision, State

    def known(name: str) -> Any:
        return None if wording.is_nothing(row.get(name)) else row[name]

    return Decision(
        group_id=group_id, author="", state=State(row["state"]) if known("state") else None, muted_until=known("muted_until"),
        next_release=bool(known("next_release")), assignee=known("assignee"), merged_into=known("merged_into"), note="-",
    ).says or "noted"  # fmt: skip


def _name(value: Any) -> str:
    return wording.visible(value, 80)
