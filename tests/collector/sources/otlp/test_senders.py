"""Who sends: tokens of a file, tokens of a provider, and nobody else; over both protocols."""

from __future__ import annotations

import hashlib
import inspect
import logging
import os
import socket
import time
from pathlib import Path

import grpc
import jwt
import pytest
from google.rpc.status_pb2 import Status

from collector.errors import ConfigurationError
from collector.settings import OidcSettings
from collector.sources.otlp import senders
from collector.sources.otlp.grpc_source import OtlpGrpcSource
from collector.sources.otlp.http_source import OtlpHttpSource
from collector.sources.otlp.receiver import Refusal, Refused
from collector.sources.otlp.senders import OidcSenders, SenderRefused, TokenFile, credential
from collector.telemetry import Telemetry
from tests import tokens
from tests.collector.sources.access_rig import (
    GOOD,
    NEXT,
    access_token,
    bearer,
    export,
    key_file,
    post,
    token_file,
)
from tests.collector.sources.otlp.rig import HANG_S, running
from tests.waiting import eventually

LINES = f"# rotated in June\nedge-1 {GOOD}\n\nedge-2 sha256:{hashlib.sha256(NEXT.encode()).hexdigest()}\n"


@pytest.fixture
def oidc(tmp_path):
    """A verifier with one key, whose tokens need a scope and a claim."""
    settings = OidcSettings(
        issuer=tokens.ISSUER,
        audience="why401",
        jwks=key_file(tmp_path, "k1"),
        scope="logs.write",
        claims={"azp": "edge"},
    )
    with OidcSenders.of(settings, Path(), Telemetry()) as made:
        yield made


def fine(**claims):
    return access_token(**({"scope": "openid logs.write", "azp": "edge"} | claims))


def test_tokens_are_known_by_name(tmp_path):
    """Plain or hashed in the file, several at once, so that they can be rotated."""
    known = TokenFile(Path(token_file(tmp_path, LINES)), Telemetry())

    assert ("edge-1", "edge-2", "", "") == tuple(map(known.sender, (GOOD, NEXT, GOOD[:-1], "")))
    assert ("edge-1", "edge-2") == known.names


def test_a_changed_file_is_read_again(tmp_path, monkeypatch):
    """A token that was taken out is refused, one that was put in is accepted, without a restart."""
    monkeypatch.setattr(senders, "LOOK_SECONDS", 0.0)
    path = Path(token_file(tmp_path, f"old {GOOD}"))
    known = TokenFile(path, Telemetry())

    token_file(tmp_path, f"new-one {NEXT}")

    assert ("", "new-one") == (known.sender(GOOD), known.sender(NEXT))


@pytest.mark.parametrize("ruin", ["unreadable", "gone", "exposed"])
def test_a_broken_file_changes_nothing(tmp_path, monkeypatch, caplog, ruin):
    """A rotation that went wrong is counted and said; who was known stays known."""
    monkeypatch.setattr(senders, "LOOK_SECONDS", 0.0)
    telemetry = Telemetry()
    path = Path(token_file(tmp_path, f"old {GOOD}"))
    known = TokenFile(path, telemetry)

    with caplog.at_level(logging.WARNING):
        if ruin == "gone":
            path.unlink()
        else:
            path.write_text("one two three" if ruin == "unreadable" else f"new {NEXT}")
            path.chmod(0o600 if ruin == "unreadable" else 0o644)

        assert ("old", "") == (known.sender(GOOD), known.sender(NEXT))
    assert 1 == telemetry.value("why401.errors", stage="otlp_tokens")
    assert "the tokens known before stay" in caplog.text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("edge short", "line 1: expected a token of 32", id="short"),
        pytest.param(f"edge {GOOD} more", 'line 1: expected "name token"', id="words"),
        pytest.param(f"\nedge {GOOD}é", "line 2: expected a token", id="characters"),
        pytest.param("edge sha256:abc", "64 hex digits", id="digest"),
        pytest.param(f"a {GOOD}\na {NEXT}", "different names", id="name-twice"),
        pytest.param("".join(f"n{n} {GOOD}\n" for n in range(101)), "at most 100", id="many"),
        pytest.param("# nobody", 'expected a line "name token"', id="empty"),
    ],
)
def test_a_wrong_token_file_stops_the_start(tmp_path, text, says):
    """With the line's number, and never with what stands in it."""
    with pytest.raises(ConfigurationError) as raised:
        TokenFile(Path(token_file(tmp_path, text)), Telemetry())

    assert says in f"{raised.value.value}: {raised.value.expected}"
    assert GOOD not in str(raised.value)
    assert "short" not in str(raised.value)


def test_others_may_not_read_the_token_file(tmp_path):
    """0600, or it is no secret."""
    path = Path(token_file(tmp_path, LINES))
    path.chmod(0o644)

    with pytest.raises(ConfigurationError, match="chmod 600"):
        TokenFile(path, Telemetry())


