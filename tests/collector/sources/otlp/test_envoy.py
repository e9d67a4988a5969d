"""The snippet of docs/authentication.md, in a real Envoy against a receiver with TLS and a token."""

from __future__ import annotations

import http.client
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from collector.sources.otlp.grpc_source import OtlpGrpcSource
from tests.brokers import free_ports
from tests.collector.sources.access_rig import GOOD, Pki, token_file
from tests.collector.sources.otlp.rig import HANG_S, Rig, running
from tests.waiting import eventually
from why401.demo.envoy import EnvoyFailed, envoy_binary

PAGE = Path(__file__).parents[4] / "docs" / "authentication.md"


def snippet(rig: Rig, pki: Pki, token: str) -> tuple[Any, Any]:
    """The page's access log and cluster, with this receiver's address, CA and token for the page's."""
    text = PAGE.read_text().split("runs a real Envoy with this. -->\n```yaml\n")[1].split("```")[0]
    port = rig.address.rpartition(":")[2]
    text = text.replace("address: why401.example.com, port_value: 4317", f"address: 127.0.0.1, port_value: {port}")
    text = text.replace("why401.example.com", "localhost")
    text = text.replace("/etc/envoy/ca.pem", str(pki.folder / "ca.pem")).replace("TOKEN", token, 1)
    log, clusters = yaml.safe_load_all(text)
    return log["access_log"], clusters["clusters"]


def bootstrap(port: int, access_log: Any, clusters: Any) -> dict[str, Any]:
    """An Envoy that answers 401 to everything, and logs so."""
    kind = "type.googleapis.com/envoy.extensions.filters."
    answer = {"match": {"prefix": "/"}, "direct_response": {"status": 401}}
    manager = {
        "@type": kind + "network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "edge",
        "access_log": access_log,
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [answer]}]},
        "http_filters": [{"name": "router", "typed_config": {"@type": kind + "http.router.v3.Router"}}],
    }
    listener = {
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
        "filter_chains": [
            {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
        ],
    }
    return {"static_resources": {"listeners": [listener], "clusters": clusters}}


def requested(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=HANG_S)
    try:
        connection.request("GET", "/orders", headers={"Authorization": "Bearer abc"})
        return connection.getresponse().status == 401
    except OSError:
        return False
    finally:
        connection.close()


@pytest.mark.envoy
@pytest.mark.parametrize("token", [GOOD, "w" * 40], ids=["right", "wrong"])
def test_envoy_comes_in_with_its_token(tmp_path: Path, token: str) -> None:
    """With the right token its record arrives over TLS; with a wrong one nothing does, and it is counted why."""
    try:
        binary = envoy_binary()
    except EnvoyFailed as error:
        pytest.skip(error.why)
    pki = Pki.make(tmp_path / "pki")
    with running(OtlpGrpcSource, **pki.settings, token_file=token_file(tmp_path, f"edge {GOOD}")) as rig:
        port = free_ports(1)[0]
        config = tmp_path / "envoy.yaml"
        config.write_text(yaml.safe_dump(bootstrap(port, *snippet(rig, pki, token))))
        with (tmp_path / "log").open("wb") as log:
            command = [str(binary), "-c", str(config), "--disable-hot-restart", "--concurrency", "1"]
            envoy = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            eventually(lambda: requested(port), f"Envoy; its log is {tmp_path / 'log'}")
            if token == GOOD:
                eventually(lambda: rig.intake.batches, f"Envoy's record; its log is {tmp_path / 'log'}")
            else:
                eventually(lambda: rig.telemetry.value("why401.senders.refused") >= 1, "a refusal")
        finally:
            envoy.terminate()
            envoy.wait(HANG_S)

        if token == GOOD:
            assert "401" == rig.intake.batches[0].items[0].attributes["response_code"]
        else:
            assert ([], {"unknown_token"}) == (
                rig.intake.batches,
                set(rig.telemetry.by("why401.senders.refused", "reason")),
            )
