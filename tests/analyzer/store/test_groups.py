"""The groups view: sums, lists, status, suspect."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from analyzer.store.changes import Change, ChangeKind
from analyzer.store.group_state import Decision, State
from tests.analyzer.verdict_samples import DIAGNOSIS, GROUP, START_S, TOKEN, failing, passing

HOUR = 3600


def group(n):
    return dataclasses.replace(GROUP, id=f"v1-{n:016x}")


def test_a_group_adds_up_over_commits(store, ask):
    """Counts, times, lists and distinct members come together from every commit."""
    for n in range(3):
        token = dataclasses.replace(TOKEN, client=f"c{n % 2}", user=f"u{n}", iss=f"https://i{n}")
        store.append([failing(n, token=token, route=f"/r{n}"), failing(n, token=token, route="/busy")], [], {})

    assert [(6, ["envoy"], ["https://i0", "https://i1", "https://i2"], "/busy", 2, 3)] == ask(
        "SELECT failures, gateways, issuers, routes[1], clients, users FROM groups"
    )
    assert [(START_S, START_S + 2)] == ask("SELECT epoch(first_seen)::INT, epoch(last_seen)::INT FROM groups")


def test_the_words_are_the_latest(store, ask):
    """A later event's evidence replaces an earlier one's, at the latest after a minute."""
    later = dataclasses.replace(DIAGNOSIS, title="Later words")
    store.append([failing(0)], [], {})
    store.append([failing(90, diagnosis=later)], [], {})

    assert [("Later words",)] == ask("SELECT title FROM groups")


STATUS = {  # (seconds before the data's end, how many) -> status
    "new": ([(30 * 60, 5)], None),
    "ongoing": ([(3 * HOUR, 5), (90 * 60, 5), (60, 5)], None),
    "quiet": ([(3 * HOUR, 5)], None),
    "escalating": ([(3 * HOUR, 5), (90 * 60, 5), (60, 20)], None),
    "regressed": ([(3 * HOUR, 5), (-120, 1)], "resolved"),  # the note has the time of now: the burst comes after it
}


@pytest.mark.parametrize(("status", "case"), STATUS.items(), ids=STATUS)
def test_status(store, ask, status, case):
    """The status follows from the data's own last hours and from what people decided."""
    bursts, state = case
    end = int(datetime.now(UTC).timestamp())
    for ago, n in bursts:
        if state and ago < 0:
            store.decide(Decision(group_id=GROUP.id, author="ana", state=State(state)))
        store.append([failing(at_s=end - ago) for _ in range(n)], [], {})
    store.append([passing(at_s=end)], [], {})

    assert [(status,)] == ask("SELECT status FROM groups")


def test_the_suspect_is_the_last_change_shortly_before(store, ask):
    """A key set refreshed 5 minutes before the first failure is named; one an hour before is not."""
    first = datetime.fromtimestamp(START_S, UTC)
    store.append([passing(at_s=START_S - 2 * HOUR)], [], {})
    store.record(Change(at=first - timedelta(hours=1), kind=ChangeKind.CONFIG_LOADED, subject="old"))
    five_before = first - timedelta(minutes=5)
    issuer = "https://idp.example.com"
    store.record(Change(at=five_before, kind=ChangeKind.JWKS_REFRESHED, subject=issuer, detail="2 keys gone"))
    store.append([failing()], [], {})

    assert [("jwks refreshed: https://idp.example.com 2 keys gone",)] == ask("SELECT suspect_change FROM groups")


def test_samples_are_the_newest_twenty(store, ask):
    """Each group shows its 20 newest failures, the newest first."""
    store.append([failing(n, group=group(n % 2)) for n in range(50)], [], {})

    assert [(20, START_S + 11, START_S + 49)] == ask(
        "SELECT count(*), min(epoch(event_time))::INT, max(epoch(event_time))::INT FROM samples WHERE group_id = ?",
        group(1).id,
    )
    assert [(START_S + 49,)] == ask(
        "SELECT epoch(event_time)::INT FROM samples WHERE rank = 1 AND group_id = ?", group(1).id
    )
