"""The real Envoy as a child: it starts, logs twice, and leaves nothing behind."""

from __future__ import annotations

import os
import socket

import pytest

from why401.demo.bootstrap import LOG_KEYS
from why401.demo.envoy import DemoEnvoy, EnvoyFailed
from why401.demo.faults import FAULTS, GOOD
from why401.demo.mint import Mint

pytestmark = pytest.mark.envoy


def _is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_json_log_has_one_line_per_request(observed):
    """Every request that was sent, the refused and the good ones, is one JSON object with the operator's keys."""
    records = observed.run.records()

    assert len(records) == observed.run.sent + 1
    assert all(set(record) == set(LOG_KEYS) for record in records)


def test_otlp_export_carries_the_same_records(observed):
    """The OpenTelemetry access logger sends every record with a body and the same attributes."""
    written = sorted(str(record["request_id"]) for record in observed.run.records())
    sent = sorted(attributes["request_id"] for _, attributes in observed.otlp)

    assert sent == [identifier if identifier != "None" else "-" for identifier in written]
    assert all(body.startswith("[") for body, _ in observed.otlp)
    assert {resource["service.name"] for resource in observed.resources} == {"edge-envoy"}
    assert {resource["service.instance.id"] for resource in observed.resources} == {"edge-1"}


def test_labels_and_callers_reach_the_log(observed):
    """Request id, client address and user agent are the client's; two Authorization headers arrive as one."""
    record = observed.record("credential-two-headers")

    assert record["request_id"].startswith("credential-two-headers.")
    assert record["downstream_remote_address"].startswith("203.0.113.")
    assert record["authorization"].count("Bearer ") == 2
    assert len(observed.labelled) >= len(FAULTS)
    assert len(observed.run.replies) == len(FAULTS) + len(GOOD)


def test_the_operators_sin_is_real(observed):
    """The log holds whole tokens, and Envoy's challenge repeats the start of one from the query: work for redaction."""
    record = observed.record("credential-twice")

    assert record["authorization"].startswith("Bearer eyJ")
    assert "access_token=eyJ" in record["path"]
    assert "access_token=eyJ" in record["www_authenticate"]


def test_rotation_leaves_the_cached_key_set_stale(observed):
    """After `rotate()` the key server has the new key and Envoy still refuses it; the former key keeps passing."""
    kids = [key["kid"] for key in observed.run.mint.jwks("shop")["keys"]]

    assert kids == ["shop-2026-11-r1", "shop-2026-10-rs256"]
    assert "kid_or_alg" in observed.record("kid-rotated")["response_code_details"]
    observed.run.send(["ok-orders"])
    assert observed.run.replies["ok-orders"].status == 200


def test_stop_leaves_no_process_and_no_port(tmp_path):
    """`stop()` ends Envoy by its own pid and closes the services; calling it again is harmless."""
    with DemoEnvoy(tmp_path, Mint(), otlp_port=9) as envoy:
        pid, port, services = envoy.pid, envoy.port, envoy.services.port
        assert _is_alive(pid)
    envoy.stop()

    assert not _is_alive(pid)
    assert [_accepts(port), _accepts(services)] == [False, False]


def _accepts(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_taken_port_is_said_with_envoys_own_words(tmp_path):
    """A port that is in use ends the start with Envoy's log as evidence, and the with block cleans up."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        envoy = DemoEnvoy(tmp_path, Mint(), otlp_port=9, listen_port=taken.getsockname()[1])
        with pytest.raises(EnvoyFailed) as failed:
            envoy.__enter__()

    assert "exited with status" in failed.value.why
    assert "Address already in use" in failed.value.log
    assert envoy.pid == 0
