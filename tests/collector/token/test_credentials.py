"""Where credentials stand and how they are wrapped."""

from __future__ import annotations

import pytest

from collector.records import Parsed
from collector.token.credentials import ANOMALIES, find_credentials, is_redacted, unwrap

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0." + "A" * 40


@pytest.mark.parametrize(
    ("header", "scheme", "value", "anomalies"),
    [
        (f"Bearer {JWT}", "Bearer", JWT, ()),
        (f"bearer {JWT}", "bearer", JWT, ("scheme_case",)),
        (f"DPoP {JWT}", "DPoP", JWT, ()),
        (f"Bearer Bearer {JWT}", "Bearer", JWT, ("scheme_doubled",)),
        (f"Bearer: {JWT}", "Bearer", JWT, ("scheme_colon",)),
        (f"Bearer={JWT}", "Bearer", JWT, ("scheme_colon",)),
        (f'"Bearer {JWT}"', "Bearer", JWT, ("scheme_quoted",)),
        (f'Bearer "{JWT}"', "Bearer", JWT, ("value_quoted",)),
        (f"Bearer<{JWT}", "Bearer", f"<{JWT}", ("scheme_glued",)),
        (f"Bearer{JWT}", "Bearer", JWT, ("scheme_glued",)),
        (f"Baerer {JWT}", "Baerer", JWT, ("scheme_misspelt",)),
        (JWT, "", JWT, ("scheme_missing",)),
        ("Basic dXNlcjpwYXNz", "Basic", "dXNlcjpwYXNz", ("scheme_other",)),
        ("Bearer", "Bearer", "", ("scheme_only",)),
        ("Bearer null", "Bearer", "null", ("value_null",)),
        ("Bearer [object Object]", "Bearer", "[object Object]", ("value_null",)),
        ("Bearer {{token}}", "Bearer", "{{token}}", ("value_template",)),
        (f"Bearer {JWT},Bearer {JWT}", "Bearer", f"{JWT},Bearer {JWT}", ("joined",)),
    ],
)
def test_the_wrapping_is_named(header: str, scheme: str, value: str, anomalies: tuple[str, ...]) -> None:
    """Scheme and token are split, and what a strict verifier would refuse is noted."""
    credential = unwrap(header)

    assert (scheme, value, anomalies) == (credential.scheme, credential.value, credential.anomalies)
    assert set(anomalies) <= set(ANOMALIES)


def test_an_unknown_scheme_is_not_kept() -> None:
    """The first word of a header might be a secret itself."""
    assert "other" == unwrap("hunter2secretpassword token").scheme


@pytest.mark.parametrize(
    ("parsed", "locations"),
    [
        (Parsed("x", headers={"authorization": f"Bearer {JWT}"}), ["authorization"]),
        (Parsed("x", headers={"authorization": "-"}), []),
        (Parsed("x", path=f"/a?x=1&access_token={JWT}"), ["query:access_token"]),
        (Parsed("x", headers={"cookie": f"theme=dark; id_token={JWT}"}), ["cookie:id_token"]),
        (Parsed("x", headers={"cookie": "session=abc"}), []),
        (Parsed("x", path=f"/?jwt={JWT}", headers={"authorization": JWT}), ["authorization", "query:jwt"]),
        (Parsed("x", headers={"x-goog-iap-jwt-assertion": JWT}), ["header:x-goog-iap-jwt-assertion"]),
    ],
)
def test_every_place_is_looked_at(parsed: Parsed, locations: list[str]) -> None:
    """The Authorization header's credential comes first."""
    assert locations == [credential.location for credential in find_credentials(parsed)]


@pytest.mark.parametrize("value", ["REDACTED", "Bearer ***", "[FILTERED]", "eyJhbGciOiJSUzI1NiJ9.eyJ9.***"])
def test_redaction_marks_are_recognised(value: str) -> None:
    """A gateway that redacts is not a client that sends nonsense."""
    assert is_redacted(value)


def test_repr_shows_no_value() -> None:
    """A traceback that prints a credential prints none of it."""
    assert JWT not in repr(unwrap(f"Bearer {JWT}"))


def test_the_name_of_a_cookie_is_redacted() -> None:
    """Clients choose it: what looks like a token in it does not become the location."""
    parsed = Parsed("x", headers={"cookie": f"token_{JWT}={JWT}; session=a.b.c"})

    first, second = find_credentials(parsed)

    assert JWT[:20] not in first.location
    assert "cookie:session" == second.location