def test_no_token_stays_in_memory(tmp_path):
    """What is kept are digests, and they are compared in constant time."""
    known = TokenFile(Path(token_file(tmp_path, LINES)), Telemetry())
    source = inspect.getsource(TokenFile.sender)

    assert GOOD not in repr([getattr(known, name) for name in TokenFile.__slots__])
    assert "compare_digest" in source
    assert "==" not in source


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        pytest.param([], "no_credential", id="none"),
        pytest.param(["Basic dXNlcjpwYXNz"], "wrong_scheme", id="basic"),
        pytest.param(["Bearer"], "malformed", id="nothing"),
        pytest.param(["Bearer a b"], "malformed", id="space"),
        pytest.param(["Bearer " + "a" * 20_000], "malformed", id="long"),
        pytest.param([f"Bearer {GOOD}", f"Bearer {GOOD}"], "malformed", id="twice"),
    ],
)
def test_a_credential_that_cannot_be_read(values, reason):
    """Each has its reason, and none is repeated."""
    with pytest.raises(SenderRefused) as raised:
        credential(values)

    assert reason == raised.value.reason


def test_a_token_of_the_provider_comes_in(oidc):
    """With scope as text or as a list, aud as text or as a list."""
    oidc.verify(fine())
    oidc.verify(fine(scope=None, scp=["logs.write"], aud=["other", "why401"]))


@pytest.mark.parametrize(
    ("make", "reason", "refusal"),
    [
        pytest.param(lambda: fine(exp=tokens.now() - 100), "expired", Refusal.UNAUTHENTICATED, id="exp"),
        pytest.param(lambda: fine(nbf=tokens.now() + 900), "not_yet_valid", Refusal.UNAUTHENTICATED, id="nbf"),
        pytest.param(lambda: fine(aud="orders-api"), "wrong_audience", Refusal.UNAUTHENTICATED, id="aud"),
        pytest.param(lambda: fine(iss="https://evil/"), "wrong_issuer", Refusal.UNAUTHENTICATED, id="iss"),
        pytest.param(lambda: fine(exp=None), "missing_claim", Refusal.UNAUTHENTICATED, id="no-exp"),
        pytest.param(lambda: fine(aud=None), "missing_claim", Refusal.UNAUTHENTICATED, id="no-aud"),
        pytest.param(lambda: fine(iss=None), "missing_claim", Refusal.UNAUTHENTICATED, id="no-iss"),
        pytest.param(lambda: fine(key="k2"), "unknown_key", Refusal.UNAUTHENTICATED, id="kid"),
        pytest.param(lambda: fine(key="k2", headers={"kid": "k1"}), "bad_signature", Refusal.UNAUTHENTICATED, id="forged"),
        pytest.param(lambda: fine()[:-42], "bad_signature", Refusal.UNAUTHENTICATED, id="cut"),
        pytest.param(lambda: tokens.raw({"alg": "none"}, {}), "wrong_algorithm", Refusal.UNAUTHENTICATED, id="none"),
        pytest.param(
            lambda: jwt.encode({"iss": tokens.ISSUER, "aud": "why401", "exp": tokens.now() + 600}, "k" * 64, "HS256"),
            "wrong_algorithm", Refusal.UNAUTHENTICATED, id="hs256",
        ),
        pytest.param(lambda: "a" * 40, "unknown_token", Refusal.UNAUTHENTICATED, id="opaque"),
        pytest.param(lambda: fine(scope="openid"), "wrong_scope", Refusal.FORBIDDEN, id="scope"),
        pytest.param(lambda: fine(azp="other"), "wrong_claim", Refusal.FORBIDDEN, id="claim"),
        pytest.param(lambda: fine(azp=None), "wrong_claim", Refusal.FORBIDDEN, id="no-claim"),
    ],
)  # fmt: skip
def test_a_token_of_the_provider_is_refused(oidc, make, reason, refusal):
    """Each with its reason; what is permitted is 403, who it is 401."""
    with pytest.raises(SenderRefused) as raised:
        oidc.verify(make())

    assert (reason, refusal) == (raised.value.reason, raised.value.refusal)


