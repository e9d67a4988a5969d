"""Access control: senders with tokens of an OpenID provider, and people who log in to the dashboard."""

from __future__ import annotations

from dataclasses import dataclass

from collector.settings.checks import between, issuer_url, jwks, return_address, setting, signature_algorithms


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcSettings:
    """`[otlp.oidc]`: senders that present an access token of an OpenID provider (RFC 9068, RFC 8725)."""

    issuer: str = setting("", "Exact `iss` of the senders' tokens; empty: OIDC is off.")
    audience: str = setting("", "`aud` value that the senders' tokens must contain; required with issuer.")
    jwks: str = setting("discovery", 'Key set (JWKS): a file, an https URL, or "discovery".', jwks)
    algorithms: tuple[str, ...] = setting(
        ("RS256",), "Accepted `alg` values; asymmetric algorithms only.", signature_algorithms
    )
    scope: str = setting("", "Scope that `scope` or `scp` must contain; empty: no scope is required.")
    claims: dict[str, str] = setting(
        {}, 'Required claims: each must equal or contain the given value, for example { azp = "edge" }.'
    )
    clock_skew_seconds: int = setting(30, "Leeway for exp, nbf and iat.", between(0, 300))


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginSettings:
    """`[dashboard.login]`: OpenID Connect login for the dashboard. A person with neither role has no access."""

    issuer: str = setting("", "Issuer URL of the OpenID provider; empty: no login.", issuer_url)
    client_id: str = setting("", "Client ID of the dashboard at the provider; required with issuer.")
    client_secret: str = setting("", "Client secret; prefer client_secret_file.", secret=True)
    redirect_uri: str = setting(
        "", '"https://HOST/oauth2callback", exactly as registered at the provider.', return_address
    )
    role_claim: str = setting("groups", "ID token claim that lists a person's groups; use dots for nested claims.")
    viewers: tuple[str, ...] = setting((), "Read access: values of role_claim, or verified e-mail addresses.")
    operators: tuple[str, ...] = setting(
        (), "Read access plus changes, exports and SQL: values of role_claim, or verified e-mail addresses."
    )
    session_hours: int = setting(
        12, "Maximum session length in hours; after that a person must log in again.", between(1, 720)
    )
    scopes: str = setting(
        "openid email profile", "Scopes to request; some providers need an additional scope for groups."
    )
