"""What became of a request whose status does not tell: refused only where the record proves it."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path

import jwt
import pytest

from collector.events import Outcome
from collector.settings import Settings, load
from why401.explainer import Explainer

NOW = 1_930_000_000  # of every record: nothing here depends on the clock
SECRET = "a secret of thirty-two characters"
REFUSING = (400, 404, 422, 500, 302, 303)


def token(**claims: object) -> str:
    body = {"iss": "https://id.quay.example/t/1", "sub": "9913", "iat": NOW - 60, "exp": NOW + 600}
    return jwt.encode(body | claims, SECRET, algorithm="HS256")


def unsigned() -> str:
    parts = ({"alg": "none"}, {"sub": "9913", "exp": NOW + 600})
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts) + "."


GOOD = f"Bearer {token()}"
EXPIRED = f"Bearer {token(exp=NOW - 2_592_000)}"


def answer(
    status: int, authorization: str = GOOD, settings: Settings | None = None, **fields: object
) -> tuple[Outcome, str, float]:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(NOW))
    record = {"time": now, "method": "GET", "path": "/berths/4", "status": status, "authorization": authorization}
    found = Explainer(settings or Settings()).explain(json.dumps(record | fields))
    assert found.diagnosis is not None
    return found.event.outcome, found.diagnosis.code, found.diagnosis.confidence


@pytest.mark.parametrize("status", REFUSING)
@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        (EXPIRED, "token_expired"),
        (f"Bearer {token(nbf=NOW + 3_600)}", "clock_skew"),
        (f"Bearer {unsigned()}", "alg_none"),
        ("Bearer undefined", "token_malformed"),
        (f"Bearer {GOOD}", "scheme_invalid"),
    ],
)
def test_a_broken_credential_makes_it_a_refusal(status: int, authorization: str, code: str) -> None:
    """422 and 400 say nearly as much as 401; the others leave more doubt."""
    outcome, found, confidence = answer(status, authorization)

    assert (outcome is Outcome.ALLOWED, found) == (False, code)
    assert confidence <= (0.85 if status in (400, 422) else 0.7)


@pytest.mark.parametrize("status", REFUSING)
@pytest.mark.parametrize(
    "fields",
    [
        {"response_headers_www_authenticate": 'Bearer error="invalid_token", error_description="Signature verification failed"'},
        {"message": "Signature verification failed"},
        {"response_body": '{"msg": "Signature verification failed"}'},
        {"response_body": {"msg": "Signature verification failed"}},
    ],
)  # fmt: skip
def test_words_make_it_a_refusal(status: int, fields: dict[str, object]) -> None:
    """A challenge, a message, or what the answer's body says."""
    assert answer(status, **fields)[1] == "signature_invalid"


@pytest.mark.parametrize("status", [*REFUSING, 201, 304, 307, 409, 503])
@pytest.mark.parametrize(
    "authorization",
    [GOOD, "", "Basic Z3Vlc3Q6Z3Vlc3Q=", "Bearer 9d8f7e6c5b4a39281706f5e4d3c2b1a0", EXPIRED[:64], GOOD[:40] + "…"],
)
def test_any_other_credential_leaves_it_as_it_is(status: int, authorization: str) -> None:
    """Good, none, another scheme, a reference token, one that the log cut."""
    assert answer(status, authorization)[:2] == (Outcome.ALLOWED, "ok")


@pytest.mark.parametrize("status", [200, 204, 304, 405, 409, 412, 415, 502, 503, 504])
def test_a_status_with_a_cause_of_its_own_stays(status: int) -> None:
    """An expired token on a route that does not look at it."""
    assert answer(status, EXPIRED)[0] is Outcome.ALLOWED


@pytest.mark.parametrize(
    "message",
    [
        "author not found", "issue 17 not found", "Unexpected token < in JSON at position 0", "page is missing",
        "CSRF token mismatch", "NullPointerException at OrderService", "audit trail unavailable",
    ],
)  # fmt: skip
@pytest.mark.parametrize("status", [400, 404, 500])
def test_words_that_only_sound_so(status: int, message: str) -> None:
    """What has a name with `auth`, `iss` or `aud` in it speaks of no token."""
    assert answer(status, message=message)[0] is Outcome.ALLOWED


