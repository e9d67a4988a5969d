"""Faults of gateways' configurations that refuse requests, found before any request fails. RULES is the list."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from collector.settings.checks import ALGORITHMS, is_loopback
from why401.expectations.inputs import Found
from why401.expectations.joined import skew_seconds, told
from why401.expectations.told import Document, Expectation, Issued, Place, Told
from why401.expectations.toml_text import algorithms_of, is_placeholder

ERROR: Final = "error"  # refuses requests, or lets requests in that should not be
WARNING: Final = "warning"  # refuses some requests, or is likely a mistake
NOTE: Final = "note"
_DAY: Final = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerFacts:
    """What `--fetch` learned of one issuer; `error` when it did not answer."""

    is_asked: bool = True
    issuer: str = ""  # as its metadata names it
    keys: tuple[Mapping[str, Any], ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault: which rule, how bad, where, and what to do."""

    rule: str
    level: str
    place: Place
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What the rules look at."""

    documents: tuple[Document, ...]
    facts: Mapping[str, IssuerFacts] = field(default_factory=dict)  # by configured issuer; empty without --fetch

    @property
    def expectations(self) -> tuple[Expectation, ...]:
        """Of all documents."""
        return tuple(one for document in self.documents for one in document.expectations)

    def of(self, one: Expectation) -> IssuerFacts:
        """What was fetched of its issuer."""
        return self.facts.get(one.issuer.text if one.issuer else "", _NOT_ASKED)


_NOT_ASKED: Final = IssuerFacts(is_asked=False)
Rule = Callable[[Subject], Iterator[Fault]]


def lint(found: Found, facts: Mapping[str, IssuerFacts] | None = None) -> tuple[Fault, ...]:
    """Every fault, errors first, in the order of the files.

    >>> from why401.expectations.inputs import read_text
    >>> text = '{"_format_version": "3.0", "consumers": [{"jwt_secrets": [{"key": "a", "algorithm": "RS256"}]}]}'
    >>> [fault.rule for fault in lint(Found(documents=tuple(read_text(text, "kong.json"))))]
    ['no-clock-skew', 'any-audience']
    """
    subject = Subject(documents=found.documents, facts=facts or {})
    faults = dict.fromkeys(fault for rule in RULES.values() for fault in rule(subject))
    return tuple(sorted(faults, key=lambda fault: (ERROR, WARNING, NOTE).index(fault.level)))


def _named(one: Expectation) -> str:
    return f"{one.gateway} {one.name}"


def issuer_spelling(subject: Subject) -> Iterator[Fault]:
    """Two configurations, or a configuration and the issuer's side, name one issuer in two spellings."""
    issuers = [one.issuer for one in subject.expectations if one.issuer]
    issuers += [one.issuer for document in subject.documents for one in document.issued if one.issuer]
    first: dict[str, Told] = {}
    for issuer in issuers:
        other = first.setdefault(_same(issuer.text), issuer)
        if other.text != issuer.text:
            says = f"issuer {issuer.text!r} is {other.text!r} in {other.place}; `iss` is compared byte by byte, so one of them refuses every token"
            yield Fault(rule="issuer-spelling", level=ERROR, place=issuer.place, says=says)


def _same(issuer: str) -> str:
    return issuer.rstrip("/").lower().removeprefix("https://").removeprefix("http://")


def issuer_metadata(subject: Subject) -> Iterator[Fault]:
    """The issuer's own metadata names another issuer (with --fetch)."""
    for one in subject.expectations:
        facts = subject.of(one)
        if one.issuer and facts.issuer not in ("", one.issuer.text):
            says = f"issuer {one.issuer.text!r}, but the issuer's metadata says {facts.issuer!r}: set that value, tokens have it as `iss`"
            yield Fault(rule="issuer-metadata", level=ERROR, place=one.issuer.place, says=says)


def key_set(subject: Subject) -> Iterator[Fault]:
    """The key set does not answer or holds no key for a signature (with --fetch)."""
    for one in subject.expectations:
        facts = subject.of(one)
        place = (one.jwks or one.issuer or Told(text="", place=one.place)).place
        if facts.error:
            yield Fault(rule="key-set", level=ERROR, place=place, says=f"the key set does not answer: {facts.error}")
        elif facts.is_asked and not _usable(facts):
            yield Fault(rule="key-set", level=ERROR, place=place, says="the key set holds no key for signatures")


def _usable(facts: IssuerFacts) -> list[Mapping[str, Any]]:
    return [key for key in facts.keys if key.get("use", "sig") == "sig" and key.get("kty") != "oct"]


def algorithm(subject: Subject) -> Iterator[Fault]:
    """No key that is known serves an algorithm that is required."""
    for one in subject.expectations:
        served = algorithms_of(_known_keys(subject, one))
        for alg in one.algorithms:
            if alg.text not in ALGORITHMS:
                says = f"{alg.text!r} is no signature algorithm of RFC 7518 or RFC 8037"
                yield Fault(rule="algorithm", level=ERROR, place=alg.place, says=says)
            elif served and alg.text not in served:
                says = f"{alg.text} is accepted, but the keys serve {', '.join(served)}: no token with {alg.text} can be verified"
                yield Fault(rule="algorithm", level=_how_bad(one, served), place=alg.place, says=says)


