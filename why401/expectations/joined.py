"""Expectations of several files → entries of `[[issuers]]`: one per issuer, unless gateways or routes differ in what they expect."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from why401.expectations.told import Document, Expectation, Told

_LISTS: Final = ("audiences", "algorithms", "required_claims", "required_scopes")
_SINGLE: Final = ("jwks", "inline_set", "user_claim")


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerEntry:
    """One entry: equal expectations, and where it applies."""

    expectations: tuple[Expectation, ...]  # at least one; equal in everything that is written
    gateways: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()

    @property
    def issuer(self) -> Told | None:
        """The issuer, exactly as configured."""
        return self.expectations[0].issuer

    def told(self, field: str) -> tuple[Told, ...]:
        """The values of a field, each once, with all places of the first that tells it."""
        values: dict[str, Told] = {}
        for expectation in self.expectations:
            for one in told(expectation, field):
                values.setdefault(one.text, one)
        return tuple(values.values())

    def usual(self, field: str) -> str:
        """What the product does when nothing is set; "" when that is not known."""
        return self.expectations[0].usual.get(field, "")

    @property
    def skew_seconds(self) -> int | None:
        """The leeway, as set or as the product's default."""
        return skew_seconds(self.expectations[0])


def told(expectation: Expectation, field: str) -> tuple[Told, ...]:
    """A field's values as a tuple, whether it has one or many."""
    value = getattr(expectation, field)
    if isinstance(value, tuple):
        return value
    return (value,) if value else ()


def skew_seconds(expectation: Expectation) -> int | None:
    """The leeway in seconds; None when neither file nor product tells."""
    text = expectation.skew_seconds.text if expectation.skew_seconds else expectation.usual.get("skew_seconds", "")
    return int(text) if text.isdigit() else None


def entries(documents: Iterable[Document]) -> tuple[IssuerEntry, ...]:
    """One entry per issuer and set of expectations; issuers that differ in one character are two."""
    expectations = [one for document in documents for one in document.expectations]
    kinds = {one.gateway for one in expectations}
    by_issuer: dict[str, list[Expectation]] = {}
    for number, one in enumerate(expectations):
        by_issuer.setdefault(one.issuer.text if one.issuer else f"\0{number}", []).append(one)
    return tuple(entry for group in by_issuer.values() for entry in _of_issuer(group, kinds))


def _of_issuer(group: Sequence[Expectation], kinds: set[str]) -> list[IssuerEntry]:
    alike: dict[object, list[Expectation]] = {}
    for one in group:
        alike.setdefault(_key(one), []).append(one)
    found = []
    for same in alike.values():
        others = [one for one in group if one not in same]
        found.append(
            IssuerEntry(
                expectations=tuple(same),
                gateways=_gateways(same, kinds),
                routes=_routes(same, others),
            )
        )
    return _joined(sorted(found, key=lambda entry: not entry.routes))


def _joined(found: list[IssuerEntry]) -> list[IssuerEntry]:
    """Entries that nothing tells apart would hide each other: the first of an issuer counts. They become one, with all values."""
    by_scope: dict[object, list[IssuerEntry]] = {}
    for entry in found:
        by_scope.setdefault((entry.gateways, entry.routes), []).append(entry)
    return [
        IssuerEntry(
            expectations=tuple(one for entry in same for one in entry.expectations),
            gateways=same[0].gateways,
            routes=same[0].routes,
        )
        for same in by_scope.values()
    ]


def _key(expectation: Expectation) -> object:
    lists = tuple(frozenset(one.text for one in told(expectation, field)) for field in _LISTS)
    single = tuple(one.text if (one := getattr(expectation, field)) else "" for field in _SINGLE)
    return lists, single, skew_seconds(expectation)


def _gateways(same: Sequence[Expectation], kinds: set[str]) -> tuple[str, ...]:
    """Named when some gateway that was read does not expect this."""
    here = {one.gateway for one in same}
    return () if here == kinds else tuple(sorted(here))


def _routes(same: Sequence[Expectation], others: Sequence[Expectation]) -> tuple[str, ...]:
    """Named where they are needed: the same gateway expects something else of this issuer elsewhere, or scopes are required."""
    here = {one.gateway for one in same}
    is_needed = any(one.gateway in here for one in others) or any(one.required_scopes for one in same)
    return _patterns(same) if is_needed and all(one.routes for one in same) else ()


def _patterns(same: Sequence[Expectation]) -> tuple[str, ...]:
    """The routes when all of them can be written: no regular expression, no rule of the product's own."""
    patterns = tuple(dict.fromkeys(route.text for one in same for route in one.routes))
    return patterns if all(pattern.startswith("/") for pattern in patterns) else ()