@pytest.mark.parametrize(
    ("location", "outcome"),
    [
        ("https://id.quay.example/login?next=/berths/4", Outcome.DENIED),
        ("/users/sign_in", Outcome.DENIED),
        ("https://id.quay.example/realms/t1/protocol/openid-connect/auth?response_type=code", Outcome.DENIED),
        ("/oauth2/start?rd=%2Fberths%2F4", Outcome.DENIED),
        ("/berths/4/", Outcome.ALLOWED),
        ("https://quay.example/berths/4", Outcome.ALLOWED),
        ("/docks/4", Outcome.ALLOWED),
    ],
)
def test_a_redirect_to_the_login_page_refuses_a_bearer_token(location: str, outcome: Outcome) -> None:
    """A slash, TLS or a new place does not."""
    assert answer(302, GOOD, location=location)[0] is outcome


def test_a_browser_without_a_session_is_sent_to_login_every_day() -> None:
    """Nobody refused anything."""
    assert answer(302, "", location="/login")[0] is Outcome.ALLOWED


def test_an_endpoint_of_the_login_itself_gets_its_slash() -> None:
    """The redirect leads to the place that was asked for."""
    assert answer(307, GOOD, path="/auth/login", location="/auth/login/")[0] is Outcome.ALLOWED


def test_an_answer_of_200_that_says_it_was_refused() -> None:
    """Only with a broken token: a 200 is a 200."""
    assert answer(200, EXPIRED, message="token expired, log in again")[:2] == (Outcome.DENIED, "token_expired")
    assert answer(200, GOOD, message="token expired, log in again")[0] is Outcome.ALLOWED


def test_without_the_time_of_the_request_nothing_is_expired() -> None:
    """The arrival may be years later."""
    record = {"method": "GET", "path": "/berths", "status": 404, "authorization": f"Bearer {token(exp=1_000_000_000)}"}
    assert Explainer(Settings()).explain(json.dumps(record)).event.outcome is Outcome.ALLOWED


@pytest.mark.parametrize("status", [400, 422, 404, 500])
@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("Not enough segments", "token_malformed"),
        ("Subject must be a string", "claim_type_invalid"),
        ("The specified alg value is not allowed", "alg_not_allowed"),
    ],
)
def test_words_that_speak_of_a_tokens_form(status: int, message: str, code: str) -> None:
    """Beside a credential they are a validator's; without one they are anybody's."""
    assert answer(status, "Bearer 9d8f7e6c5b4a39281706f5e4d3c2b1a0", message=message)[0] is not Outcome.ALLOWED
    assert answer(status, "", message=message)[0] is Outcome.ALLOWED
    assert answer(status, GOOD, message=message)[1] in (code, "token_malformed")


def test_a_body_that_tells_where_the_redirect_leads() -> None:
    """Frameworks write it into the body where the log has no Location."""
    assert answer(302, GOOD, message="Found. Redirecting to /login")[0] is Outcome.DENIED
    assert answer(302, GOOD, message="Found. Redirecting to /docks/4")[0] is Outcome.ALLOWED


@pytest.mark.parametrize("status", REFUSING)
@pytest.mark.parametrize(
    ("claims", "code"), [({"aud": "cranes"}, "audience_mismatch"), ({"aud": None}, "audience_missing")]
)
def test_what_the_configuration_rules_out(tmp_path: Path, status: int, claims: dict[str, object], code: str) -> None:
    """A token of a configured issuer for another API is as broken as an expired one."""
    file = tmp_path / "why401.toml"
    issuer = 'issuer = "https://id.quay.example/t/1"\naudiences = ["berths"]\nalgorithms = ["HS256"]\n'
    file.write_text(f"[[issuers]]\n{issuer}")
    claims = {name: value for name, value in claims.items() if value}

    assert answer(status, f"Bearer {token(**claims)}", settings=load(str(file), {}))[1] == code
    assert answer(status, f"Bearer {token(aud='berths')}", settings=load(str(file), {}))[1] == "ok"

    file.write_text(f'[[issuers]]\n{issuer}routes = ["/cranes/*"]\n')
    assert answer(status, f"Bearer {token(**claims)}", settings=load(str(file), {}))[1] == "ok"
