"""What rules may see of a request: what it shares with every other request that was refused for the same reason.

Whose token it is, which of a thousand, when and with which request id it came decides nothing. Such an event without them is
evidence; equal evidence is diagnosed once, however many tokens there are. What a sentence names of a request after all stands in
it as a hole (`THIS_REQUEST`), which `told_of` fills in.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from msgspec.structs import replace

from analyzer.diagnosis.cuts import is_cut
from analyzer.diagnosis.findings import quantise
from analyzer.verdicts import Diagnosis
from collector.events import Event, Origin, Request, TokenFacts, TokenKind, TokenTimes
from collector.safe import EMPTY, THIS_REQUEST

LARGE_TOKEN: Final = 7_000  # characters; with the other headers close to the 8 KiB at which most servers stop
MAX_TOKENS: Final = 20_000
_NOWHERE: Final = Origin(kind=EMPTY)


def evidence_of(event: Event) -> Event:
    """The event without what is its own; times are quantised. Equal events of one kind of refusal have equal evidence."""
    request = event.request
    return Event(
        time_ns=0,
        observed_ns=0,
        origin=_NOWHERE,
        gateway=event.gateway,
        outcome=event.outcome,
        responder=event.responder,
        request=Request(
            method=request.method,
            status=request.status,
            request_id=THIS_REQUEST if request.request_id or request.trace_id else EMPTY,
        ),
        words=event.words,
        token=_nobodys(event.token),
        times=quantise(event.times),
        time_known=event.time_known,
        zone_known=event.zone_known,
    )


@lru_cache(maxsize=MAX_TOKENS)
def _nobodys(token: TokenFacts) -> TokenFacts:
    """The token's facts without its user. Lengths tell nothing of a whole JWS, unless it is too long for a header."""
    if token.kind is not TokenKind.JWS or is_cut(token) or token.size > LARGE_TOKEN:
        return replace(token, user=EMPTY, key_epoch=0)
    lengths = tuple([min(length, 1) for length in token.parts])
    return replace(token, user=EMPTY, key_epoch=0, size=0, parts=lengths)


def lifetime_s(times: TokenTimes) -> float:
    """The token's lifetime in whole seconds, which quantised times do not tell; 0 when it is not known."""
    if times.exp_s is None or times.iat_s is None:
        return 0.0
    return float(round(times.exp_s - times.iat_s))


def told_of(event: Event, diagnosis: Diagnosis) -> Diagnosis:
    """The diagnosis with the request's id where a sentence names it."""
    first = diagnosis.missing[0] if diagnosis.missing else ""
    if THIS_REQUEST not in first:
        return diagnosis
    named = first.replace(THIS_REQUEST, event.request.request_id or event.request.trace_id)
    return replace(diagnosis, missing=(named, *diagnosis.missing[1:]))
