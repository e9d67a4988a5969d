"""What will break next, in sentences, the nearest first: pure, without a store or a page. Plain text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from dashboard import wording

Rows = Iterable[Mapping[str, Any]]
SHOWN: Final = 12


def sentences(unmet: Rows, keys: Rows, leeway: Rows, now: datetime) -> list[str]:
    """Of the rows of `next_unmet`, `next_keys` and `next_leeway`; empty when nothing is in sight."""
    found = [*(_unmet(row, now) for row in unmet), *(_key(row, now) for row in keys), *(_leeway(row) for row in leeway)]
    return found[:SHOWN]


def _unmet(row: Mapping[str, Any], now: datetime) -> str:
    where = _where(row)
    key = f"signing key {_name(row['kid'])} of {_name(row['issuer'])}, first seen {wording.ago(row['first_seen'], now)}"
    if row["failed"]:
        return f"{where} refuses every token with the new {key} ({wording.count(row['failed'])} so far): it has not fetched the key set since."
    return f"{where} has not met the new {key}. Let it fetch the key set before its clients' tokens change over."


def _key(row: Mapping[str, Any], now: datetime) -> str:
    return (
        f"Key {_name(row['kid'])} is no longer in the key set of {_name(row['issuer'])}, and tokens with it still pass at "
        f"{wording.listed(row['gateways'])} ({wording.count(row['tokens'])} in the sample, the last {wording.ago(row['last_passed'], now)}). "
        "They are refused as soon as the gateway fetches the key set again."
    )


def _leeway(row: Mapping[str, Any]) -> str:
    """One sentence per issuer and gateway.

    >>> row = {"gateway": "envoy", "gateway_instance": "edge-1", "issuer": "https://a", "tokens": 200, "expired": 3, "early": 0, "longest_expired_s": 41.0}
    >>> _leeway(row)
    'At envoy edge-1, 3 of 200 sampled tokens of https://a passed only because of leeway: up to 41 s after exp. Check the clocks, and let clients renew earlier.'
    """
    late = f"up to {wording.span(row['longest_expired_s'])} after exp" if row["expired"] else ""
    early = f"up to {wording.span(row['most_early_s'])} before iat or nbf" if row["early"] else ""
    how = " and ".join(filter(None, (late, early)))
    what = f"{wording.count(row['expired'] + row['early'])} of {wording.count(row['tokens'])} sampled tokens of {_name(row['issuer']) or 'no issuer'}"
    return f"At {_where(row)}, {what} passed only because of leeway: {how}. Check the clocks, and let clients renew earlier."


def _where(row: Mapping[str, Any]) -> str:
    return " ".join(filter(None, (_name(row["gateway"]), _name(row["gateway_instance"]))))


def _name(value: Any) -> str:
    return wording.visible(value, 120)
