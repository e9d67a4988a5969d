"""Signatures against configured key sets, and nothing that a token points to."""

from __future__ import annotations

import http.server
import json
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from collector.errors import ConfigurationError
from collector.events import Verification
from collector.settings import IssuerSettings, Settings
from collector.telemetry import Telemetry
from collector.token.fetching import fetch_url
from collector.token.verification import KeySets, Verifier
from tests.tokens import ISSUER, jwks, rsa_key, token
from tests.waiting import HANG_S


def verifier(tmp_path: Path, keys: object, issuer: str = ISSUER) -> Verifier:
    (tmp_path / "jwks.json").write_text(json.dumps(keys))
    settings = Settings(issuers=(IssuerSettings(issuer=issuer, jwks=str(tmp_path / "jwks.json")),))
    key_sets = KeySets(settings.issuers, tmp_path, Telemetry())
    key_sets.load()
    return Verifier(settings, key_sets)


def check(tested: Verifier, text: str, **expected: str) -> Verification:
    header = jwt.get_unverified_header(text)
    claims = jwt.decode(text, options={"verify_signature": False})
    kid, issued_at = header.get("kid", ""), claims.get("iat")
    return tested.verify(text, claims.get("iss", ""), header["alg"], kid, issued_at).verification


@pytest.mark.parametrize(
    ("text", "verification"),
    [
        (token(), Verification.VERIFIED),
        (token(exp=999), Verification.VERIFIED),
        (token(key="stranger"), Verification.NO_KEY),
        (token(key="stranger", headers={"kid": "k1"}), Verification.BAD_SIGNATURE),
        (token()[:-6] + "AAAAAA", Verification.BAD_SIGNATURE),
        (token(iss="https://other.example/"), Verification.VERIFIED),
        (token(iss="https://other.example/", key="stranger"), Verification.NOT_CHECKED),
        (jwt.encode({"iss": ISSUER}, "s" * 32, algorithm="HS256", headers={"kid": "k1"}), Verification.KEY_MISMATCH),
    ],
)
def test_verification(tmp_path: Path, text: str, verification: Verification) -> None:
    """Verified, refused, or not checked; expiry is not its affair."""
    assert verification == check(verifier(tmp_path, jwks("k1")), text)


def pem(name: str) -> bytes:
    return rsa_key(name).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize("form", ["file", "document"])
def test_keys_without_a_kid(tmp_path: Path, form: str) -> None:
    """PEM names no kid: tokens that verified tell which kids are this key's, and so a wrong signature from another key."""
    (tmp_path / "key.pem").write_bytes(b"of the issuer\n" + pem("k1"))
    nameless = json.dumps({"keys": [{name: value for name, value in jwks("k1")["keys"][0].items() if name != "kid"}]})
    issuers = (IssuerSettings(issuer=ISSUER, jwks="key.pem" if form == "file" else nameless),)
    key_sets = KeySets(issuers, tmp_path, Telemetry())
    key_sets.load()
    tested = Verifier(Settings(issuers=issuers), key_sets)
    forged, rotated = token(key="stranger", headers={"kid": "k1"}), token(key="stranger")

    before, version = check(tested, rotated), tested.version

    assert Verification.BAD_SIGNATURE == before
    assert Verification.VERIFIED == check(tested, token())
    assert (Verification.BAD_SIGNATURE, Verification.NO_KEY) == (check(tested, forged), check(tested, rotated))
    assert tested.version > version


def test_a_signature_is_over_base64url(tmp_path: Path) -> None:
    """A padded token, or one in the standard alphabet, is malformed, not forged: some validators take it."""
    text = token()
    padded = ".".join(one + "=" * (-len(one) % 4) for one in text.split("."))
    tested = verifier(tmp_path, jwks("k1"))
    found = [
        tested.verify(one, ISSUER, "RS256", "k1").verification
        for one in (padded, text.replace("-", "+").replace("_", "/"))
    ]

    assert [Verification.VERIFIED] * 2 == found


@pytest.mark.parametrize("block", ["PRIVATE KEY", "PUBLIC KEY", "CERTIFICATE"])
def test_pem_without_a_public_key_stops_the_start(tmp_path: Path, block: str) -> None:
    """A private key, and what only looks like a key."""
    (tmp_path / "key.pem").write_text(f"-----BEGIN {block}-----\nMAo=\n-----END {block}-----\n")

    with pytest.raises(ConfigurationError, match="readable JWKS"):
        KeySets((IssuerSettings(issuer=ISSUER, jwks="key.pem"),), tmp_path, Telemetry()).load()


