"""What an error log's sentence is about: authentication or not, a refusal or a broken verifier."""

from __future__ import annotations

from typing import Final

from collector.events import Outcome
from collector.gateways.reading.scan import has_any

_READ_CHARS: Final = 2048  # a sentence says what it is about at its beginning
_AUTH_WORDS: Final = (
    "jwt", "jwk", "token", "bearer", "oauth", "openid", "oidc", "authoriz", "authoris", "authentic", "auth_request",
    "auth request", "auth_basic", "ext auth", "ext-auth", "ext_auth", "extauth", "external auth", "credential", "forbidden", "claim", "introspect", "client certificate", "ssl certificate", "rbac", "audience",
    "issuer", "no user/password", "password mismatch", "was not found in", "signature", " kid", "key with id", "key id", "nonce", "unauthori",
    "discovery document", "discovery url", "discovery endpoint", " 401", " 403",
)  # fmt: skip
_BROKEN_WORDS: Final = (
    "failed to fetch", "failed to load", "failed to get", "could not fetch", "unable to fetch", "could not load",
    "could not be resolved", "host not found", "connection refused", "connection reset", "timed out", "timeout",
    "network error", "unreachable", "not a valid jwks", "invalid jwk set", "empty jwk set", "is not configured",
    "accessing discovery", "discovery url", "jwks fetch failed", "no live upstreams", "auth request unexpected status",
    "response status code", "body is empty", "internal error", "no such host", "secrets are not ready",
)  # fmt: skip


def is_auth(message: str) -> bool:
    """Whether a sentence speaks of authentication or authorization."""
    low = message[:_READ_CHARS].lower()
    return has_any(low, _AUTH_WORDS) or ("denied" in low and "permission denied" not in low)


def outcome(message: str) -> Outcome:
    """ERROR when the verifier could not do its work, else DENIED."""
    low = message[:_READ_CHARS].lower()
    return Outcome.ERROR if has_any(low, _BROKEN_WORDS) else Outcome.DENIED
