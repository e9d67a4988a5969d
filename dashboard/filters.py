"""The filters of the page as the address names them: pure, without a store or a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

NONE: Final = "(none)"
"""In the address and in a list: requests without such a value."""
COLUMNS: Final = {
    "instance": "gateway_instance",
    "issuer": "issuer",
    "client": "client_id",
    "route": "route",
    "cause": "cause",
    "code": "code",
}
"""Filter → its column in the views `counts` and `failures`. The gateway is a filter, too, and has a list of its own."""
DIMENSIONS: Final = {
    "gateway": "gateway",
    **COLUMNS,
    "outcome": "outcome",
    "responder": "responder",
    "group": "group_id",
}
"""What Explore counts by → its column in the view `counts`."""
_OF_REFUSALS: Final = ("cause", "code")
LABELS: Final = {
    "instance": "Instance",
    "issuer": "Issuer",
    "client": "Client",
    "route": "Route",
    "cause": "Cause",
    "code": "Code",
}
LONGEST: Final = 300  # characters of a value in the address
MAX_SPAN: Final = timedelta(days=400)  # as long as sums are kept by default
MIN_SPAN: Final = timedelta(minutes=1)
BARS: Final = 100  # at most, in a chart
_WIDTHS: Final = (60, 300, 900, 3_600, 7_200, 21_600, 86_400, 604_800)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """An absolute time range [since, until)."""

    since: datetime
    until: datetime

    @property
    def link(self) -> dict[str, str]:
        """The query parameters that name it, to the minute."""
        return {"from": written(self.since), "to": written(self.until)}


def condition(params: Mapping[str, Any]) -> str:
    """What `$scope` stands for in a statement over `counts` or `failures`: the gateway and the filters that are set.

    A cause or a code is one of a refusal: requests that passed stay in, so that shares keep their denominator.

    >>> condition({"gateway": "envoy", "issuer": "", "code": "token_expired"})
    "(gateway = $gateway AND (outcome = 'allowed' OR (if(code = '', '(none)', code) = $code)))"
    >>> condition({})
    '(true)'
    """
    given = [name for name in COLUMNS if params.get(name)]
    terms = ["gateway = $gateway"] if params.get("gateway") else []
    terms += [_term(name) for name in given if name not in _OF_REFUSALS]
    if refused := [_term(name) for name in given if name in _OF_REFUSALS]:
        terms.append(f"(outcome = 'allowed' OR ({' AND '.join(refused)}))")
    return f"({' AND '.join(terms) or 'true'})"


def _term(name: str) -> str:
    column = COLUMNS[name]
    return f"if({column} = '', '{NONE}', {column}) = ${name}"


def chosen(address: Mapping[str, str]) -> dict[str, str]:
    """Filter → value, for the filters that an address sets.

    >>> chosen({"issuer": "https://idp.example.com", "code": "", "colour": "red"})
    {'issuer': 'https://idp.example.com'}
    """
    return {name: address[name][:LONGEST] for name in COLUMNS if address.get(name)}


def written(moment: datetime) -> str:
    """A moment as it stands in an address.

    >>> written(datetime(2026, 11, 30, 14, 3, 20, tzinfo=UTC))
    '2026-11-30T14:03Z'
    """
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%MZ}"


def span(address: Mapping[str, str]) -> Span | str | None:
    """The absolute range of an address; what is wrong with it, in a sentence; or None when it names none.

    >>> span({"from": "2026-11-30T14:00Z", "to": "2026-11-30T15:00Z"}).until.hour
    15
    >>> span({"from": "yesterday", "to": "2026-11-30T15:00Z"})
    "The link's time range cannot be read: from is 'yesterday', expected a time such as 2026-11-30T14:03Z."
    >>> span({"range": "1h"}) is None
    True
    """
    given = {name: address[name][:40] for name in ("from", "to") if address.get(name)}
    if not given:
        return None
    read = {name: _moment(text) for name, text in given.items()}
    for name in ("from", "to"):
        if read.get(name) is None:
            value = f"{given[name]!r}" if name in given else "missing"
            return (
                f"The link's time range cannot be read: {name} is {value}, expected a time such as 2026-11-30T14:03Z."
            )
    return between(read["from"], read["to"])


def between(since: datetime | None, until: datetime | None) -> Span | str:
    """The range of two moments, or what is wrong with it."""
    if since is None or until is None:
        return "A time range needs a beginning and an end."
    if until - since < MIN_SPAN:
        return f"The time range ends before it begins: from {written(since)} to {written(until)}."
    if until - since > MAX_SPAN:
        return f"The time range is {(until - since).days} days long; at most {MAX_SPAN.days} days are shown."
    return Span(since=since, until=until)


def width(length: timedelta) -> int:
    """Seconds of one bar, so that a chart has at most BARS.

    >>> width(timedelta(hours=1)), width(timedelta(days=400))
    (60, 604800)
    """
    return next((width for width in _WIDTHS if length.total_seconds() / width <= BARS), _WIDTHS[-1])


def told(values: Mapping[str, str], name: Callable[[str, str], str]) -> str:
    """The filters in words; `name` gives a value as people read it.

    >>> told({"issuer": "https://a.example", "code": "token_expired"}, lambda _, value: value)
    'issuer https://a.example, code token_expired'
    """
    return ", ".join(f"{LABELS[key].lower()} {name(key, value)}" for key, value in values.items())


def _moment(text: str) -> datetime | None:
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
