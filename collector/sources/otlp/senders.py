"""Who sends: bearer tokens of a file, or access tokens of an OpenID provider (docs/decisions/0012).

A sender is known before its request's body is read. What is presented is never kept, logged or repeated in an answer.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import jwt

from collector.errors import ConfigurationError
from collector.settings import IssuerSettings, OidcSettings
from collector.settings.private import read_private
from collector.sources.otlp.receiver import Refusal, Refused, unavailable
from collector.telemetry import Telemetry
from collector.token.verification import KeySet, KeySets, fitting

log = logging.getLogger("why401.otlp")
MAX_TOKENS: Final = 100  # names of senders are attribute values of a counter
MIN_LENGTH: Final = 32  # characters; a guess must be hopeless, because the file's tokens are hashed without salt
MAX_LENGTH: Final = 16_384  # characters of what a sender presents
LOOK_SECONDS: Final = 1.0  # how often the file is looked at
MAX_TRIED: Final = 8  # keys, for a token that names none
_B64_SYMBOLS: Final = frozenset(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/="
)  # RFC 6750, 2.1
_REQUIRED: Final = ("exp", "iss", "aud")
_TOLD: Final[Sequence[tuple[type[jwt.PyJWTError], str, str]]] = (
    (jwt.ExpiredSignatureError, "expired", "the token has expired"),
    (jwt.ImmatureSignatureError, "not_yet_valid", "the token is not valid yet"),
    (jwt.InvalidAudienceError, "wrong_audience", "the token is for another audience"),
    (jwt.InvalidIssuerError, "wrong_issuer", "the token is of another issuer"),
    (jwt.MissingRequiredClaimError, "missing_claim", f"the token lacks one of {', '.join(_REQUIRED)}"),
    (jwt.InvalidSignatureError, "bad_signature", "the token's signature does not verify"),
    (jwt.InvalidAlgorithmError, "wrong_algorithm", "the token's alg is not accepted"),
)


class SenderRefused(Refused):
    """A request whose sender may not come in. `reason` is of a closed set; nothing holds any part of the credential."""

    def __init__(self, reason: str, why: str, *, scope: str | None = None) -> None:
        super().__init__(Refusal.UNAUTHENTICATED if scope is None else Refusal.FORBIDDEN, why)
        self.reason = reason
        self._scope = scope

    @property
    def challenge(self) -> str:
        """The value of WWW-Authenticate (RFC 6750, section 3): no error code for a request without a credential."""
        out = 'Bearer realm="why401"'
        if self.reason == "no_credential":
            return out
        error = "invalid_token" if self._scope is None else "insufficient_scope"
        scope = f', scope="{self._scope}"' if self._scope else ""
        return f'{out}, error="{error}", error_description="{self.why}"{scope}'


def credential(values: Sequence[str], scheme: str = "Bearer", *, takes_basic: bool = False) -> str:
    """The token of the request's Authorization fields. Raises SenderRefused.

    `scheme`: what the protocol asks for. With `takes_basic`, shippers that know only passwords send the token as the password of HTTP Basic.
    """
    if not values:
        raise SenderRefused("no_credential", f"send Authorization: {scheme} <token>")
    if len(values) > 1:
        raise SenderRefused("malformed", "more than one Authorization")
    sent, _, token = values[0].partition(" ")
    token = token.strip(" ")
    if takes_basic and sent.lower() == "basic":
        token = _password(token)
    elif sent.lower() != scheme.lower():
        raise SenderRefused("wrong_scheme", f"the scheme must be {scheme}")
    if not token or len(token) > MAX_LENGTH or not _B64_SYMBOLS.issuperset(token):
        raise SenderRefused("malformed", f"what follows {scheme} is no token")
    return token


def _password(encoded: str) -> str:
    """Of RFC 7617's credentials; "" when they are none."""
    try:
        return base64.b64decode(encoded[:MAX_LENGTH], validate=True).decode().partition(":")[2]
    except ValueError:
        return ""


class TokenFile:
    """Bearer tokens of senders: a line each, `name token` or `name sha256:<hex>`; # begins a comment.

    In memory there are digests only. A changed file is read within LOOK_SECONDS; one that cannot be used is counted,
    and what was known stays. Raises ConfigurationError when the first reading fails.
    """

    __slots__ = ("_digests", "_looked", "_path", "_stamp", "_telemetry")

    def __init__(self, path: Path, telemetry: Telemetry) -> None:
        self._path = path
        self._telemetry = telemetry
        self._stamp = _stamp(path)
        self._looked = time.monotonic()
        self._digests = _digests(path)
        if not self._digests:
            raise ConfigurationError("otlp.token_file", str(path), 'expected a line "name token" for each sender')

    @property
    def names(self) -> tuple[str, ...]:
        """The senders, in the file's order."""
        return tuple(name for name, _ in self._digests)

    def sender(self, token: str) -> str:
        """The name of the token's owner, "" for nobody. The time it takes does not tell how near a guess is."""
        self._look()
        presented = hashlib.sha256(token.encode()).digest()
        found = ""
        for name, known in self._digests:
            if hmac.compare_digest(known, presented):
                found = name
        return found

    def _look(self) -> None:
        now = time.monotonic()
        if now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        stamp = _stamp(self._path)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._digests = _digests(self._path)
        except ConfigurationError as error:
            self._telemetry.count("why401.errors", stage="otlp_tokens", kind=type(error).__name__)
            log.warning("%s; the tokens known before stay", error)
        else:
            log.info("otlp.token_file was read again: %s", ", ".join(self.names) or "nobody may come in")


