"""What of a record makes it findable for the other lines about its request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from collector.events import Event, Outcome
from collector.gateways import family_of
from collector.records import Parsed

_REFUSED: Final = (Outcome.DENIED, Outcome.ERROR)


@dataclass(frozen=True, slots=True, repr=False)
class Half:
    """By what the lines about one request find each other. Raw: never stored."""

    family: str  # gateway kinds that write each other's lines are one (`lines_like` of their registration)
    is_access: bool  # of an access log: one per request
    has_status: bool
    request_id: str
    thread: str
    place: int
    client: str
    method: str
    path: str
    time_ns: int


def half_of(parsed: Parsed, event: Event) -> Half | None:
    """What makes the event findable for the other lines about its request.

    None where nothing is left to join: a request that passed, a record that says nothing by which it could be found.
    """
    is_refused = event.outcome in _REFUSED or parsed.status >= 400
    if not is_refused or not (parsed.request_id or parsed.thread or parsed.client):
        return None
    return Half(
        family=family_of(event.gateway.kind),
        is_access=not parsed.is_fragment and parsed.status > 0,
        has_status=parsed.status > 0,
        request_id=parsed.request_id[:100],
        thread=parsed.thread[:60],
        place=parsed.place,
        client=parsed.client[:60],
        method=parsed.method[:20],
        path=parsed.path.partition("?")[0][:500],
        time_ns=event.time_ns,
    )