def test_without_keys_senders_are_told_to_wait():
    """Our missing key set is no fault of theirs: retryable, so that no batch is dropped for it."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/jwks"
    settings = OidcSettings(issuer=tokens.ISSUER, audience="why401", jwks=url)

    with OidcSenders.of(settings, Path(), Telemetry()) as nobody, pytest.raises(Refused) as raised:
        nobody.verify(fine())

    assert Refusal.UNAVAILABLE == raised.value.refusal


def test_an_audience_is_required():
    """A token that the provider made for anybody else must not open this door."""
    with pytest.raises(ConfigurationError, match=r"otlp\.oidc\.audience"):
        OidcSenders.of(OidcSettings(issuer=tokens.ISSUER), Path(), Telemetry())


@pytest.fixture
def guarded(tmp_path):
    """The settings of a receiver that asks for a token of the file or of the provider."""
    oidc = OidcSettings(issuer=tokens.ISSUER, audience="why401", jwks=key_file(tmp_path, "k1"), scope="logs.write")
    return {"token_file": token_file(tmp_path, LINES), "oidc": oidc}


@pytest.mark.parametrize(
    ("headers", "status", "challenge"),
    [
        pytest.param({}, 401, 'Bearer realm="why401"', id="none"),
        pytest.param(
            bearer("x" * 40), 401,
            'Bearer realm="why401", error="invalid_token", error_description="the token is not known here"', id="unknown",
        ),
        pytest.param(
            bearer(fine(scope="openid")), 403,
            'Bearer realm="why401", error="insufficient_scope", error_description="the token lacks the scope",'
            ' scope="logs.write"', id="scope",
        ),
    ],
)  # fmt: skip
def test_http_says_what_is_missing(guarded, headers, status, challenge):
    """401 or 403 with WWW-Authenticate (RFC 6750) and a google.rpc.Status; nothing is offered to the intake."""
    with running(OtlpHttpSource, **guarded) as rig:
        answer = post(rig, headers)

        assert (status, challenge) == (answer.status, answer.headers["www-authenticate"])
        assert {401: 16, 403: 7}[status] == answer.rpc_status().code
        assert ([], {str(status): 1}) == (rig.intake.batches, rig.refused())


@pytest.mark.parametrize("token", [GOOD, NEXT, fine()], ids=["plain", "hashed", "oidc"])
def test_known_senders_come_in(guarded, token):
    """Over both protocols, counted by who they are."""
    for kind in (OtlpHttpSource, OtlpGrpcSource):
        with running(kind, **guarded) as rig:
            if kind is OtlpHttpSource:
                assert 200 == post(rig, bearer(token)).status
            else:
                with grpc.insecure_channel(rig.address) as channel:
                    assert not isinstance(export(channel, token), grpc.RpcError)
            named = {GOOD: "edge-1", NEXT: "edge-2"}.get(token, "oidc")

            assert (["x"], {named: 1}) == (rig.intake.texts(), rig.telemetry.by("why401.senders.accepted", "sender"))


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("", grpc.StatusCode.UNAUTHENTICATED),
        ("x" * 40, grpc.StatusCode.UNAUTHENTICATED),
        (fine(scope="openid"), grpc.StatusCode.PERMISSION_DENIED),
    ],
    ids=["none", "unknown", "scope"],
)
def test_grpc_says_what_is_missing(guarded, token, code):
    """UNAUTHENTICATED or PERMISSION_DENIED, with a google.rpc.Status; nothing is offered to the intake."""
    with running(OtlpGrpcSource, **guarded) as rig, grpc.insecure_channel(rig.address) as channel:
        error = export(channel, token)
        details = dict(error.trailing_metadata())["grpc-status-details-bin"]

        assert (code, code.value[0]) == (error.code(), Status.FromString(details).code)
        assert [] == rig.intake.batches


def test_the_answer_comes_before_the_body_over_http(guarded):
    """401 although the body that was announced has not come: none of it is waited for."""
    with running(OtlpHttpSource, **guarded) as rig:
        host, _, port = rig.address.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=HANG_S) as client:
            client.sendall(b"POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")

            assert b"HTTP/1.1 401" == client.recv(12)


def test_the_answer_comes_before_the_body_over_grpc(guarded):
    """UNAUTHENTICATED although the client has sent no message at all."""
    with running(OtlpGrpcSource, **guarded) as rig, grpc.insecure_channel(rig.address) as channel:
        call = channel.stream_unary("/opentelemetry.proto.collector.logs.v1.LogsService/Export")
        never = iter(lambda: time.sleep(0.05) or b"", None)

        with pytest.raises(grpc.RpcError) as raised:
            call(never, timeout=HANG_S)

        assert grpc.StatusCode.UNAUTHENTICATED == raised.value.code()


def test_what_is_presented_is_never_repeated(guarded, caplog):
    """Neither the answer, nor the log, nor the counters hold any part of a credential."""
    presented = fine(exp=tokens.now() - 100)
    with caplog.at_level(logging.DEBUG), running(OtlpHttpSource, **guarded) as rig:
        answer = post(rig, bearer(presented))
        told = f"{answer.body!r} {answer.headers} {caplog.text} {rig.telemetry.by('why401.senders.refused', 'reason')}"

    assert "expired" in told
    assert [] == [part for part in presented.split(".") if part[:16] in told]


def test_a_rotation_over_the_wire(tmp_path, monkeypatch):
    """Old and new token side by side, then the new one alone, while the receiver runs."""
    monkeypatch.setattr(senders, "LOOK_SECONDS", 0.0)
    with running(OtlpHttpSource, token_file=token_file(tmp_path, f"old {GOOD}\nnew {NEXT}")) as rig:
        both = [post(rig, bearer(token)).status for token in (GOOD, NEXT)]
        token_file(tmp_path, f"new {NEXT}")
        os.utime(tmp_path / "tokens", (1, 1))

        eventually(lambda: post(rig, bearer(GOOD)).status == 401, "the old token is refused")
        assert ([200, 200], 200) == (both, post(rig, bearer(NEXT)).status)
