"""Threats to what shippers push over HTTP (Loki, Splunk's HEC), each by name: what a hostile sender does, and what it gets."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.events import Origin
from collector.sources.otlp import receiver
from collector.sources.otlp.http_source import OtlpHttpSource
from collector.sources.otlp.receiver import Harvest, Refused
from collector.sources.pushed.loki_decoder import decode_json, decode_protobuf
from collector.sources.pushed.snappy import unsnappy
from collector.sources.pushed.splunk_decoder import decode_events, decode_raw
from tests.collector.sources.access_rig import GOOD, token_file
from tests.collector.sources.otlp.rig import JSON, PROTOBUF, Rig, running, send
from tests.collector.sources.pushed.shapes import field, hec, loki_json, loki_protobuf, push, snappy, varint

MIB = 1 << 20
BOMB_MIB = 200
HEADROOM = 64 * MIB
AT = 1_772_532_000_500_000_000
EVENT = b'{"event": "good"}'


@pytest.fixture
def rig() -> Iterator[Rig]:
    """A receiver that takes 1 MiB."""
    with running(OtlpHttpSource) as running_rig:
        push(running_rig, snappy(b""), PROTOBUF)  # what is imported at the first request is no growth
        yield running_rig


@contextmanager
def flat_memory() -> Iterator[None]:
    """The peak of resident memory rises by less than HEADROOM."""
    Path("/proc/self/clear_refs").write_text("5")
    before = _resident("VmRSS")
    yield
    assert _resident("VmHWM") - before < HEADROOM


def _resident(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(name + ":"))


def zeros() -> bytes:
    packer = zlib.compressobj(wbits=31)
    return b"".join(packer.compress(bytes(MIB)) for _ in range(BOMB_MIB)) + packer.flush()


def snappy_bomb() -> bytes:
    """Says honestly that it is BOMB_MIB: copies of 64 bytes, three bytes each."""
    return varint(BOMB_MIB * MIB) + b"\x00\x00" + b"\xfe\x01\x00" * 300_000


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (snappy_bomb(), 413),
        (varint(BOMB_MIB * MIB) + b"x", 413),  # says so and is not
        (varint(MIB) + b"\x00\x00", 400),  # within the limit, and impossible from so few bytes
        (b"\xff" * 10, 400),
        (b"", 400),
    ],
)
def test_snappy_bomb(rig: Rig, body: bytes, status: int) -> None:
    """Its size is known before it is inflated."""
    with flat_memory():
        assert push(rig, body, PROTOBUF).status == status
    assert push(rig, loki_json({"a": "b"}, [str(AT), "good"])).status == 204


@pytest.mark.parametrize("kind", [PROTOBUF, JSON])
def test_gzip_bomb_at_loki(rig: Rig, kind: str) -> None:
    """413 before it is inflated."""
    bomb = zeros()
    with flat_memory():
        assert push(rig, bomb, kind, Content_Encoding="gzip").status == 413


@pytest.mark.parametrize("path", ["/event", "/raw"])
def test_gzip_bomb_at_splunk(rig: Rig, path: str) -> None:
    """413 in Splunk's words."""
    bomb = zeros()
    with flat_memory():
        answer = hec(rig, bomb, path, Content_Encoding="gzip")
    assert (answer.status, answer.json()["code"]) == (413, 27)


def test_codings_on_top_of_each_other(rig: Rig) -> None:
    """Are not peeled at all."""
    layers = gzip.compress(gzip.compress(EVENT))
    assert push(rig, layers, Content_Encoding="gzip, gzip").status == 415
    assert hec(rig, layers, Content_Encoding="gzip, gzip").status == 415
    assert push(rig, layers, PROTOBUF, Content_Encoding="snappy, snappy").status == 415


DEEP = b'{"event": ' + b'{"a":' * 100 + b"1" + b"}" * 101
DEEPER = b'{"event": ' + b"[" * 100_000


