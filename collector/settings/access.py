"""Who may come in: senders verified by an OpenID provider, and people who log in to the page."""

from __future__ import annotations

from dataclasses import dataclass

from collector.settings.checks import between, issuer_url, jwks, return_address, setting, signature_algorithms


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcSettings:
    """`[otlp.oidc]`: senders that show a token of an OpenID provider (RFC 9068, RFC 8725)."""

    issuer: str = setting("", "The exact `iss` of senders' tokens; empty: not used.")
    audience: str = setting("", "The `aud` that their tokens must hold; required with issuer.")
    jwks: str = setting("discovery", 'Key set: a file, an https URL, or "discovery".', jwks)
    algorithms: tuple[str, ...] = setting(
        ("RS256",), "Accepted `alg` values; asymmetric ones only.", signature_algorithms
    )
    scope: str = setting("", "A word that `scope` or `scp` must hold; empty: any.")
    claims: dict[str, str] = setting({}, 'Claims with the value that each must have or hold: { azp = "edge" }.')
    clock_skew_seconds: int = setting(30, "Leeway for exp, nbf and iat.", between(0, 300))


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginSettings:
    """`[dashboard.login]`: OpenID Connect for the page. A person without one of the roles sees nothing."""

    issuer: str = setting("", "The OpenID provider; empty: no login.", issuer_url)
    client_id: str = setting("", "The page's client id there; required with issuer.")
    client_secret: str = setting("", "Its secret; better in client_secret_file.", secret=True)
    redirect_uri: str = setting("", '"https://HOST/oauth2callback", as registered there.', return_address)
    role_claim: str = setting("groups", "The claim that names a person's groups; dots reach into objects.")
    viewers: tuple[str, ...] = setting((), "Values of role_claim, or proven e-mail addresses, that may look.")
    operators: tuple[str, ...] = setting((), "The same for those who may also change, export and ask by SQL.")
    session_hours: int = setting(12, "After this time a person logs in again.", between(1, 720))
    scopes: str = setting("openid email profile", "What is asked of the provider; some need a word more for groups.")
