"""Changes of what clients send: against their habits, and bounded."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby

import pytest
from msgspec.structs import replace

from analyzer.store import Store, habits
from analyzer.store.habits import Change, Habits, Seen, Sent, Sight, sights
from tests.analyzer.verdict_samples import GROUP, START_S, TOKEN, failing, passing

MINUTE = 60_000_000
ISSUER = "https://idp.example.com/"
SHOP = Sent(ISSUER, "shop", "okhttp", "7.0", "4.12", ("orders",), ("sub", "email"))
SHOP_71 = SHOP._replace(client_version="7.1")
LIBRARY = SHOP._replace(client_version="", agent_version="5.0")
BILLING = SHOP._replace(audiences=("orders", "billing"))
NO_EMAIL = SHOP._replace(claims=("sub",))
ROLES = SHOP._replace(claims=("sub", "email", "roles"))
CHROME = SHOP._replace(client_version="", agent="Chrome", agent_version="142")
Run = tuple[Sent, int, int]  # what is sent, from which minute, how often in a minute


def told(known: Habits, runs: Iterable[Run], *, is_trusted: bool = True) -> list[Change]:
    """The changes in what is sent, each run for one minute; a minute is a commit."""
    found: list[Change] = []
    for minute, together in groupby(runs, key=lambda run: run[1]):
        seen: dict[Sight, Seen] = {}
        for sent, _, often in together:
            times = Seen(often, minute * MINUTE, minute * MINUTE + often, often)
            for sight in sights(sent, is_trusted=is_trusted):
                seen[sight] = seen[sight].and_also(times) if sight in seen else times
        after, new = known.planned(seen)
        known.learn(after, new)
        found += new
    return found


def usual(sent: Sent = SHOP, often: int = 20, until: int = 20) -> list[Run]:
    return [(sent, minute, often) for minute in range(until)]


@pytest.mark.parametrize(
    ("then", "changes"),
    [
        (SHOP, []),
        (SHOP_71, [("client_version_changed", "shop 7.1")]),
        (LIBRARY, [("client_version_changed", "shop with okhttp 5.0")]),
        (CHROME, []),  # whose version says nothing of the client
        (BILLING, [("audience_changed", "orders, billing from shop")]),
        (NO_EMAIL, [("claims_changed", "without email")]),
        (ROLES, [("claims_changed", "with roles")]),
        (SHOP_71._replace(client="other"), []),  # of a client that nobody knows
        (SHOP_71._replace(client="(other)"), []),
    ],
)
def test_what_a_client_never_sent_is_a_change(then: Sent, changes: list[tuple[str, str]]) -> None:
    """Since its first request, told once."""
    found = told(Habits(), [*usual(), (then, 20, 5), (then, 21, 15), (then, 22, 30)])

    assert [(*change, ISSUER, 20 * MINUTE) for change in changes] == found


@pytest.mark.parametrize(
    "before",
    [
        usual(often=4),  # 80 requests
        usual(often=500, until=9),  # of nine minutes
        [],
        [run for n in range(20) for run in ((SHOP, n, 10), (SHOP_71, n, 1))],  # it is usual, though rare
    ],
)  # fmt: skip
def test_a_rare_or_new_client_has_no_habits(before: list[Run]) -> None:
    """Whatever it sends is usual."""
    assert [] == told(Habits(), [*before, (SHOP_71, 20, 200)])


def test_an_experiment_is_no_change() -> None:
    """Nineteen requests are not, and hundreds are not among ten thousands, until they are many of the client's."""
    few = [*usual(), (SHOP_71, 20, 19)]
    among = [*usual(often=10_000), *[run for n in range(20, 24) for run in ((SHOP, n, 10_000), (SHOP_71, n, 100))]]
    known = Habits()

    assert ([], []) == (told(Habits(), few), told(known, among))
    assert [20 * MINUTE] == [change.at for change in told(known, [(SHOP_71, 24, 3_000)])]


def test_a_change_that_comes_again_is_told_again() -> None:
    """After a day without it; a client that is silent meanwhile forgets nothing."""
    known = Habits()
    day = 24 * 60
    first = told(known, [*usual(), (NO_EMAIL, 20, 50)])
    at_once = told(known, [(SHOP, 21, 50), (NO_EMAIL, 22, 50)])
    after_silence = told(known, [(NO_EMAIL, 3 * day, 50), (SHOP, 3 * day + 1, 50)])
    later = told(known, [*[(SHOP, 3 * day + hour * 60, 50) for hour in range(1, 30)], (NO_EMAIL, 5 * day, 200)])

    assert [20 * MINUTE, 5 * day * MINUTE] == [change.at for change in (*first, *at_once, *after_silence, *later)]


