"""Verdicts to Arrow columns of `store.events` and `store.descriptions`, and safe clocks.

TokenFacts, Words, Gateway and Diagnosis are shared between events, so their columns are built once per object and
taken by index; a storm of equal requests costs little more than its times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from analyzer.store import without_pandas
from analyzer.verdicts import Diagnosis, Group, Verdict
from collector.events import Event, arrival_ns, moment_us

without_pandas.settle()
NO_DIAGNOSIS: Final = Diagnosis(code="", cause="", confidence=0.0, title="")
NO_GROUP: Final = Group(id="", version="", parts=())

TIME: Final = pa.timestamp("us", "UTC")
TEXT: Final = pa.string()
TEXTS: Final = pa.list_(TEXT)
INT: Final = pa.int32()
LONG: Final = pa.int64()
REAL: Final = pa.float64()
WORDS: Final = pa.map_(TEXT, TEXT)
EVIDENCE: Final = pa.list_(pa.struct([("source", TEXT), ("says", TEXT)]))
RIVALS: Final = pa.list_(pa.struct([("code", TEXT), ("why_not", TEXT)]))
FIX: Final = pa.list_(pa.struct([("says", TEXT), ("source", TEXT)]))

Read = Callable[[Any], Any]
Spec = tuple[tuple[str, Any, Read], ...]


def event_us(event: Event) -> int:
    """Microseconds of the request (`moment_us`)."""
    return moment_us(event.time_ns, event.observed_ns)


def _positive(name: str) -> Read:
    get = attrgetter(name)
    return lambda item: value if (value := get(item)) > 0 else None


def _natural(name: str) -> Read:
    get = attrgetter(name)
    return lambda item: value if (value := get(item)) >= 0 else None


def _structs(name: str, *keys: str) -> Read:
    get = attrgetter(name)
    return lambda item: [{key: getattr(part, key) for key in keys} for part in get(item)]


def _text(name: str) -> Spec:
    return ((name, TEXT, attrgetter(name)),)


_GATEWAY: Final[Spec] = (
    ("gateway", TEXT, attrgetter("kind")),
    ("gateway_instance", TEXT, attrgetter("instance")),
    ("gateway_version", TEXT, attrgetter("version")),
)
_REQUEST: Final[Spec] = (
    *_text("method"), *_text("route"), *_text("host"), *_text("user_agent"), *_text("user_agent_version"),
    *_text("client_version"), *_text("trace_id"), *_text("request_id"),
    ("status", INT, _positive("status")),
    ("client_address", TEXT, attrgetter("client")),
)  # fmt: skip
_WORDS: Final[Spec] = (
    *_text("reason"), *_text("message"), *_text("challenge"), *_text("flags"),
    ("body_bytes", INT, _natural("body_bytes")),
    ("upstream_status", INT, _positive("upstream_status")),
)  # fmt: skip
_TOKEN: Final[Spec] = (
    *_text("scheme"), *_text("location"), *_text("alg"), *_text("typ"), *_text("kid"),
    ("token_kind", TEXT, attrgetter("kind.value")),
    ("credentials", INT, attrgetter("credentials")),
    ("token_size", INT, attrgetter("size")),
    ("parts", pa.list_(INT), attrgetter("parts")),
    ("signature_bytes", INT, _natural("signature_bytes")),
    ("issuer", TEXT, attrgetter("iss")),
    ("audiences", TEXTS, attrgetter("aud")),
    ("client_id", TEXT, attrgetter("client")),
    ("scopes", TEXTS, attrgetter("scopes")),
    ("claims", WORDS, lambda token: list(dict(token.claims).items())),
    ("anomalies", TEXTS, attrgetter("anomalies")),
    ("verification", TEXT, attrgetter("verification.value")),
    ("user_hash", TEXT, attrgetter("user")),
    ("key_epoch", INT, attrgetter("key_epoch")),
)  # fmt: skip
_TIMES: Final[Spec] = (
    ("iat_offset_s", REAL, attrgetter("iat_s")),
    ("nbf_offset_s", REAL, attrgetter("nbf_s")),
    ("exp_offset_s", REAL, attrgetter("exp_s")),
)
_ORIGIN: Final[Spec] = (
    ("origin_kind", TEXT, attrgetter("kind")),
    ("origin_source", TEXT, attrgetter("source")),
    ("origin_partition", INT, _natural("partition")),
    ("origin_offset", LONG, _natural("offset")),
)
_DIAGNOSIS: Final[Spec] = (
    *_text("code"), *_text("cause"), *_text("title"), *_text("near_miss"), *_text("library"),
    ("confidence", REAL, lambda diagnosis: diagnosis.confidence if diagnosis.code else None),
    ("evidence", EVIDENCE, _structs("evidence", "source", "says")),
    ("rivals", RIVALS, _structs("rivals", "code", "why_not")),
    ("missing", TEXTS, attrgetter("missing")),
    ("fix", FIX, _structs("fix", "says", "source")),
)  # fmt: skip
_OF_ONE: Final[Spec] = (  # not in the description of a group
    ("also", TEXTS, attrgetter("also")),
    *_text("expected"), *_text("received"), *_text("missing_scope"),
)  # fmt: skip
_EVENT: Final[Spec] = (
    ("event_time", TIME, event_us),
    ("observed_time", TIME, lambda event: arrival_ns(event.observed_ns) // 1000),
    ("outcome", TEXT, attrgetter("outcome.value")),
    ("responder", TEXT, attrgetter("responder.value")),
)
_DISCRIMINANT: Final[Spec] = (("discriminant", TEXT, attrgetter("discriminant")),)
_GROUP: Final[Spec] = (
    ("group_id", TEXT, attrgetter("id")),
    ("fingerprint_version", TEXT, attrgetter("version")),
    ("parts", WORDS, lambda group: list(dict(group.parts).items())),
)


def event_table(verdicts: Sequence[Verdict]) -> Any:
    """Arrow table with the columns of `store.events`. Raises what Arrow raises when a value does not fit."""
    columns: dict[str, Any] = {}
    for part in _EVENT_PARTS:
        columns |= part.columns(part.spec, [part.of(verdict) for verdict in verdicts])
    return pa.table(columns)


def description_table(latest: Iterable[Verdict]) -> Any:
    """Arrow table with the columns of `store.descriptions`, one row per verdict."""
    verdicts = list(latest)
    columns = _columns(_EVENT[:1], [verdict.event for verdict in verdicts])
    columns["described_at"] = columns.pop("event_time")
    columns |= _columns((*_DIAGNOSIS, *_DISCRIMINANT), [verdict.diagnosis or NO_DIAGNOSIS for verdict in verdicts])
    columns |= _columns(_GROUP, [verdict.group or NO_GROUP for verdict in verdicts])
    return pa.table(columns)


def table(schema: Mapping[str, Any], rows: Sequence[tuple[Any, ...]]) -> Any:
    """Arrow table of tuples in the schema's order."""
    columns = zip(*rows, strict=True) if rows else ([] for _ in schema)
    pairs = zip(schema.items(), columns, strict=True)
    return pa.table({name: clean(pa.array(values, kind)) for (name, kind), values in pairs})


