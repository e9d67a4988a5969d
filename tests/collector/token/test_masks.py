"""What a log leaves of a token that it cuts or masks, and what is still read in it."""

from __future__ import annotations

import base64
import json
import secrets

import pytest

from collector.events import TokenFacts, TokenKind
from collector.token.credentials import kept_of, unwrap
from collector.token.facts import read_token


def part(value: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


HEADER = part({"alg": "ES256", "kid": "spring-2031"})
PAYLOAD = part({"iss": "https://login.harbour.example", "aud": "berths", "exp": 4_000_000_000})
WHOLE = f"{HEADER}.{PAYLOAD}.{base64.urlsafe_b64encode(bytes(range(100, 164))).rstrip(b'=').decode()}"


def read(header: str) -> TokenFacts:
    return read_token(unwrap(header)).facts


@pytest.mark.parametrize(
    "mark",
    [
        "SIGNATURE_REMOVED_BY_SOMEBODY", "signature-removed", "[signature]", "<redacted>", "[FILTERED]", "***", "*****",
        "…", "XXXXXXXX", "<hidden: 64 bytes>",
    ],
)  # fmt: skip
def test_a_masked_signature_leaves_algorithm_key_and_claims(mark: str) -> None:
    """Whatever the mask: the two parts before it are whole."""
    facts = read(f"Bearer {HEADER}.{PAYLOAD}.{mark}")

    assert facts.kind is TokenKind.REDACTED
    assert (facts.alg, facts.kid, facts.iss) == ("ES256", "spring-2031", "https://login.harbour.example")
    assert facts.aud == ("berths",)


@pytest.mark.parametrize("mark", ["...", "…", " (truncated)", "[truncated]", "...(311 bytes)", "****Zk9Q", "[...]"])
def test_a_mark_behind_a_cut_part_leaves_the_header(mark: str) -> None:
    """The payload ends anywhere; nothing of it is taken for a broken one."""
    facts = read(f"Bearer {HEADER}.{PAYLOAD[:21]}{mark}")

    assert (facts.kind, facts.kid, facts.claims) == (TokenKind.REDACTED, "spring-2031", ())
    assert "payload_cut" not in facts.anomalies


@pytest.mark.parametrize("value", ["<redacted>", "[secret]", "***", "[MASKED]", "xxxxx", "••••"])
def test_a_value_that_is_all_mask_says_nothing_of_the_client(value: str) -> None:
    """Neither a placeholder that was never filled in nor a bare token."""
    facts = read(f"Bearer {value}")

    assert (facts.kind, facts.anomalies) == (TokenKind.REDACTED, ())


def test_a_known_scheme_beside_a_mask_is_still_another_scheme() -> None:
    """Only the credential was masked."""
    assert "scheme_other" in read("Basic ****").anomalies


@pytest.mark.parametrize("value", [WHOLE, WHOLE[:80], "{{token}}", "<token>", "null", "abc.def.ghi"])
def test_what_bears_no_mark_is_no_mask(value: str) -> None:
    """A cut alone is none, nor is a client's unset variable."""
    assert kept_of(value) is None


def test_random_tokens_bear_no_mark() -> None:
    """A mark that chance writes would hide a fault."""
    assert not [token for token in (secrets.token_urlsafe(700) for _ in range(300)) if kept_of(token) is not None]
