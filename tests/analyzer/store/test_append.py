"""What one append leaves behind."""

from __future__ import annotations

import dataclasses

import pytest

from analyzer.store import open_memory_store
from collector.events import Verification, Words
from collector.records import Position
from collector.settings import Settings, StoreSettings
from tests.analyzer.verdict_samples import DIAGNOSIS, GROUP, START_S, TOKEN, failing, passing, unread


def test_failures_are_kept_whole(store, ask):
    """A denied event's row carries the event, its diagnosis and its group."""
    store.append([failing()], [], {})

    (row,) = ask("SELECT code, evidence[1].says, claims, parts, exp_offset_s, group_id, upstream_status FROM failures")
    evidence = DIAGNOSIS.evidence[0].says
    assert (
        "audience_mismatch", evidence, {"sub": "string", "aud": "array"}, [40, 200, 58], 600.0, GROUP.id, None,
    ) == row  # fmt: skip


def test_every_request_is_counted_and_passing_ones_are_sampled():
    """All passing requests count in traffic; one in `sample_allowed` keeps its token's shape."""
    store = open_memory_store(Settings(store=StoreSettings(sample_allowed=4)))
    for _ in range(3):
        store.append([passing(n) for n in range(3)], [], {})

    assert [(9,)] == store.rows("SELECT sum(requests) FROM traffic WHERE outcome = 'allowed'")
    assert [(3,)] == store.rows("SELECT sum(passing) FROM token_shapes")
    assert [(0,)] == store.rows("SELECT count(*) FROM failures")
    store.close()


def test_received_is_stored_plus_dropped(store, ask):
    """Each record has one fate in the pipeline view."""
    store.append([failing(), passing(), unread()], [], {("received", ""): 5, ("dropped", "too_large"): 2})

    assert [
        ("dropped", "no_parser", 1), ("dropped", "too_large", 2), ("received", "", 5), ("stored", "", 2),
    ] == ask("SELECT counter, reason, sum(value) FROM pipeline GROUP BY ALL ORDER BY ALL")  # fmt: skip


def test_unread_records_and_undiagnosed_failures_are_unclassified(store, ask):
    """Templates are counted with the reason they are there."""
    unknown = dataclasses.replace(DIAGNOSIS, code="unclassified", cause="unknown")
    store.append([unread(), unread(), failing(diagnosis=unknown)], [], {})

    assert [
        ("Audiences in Jwt are not allowed", "jwt_authn_access_denied", "envoy", 1),
        ("what is <num>", "no_parser", "unknown", 2),
    ] == ask("SELECT template, reason, gateway, records FROM unclassified ORDER BY ALL")


def test_a_clock_far_ahead_does_not_move_the_data(store, ask):
    """A request from the future counts at its arrival."""
    verdict = failing()
    store.append([dataclasses.replace(verdict, event=dataclasses.replace(verdict.event, time_ns=2**62))], [], {})

    assert [(START_S + 1,)] == ask("SELECT epoch(event_time)::BIGINT FROM failures")


@pytest.mark.parametrize("text", ["nul \0 byte", "quote ' and \\ and \"", "emoji 🙂", "a\nb", "'); DROP TABLE x; --"])
@pytest.mark.parametrize("rows", [1, 150], ids=["inlined", "file"])
def test_any_text_is_stored(store, ask, text, rows):
    """Text keeps its characters in inlined rows and in files; NUL alone is taken out."""
    token = dataclasses.replace(
        TOKEN, aud=(text,), kid=text, claims=((text, "string"),), verification=Verification.VERIFIED
    )
    store.append([failing(n, token=token) for n in range(rows)], [], {})

    clean = text.replace("\0", "")
    query = "SELECT kid, audiences, claims, count(*) FROM failures GROUP BY ALL"
    assert [(clean, [clean], {clean: "string"}, rows)] == ask(query)
    assert [(clean,)] == ask("SELECT subject FROM changes WHERE kind = 'kid_first_seen'")


BAD = {
    "text where a number belongs": {"status": "401"},
    "number beyond 32 bits": {"status": 2**40},
    "half a surrogate pair": {"route": "\ud800"},
}


@pytest.mark.parametrize("request_fields", BAD.values(), ids=BAD)
def test_what_cannot_be_stored_is_counted_and_does_not_stop_the_rest(store, ask, request_fields):
    """One impossible event is dropped with a reason; its neighbours are kept."""
    store.append([failing(0), failing(1, **request_fields), passing(2)], [Position("t", 0, 0, 3)], {})

    assert [(1,)] == ask("SELECT count(*) FROM failures")
    assert [("unstorable", 1)] == ask("SELECT reason, value FROM pipeline WHERE counter = 'dropped'")
    assert {0: 3} == store.positions("t", [0])


def test_made_up_labels_are_folded(store, ask, monkeypatch):
    """Strangers' issuers beyond the bound count as (other); passing ones keep their room."""
    monkeypatch.setattr("analyzer.store.writer_state.MAX_LABELS", 4)
    made_up = [failing(token=dataclasses.replace(TOKEN, iss=f"https://x{n}")) for n in range(9)]
    store.append([*made_up, passing()], [], {})

    assert [("(other)", 7), ("https://idp.example.com", 1), ("https://x0", 1), ("https://x1", 1)] == ask(
        "SELECT issuer, passing + failing FROM issuers ORDER BY issuer"
    )


def test_a_group_has_a_bound_of_members(store, ask, monkeypatch):
    """Beyond the bound further users are not written; the failures still count."""
    monkeypatch.setitem(__import__("analyzer.store.writer_state", fromlist=["x"]).MAX_MEMBERS, "user", 3)
    for start in (0, 5):
        users = [dataclasses.replace(TOKEN, user=f"u{n}") for n in range(start, start + 5)]
        store.append([failing(token=token) for token in users], [], {})

    assert [(3, 10)] == ask("SELECT users, failures FROM groups")


def test_first_sights_are_bounded_per_commit(store, ask):
    """A flood of key ids does not become a flood of changes."""
    verified = dataclasses.replace(TOKEN, verification=Verification.VERIFIED)
    store.append([failing(token=dataclasses.replace(verified, kid=f"k{n}")) for n in range(100)], [], {})

    assert [(20,)] == ask("SELECT count(*) FROM changes WHERE kind = 'kid_first_seen'")


def test_an_unclassified_event_without_words_is_stored(store, ask):
    """Words may be empty, groups may be missing."""
    verdict = failing(group=None)
    store.append([dataclasses.replace(verdict, event=dataclasses.replace(verdict.event, words=Words()))], [], {})

    assert [("", 0)] == ask("SELECT group_id, (SELECT count(*) FROM groups) FROM failures")


def test_only_trusted_tokens_make_first_sights(store, ask):
    """A key id that nobody vouches for is an attacker's word, not a change."""
    strange = dataclasses.replace(TOKEN, iss="https://evil.example/", kid="x", verification=Verification.NO_KEY)
    store.append([failing(token=strange)], [], {})

    assert [] == ask("SELECT kind FROM changes WHERE kind <> 'gateway_first_seen'")


def test_an_issuers_first_key_is_the_baseline_and_the_next_one_a_change(store, ask):
    """What the store has always seen did not change."""
    verified = dataclasses.replace(TOKEN, verification=Verification.VERIFIED)
    store.append([failing(1, token=dataclasses.replace(verified, kid="old"))], [], {})
    store.append([failing(9, token=dataclasses.replace(verified, kid="new"))], [], {})

    query = "SELECT subject, is_baseline FROM changes WHERE kind = 'kid_first_seen' ORDER BY changed_at"
    assert [("old", True), ("new", False)] == ask(query)