def test_strangers_make_no_client_known_and_few_changes() -> None:
    """A flood of clients, versions, audiences and claims in tokens that nobody verified: bounded changes, bounded memory."""
    known = Habits()
    told(known, usual())
    clients = [(SHOP._replace(client=f"c{n}"), 20, 1_000) for n in range(5_000)]
    versions = [(SHOP._replace(client_version=f"{n}.0"), 20 + n % 30, 50) for n in range(5_000)]
    audiences = [(SHOP._replace(audiences=(f"a{n}",)), 20 + n % 30, 50) for n in range(5_000)]
    claims = [(SHOP._replace(claims=("sub", f"x{n}")), 20 + n % 30, 50) for n in range(5_000)]
    found = told(known, [*clients, *versions, *audiences, *claims], is_trusted=False)

    assert len(found) <= 3 * habits.MAX_EACH
    assert {"shop"} == {who.client for who in known.clients}
    assert all(len(habit.usual) <= 2 * habits.MAX_USUAL for habit in known.clients.values())
    assert all(len(habit.new) <= habits.MAX_NEW for habit in known.clients.values())


def test_a_thousand_clients_that_change_at_once_are_few_changes() -> None:
    """A fleet that is released is one change a client, and no more than some in an hour."""
    known = Habits()
    fleet = [SHOP._replace(client=f"c{n}") for n in range(1_200)]
    told(known, [run for sent in fleet for run in ((sent, 0, 60), (sent, 15, 60))])
    found = told(known, [(sent._replace(client_version="8.0", claims=("sub",)), 20, 60) for sent in fleet])

    assert {habits.VERSION: habits.MAX_ALL, habits.CLAIMS: habits.MAX_ALL} == {
        kind: sum(change.kind == kind for change in found) for kind in {change.kind for change in found}
    }
    assert len(known.clients) <= habits.MAX_CLIENTS


def test_who_sends_something_else_each_time_has_no_habits() -> None:
    """An audience per user is news a few times, and then no more."""
    known = Habits()
    first = told(known, [(SHOP._replace(audiences=(f"a{n}",)), n, 50) for n in range(2 * habits.MAX_USUAL)])
    then = told(known, [(SHOP._replace(audiences=("b",)), 300, 500)])

    assert (True, []) == (len(first) <= 2 * habits.MAX_EACH, then)


def test_habits_are_recalled() -> None:
    """After a restart: also that a claim is absent from some tokens, in whatever order they are read."""
    known = Habits()
    recalled = {}
    for sent, times in ((NO_EMAIL, Seen(1, 0, 30 * MINUTE, 200)), (SHOP, Seen(2, 0, 30 * MINUTE, 400))):
        recalled |= dict.fromkeys(sights(sent, is_trusted=True), times)
    known.recall(recalled)

    assert [] == told(known, [(NO_EMAIL, 31, 100), (SHOP, 32, 100)])
    assert ["shop 7.1"] == [change.subject for change in told(known, [(SHOP_71, 33, 100)])]


def test_in_the_store(store: Store, ask: Callable[[str], list[tuple[object, ...]]]) -> None:
    """Since 14:03 tokens carry no `email`, and a release asks for another audience: both are changes that explain their failures."""
    with_email = replace(TOKEN, claims=(*TOKEN.claims, ("email", "string")))
    store.append([passing(n, token=with_email) for n in range(0, 1_200, 10)], [], {})
    released = {"user_agent": "okhttp", "client_version": "7.1.0"}
    other = replace(GROUP, id="v1-00000000000000ff")
    store.append([failing(1_200 + n, token=TOKEN) for n in range(30)], [], {})
    store.append(
        [failing(1_240 + n, token=replace(with_email, aud=("b",)), group=other, **released) for n in range(30)], [], {}
    )
    changes = ask(
        "SELECT kind, subject, detail, epoch(changed_at)::INT FROM changes WHERE kind LIKE '%changed' ORDER BY changed_at"
    )
    explained = ask(
        "SELECT group_id, value, share, passing_share FROM shared WHERE dimension IN ('claims', 'audience') ORDER BY ALL"
    )

    assert [
        ("claims_changed", "without email", TOKEN.iss, START_S + 1_200),
        ("audience_changed", "b from shop", TOKEN.iss, START_S + 1_240),
    ] == changes
    assert {(GROUP.id, "without email", 1.0, 0.0), (other.id, "b from shop", 1.0, 0.0)} <= set(explained)
