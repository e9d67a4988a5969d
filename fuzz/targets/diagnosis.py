"""Diagnosis of any event: exactly one code of the taxonomy, a confidence from 0 to 1, evidence, a stable group."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from enum import StrEnum
from typing import Any, TypeVar

from analyzer.grouping import CURRENT
from analyzer.pipeline import Analyzer
from analyzer.taxonomy import CODES
from collector.events import (
    Event,
    Gateway,
    Origin,
    Outcome,
    Request,
    Responder,
    TokenFacts,
    TokenKind,
    TokenTimes,
    Verification,
    Words,
)
from collector.gateways import PARSERS
from collector.safe import Safe
from collector.settings import IssuerSettings, Settings
from fuzz.stages import every, fixture_lines, must, text_of

_ISSUER = "https://idp.example.com/"
_SETTINGS = Settings(issuers=(IssuerSettings(issuer=_ISSUER, audiences=("orders-api",), algorithms=("RS256",)),))
_WORDS = (
    "",
    "RS256",
    "HS256",
    "none",
    "JWT",
    "at+jwt",
    _ISSUER,
    "orders-api",
    "k1",
    "dpop",
    "Bearer",
    "openid",
    "exp",
    "string",
    "number",
    "null",
)
_KINDS = ("", *(known.name for known in PARSERS))
# JSON has no NaN and no infinity, so no event has.
_TIMES = (None, 0.0, -1.0, 1.0, -600.0, 600.0, 1e12, -1e12, 59.9, 1e300)
_STATUS = (0, 200, 400, 401, 403, 407, 429, 431, 500, 503, 999)
_Kind = TypeVar("_Kind", bound=StrEnum)


class _Bytes:
    """Choices out of bytes; the last ones are text."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def number(self) -> int:
        self._at += 1
        return self._data[self._at - 1] if self._at <= len(self._data) else 0

    def one(self, items: Any) -> Any:
        return items[self.number() % len(items)]

    def kind(self, kinds: type[_Kind]) -> _Kind:
        return self.one(list(kinds))  # type: ignore[no-any-return]

    def words(self) -> tuple[Safe, ...]:
        return tuple(self.one(_WORDS) for _ in range(self.number() % 4))

    def pairs(self) -> tuple[tuple[Safe, Safe], ...]:
        return tuple((self.one(_WORDS), self.one(_WORDS)) for _ in range(self.number() % 4))

    def text(self) -> Safe:
        size = self.number()
        self._at += size
        return Safe(text_of(self._data[self._at - size : self._at]))


def event_of(data: bytes) -> Event:
    """An event that any collector might have written, or none would."""
    pick = _Bytes(data)
    words = Words(
        reason=pick.text(), message=pick.text(), challenge=pick.text(), flags=pick.one(("", "UAEX", "DC")),
        body_bytes=pick.number() - 1, upstream_status=pick.one(_STATUS),
    )  # fmt: skip
    token = TokenFacts(
        kind=pick.kind(TokenKind), scheme=pick.one(_WORDS), location=pick.one(("authorization", "message", "query:t")),
        credentials=pick.number() % 3, size=pick.number() * 99, parts=tuple(pick.number() for _ in range(pick.number() % 6)),
        signature_bytes=pick.number() - 1, alg=pick.one(_WORDS), typ=pick.one(_WORDS), cty=pick.one(_WORDS), kid=pick.one(_WORDS),
        enc=pick.one(_WORDS), zip=pick.one(_WORDS), crit=pick.words(), header_names=pick.words(), iss=pick.one(_WORDS), aud=pick.words(),
        client=pick.one(_WORDS), scopes=pick.words(), token_use=pick.one(_WORDS), cnf=pick.one(_WORDS), claims=pick.pairs(),
        faults=pick.pairs(), anomalies=pick.words(), verification=pick.kind(Verification), verified_by=pick.one(_WORDS), user=Safe("u"),
    )  # fmt: skip
    request = Request(
        method=pick.one(("", "GET", "OPTIONS")), route=Safe("/x"), status=pick.one(_STATUS), user_agent=pick.one(_WORDS)
    )
    return Event(
        time_ns=pick.number() * 10**16, observed_ns=10**18, origin=Origin(kind=Safe("file")),
        gateway=Gateway(kind=pick.one(_KINDS)), outcome=pick.kind(Outcome), responder=pick.kind(Responder),
        request=request, words=words, token=token,
        times=TokenTimes(
            iat_s=pick.one(_TIMES), nbf_s=pick.one(_TIMES), exp_s=pick.one(_TIMES), auth_time_s=pick.one(_TIMES)
        ),
    )  # fmt: skip


def check(data: bytes) -> None:
    """Judge it with and without configured issuers; judging is a function."""
    event = event_of(data)
    for settings in (_SETTINGS, Settings()):
        verdict = Analyzer(settings).judge(event)
        again = Analyzer(settings).judge(replace(event, observed_ns=event.observed_ns + 1))
        must((verdict.diagnosis, verdict.group) == (again.diagnosis, again.group), "equal events, equal verdicts")
        if verdict.diagnosis is None:
            continue
        said = verdict.diagnosis
        must(said.code in CODES, "a code of the taxonomy")
        must(0 <= said.confidence <= 1, "a confidence from 0 to 1")
        must(said.evidence and said.title, "evidence and a title")
        must(all(rival.code in CODES and rival.code != said.code for rival in said.rivals), "rivals are other codes")
        must(verdict.group == CURRENT(verdict.event, said), "the group is the fingerprint's")


def seeds() -> Iterable[bytes]:
    """Words of the fixtures with choices behind them."""
    for line in every(12, fixture_lines()):
        text = line[-200:]
        yield bytes((0, len(text))) + text + bytes(range(40, 100))
    yield bytes(200)
    yield bytes(range(256))
