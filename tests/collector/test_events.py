"""The event contract: a round trip that loses nothing, names that stay, and errors for what is no event."""

from __future__ import annotations

import dataclasses
from typing import get_args, get_origin, get_type_hints

import orjson
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
from collector.safe import Safe
from tests.cases import failing

TEXT = st.text(max_size=20)
FACTS = st.builds(
    TokenFacts,
    kind=st.sampled_from(TokenKind),
    iss=TEXT,
    aud=st.lists(TEXT, max_size=3).map(tuple),
    claims=st.lists(st.tuples(TEXT, TEXT), max_size=3).map(tuple),
    parts=st.lists(st.integers(0, 9999), max_size=5).map(tuple),
)
FACTS_EXAMPLE = TokenFacts(TokenKind.JWS, iss="i", aud=("a",), claims=(("exp", "integer"),), parts=(1, 2, 3))
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


GOOD = to_json(
    Event(1, 2, Origin("kafka"), Gateway("envoy"), Outcome.DENIED, token=FACTS_EXAMPLE, redactions=(("jose", 1),))
)


VALUES = ("x", 7, 1.5, True, None, [1], ["x"], [["x"]], [["x", "y"]], [["x", 1]], [["x", 1, 2]], {}, 2**63, [2**63])


def test_a_value_of_another_type_is_no_event() -> None:
    """Whatever stands under a key, the event is refused or every field has the type that it says."""
    keys = [*events._TOP.values(), *(key for group in events._WIRE.values() for key in group.values())]
    cases = [(f"{key}={value!r}", (key, value)) for key in keys for value in VALUES]

    assert {} == failing(cases, _check_type, at_least=854)


def _check_type(case: tuple[str, object]) -> None:
    key, value = case
    try:
        event = from_json(orjson.dumps(orjson.loads(GOOD) | {key: value}))
    except EventDecodeError:
        return
    assert to_json(from_json(to_json(event))) == to_json(event)
    for holder in (event, *(getattr(event, group) for group in events._TYPES)):
        hints = get_type_hints(type(holder))
        assert [] == [name for name, hint in hints.items() if not is_of(hint, getattr(holder, name))]


def is_of(hint: object, value: object) -> bool:
    """Whether the value has the annotated type, items included."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is tuple and inner[1:] == (...,):
        return isinstance(value, tuple) and all(is_of(inner[0], item) for item in value)
    if origin is tuple:
        return isinstance(value, tuple) and len(value) == len(inner) and all(map(is_of, inner, value))
    if hint == float | None:
        return value is None or type(value) in (int, float)
    return type(value) is (str if hint is Safe else hint)


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