def _columns(spec: Spec, items: Sequence[Any]) -> dict[str, Any]:
    return {name: clean(pa.array([read(item) for item in items], kind)) for name, kind, read in spec}


def _shared(spec: Spec, items: Sequence[Any]) -> dict[str, Any]:
    order: dict[int, int] = {}
    unique: list[Any] = []
    indices = []
    for item in items:
        index = order.setdefault(id(item), len(unique))
        if index == len(unique):
            unique.append(item)
        indices.append(index)
    if len(unique) == len(items):
        return _columns(spec, items)
    take = pa.array(indices, INT)
    return {name: column.take(take) for name, column in _columns(spec, unique).items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """Some columns of `store.events`, the object of a verdict that they are read from, and how."""

    spec: Spec
    of: Read
    columns: Callable[[Spec, Sequence[Any]], dict[str, Any]]


_EVENT_PARTS: Final = (
    _Part(spec=_EVENT, of=attrgetter("event"), columns=_columns),
    _Part(spec=_GATEWAY, of=attrgetter("event.gateway"), columns=_shared),
    _Part(spec=_REQUEST, of=attrgetter("event.request"), columns=_columns),
    _Part(spec=_WORDS, of=attrgetter("event.words"), columns=_shared),
    _Part(spec=_TOKEN, of=attrgetter("event.token"), columns=_shared),
    _Part(spec=_TIMES, of=attrgetter("event.times"), columns=_columns),
    _Part(spec=_ORIGIN, of=attrgetter("event.origin"), columns=_columns),
    _Part(spec=(*_DIAGNOSIS, *_OF_ONE), of=lambda verdict: verdict.diagnosis or NO_DIAGNOSIS, columns=_shared),
    _Part(spec=_GROUP[:1], of=lambda verdict: verdict.group or NO_GROUP, columns=_shared),
)


def clean(array: Any) -> Any:
    """The array with NUL characters removed from every text: DuckLake's inlined rows cannot carry them."""
    if pa.types.is_string(array.type):
        found = pc.any(pc.match_substring(array, "\0")).as_py()
        return pc.replace_substring(array, "\0", "") if found else array
    if pa.types.is_map(array.type):
        return pa.MapArray.from_arrays(array.offsets, clean(array.keys), clean(array.items))
    if pa.types.is_list(array.type):
        return pa.ListArray.from_arrays(array.offsets, clean(array.values))
    if pa.types.is_struct(array.type):
        names = [field.name for field in array.type]
        return pa.StructArray.from_arrays([clean(child) for child in array.flatten()], names)
    return array