def _stamp(path: Path) -> tuple[int, int, int]:
    try:
        status = path.stat()
    except OSError:
        return (0, 0, 0)
    return (status.st_mtime_ns, status.st_size, status.st_ino)


def _digests(path: Path) -> tuple[tuple[str, bytes], ...]:
    text = read_private(path, "otlp.token_file")
    rows = [(n, line.split()) for n, line in enumerate(text.splitlines(), 1)]
    out = tuple(_digest(path, n, words) for n, words in rows if words and not words[0].startswith("#"))
    if len(out) > MAX_TOKENS or len(dict(out)) < len(out):
        raise ConfigurationError(
            "otlp.token_file", str(path), f"expected at most {MAX_TOKENS} tokens of different names"
        )
    return out


def _digest(path: Path, number: int, words: Sequence[str]) -> tuple[str, bytes]:
    where = f"{path} line {number}"
    if len(words) != 2:
        raise ConfigurationError("otlp.token_file", where, 'expected "name token"')
    name, token = words
    if token.startswith("sha256:"):
        try:
            digest = bytes.fromhex(token.removeprefix("sha256:"))
        except ValueError:
            digest = b""
        if len(digest) != hashlib.sha256().digest_size:
            raise ConfigurationError("otlp.token_file", where, "expected 64 hex digits after sha256:")
        return name, digest
    if len(token) < MIN_LENGTH or not _B64_SYMBOLS.issuperset(token):
        right = f"expected a token of {MIN_LENGTH} or more characters, as `openssl rand -base64 32` makes one"
        raise ConfigurationError("otlp.token_file", where, right)
    return name, hashlib.sha256(token.encode()).digest()


@dataclass(frozen=True, slots=True)
class OidcSenders:
    """Access tokens of one OpenID provider, verified by its configured key set only (RFC 8725)."""

    settings: OidcSettings
    key_sets: KeySets

    @classmethod
    def of(cls, settings: OidcSettings, base: Path, telemetry: Telemetry) -> OidcSenders:
        """With a key set of its own, not yet loaded. Raises ConfigurationError without an audience."""
        if not settings.audience:
            raise ConfigurationError("otlp.oidc.audience", "", "is required: a token for anybody else must not open us")
        issuer = IssuerSettings(issuer=settings.issuer, jwks=settings.jwks)
        return cls(settings, KeySets((issuer,), base, telemetry))

    def __enter__(self) -> Self:
        self.key_sets.load()
        self.key_sets.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.key_sets.close()

    def verify(self, token: str) -> None:
        """Raises SenderRefused, or a retryable Refused while there is no key to verify with."""
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError:
            reason = "malformed" if token.count(".") == 2 else "unknown_token"
            raise SenderRefused(reason, "the token is not known here") from None
        alg, kid = header.get("alg"), header.get("kid", "")
        if alg not in self.settings.algorithms or not isinstance(kid, str):
            raise SenderRefused("wrong_algorithm", "the token's alg is not accepted")
        self._permit(self._claims(token, alg, self._keys(alg, kid)))

    def _keys(self, alg: str, kid: str) -> Sequence[Mapping[str, Any]]:
        held = self.key_sets.of(self.settings.issuer) or KeySet()
        if not held.keys:
            raise unavailable("the issuer's key set cannot be had at the moment")
        keys = fitting(held.keys, kid, alg)[:MAX_TRIED]
        if not keys:
            self.key_sets.hurry(self.settings.issuer)
            raise SenderRefused("unknown_key", "the token's key is not in the issuer's key set")
        return keys

    def _claims(self, token: str, alg: str, keys: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        refused = SenderRefused("bad_signature", "the token's signature does not verify")
        for key in keys:
            try:
                return self._decode(token, jwt.PyJWK(dict(key), algorithm=alg), alg)
            except jwt.InvalidSignatureError:
                continue
            except (jwt.PyJWTError, ValueError, TypeError) as error:
                refused = _told(error)
        raise refused

    def _decode(self, token: str, key: jwt.PyJWK, alg: str) -> Mapping[str, Any]:
        return jwt.decode(
            token,
            key,
            algorithms=[alg],
            audience=self.settings.audience,
            issuer=self.settings.issuer,
            leeway=self.settings.clock_skew_seconds,
            options={"require": list(_REQUIRED)},
        )

    def _permit(self, claims: Mapping[str, Any]) -> None:
        if self.settings.scope and self.settings.scope not in _words(claims.get("scope", claims.get("scp"))):
            raise SenderRefused("wrong_scope", "the token lacks the scope", scope=self.settings.scope)
        for name, expected in self.settings.claims.items():
            if expected not in _words(claims.get(name), split=False):
                raise SenderRefused("wrong_claim", f"the token's {name} is not the one expected", scope="")


def _told(error: Exception) -> SenderRefused:
    for kind, reason, why in _TOLD:
        if isinstance(error, kind):
            return SenderRefused(reason, why)
    return SenderRefused("malformed", "the token cannot be read")


def _words(value: object, *, split: bool = True) -> list[object]:
    if isinstance(value, str):
        return list(value.split(" ")) if split else [value]
    return list(value) if isinstance(value, list) else [value]
