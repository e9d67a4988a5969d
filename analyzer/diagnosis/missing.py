"""What to log or configure so that an uncertain answer becomes certain, as settings that an operator can change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from analyzer.diagnosis.cuts import Cutter, is_cut
from analyzer.diagnosis.findings import Case
from analyzer.diagnosis.messages import is_bare_status
from analyzer.knowledge.products import facts
from collector.events import TokenKind

SURE: Final = 0.9
BARE_TOKEN: Final = "token"  # noqa: S105  # not a password: the gateway kind of a token that was explained without a log line
_REASON: Final = "log the gateway's own reason next to the status"
_TOKEN: Final = "log the Authorization header"  # noqa: S105  # not a password
_DROPPED: Final = " (why401 discards the token and keeps only its structure)"


@dataclass(frozen=True, slots=True)
class LogSettings:
    """What to add to one gateway's log: imperatives that begin with a verb. `source` is where the setting is documented.

    `elsewhere`: where another program decided, and keeps the reason; said when one of `decided_by` is in the record.
    """

    reason: str = _REASON
    token: str = _TOKEN
    source: str = ""
    elsewhere: str = ""
    decided_by: Sequence[str] = ()
    logs_token: bool = True  # what `token` says puts the token itself into the log, not only its claims


ANY: Final = LogSettings()


@cache
def log_settings() -> Mapping[str, LogSettings]:
    """By gateway kind, as its logging.toml says."""
    names = ("reason", "token", "source", "elsewhere", "decided_by", "logs_token")
    return {
        content["gateway"]: LogSettings(**{name: content[name] for name in names if name in content})
        for _, content in facts("gateway", "logging")
    }


def missing(case: Case, confidence: float) -> tuple[str, ...]:
    """What to log or configure, most useful first; when the answer is certain, only that the log cuts tokens."""
    texts = (*_cut(case), *(() if confidence >= SURE else _missing(case)))
    return tuple(f"{text[0].upper()}{text[1:]}." for text in texts)


def _cut(case: Case) -> Iterator[str]:
    """What the log leaves of a token is used; whether its signature is right cannot be told from it."""
    token = case.event.token
    is_masked = token.kind is TokenKind.REDACTED and "elided" in token.anomalies
    if is_masked or (is_cut(token) and case.cut_by is Cutter.LOG):
        settings = log_settings().get(case.event.gateway.kind, ANY)
        how = f": {settings.token}" if settings.logs_token and settings is not ANY else ""
        yield f"log the whole token, which the log cuts or masks{how}{_DROPPED}"


def _missing(case: Case) -> Iterator[str]:
    kind = case.event.gateway.kind
    settings = log_settings().get(kind, ANY)
    yield from _elsewhere(case, settings)
    if _gives_no_reason(case) and kind != BARE_TOKEN:
        yield settings.reason
    if _is_unseen(case):
        yield settings.token + (_DROPPED if settings.logs_token else "")
    if not case.issuers:
        yield "configure what the gateway expects under [[issuers]] in why401.toml"
    elif case.expected and not case.expected.jwks:
        yield f'configure the key set: jwks = "discovery" for issuer {case.expected.issuer}'
    if not case.event.time_known:
        yield "log the time of the request; without it `exp` and `nbf` cannot be checked"


def _elsewhere(case: Case, settings: LogSettings) -> Iterator[str]:
    """Where to look, with the identifier that both logs share."""
    words, request = case.event.words, case.event.request
    said = f"{words.flags} {words.reason} {words.message}"
    if any(mark in said for mark in settings.decided_by):
        shared = request.request_id or request.trace_id
        yield settings.elsewhere + (f": look for {shared}" if shared else "")


def _gives_no_reason(case: Case) -> bool:
    words = case.event.words
    return all(is_bare_status(one) for one in (words.reason, words.message, words.challenge) if one)


def _is_unseen(case: Case) -> bool:
    """The log shows nothing of the token, not even that it cuts or masks it."""
    return case.is_unseen and not any(_cut(case))