def _how_bad(one: Expectation, served: Sequence[str]) -> str:
    """Nothing can be verified, or something else can."""
    return WARNING if {alg.text for alg in one.algorithms} & set(served) else ERROR


def _known_keys(subject: Subject, one: Expectation) -> list[Told]:
    """The keys that were fetched, else those in the configuration."""
    fetched = [
        Told(text=" ".join(str(key[name]) for name in ("kid", "kty", "alg") if name in key), place=one.place)
        for key in _usable(subject.of(one))
    ]
    return fetched or [key for key in one.inline_keys if algorithms_of([key])]


def cache(subject: Subject) -> Iterator[Fault]:
    """A key set that is kept for more than a day: most issuers announce a new key no longer ahead."""
    for one in subject.expectations:
        kept = one.cache_seconds
        if kept and kept.text.isdigit() and int(kept.text) > _DAY:
            says = f"the key set is kept for {kept.text} s: after a rotation, good tokens are refused until then; at most {_DAY} s, better minutes"
            yield Fault(rule="key-set-cache", level=WARNING, place=kept.place, says=says)


def open_route(subject: Subject) -> Iterator[Fault]:
    """A route without a check beside routes that have one."""
    for document in subject.documents:
        for route in document.routes:
            if not route.is_checked:
                yield Fault(
                    rule="open-route",
                    level=WARNING,
                    place=route.pattern.place,
                    says=f"{route.pattern.text}: {route.why}",
                )


def scope_spelling(subject: Subject) -> Iterator[Fault]:
    """One scope in two spellings: `orders:read` here, `orders.read` there."""
    first: dict[str, Told] = {}
    for scope in (scope for one in subject.expectations for scope in one.required_scopes):
        other = first.setdefault("".join(letter for letter in scope.text.lower() if letter.isalnum()), scope)
        if other.text != scope.text:
            says = f"scope {scope.text!r} is {other.text!r} in {other.place}: a token has one of them"
            yield Fault(rule="scope-spelling", level=WARNING, place=scope.place, says=says)


def clock_skew(subject: Subject) -> Iterator[Fault]:
    """No leeway: clocks that differ by a second refuse new tokens."""
    for one in subject.expectations:
        if skew_seconds(one) == 0:
            where = one.skew_seconds.place if one.skew_seconds else one.place
            how = "set to 0" if one.skew_seconds else "not set, and the default is 0"
            says = f"{_named(one)}: clock skew is {how}: tokens of an issuer whose clock is ahead are refused; allow 30 to 60 s where the product can"
            yield Fault(rule="no-clock-skew", level=WARNING if one.skew_seconds else NOTE, place=where, says=says)


def any_audience(subject: Subject) -> Iterator[Fault]:
    """No audience is required."""
    for one in subject.expectations:
        if not one.audiences:
            says = f"{_named(one)}: any audience is accepted: a token for another service of this issuer opens this one (RFC 8725 section 3.9)"
            yield Fault(rule="any-audience", level=NOTE, place=one.place, says=says)


def audience_not_issued(subject: Subject) -> Iterator[Fault]:
    """An audience that the issuer's own configuration puts into no token."""
    issued = dict(_issued(subject))
    for one in subject.expectations:
        side = issued.get(_same(one.issuer.text)) if one.issuer else None
        if side and one.audiences and _texts(side.audiences).isdisjoint(_texts(one.audiences)):
            known = ", ".join(sorted(_texts(side.audiences)))
            says = f"audience {one.audiences[0].text!r} is in no token: {side.name} issues {known}"
            yield Fault(rule="audience-not-issued", level=ERROR, place=one.audiences[0].place, says=says)


def _issued(subject: Subject) -> Iterator[tuple[str, Issued]]:
    """The issuers' own sides that tell audiences, by issuer."""
    for document in subject.documents:
        for side in document.issued:
            if side.issuer and side.audiences:
                yield _same(side.issuer.text), side


def _texts(values: Sequence[Told]) -> set[str]:
    return {one.text for one in values}


def plain_http(subject: Subject) -> Iterator[Fault]:
    """A key set over plain http can be replaced on the way."""
    for one in subject.expectations:
        is_plain = one.jwks and one.jwks.text.startswith("http://")
        if one.jwks and is_plain and not is_loopback(urlsplit(one.jwks.text).hostname or ""):
            says = "the key set is fetched by plain http: whoever is on the way can replace the keys"
            yield Fault(rule="key-set-http", level=NOTE, place=one.jwks.place, says=says)


RULES: Final[Mapping[str, Rule]] = {
    "issuer-spelling": issuer_spelling,
    "issuer-metadata": issuer_metadata,
    "key-set": key_set,
    "algorithm": algorithm,
    "key-set-cache": cache,
    "open-route": open_route,
    "scope-spelling": scope_spelling,
    "no-clock-skew": clock_skew,
    "any-audience": any_audience,
    "audience-not-issued": audience_not_issued,
    "key-set-http": plain_http,
}


def to_fetch(expectations: Sequence[Expectation]) -> dict[str, Expectation]:
    """By issuer, the expectation whose metadata or key set is asked for; placeholders name nothing."""
    return {
        one.issuer.text: one
        for one in reversed(expectations)
        if one.issuer and not is_placeholder(one.issuer.text) and told(one, "jwks")
    }
