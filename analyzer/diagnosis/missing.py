"""What to log or configure so that an uncertain answer becomes certain, as settings that an operator can change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from analyzer.diagnosis.findings import Case
from analyzer.knowledge.products import facts
from collector.events import TokenKind

SURE: Final = 0.9
BARE_TOKEN: Final = "token"  # noqa: S105  # not a password: the gateway kind of a token that was explained without a log line
_REASON: Final = "log the gateway's own reason next to the status"
_TOKEN: Final = "log the Authorization header"  # noqa: S105  # not a password
_DROPPED: Final = " (why401 discards the token and keeps only its structure)"


@dataclass(frozen=True, slots=True)
class LogSettings:
    """What to add to one gateway's log: imperatives that begin with a verb. `source` is where the setting is documented."""

    reason: str = _REASON
    token: str = _TOKEN
    source: str = ""
    logs_token: bool = True  # what `token` says puts the token itself into the log, not only its claims


ANY: Final = LogSettings()


@cache
def log_settings() -> Mapping[str, LogSettings]:
    """By gateway kind, as its logging.toml says."""
    names = ("reason", "token", "source", "logs_token")
    return {
        content["gateway"]: LogSettings(**{name: content[name] for name in names if name in content})
        for _, content in facts("gateway", "logging")
    }


def missing(case: Case, confidence: float) -> tuple[str, ...]:
    """What to log or configure, most useful first; nothing when the answer is certain."""
    texts = () if confidence >= SURE else tuple(_missing(case))
    return tuple(f"{text[0].upper()}{text[1:]}." for text in texts)


def _missing(case: Case) -> Iterator[str]:
    kind = case.event.gateway.kind
    if not case.event.words and kind != BARE_TOKEN:
        yield log_settings().get(kind, ANY).reason
    if case.event.token.kind in (TokenKind.UNKNOWN, TokenKind.REDACTED) and not case.shows_claims:
        settings = log_settings().get(kind, ANY)
        yield settings.token + (_DROPPED if settings.logs_token else "")
    if not case.issuers:
        yield "configure what the gateway expects under [[issuers]] in why401.toml"
    elif case.expected and not case.expected.jwks:
        yield f'configure the key set: jwks = "discovery" for issuer {case.expected.issuer}'
    if not case.event.time_known:
        yield "log the time of the request; without it `exp` and `nbf` cannot be checked"