@pytest.mark.parametrize(
    "body", [DEEP, DEEPER, b'{"event": ' + b"9" * 10_000 + b"}", b'{"event": NaN}', b'{"event":1e999999}']
)
def test_json_bomb_at_splunk(rig: Rig, body: bytes) -> None:
    """Depth and numbers that nothing holds are refused, and the next event is taken."""
    with flat_memory():
        assert hec(rig, body).status == 400
    assert hec(rig, EVENT).status == 200


def test_values_are_counted_before_they_are_built(monkeypatch: pytest.MonkeyPatch, rig: Rig) -> None:
    """Of JSON at both paths."""
    monkeypatch.setattr(receiver, "MAX_VALUES", 1_000)
    many = b'{"event": [' + b"{}," * 10_000 + b"{}]}"
    assert hec(rig, many).status == 413
    assert push(rig, many).status == 413


def test_records_are_counted(monkeypatch: pytest.MonkeyPatch, rig: Rig) -> None:
    """In every form a request has at most so many."""
    monkeypatch.setattr(receiver, "MAX_RECORDS", 10)
    entries = [(AT, "x", {})] * 11
    assert hec(rig, EVENT * 11).status == 413
    assert hec(rig, b"x\n" * 11, "/raw").status == 413
    assert push(rig, loki_json({}, *([str(AT), "x"] for _ in entries))).status == 413
    assert push(rig, snappy(loki_protobuf("{}", *entries)), PROTOBUF).status == 413
    assert rig.intake.batches == []


def test_one_record_has_a_size(rig: Rig) -> None:
    """A larger one is left out, and hides no other."""
    large = "x" * (1 << 20)
    with running(OtlpHttpSource, max_body_mib=4) as roomy:
        assert hec(roomy, b'{"event": "%s"}' % large.encode() + EVENT).status == 200
        assert push(roomy, loki_json({}, [str(AT), large], [str(AT), "good"])).status == 204
        assert push(roomy, snappy(loki_protobuf("{}", (AT, large, {}), (AT, "good", {}))), PROTOBUF).status == 204
        assert roomy.intake.texts() == ["good"] * 3
        assert roomy.drops() == {"too_large": 3}


def test_a_web_page_cannot_send_records(rig: Rig) -> None:
    """What a browser sends to another origin without asking first is refused, and when it asks it gets no permission."""
    simple = {"Content-Type": "text/plain", "Origin": "https://evil.example"}
    asks = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    for path, body in (("/loki/api/v1/push", loki_json({}, [str(AT), "x"])), ("/services/collector", EVENT)):
        assert send(rig, body, simple, path=path).status in (401, 415)
        answer = send(rig, b"", asks, method="OPTIONS", path=path)
        assert not any(name.startswith("access-control") for name in answer.headers)
    assert rig.intake.batches == []


def test_an_unauthenticated_flood(tmp_path: Path) -> None:
    """Is refused before its body is read, with reasons and names of a closed set."""
    with running(OtlpHttpSource, token_file=token_file(tmp_path, f"edge {GOOD}\n")) as rig:
        for n in range(50):
            assert hec(rig, EVENT, authorization=f"Splunk {n:036}").status == 403
            assert push(rig, b"{}", Authorization=f"Basic {n:04}").status == 401
        reasons = set(rig.telemetry.by("why401.senders.refused", "reason"))
        assert reasons <= {"unknown_token", "malformed", "no_credential", "wrong_scheme"}
        assert rig.intake.batches == []


@given(st.binary(max_size=2_000))
def test_any_bytes(body: bytes) -> None:
    """Every decoder takes or refuses them; nothing else is raised."""
    decoders = [decode_protobuf, decode_json, lambda b, h: decode_events({}, b, h), lambda b, h: decode_raw({}, b, h)]
    for decode in decoders:
        for prefix in (b"", b'{"event":', b'{"streams":[', field(1, field(1, b'{a="b"}') + field(2, body))):
            try:
                decode(prefix + body, Harvest(Origin("test"), "", 1))
            except Refused as refused:
                del refused


@given(st.binary(max_size=500))
def test_any_bytes_are_no_snappy(body: bytes) -> None:
    """Content, or a refusal."""
    try:
        assert len(unsnappy(body, 1_000)) <= 1_000
    except Refused as refused:
        del refused
