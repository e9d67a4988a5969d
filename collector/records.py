"""What lives left of redaction: raw records, what a parser read in them, and the batches that carry them.

Nothing here may be stored, logged or sent. `repr` shows no values, so that a traceback shows none either.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any, Generic, TypeVar

from msgspec import Struct, field

from collector.counted import Allowed
from collector.events import Event, Origin, Outcome, Responder
from collector.structs import Unshown

Item = TypeVar("Item")


class RawRecord(Unshown, Struct, gc=False):
    """One raw log record, in whichever form it arrived.

    `text` is a line (or a multi-line record); `fields` is a JSON object or OTLP body map; `attributes` are OTLP
    log attributes and `resource` its resource attributes. `time_ns` is the transport's time (0: none); `level` and
    `program` are what a shipper's wrapping says of the line ("": it is not wrapped, or nothing is said).
    """

    origin: Origin
    observed_ns: int
    text: str = ""
    fields: Mapping[str, Any] | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    resource: Mapping[str, Any] = field(default_factory=dict)
    time_ns: int = 0
    trace_id: str = ""
    span_id: str = ""
    gateway: str = ""  # the operator's word for the format; "" asks for detection
    level: str = ""
    program: str = ""


class Parsed(Unshown, Struct, gc=False):
    """What a gateway parser read in a record; still raw, still secret."""

    gateway: str
    status: int = 0
    time_ns: int = 0  # 0: the record has no time of its own
    method: str = ""
    path: str = ""  # with its query
    route: str = ""  # the gateway's own name of the matched route, when it logs one
    host: str = ""
    client: str = ""
    user_agent: str = ""
    trace_id: str = ""
    request_id: str = ""
    instance: str = ""
    version: str = ""
    # Request headers as logged, names in lower case. A name with an empty value or "-" was logged and was absent.
    headers: Mapping[str, str] = field(default_factory=dict)
    credential_logged: bool = False  # the format shows the Authorization header (or the token), present or not
    claims: Mapping[str, Any] | None = None  # decoded claims that the gateway wrote itself
    jose_header: Mapping[str, Any] | None = None
    reason: str = ""
    message: str = ""
    challenge: str = ""
    location: str = ""  # where a redirect leads
    flags: str = ""
    body_bytes: int = -1
    upstream_status: int = 0
    outcome: Outcome | None = None  # None: by status
    responder: Responder = Responder.UNKNOWN
    is_fragment: bool = False  # a line of an error or application log: others may tell of the same request
    thread: str = ""  # the connection or thread that such lines name when they belong together
    token_ends: str = ""  # what such a line shows of the token, which tells requests apart and proves nothing
    place: int = 0  # of the line among those that tell of one request, where their order is known: 1 is the first


@dataclass(frozen=True, slots=True)
class Position:
    """A contiguous run of one Kafka partition: the batch holds offsets first … next - 1 (gaps are compacted records)."""

    topic: str
    partition: int
    first: int
    next: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePlace:
    """How far a file was read: all records before `position` are in this batch or one before it. Of content, keyed digests only."""

    path: str
    device: int
    inode: int
    position: int  # bytes, of a .gz after decompression
    checked: int  # bytes that were read, of which the digests are: not less than `position`
    head: str  # digest of their first KiB
    last: str  # digest of their last KiB


def joined(positions: Iterable[Position]) -> list[Position]:
    """Adjacent runs of one partition as one run: sinks compare where a batch begins with where they stand."""
    runs: dict[tuple[str, int], list[Position]] = {}
    for position in positions:
        mine = runs.setdefault((position.topic, position.partition), [])
        if mine and mine[-1].next == position.first:
            mine[-1] = Position(position.topic, position.partition, mine[-1].first, position.next)
        else:
            mine.append(position)
    return [position for mine in runs.values() for position in mine]


@dataclass(slots=True, repr=False)
class Batch(Generic[Item]):
    """Items that are acknowledged together: `done` resolves when they are durable, or fails with the reason."""

    items: Sequence[Item]
    positions: tuple[Position, ...] = ()
    done: Future[None] = dataclass_field(default_factory=Future)
    source: str = ""  # whose it is, where sources take turns
    weight: int = 0  # bytes of memory, about, that the items hold beside a fixed amount for each; 0: their texts tell
    allowed: Sequence[Allowed] = ()  # requests that are counted and are no items
    samples: Sequence[Event] = ()  # some of these, whole
    places: tuple[FilePlace, ...] = ()

    @property
    def records(self) -> int:
        """How many records it stands for."""
        return len(self.items) + sum(each.count for each in self.allowed)
