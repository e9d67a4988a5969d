"""Near misses: in what do two values differ?"""

from __future__ import annotations

import pytest

from analyzer.diagnosis.near import difference, nearest, nearest_of


@pytest.mark.parametrize(
    ("received", "expected", "key"),
    [
        ("https://idp.example.com", "https://idp.example.com/", "trailing slash missing"),
        ("https://idp.example.com/", "https://idp.example.com", "trailing slash too many"),
        ("http://idp.example.com/", "https://idp.example.com/", "http instead of https"),
        ("https://idp.example.com:8443/", "https://idp.example.com/", "port"),
        ("https://IDP.example.com/", "https://idp.example.com/", "letter case"),
        (
            "https://kc.example.com/realms/staging",
            "https://kc.example.com/realms/prod",
            "realm staging instead of prod",
        ),
        (
            "https://kc.example.com/auth/realms/a",
            "https://kc.example.com/realms/a",
            "path prefix /auth (Keycloak dropped it in 17)",
        ),
        (
            "https://idp-staging.example.com/",
            "https://idp.example.com/",
            "another environment (staging instead of none)",
        ),
        ("https://idp.dev.example.com/", "https://idp.prod.example.com/", "another environment (dev instead of prod)"),
        ("http://keycloak.svc/realms/a", "https://kc.example.com/realms/a", "internal against external host name"),
        (
            "https://login.microsoftonline.com/t1/",
            "https://login.microsoftonline.com/t1/v2.0",
            "version of the endpoint (v1 against v2.0)",
        ),
        (
            "https://sts.windows.net/t1/",
            "https://login.microsoftonline.com/t1/v2.0",
            "Entra ID token version (v1 sts.windows.net against v2.0 login.microsoftonline.com)",
        ),
        ("api://orders", "orders", "api:// prefix"),
        ("https://api.example.com/orders", "orders", "URI against bare name"),
        (" orders", "orders", "white space around it"),
        ("https://idp.ex\u0430mple.com/", "https://idp.example.com/", "look-alike letters"),
        ("https://evil.example.net/", "https://idp.example.com/", ""),
        ("same", "same", ""),
        ("", "x", ""),
    ],
)
def test_difference(received: str, expected: str, key: str) -> None:
    """One difference has a key, which is part of group ids and never changes; equal or far apart has none."""
    found = difference(received, expected)

    assert key == (found.key if found else "")


@pytest.mark.parametrize(
    ("received", "expected", "says"),
    [
        ("https://idp.example.com", "https://idp.example.com/", "the trailing slash is missing"),
        ("http://idp.example.com/", "https://idp.example.com/", "`http` instead of `https`"),
        ("https://kc.example.com/realms/a", "https://kc.example.com/realms/b", "realm `a` instead of `b`"),
        (
            "https://idp-staging.example.com/",
            "https://idp.example.com/",
            "different environment (`staging` instead of none)",
        ),
        ("idp.example.com", "https://idp.example.com", "no scheme instead of `https`"),
    ],
)
def test_a_person_reads_the_difference_in_other_words(received: str, expected: str, says: str) -> None:
    """The shown text is not the key, so it can be reworded."""
    found = difference(received, expected)

    assert found
    assert says == found.says


def test_nearest_names_the_value_that_was_meant() -> None:
    """Among many expected values the near one is found."""
    near = nearest("https://b", ["https://a/", "https://b/"])

    assert near
    assert ("https://b/", "trailing slash missing") == (near.expected, near.key)


def test_the_first_received_value_that_is_near_counts() -> None:
    """Of several audiences one may be near."""
    near = nearest_of(["far", "ORDERS"], ["orders"])

    assert near
    assert ("orders", "letter case") == (near.expected, near.key)
    assert nearest_of([], ["orders"]) is None
