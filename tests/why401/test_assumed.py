"""Text that no parser knows is taken for a refusal only when it says that something was refused."""

from __future__ import annotations

import pytest

from collector.settings import Settings
from why401.explainer import Explainer, as_mapping

EXPLAINER = Explainer(Settings())
NO_REFUSAL = (
    "hello world",
    "lorem ipsum dolor sit amet",
    "Application startup complete.",
    "2026-03-03 10:00:00 INFO Started server on port 8080 with JWT authentication enabled",
    "Authentication provider initialized: issuer https://idp.example.org/, audience shop, clock skew 60s",
    "loaded 3 signing keys from https://idp.example.org/jwks",
    "token validation enabled for audience shop",
    "main.verify(0xc000, 0x2)",
    "\t/srv/app/main.go:12 +0x1d",
    "raise ExpiredSignatureError('no')",
    "jwt.decode(token, key)",
    "return jwt.verify(token, key);",
    '  File "/srv/app/auth.py", line 3, in verify',
    "org.example.shop.Auth.verify(Auth.java:12)",
    '{"level":30,"time":1772532000000,"pid":1,"hostname":"h","reqId":"req-1","responseTime":1.2,"msg":"request completed"}',
    'login successful: connector "gizmo", groups=["orders"]',
    "auth.handler: authenticating",
    "caller has a role that matches the rule, allowing the request",
    "guest.example.org: WARNING - unsigned tokens allowed",
    "WARN cache: connection refused: redis:6379",
    "gizmo_pool: Failed to connect error=connect timed out after 3s",
    "[ERROR] gate.jwt: error writing jwt cache: no space left on device",
    "2026-03-03 10:00:00,123 DEBUG [org.acme.Tenants] (worker-3) the resolver has not given a provider for realm 'berths', using the default",
    "Method berthChain in org.acme.Berths required a bean of type 'org.acme.JwtDecoder' that could not be found.",
    "<html><head><title>Berths</title></head><body>Sign in</body></html>",
    "2026-03-03 10:00:00 WARN  berths: token cache disabled",
    "2026-03-03 10:00:00 INFO  sweep: 12 expired sessions removed",
    "2026-03-03 10:00:00 ERROR store: lock wait timeout exceeded while the session table was swept",
    "2026-03-03 10:00:00 WARN  pager: page token is invalid, the first page is shown",
    "2026-03-03 10:00:00 WARN  llm: 9000 tokens requested, 8192 allowed",
    "open /run/keys/berth.pem: permission denied",
    "2026-03-03 10:00:00 WARN  berths: jwt.secret is deprecated, set berth.key",
    "2026/03/03 10:00:00 berths.go:24: cookie settings: name:_berth httponly:true refresh:disabled",
    'level=info msg="login successful: preferred_username=ann"',
    "OIDC supported scopes: [openid profile email]",
    "Using valid authorizer policy for principal: ann",
    'time="2026-03-03T10:00:00Z" level=info msg="Callback: /auth/callback?state=a7401bc&code=898bf403"',
)
REFUSALS = (
    "Error loading the user bob",
    "UNAUTHORIZED",
    "more than one Authorization header in the request",
)
PRINTED = (
    "gizmo: token expired",
    "Insufficient scope: orders:write is required",
    "token signed by untrusted key",
    "gizmo(strict): token audience does not match api://shop",
    "[verify.go:31] token signature is invalid",
    "{ code: 'berth/argument', message: 'the session token has expired, sign in again' }",
    '{"detail":"this token has expired"}%',
    "<html><head><title>403</title></head><body>token audience does not match</body></html>",
    "HTTP/1.1 403 Forbidden\nServer: berths\n\ntoken audience does not match",
    "the access token must be sent using the Authorization header",
    "2026/03/03 10:00:00 spans: cannot send to http://192.0.2.7:4318: 401 Unauthorized",
)


@pytest.mark.parametrize("text", NO_REFUSAL)
def test_what_refuses_nothing_is_no_refusal(text: str) -> None:
    """A greeting, a start-up line, a frame, a line of code: no diagnosis, and the reason why `up` does not read it."""
    found = EXPLAINER.explain(text)

    assert found.diagnosis is None
    assert not found.is_read
    assert found.unread_reason in ("no_parser", "not_admitted")


@pytest.mark.parametrize("text", REFUSALS)
def test_a_sentence_that_refuses_is_explained(text: str) -> None:
    """It is assumed to be a message, and is still not read by `why401 up`."""
    found = EXPLAINER.explain(text)

    assert found.diagnosis is not None
    assert (True, False, "no_parser") == (found.is_assumed, found.is_read, found.unread_reason)


@pytest.mark.parametrize("text", PRINTED)
def test_a_sentence_that_leaves_no_doubt_is_a_record(text: str) -> None:
    """A program that prints its reason without a logger is read by `why401 up`, too."""
    found = EXPLAINER.explain(text)

    assert found.diagnosis is not None
    assert (False, True, "") == (found.is_assumed, found.is_read, found.unread_reason)


LEFT_OUT = (
    (
        "[2026/03/03 10:00:00] [providers.go:146] Warning: Your provider supports PKCE methods, but you have not enabled one",
        None,
    ),
    (
        "2026/03/03 10:00:00 [info] 6#6: *1 [lua] openidc.lua:674: f(): no setting for the token's method, select the first, client: 192.0.2.1",
        None,
    ),
    ('time="2026-03-03T10:00:00Z" level=debug msg="token is expired" middlewareName=auth@file', "token_expired"),
    ('time="2026-03-03T10:00:00Z" level=debug msg="Creating middleware" middlewareName=auth@file', None),
    ("[2026-03-03 10:00:00.824][18][debug][jwt] [a.cc:405] Jwt authentication completed with: OK", None),
    ("[2026-03-03 10:00:00.824][18][debug][pool] [b.cc:95] creating a new connection", None),
    ("2026/03/03 10:00:00 [error] 1#1: *1 open() failed, client: 192.0.2.1, server: _", None),
)


@pytest.mark.parametrize(("text", "code"), LEFT_OUT)
def test_a_line_that_a_gateway_writes_beside_is_explained_when_it_tells_why(text: str, code: str | None) -> None:
    """People post debug lines: what `up` leaves out is explained where both its words and its meaning are a refusal's."""
    found = EXPLAINER.explain(text)

    assert code == (found.diagnosis.code if found.diagnosis else None)
    assert (False, "not_auth") == (found.is_read, found.unread_reason)


@pytest.mark.parametrize(
    ("text", "read", "reason"),
    [
        ('{"response_code": 401, "response_code_details": "jwt_authn_access_denied{Jwt_is_expired}"}', True, None),
        ('192.0.2.1 - - [03/Mar/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 5 "-" "curl/8.7.1"', True, None),
        ("eyJhbGciOiJub25lIn0.e30.", False, "no_parser"),
        ("", False, "empty"),
        ("{broken", False, "broken_json"),
        ("2026/03/03 10:00:00 [error] 1#1: *1 open() failed, client: 192.0.2.1, server: _", False, "not_auth"),
        ("2026-03-03 10:00:00,123 - carts.db - ERROR - could not connect", False, "not_admitted"),
        ('{"level":"info","time":"2026-03-03T10:00:00Z","msg":"server started"}', False, "not_admitted"),
    ],
)
def test_json_tells_what_up_would_not_store(text: str, *, read: bool, reason: str | None) -> None:
    """`read` and `unread_reason`, with the reasons by which dropped records are counted."""
    found = as_mapping(EXPLAINER.explain(text))

    assert (read, reason) == (found["read"], found["unread_reason"])
