"""TLS of both receivers: what is on disk is what the next handshake uses."""

from __future__ import annotations

import datetime as dt
import logging
import socket
import ssl
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest

from collector.errors import ConfigurationError
from collector.settings import OidcSettings, OtlpSettings
from collector.sources.otlp import connections
from collector.sources.otlp.door import Door
from collector.sources.otlp.grpc_source import OtlpGrpcSource
from collector.sources.otlp.http_source import OtlpHttpSource
from collector.telemetry import Telemetry
from tests import tokens
from tests.collector.sources.access_rig import GOOD, Pki, bearer, export, key_file, post, token_file
from tests.collector.sources.otlp.rig import HANG_S, running
from tests.waiting import eventually


@pytest.fixture
def pki(tmp_path):
    """Our CA."""
    return Pki.make(tmp_path / "ours")


@pytest.fixture
def stranger(tmp_path):
    """Somebody else's."""
    return Pki.make(tmp_path / "theirs")


@contextmanager
def channel(rig, pki, sender=None):
    with pki.channel(rig.address.replace("127.0.0.1", "localhost"), sender) as made:
        yield made


def served(rig) -> str:
    """The serial number of the certificate that a new connection meets."""
    host, _, port = rig.address.rpartition(":")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection((host, int(port)), timeout=HANG_S) as plain, context.wrap_socket(plain) as secure:
        certificate = secure.getpeercert(binary_form=True)
    return ssl.DER_cert_to_PEM_cert(certificate)


def test_http_over_tls(pki):
    """A sender that trusts the CA comes in."""
    with running(OtlpHttpSource, **pki.settings) as rig:
        assert 200 == post(rig, {}, pki.client()).status


def test_grpc_over_tls(pki):
    """The same with gRPC."""
    with running(OtlpGrpcSource, **pki.settings) as rig, channel(rig, pki) as open_channel:
        assert not isinstance(export(open_channel), grpc.RpcError)


@pytest.mark.parametrize("kind", [OtlpHttpSource, OtlpGrpcSource])
def test_plain_text_does_not_come_in(pki, kind):
    """A sender without TLS is not answered, and the receiver goes on."""
    with running(kind, **pki.settings) as rig:
        host, _, port = rig.address.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=HANG_S) as client:
            client.sendall(b"POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
            answer = client.recv(100)

        assert b"HTTP/1.1 2" not in answer
        assert served(rig)


def test_mtls_over_http(pki, stranger):
    """Only a certificate of the configured CA comes in."""
    with running(OtlpHttpSource, **pki.mutual) as rig:
        for sender in (None, stranger):
            with pytest.raises((ssl.SSLError, ConnectionError)):
                post(rig, {}, pki.client(sender))

        assert (200, ["x"]) == (post(rig, {}, pki.client(pki)).status, rig.intake.texts())


def test_mtls_over_grpc(pki, stranger):
    """The same with gRPC."""
    with running(OtlpGrpcSource, **pki.mutual) as rig:
        for sender in (None, stranger):
            with channel(rig, pki, sender) as refused:
                assert grpc.StatusCode.UNAVAILABLE == export(refused).code()
        with channel(rig, pki, pki) as known:
            assert not isinstance(export(known), grpc.RpcError)

        assert ["x"] == rig.intake.texts()


def test_certificate_and_token_are_both_asked_for(pki, tmp_path):
    """With a CA and a token file, one of the two is not enough."""
    tokens_too = {"token_file": token_file(tmp_path, f"edge {GOOD}")}
    with running(OtlpHttpSource, **pki.mutual, **tokens_too) as rig:
        assert 401 == post(rig, {}, pki.client(pki)).status
        assert 200 == post(rig, bearer(GOOD), pki.client(pki)).status


@pytest.mark.parametrize("kind", [OtlpHttpSource, OtlpGrpcSource])
def test_a_renewed_certificate_is_picked_up(pki, kind):
    """The next connection meets it, without a restart."""
    with running(kind, **pki.settings) as rig:
        before = served(rig)
        pki.renew()

        eventually(lambda: served(rig) != before, "the new certificate")
        assert ssl.PEM_cert_to_DER_cert(served(rig)) == ssl.PEM_cert_to_DER_cert(
            (pki.folder / "server.pem").read_text()
        )


@pytest.mark.parametrize("kind", [OtlpHttpSource, OtlpGrpcSource])
def test_half_of_a_renewal_changes_nothing(pki, stranger, kind, caplog):
    """A certificate that does not fit its key is said once and counted; the pair in use stays."""
    with caplog.at_level(logging.WARNING), running(kind, **pki.settings) as rig:
        before = served(rig)
        (pki.folder / "server.pem").write_bytes((stranger.folder / "server.pem").read_bytes())

        assert [before] * 3 == [served(rig) for _ in range(3)]
        assert 1 == rig.telemetry.value("why401.errors", stage="otlp_tls")
        assert 1 == caplog.text.count("the certificate in use stays")


def test_another_ca_of_senders_is_picked_up(pki, stranger):
    """Who was known is not any more, and the other way round."""
    with running(OtlpHttpSource, **pki.mutual) as rig:
        assert 200 == post(rig, {}, pki.client(pki)).status
        trusting = pki.client(pki)
        (pki.folder / "ca.pem").write_bytes((stranger.folder / "ca.pem").read_bytes())

        with pytest.raises((ssl.SSLError, ConnectionError)):
            post(rig, {}, trusting)
        trusting.load_cert_chain(stranger.folder / "sender.pem")
        assert 200 == post(rig, {}, trusting).status


def test_old_protocols_are_refused(pki):
    """TLS 1.2 or newer."""
    certificates = Door(OtlpSettings(**pki.settings), Telemetry()).certificates

    assert certificates.for_http().minimum_version >= ssl.TLSVersion.TLSv1_2
    assert certificates.fresh().context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_a_handshake_that_stalls_is_given_up(pki, monkeypatch):
    """A connection that never speaks TLS is closed, and does not keep others out."""
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.5)
    with running(OtlpHttpSource, **pki.settings) as rig:
        host, _, port = rig.address.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=HANG_S) as mute:
            assert 200 == post(rig, {}, pki.client()).status
            assert b"" == mute.recv(1)


