"""Does the signature verify with the *configured* issuers' keys? Never with anything that the token points to.

Key sets come from a file or from the URL that the operator configured; `jku`, `x5u`, `jwk` and `iss` of a token are
never followed. Fetching runs in a thread of its own: the pipeline looks only at what is there.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

from collector.errors import ConfigurationError
from collector.events import Verification
from collector.redaction import safe_id
from collector.safe import EMPTY, Safe
from collector.settings import IssuerSettings, Settings
from collector.settings.checks import is_document
from collector.settings.private import read_regular
from collector.telemetry import Telemetry

REFRESH_SECONDS: Final = 300.0  # Envoy's and Nimbus' default cache lifetime: older than theirs would blame them wrongly
RETRY_SECONDS: Final = 15.0
HURRY_SECONDS: Final = 5.0  # between two fetches that unknown kids asked for
MAX_KEYS: Final = 200
MAX_JWKS_BYTES: Final = 1 << 20  # as for a URL
MAX_ISSUER: Final = 2_000
MAX_ISSUERS: Final = 1_000  # whose keys are kept, those of earlier configurations too
_HURRIED: Final = 0.0  # due at once
PEM: Final = b"-----BEGIN "
MAX_LEARNED: Final = 50  # kids of keys that name none, per issuer
Fetch = Callable[[str], bytes]
KeysChanged = Callable[[str, tuple[str, ...], tuple[str, ...]], None]
"""`changed(issuer, came, went)`: ids of keys that a key set has and had not, and the other way round. May raise: that is counted."""


@dataclass(frozen=True, slots=True)
class KeySet:
    """One issuer's keys as they were at `read_at`; `error` says why the fetch at `fetched_at` gave none."""

    keys: tuple[Mapping[str, Any], ...] = ()
    read_at: float = 0.0
    fetched_at: float = 0.0
    error: str = ""
    is_unreachable: bool = False  # the error is one of transport, not of content
    version: int = 0  # grows when the keys change or were asked for, so that verifications made before are not reused

    @property
    def kids(self) -> tuple[str, ...]:
        """Key ids, in order."""
        return tuple(str(key["kid"]) for key in self.keys if "kid" in key)


@dataclass(frozen=True, slots=True)
class Verified:
    """The outcome and whose keys were tried."""

    verification: Verification
    issuer: Safe = EMPTY
    detail: str = ""  # what was odd, in words without secrets: "kid not in the key set of 2 keys"


NOT_CHECKED: Final = Verified(Verification.NOT_CHECKED)


def _over_https(url: str) -> bytes:
    from collector.token.fetching import fetch_url  # an HTTP client takes 30 ms to import; few commands need one

    return fetch_url(url)