def test_an_rsa_public_key_never_serves_as_an_hmac_secret(tmp_path: Path) -> None:
    """Algorithm confusion (RFC 8725, 2.1): the alg is pinned to the key's type."""
    forged = jwt.encode({"iss": ISSUER}, "x" * 64, algorithm="HS256", headers={"kid": "k1"})

    assert Verification.KEY_MISMATCH == check(verifier(tmp_path, jwks("k1")), forged)


def test_what_is_no_key_file_is_an_error_at_check(tmp_path: Path) -> None:
    """A device that never ends, a FIFO without a writer, a folder, 2 GB: each is refused at once, in a sentence."""
    os.mkfifo(tmp_path / "fifo")
    with (tmp_path / "large").open("wb") as large:
        large.truncate(2 << 30)
    for jwks_file, says in (("/dev/zero", "regular"), ("fifo", "regular"), (".", "regular"), ("large", "more than")):
        issuers = (IssuerSettings(issuer=ISSUER, jwks=jwks_file),)
        with pytest.raises(ConfigurationError, match=says):
            KeySets(issuers, tmp_path, Telemetry()).load()


@pytest.mark.parametrize(("content", "says"), [("{", "JSON"), ("[]", "keys"), ('{"keys": 5}', "keys")])
def test_an_unusable_key_file_stops_the_start(tmp_path: Path, content: str, says: str) -> None:
    """The error names the setting and the reason."""
    (tmp_path / "jwks.json").write_text(content)
    issuers = (IssuerSettings(issuer=ISSUER, jwks="jwks.json"),)

    with pytest.raises(ConfigurationError) as raised:
        KeySets(issuers, tmp_path, Telemetry()).load()

    assert "issuers[0].jwks" == raised.value.key


@pytest.fixture
def server() -> Iterator[tuple[str, list[str], dict[str, tuple[int, dict[str, str], bytes]]]]:
    """A loopback HTTP server with scripted answers; yields its URL, the paths asked for, and the answers."""
    asked: list[str] = []
    answers: dict[str, tuple[int, dict[str, str], bytes]] = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            status, headers, body = answers.get(self.path, (404, {}, b""))
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            return

    served = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=served.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{served.server_port}", asked, answers
    served.shutdown()
    served.server_close()
    thread.join(HANG_S)


def test_discovery_takes_the_key_set_from_the_issuers_metadata(server, tmp_path: Path) -> None:
    """OpenID Connect Discovery 1.0: metadata, then jwks_uri."""
    url, asked, answers = server
    answers["/.well-known/openid-configuration"] = (
        200,
        {},
        json.dumps({"issuer": url, "jwks_uri": f"{url}/keys"}).encode(),
    )
    answers["/keys"] = (200, {}, json.dumps(jwks("k1")).encode())
    key_sets = KeySets((IssuerSettings(issuer=url, jwks="discovery"),), tmp_path, Telemetry())

    key_sets.load()

    assert ("k1",) == key_sets.of(url).kids
    assert ["/.well-known/openid-configuration", "/keys"] == asked


def test_metadata_of_another_issuer_is_refused(server, tmp_path: Path) -> None:
    """Section 4.3: the issuer in the metadata must be the one asked for."""
    url, _, answers = server
    answers["/.well-known/openid-configuration"] = (
        200,
        {},
        json.dumps({"issuer": "https://evil/", "jwks_uri": f"{url}/keys"}).encode(),
    )
    key_sets = KeySets((IssuerSettings(issuer=url, jwks="discovery"),), tmp_path, Telemetry())

    key_sets.load()

    assert "another issuer" in key_sets.of(url).error


@pytest.mark.parametrize("url", ["http://example.com/keys", "file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://x"])
def test_only_https_is_fetched(url: str) -> None:
    """Plain http serves loopback only."""
    with pytest.raises(ValueError, match="only https"):
        fetch_url(url)


