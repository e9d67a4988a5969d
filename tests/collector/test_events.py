"""The event contract: a round trip that loses nothing, names that stay, and errors for what is no event."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector import events
from collector.events import (
    Event,
    EventDecodeError,
    Gateway,
    Origin,
    Outcome,
    TokenFacts,
    TokenKind,
    Words,
    from_json,
    to_json,
)

TEXT = st.text(max_size=20)
FACTS = st.builds(
    TokenFacts,
    kind=st.sampled_from(TokenKind),
    iss=TEXT,
    aud=st.lists(TEXT, max_size=3).map(tuple),
    claims=st.lists(st.tuples(TEXT, TEXT), max_size=3).map(tuple),
    parts=st.lists(st.integers(0, 9999), max_size=5).map(tuple),
)
EVENTS = st.builds(
    Event,
    time_ns=st.integers(0, 2**62),
    observed_ns=st.integers(0, 2**62),
    origin=st.builds(Origin, kind=TEXT, source=TEXT, partition=st.integers(-1, 99), offset=st.integers(-1, 2**40)),
    gateway=st.builds(Gateway, kind=TEXT, instance=TEXT),
    outcome=st.sampled_from(Outcome),
    token=FACTS,
    words=st.builds(Words, reason=TEXT, body_bytes=st.integers(-1, 999)),
    redactions=st.lists(st.tuples(TEXT, st.integers(1, 9)), max_size=2).map(tuple),
)


@given(EVENTS)
def test_json_round_trip(event: Event) -> None:
    """What is sent is what arrives."""
    assert event == from_json(to_json(event))


def test_wire_names_cover_every_field() -> None:
    """A field without a name on the wire would be lost silently."""
    for group, cls in events._TYPES.items():
        assert {f.name for f in dataclasses.fields(cls)} == set(events._WIRE[group])


def test_wire_names_are_unique() -> None:
    """Two fields under one key would overwrite each other."""
    keys = [*events._TOP.values(), *(key for group in events._WIRE.values() for key in group.values())]

    assert sorted(set(keys)) == sorted(keys)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "zero-length"),
        (b"[1]", "not a JSON object"),
        (b'{"why401.schema": 99}', "schema 99"),
        (b'{"why401.schema": 1}', "TypeError"),
        (b"\xff\xfe", "str is not valid UTF-8"),
    ],
)
def test_what_is_no_event_is_named(data: bytes, why: str) -> None:
    """The error says what is wrong and raises nothing else."""
    with pytest.raises(EventDecodeError) as raised:
        from_json(data)

    assert why in raised.value.why


def test_no_field_can_hold_a_token() -> None:
    """The names of the contract hold no place for a credential's value."""
    names = {f.name for cls in (*events._TYPES.values(), Event) for f in dataclasses.fields(cls)}

    assert set() == names & {
        "value",
        "raw",
        "jwt",
        "authorization",
        "header",
        "payload",
        "signature",
        "password",
        "cookie",
        "query",
    }