def ruin_key_mode(pki: Pki) -> None:
    (pki.folder / "server.key").chmod(0o644)


def ruin_key(pki: Pki) -> None:
    (pki.folder / "server.key").write_text("nothing")


def ruin_chain(pki: Pki) -> None:
    (pki.folder / "server.pem").unlink()


def ruin_ca(pki: Pki) -> None:
    (pki.folder / "ca.pem").write_text("nothing")


def ruin_time(pki: Pki) -> None:
    past = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    pki.renew(not_before=past - dt.timedelta(days=1), not_after=past)


@pytest.mark.parametrize(
    ("ruin", "key", "says"),
    [
        (ruin_key_mode, "otlp.tls_key", "others can read it"),
        (ruin_key, "otlp.tls_cert", "unencrypted key"),
        (ruin_chain, "otlp.tls_cert", "No such file"),
        (ruin_ca, "otlp.tls_client_ca", "CA certificates"),
        (ruin_time, "otlp.tls_cert", "has expired"),
    ],
)
def test_files_that_cannot_be_used_stop_the_start(pki, ruin, key, says):
    """With the setting, the path and what would be right."""
    ruin(pki)

    with pytest.raises(ConfigurationError) as raised:
        Door(OtlpSettings(**pki.mutual), Telemetry())

    assert key == raised.value.key
    assert says in raised.value.expected


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"tls_cert": "a.pem"}, "otlp.tls_key"),
        ({"tls_key": "a.pem"}, "otlp.tls_cert"),
        ({"tls_client_ca": "a.pem"}, "otlp.tls_cert"),
    ],
)
def test_half_of_the_settings_stops_the_start(given, key):
    """Certificate and key come together, and a CA of senders needs them."""
    with pytest.raises(ConfigurationError) as raised:
        Door(OtlpSettings(**given), Telemetry())

    assert key == raised.value.key


def protected(pki: Pki, folder: Path, what: str) -> dict[str, object]:
    """Settings by name."""
    return {
        "nothing": {},
        "tls": pki.settings,
        "token": {"token_file": token_file(folder, f"edge {GOOD}")},
        "tls+token": pki.settings | {"token_file": token_file(folder, f"edge {GOOD}")},
        "tls+oidc": pki.settings
        | {"oidc": OidcSettings(issuer=tokens.ISSUER, audience="a", jwks=key_file(folder, "k1"))},
        "mtls": pki.mutual,
    }[what]


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("nothing", "set [otlp] tls_cert, tls_key and token_file, oidc or tls_client_ca, bind 127.0.0.1, or set insecure"),
        ("token", "would travel in the clear: set [otlp] tls_cert, tls_key, bind 127.0.0.1, or set insecure = true"),
        ("tls", "could write into the store: set [otlp] token_file, oidc or tls_client_ca, bind 127.0.0.1, or"),
    ],
)  # fmt: skip
def test_an_exposed_receiver_needs_both(pki, tmp_path, what, says):
    """Beyond loopback it wants TLS and authentication, and says which of the two is missing."""
    door = Door(OtlpSettings(**protected(pki, tmp_path, what)), Telemetry())

    with pytest.raises(ConfigurationError) as raised:
        door.address("otlp.http", "0.0.0.0:4318")

    assert says in raised.value.expected


@pytest.mark.parametrize("what", ["tls+token", "tls+oidc", "mtls"])
def test_a_protected_receiver_may_be_exposed(pki, tmp_path, what):
    """TLS with any of the three."""
    door = Door(OtlpSettings(**protected(pki, tmp_path, what)), Telemetry())

    assert ("0.0.0.0", 4318) == door.address("otlp.http", "0.0.0.0:4318")


def test_insecure_allows_everything():
    """Who says so gets it."""
    assert ("::", 1) == Door(OtlpSettings(), Telemetry(), insecure=True).address("otlp.grpc", "[::]:1")