def test_redirects_and_oversized_answers_are_refused(server) -> None:
    """A redirect would lead to a place that nobody configured."""
    url, asked, answers = server
    answers["/there"] = (302, {"Location": f"{url}/elsewhere"}, b"")
    answers["/big"] = (200, {}, b"x" * ((1 << 20) + 1))

    with pytest.raises(OSError, match="302"):
        fetch_url(f"{url}/there")
    with pytest.raises(ValueError, match="more than"):
        fetch_url(f"{url}/big")

    assert ["/there", "/big"] == asked


def test_nothing_is_fetched_because_a_token_says_so(server, tmp_path: Path) -> None:
    """jku, x5u, jwk, iss and kid of a token lead nowhere."""
    url, asked, _ = server
    pointing = token(iss=url, headers={"jku": f"{url}/jku", "x5u": f"{url}/x5u", "kid": f"{url}/kid"})

    assert Verification.NOT_CHECKED == check(verifier(tmp_path, jwks("k1")), pointing)
    assert [] == asked


def test_a_key_that_is_newer_than_the_key_set_is_not_called_unpublished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Just after a rotation the set is older than the token: what it lacks is unknown, until it was read again."""
    now = time.time()
    tested = kept(verifier(tmp_path, jwks("k1")))
    clock = Clock(now + 60)
    monkeypatch.setattr("collector.token.verification.time", clock)
    fresh = token(key="k2", iat=int(now) + 30)
    before = tested.version, check(tested, fresh)
    clock.now += 1
    tested._key_sets._refresh(tested._key_sets.issuers[0])  # it was hurried: the key is still not there

    assert Verification.NOT_CHECKED == before[1]
    assert (before[0] + 1, Verification.NO_KEY) == (tested.version, check(tested, fresh))
    (tmp_path / "jwks.json").write_text(json.dumps(jwks("k1", "k2")))
    tested._key_sets._refresh(tested._key_sets.issuers[0])
    assert Verification.VERIFIED == check(tested, fresh)


def test_a_fetch_that_fails_makes_no_key_set_newer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The keys are still those of before."""
    now = time.time()
    tested = kept(verifier(tmp_path, jwks("k1")))
    monkeypatch.setattr("collector.token.verification.time", Clock(now + 60))
    (tmp_path / "jwks.json").write_text("nothing")
    tested._key_sets._refresh(tested._key_sets.issuers[0])

    assert Verification.NOT_CHECKED == check(tested, token(key="k2", iat=int(now) + 30))


def test_a_key_set_that_nobody_reads_again_is_the_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`why401 explain` reads it once: no later fetch would tell."""
    now = time.time()
    tested = verifier(tmp_path, jwks("k1"))
    monkeypatch.setattr("collector.token.verification.time", Clock(now + 60))

    assert Verification.NO_KEY == check(tested, token(key="k2", iat=int(now) + 30))


def kept(tested: Verifier) -> Verifier:
    """As if its key sets were kept fresh; the test does that."""
    tested._key_sets._thread = threading.Thread()
    return tested


@dataclass
class Clock:
    """Stands for the module `time`."""

    now: float

    def time(self) -> float:
        """As it was set."""
        return self.now


def test_a_rotated_key_file_is_read_again(tmp_path: Path) -> None:
    """The version moves with the keys, so that older verifications are not reused."""
    file = tmp_path / "jwks.json"
    tested = verifier(tmp_path, jwks("k1"))
    before = tested.version
    file.write_text(json.dumps(jwks("k2")))

    tested._key_sets._refresh(tested._key_sets.issuers[0])

    assert (Verification.VERIFIED, before + 1) == (check(tested, token(key="k2")), tested.version)
    assert rsa_key("k2") is not rsa_key("k1")


def test_a_key_set_with_other_keys_is_told(tmp_path: Path) -> None:
    """Which came and which went, once; the first reading is no change, and a listener that fails harms nothing."""
    file = tmp_path / "jwks.json"
    tested = verifier(tmp_path, jwks("k1"))
    keys, told = tested._key_sets, []

    def listen(issuer: str, came: tuple[str, ...], went: tuple[str, ...]) -> None:
        told.append((issuer, came, went))
        raise OSError("no store")

    keys.changed = listen
    keys._refresh(keys.issuers[0])
    file.write_text(json.dumps(jwks("k2")))
    keys._refresh(keys.issuers[0])
    keys._refresh(keys.issuers[0])

    assert [(keys.issuers[0].issuer, ("k2",), ("k1",))] == told
    assert Verification.VERIFIED == check(tested, token(key="k2"))