@dataclass(slots=True)
class KeySets:
    """The key sets of all configured issuers, kept fresh in the background."""

    issuers: Sequence[IssuerSettings]
    base: Path
    telemetry: Telemetry
    fetch: Fetch = _over_https
    changed: KeysChanged | None = None
    _sets: dict[str, KeySet] = field(default_factory=dict)
    _due: dict[str, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def load(self) -> None:
        """Read every key set once; a file that cannot be used stops the start (ConfigurationError), a URL does not."""
        for number, issuer in enumerate(self.issuers):
            if issuer.jwks:
                self._refresh(issuer)
                error = self._sets[issuer.issuer].error
                if error and not _is_remote(issuer):
                    key = f"issuers[{number}].jwks"
                    raise ConfigurationError(key, issuer.jwks, f"expected a readable JWKS: {error}")

    def expect(self, issuers: Sequence[IssuerSettings]) -> None:
        """These from now on, fetched at once where they are others; what was configured before is still verified with."""
        known = {issuer.issuer: issuer for issuer in self.issuers}
        changed = [issuer for issuer in issuers if known.get(issuer.issuer, issuer).jwks != issuer.jwks]
        named = {issuer.issuer for issuer in issuers}
        with self._lock:
            for issuer in changed:
                self._due[issuer.issuer] = _HURRIED
            self.issuers = (*issuers, *(one for one in self.issuers if one.issuer not in named))[:MAX_ISSUERS]

    def start(self) -> None:
        """Keep them fresh until `close`."""
        self._thread = threading.Thread(target=self._run, name="key-sets", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop refreshing. Idempotent."""
        self._stop.set()
        if self._thread:
            self._thread.join(timeout=10)

    def of(self, issuer: str) -> KeySet | None:
        """The key set of a configured issuer; None when none is configured."""
        return self._sets.get(issuer)

    @property
    def version(self) -> int:
        """Changes whenever any key set changed."""
        return sum(keys.version for keys in self._sets.values())

    @property
    def is_kept(self) -> bool:
        """Whether they are kept fresh: what is not there may come."""
        return self._thread is not None

    def hurry(self, issuer: str) -> None:
        """A token had a kid that the set does not hold: fetch again soon, at most every HURRY_SECONDS."""
        with self._lock:
            held = self._sets.get(issuer)
            if held and time.time() - held.fetched_at > HURRY_SECONDS:
                self._due[issuer] = _HURRIED

    def _run(self) -> None:
        while not self._stop.wait(0.5):
            now = time.time()
            for issuer in self.issuers:
                if issuer.jwks and self._due.get(issuer.issuer, 0.0) <= now:
                    self._refresh(issuer)

    def _refresh(self, issuer: IssuerSettings) -> None:
        old = self._sets.get(issuer.issuer, KeySet())
        try:
            keys = parse_jwks(self._read(issuer))
            is_news = keys != old.keys or self._due.get(issuer.issuer) == _HURRIED
            new = KeySet(keys, time.time(), time.time(), version=old.version + is_news)
            wait = REFRESH_SECONDS if _is_remote(issuer) else RETRY_SECONDS
        except (OSError, ValueError) as error:
            self.telemetry.count("why401.errors", stage="key_sets", kind=type(error).__name__)
            is_unreachable = not isinstance(error, ValueError)
            new = KeySet(
                old.keys, old.read_at, time.time(), f"{type(error).__name__}: {error}", is_unreachable, old.version
            )
            wait = RETRY_SECONDS
        with self._lock:
            self._sets[issuer.issuer] = new
            self._due[issuer.issuer] = time.time() + wait
        if old.read_at and old.kids != new.kids:
            self._tell(issuer.issuer, set(old.kids), set(new.kids))

    def _tell(self, issuer: str, old: set[str], new: set[str]) -> None:
        try:
            if self.changed and old != new:
                self.changed(issuer, tuple(sorted(new - old)), tuple(sorted(old - new)))
        except Exception as error:  # the keys are used all the same
            self.telemetry.count("why401.errors", stage="key_sets", kind=type(error).__name__)

    def _read(self, issuer: IssuerSettings) -> bytes:
        if is_document(issuer.jwks):
            return issuer.jwks.encode()
        if not _is_remote(issuer):
            return read_regular(self.base / issuer.jwks, MAX_JWKS_BYTES)
        url = issuer.jwks
        if url == "discovery":
            url = self._discover(issuer.issuer)
        return self.fetch(url)

    def _discover(self, issuer: str) -> str:
        document = orjson.loads(self.fetch(issuer.rstrip("/") + "/.well-known/openid-configuration"))
        uri = document.get("jwks_uri", "") if isinstance(document, dict) else ""
        if document.get("issuer") != issuer:
            raise ValueError("the metadata names another issuer")  # OpenID Connect Discovery 1.0, section 4.3
        return str(uri)


def parse_jwks(data: bytes) -> tuple[Mapping[str, Any], ...]:
    """The keys of a JWKS document (RFC 7517, section 5), or of PEM blocks, which name no kid. Raises ValueError."""
    if PEM in data and not data.lstrip().startswith(b"{"):
        from collector.token.pem import public_keys  # cryptography takes a while to import

        return public_keys(data)[:MAX_KEYS]
    document = orjson.loads(data)
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list):
        raise ValueError('no "keys" list')
    return tuple(key for key in keys[:MAX_KEYS] if isinstance(key, dict))


def _is_remote(issuer: IssuerSettings) -> bool:
    return issuer.jwks == "discovery" or ("://" in issuer.jwks and not is_document(issuer.jwks))


class Verifier:
    """Checks tokens against the configured issuers' key sets."""

    def __init__(self, settings: Settings, key_sets: KeySets) -> None:
        self._issuers = {issuer.issuer: issuer for issuer in settings.issuers}
        self._shown = {issuer: safe_id(issuer, MAX_ISSUER) for issuer in self._issuers}  # as a token's iss is
        self._key_sets = key_sets
        # Issuer → kids of tokens that a key without a kid verified: a PEM file names none, and its tokens do.
        self._learned: dict[str, set[str]] = {}

    def issuer(self, iss: str) -> IssuerSettings | None:
        """The configuration of an issuer, by its exact value."""
        return self._issuers.get(iss)

    def expect(self, issuers: Sequence[IssuerSettings]) -> None:
        """These from now on; tokens of issuers that were configured before are still verified."""
        self._key_sets.expect(issuers)
        held = {issuer.issuer: issuer for issuer in self._key_sets.issuers}
        self._shown = {issuer: safe_id(issuer, MAX_ISSUER) for issuer in held}
        self._issuers = held

    @property
    def version(self) -> int:
        """What was verified under another version must be verified again."""
        return self._key_sets.version + sum(map(len, self._learned.values()))

    def verify(self, token: str, iss: str, alg: str, kid: str, issued_at: float | None = None) -> Verified:
        """Verify a compact JWS. An unknown `iss` is tried against the issuer that holds its kid: a near miss shows so.

        `issued_at` is the token's `iat` in Unix seconds. A key set that was read before says nothing about a key that it lacks:
        the issuer may have published it since, and the next fetch will tell.
        """
        issuer = iss if iss in self._issuers else self._holder(kid)
        keys = self._key_sets.of(issuer) if issuer else None
        if keys is None:
            return NOT_CHECKED
        shown = self._shown[issuer]
        if not keys.keys:
            return Verified(Verification.KEYS_UNREACHABLE if keys.is_unreachable else Verification.KEYS_INVALID, shown)
        candidates = _candidates(keys.keys, kid)
        if not candidates:
            self._key_sets.hurry(issuer)
            if issued_at is not None and self._key_sets.is_kept and keys.read_at < issued_at <= time.time():
                return NOT_CHECKED
            return Verified(Verification.NO_KEY, shown, f"kid is none of the key set's {len(keys.keys)}")
        return self._told_apart(_try(token, alg, candidates, shown), issuer, candidates, kid)

    def _told_apart(self, found: Verified, issuer: str, candidates: Iterable[Mapping[str, Any]], kid: str) -> Verified:
        """With keys that name no kid: whether a signature is wrong, or is another key's, as the kids of verified tokens show."""
        if not kid or any("kid" in key for key in candidates):
            return found
        learned = self._learned.setdefault(issuer, set())
        if found.verification is Verification.VERIFIED and len(learned) < MAX_LEARNED:
            learned.add(kid)
        elif found.verification is Verification.BAD_SIGNATURE and learned and kid not in learned:
            return Verified(
                Verification.NO_KEY, found.issuer, "kid is none of those that the configured key has verified"
            )
        return found

    def _holder(self, kid: str) -> str:
        return next((name for name in self._issuers if kid and kid in self._kids(name)), "")

    def _kids(self, issuer: str) -> tuple[str, ...]:
        held = self._key_sets.of(issuer)
        return held.kids if held else ()


def _candidates(keys: Sequence[Mapping[str, Any]], kid: str) -> list[Mapping[str, Any]]:
    if not kid:
        return list(keys)
    return [key for key in keys if key.get("kid") == kid] or [key for key in keys if "kid" not in key]


# RFC 7515 section 2: without padding, with - and _. Some send it padded, or in the standard alphabet, and some validators take it.
_BASE64URL: Final = {ord("="): None, ord("+"): "-", ord("/"): "_"}
_KTY: Final = {"RS": ("RSA",), "PS": ("RSA",), "ES": ("EC",), "HS": ("oct",), "Ed": ("OKP",)}


def fitting(keys: Sequence[Mapping[str, Any]], kid: str, alg: str) -> list[Mapping[str, Any]]:
    """The keys that a token of this kid and alg may be verified with: the type serves the alg, so none can be confused."""
    return [key for key in _candidates(keys, kid) if key.get("kty") in _KTY.get(alg[:2], ())]


def _try(token: str, alg: str, candidates: Iterable[Mapping[str, Any]], issuer: Safe) -> Verified:
    """Verify with each key whose type serves the alg; the alg is pinned to the key's type, so no confusion is possible."""
    fitting = [key for key in candidates if key.get("kty") in _KTY.get(alg[:2], ())]
    if not fitting:
        return Verified(Verification.KEY_MISMATCH, issuer, "the key's type does not serve the token's alg")
    is_verified = any(_verifies(token, alg, key) for key in fitting)
    return Verified(Verification.VERIFIED if is_verified else Verification.BAD_SIGNATURE, issuer)


def _verifies(token: str, alg: str, key: Mapping[str, Any]) -> bool:
    """Whether the token's signature was made with this key, over the token as it is or as it was before its base64url was rewritten."""
    return any(_is_signed(text, alg, key) for text in dict.fromkeys((token, token.translate(_BASE64URL))))


def _is_signed(token: str, alg: str, key: Mapping[str, Any]) -> bool:
    import jwt  # with cryptography a tenth of a second: only where an issuer has keys
    from jwt.api_jws import PyJWS

    try:
        PyJWS().decode_complete(token, jwt.PyJWK(dict(key), algorithm=alg), algorithms=[alg])
    except (jwt.PyJWTError, ValueError, TypeError):
        return False
    return True
