"""A token that ends too early in the log: the client's doing or the log's."""

from __future__ import annotations

import json
import time

import jwt
import pytest

from analyzer.verdicts import Diagnosis
from collector.settings import Settings
from why401.explainer import Explainer

SECRET = "a secret of thirty-two characters"
BROKEN = ("token_truncated", "token_malformed")


def token(**claims: object) -> str:
    now = int(time.time())
    body = {"iss": "https://id.quay.example/t/1", "sub": "9913", "aud": "berths", "iat": now - 60, "exp": now + 600}
    return jwt.encode(body | claims, SECRET, algorithm="HS256", headers={"kid": "winter"})


def record(authorization: str, status: int = 401, message: str = "", client: str = "192.0.2.7") -> str:
    fields = {"method": "GET", "path": "/berths", "status": status, "authorization": authorization, "client_ip": client}
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return json.dumps({"time": now, **fields, **({"message": message} if message else {})})


def explain(*records: str) -> Diagnosis:
    explainer = Explainer(Settings())
    found = [explainer.explain(one).diagnosis for one in records][-1]
    assert found is not None
    return found


@pytest.mark.parametrize("length", [11, 20, 32, 64, 100, 128])
def test_a_header_of_a_configured_length_was_cut_by_the_log(length: int) -> None:
    """`len 64` counts the scheme in; what a client's column cuts is the token alone."""
    found = explain(record(f"Bearer {token()}"[:length]))

    assert found.code not in BROKEN
    assert any("whole token" in text for text in found.missing)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("The token was issued for another audience", "audience_mismatch"),
        ("Token has expired", "token_expired"),
        ("Signature verification failed", "signature_invalid"),
        ("Unknown issuer", "issuer_not_trusted"),
    ],
)
def test_what_the_gateway_read_behind_the_cut_was_there(message: str, code: str) -> None:
    """Nobody finds fault with the claims or the signature of half a payload."""
    assert explain(record(f"Bearer {token()}"[:97], message=message)).code == code


def test_a_cut_that_the_gateway_complains_of_is_the_clients() -> None:
    """The words and the token agree."""
    found = explain(record(f"Bearer {token()}"[:97], message="token contains an invalid number of segments"))

    assert (found.code, found.confidence >= 0.9) == ("token_truncated", True)


def test_a_cut_of_a_length_of_its_own_is_the_clients() -> None:
    """Nothing shows that the log cut it, so it is likely but not proven."""
    found = explain(record(f"Bearer {token()[:101]}"))

    assert (found.code, found.confidence >= 0.85) == ("token_truncated", True)


def test_requests_that_pass_are_cut_alike() -> None:
    """What is accepted with that length was whole when it came."""
    cut = f"Bearer {token()}"[:131]

    assert explain(record(cut, 200), record(cut)).code not in BROKEN
    assert explain(record(cut[:-4], 200), record(cut)).code in BROKEN


def test_tokens_of_several_callers_end_at_one_length() -> None:
    """One client's storm does not tell; four callers do."""
    cut = f"Bearer {token()}"[:131]
    callers = [record(cut, client=f"198.51.{number}.7") for number in range(4)]

    assert explain(*callers).code not in BROKEN
    assert explain(*callers[:1] * 4).code in BROKEN


def test_a_log_that_shows_longer_tokens_did_not_cut_this_one() -> None:
    """Even at a length that people configure."""
    found = explain(record(f"Bearer {token()}", 200), record(f"Bearer {token()}"[:128]))

    assert (found.code, found.confidence >= 0.9) == ("token_truncated", True)


def test_a_payload_without_its_signature_still_tells_that_it_expired() -> None:
    """Header and payload alone: many logs leave out the signature."""
    expired = token(exp=int(time.time()) - 86_400).rpartition(".")[0]

    assert explain(record(f"Bearer {expired}")).code == "token_expired"


@pytest.mark.parametrize("mask", ["….", ".***", ".<redacted>", ".SIGNATURE_REMOVED"])
def test_a_mask_does_not_outweigh_the_words(mask: str) -> None:
    """Not proof, not even a hint."""
    found = explain(record(f"Bearer {token().rpartition('.')[0]}{mask}", message="Unknown issuer"))

    assert found.code == "issuer_not_trusted"
    assert not {"token_truncated", "token_malformed"} & {rival.code for rival in found.rivals}


def test_a_token_that_a_sentence_quotes_in_part() -> None:
    """Whoever wrote the sentence cut it."""
    found = explain(
        json.dumps({"level": "error", "msg": f"could not verify signature of {token()[:90]}... for berths"})
    )

    assert found.code == "signature_invalid"
