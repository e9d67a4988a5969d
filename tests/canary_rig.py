"""why401 as a process in a folder of its own, everything that it writes caught there, and the senders of its canaries."""

from __future__ import annotations

import http.client
import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import grpc
import orjson
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from tests.brokers import free_ports
from tests.canary_records import Carrier
from tests.waiting import HANG_S, eventually

EXPORT: Final = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
END: Final = "the-last-record-of-"  # request id of the record that closes a source
MAIN: Final = ("-m", "why401")


@dataclass
class Rig:
    """One folder: `lake`, `tmp`, `home`, `out` and `err` of every process, and what came back from receivers."""

    place: Path
    grpc: int = 0
    http: int = 0
    prometheus: int = 0
    syslog: int = 0
    answers: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.grpc, self.http, self.prometheus, self.syslog = free_ports(4)
        for name in ("tmp", "home"):
            (self.place / name).mkdir(parents=True)

    @property
    def config(self) -> Path:
        """The configuration file, which `configure` writes."""
        return self.place / "why401.toml"

    def configure(self, *lines: str) -> Path:
        """Debug logging everywhere, short commits, frequent maintenance, and these lines."""
        first = (
            f'data_dir = "{self.place}/lake"', "[otlp]", f'grpc = "127.0.0.1:{self.grpc}"', f'http = "127.0.0.1:{self.http}"',
            "[store]", "commit_interval_ms = 250", "maintenance_seconds = 5",
        )  # fmt: skip
        self.config.write_text("\n".join((*first, *lines)))
        return self.config

    @contextmanager
    def process(
        self, *arguments: str, code: tuple[str, ...] = MAIN, stdin: Any = None
    ) -> Iterator[subprocess.Popen[bytes]]:
        """`why401 ARGUMENTS`, with the interpreter's own crash dumps on; ended by its own pid."""
        env = {**os.environ, "PYTHONFAULTHANDLER": "1", "PYTHONASYNCIODEBUG": "1", "GRPC_VERBOSITY": "DEBUG"}
        env |= {"TMPDIR": str(self.place / "tmp"), "HOME": str(self.place / "home"), "PYTHONPATH": str(Path.cwd())}
        with (self.place / "out").open("ab") as out, (self.place / "err").open("ab") as err:
            command = [sys.executable, *code, *arguments, "--config", str(self.config)]
            running = subprocess.Popen(command, stdin=stdin, stdout=out, stderr=err, env=env, cwd=self.place)
        try:
            yield running
        finally:
            if running.poll() is None:
                running.send_signal(signal.SIGTERM)
            running.wait(HANG_S)

    def said(self) -> str:
        """All stderr so far."""
        return (self.place / "err").read_text(errors="replace")

    def await_ready(self, process: subprocess.Popen[bytes]) -> None:
        """Both receivers answer."""
        eventually(
            lambda: process.poll() is not None or (_listens(self.http) and _listens(self.grpc)), "why401 listens"
        )
        assert process.poll() is None, self.said()[-3000:]

    def post(self, body: bytes, content_type: str, path: str = "/v1/logs", **headers: str) -> int:
        """One OTLP/HTTP request; its answer is kept to be searched, too."""
        connection = http.client.HTTPConnection("127.0.0.1", self.http, timeout=HANG_S)
        try:
            connection.request("POST", path, body, {"Content-Type": content_type, **headers})
            answer = connection.getresponse()
            self.answers.append(str(answer.getheaders()).encode() + answer.read())
            return answer.status
        finally:
            connection.close()

    def call(self, body: bytes) -> bool:
        """One OTLP/gRPC request, and whether it was taken; a refusal's words and metadata are kept."""
        with grpc.insecure_channel(f"127.0.0.1:{self.grpc}") as channel:
            try:
                self.answers.append(channel.unary_unary(EXPORT)(body, timeout=HANG_S))
            except grpc.RpcError as error:
                self.answers.append(f"{error.details()} {error.trailing_metadata()}".encode())
                return False
        return True

    def deliver(self, body: bytes) -> None:
        """As `call`, again and again while a busy receiver asks for it, as every exporter does."""
        eventually(lambda: self.call(body), "the request is taken")

    def deliver_http(self, body: bytes, content_type: str, path: str = "/v1/logs", **headers: str) -> None:
        """As `post`, again and again while a busy receiver asks for it."""
        taken = (HTTPStatus.OK, HTTPStatus.NO_CONTENT)
        eventually(lambda: self.post(body, content_type, path, **headers) in taken, "the request is taken")

    def write_syslog(self, messages: Iterable[bytes]) -> None:
        """Each as a message with counted octets, over one connection."""
        with socket.create_connection(("127.0.0.1", self.syslog), timeout=HANG_S) as client:
            for message in messages:
                client.sendall(b"%d %s" % (len(message), message))

    def scrape(self) -> bytes:
        """The Prometheus page."""
        connection = http.client.HTTPConnection("127.0.0.1", self.prometheus, timeout=HANG_S)
        try:
            connection.request("GET", "/metrics")
            return connection.getresponse().read()
        finally:
            connection.close()


def _listens(port: int) -> bool:
    import socket

    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def metrics_receiver(into: Path) -> Iterator[str]:
    """An OTLP/HTTP receiver of metrics that keeps every body; its base URL."""

    class Keeper(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with into.open("ab") as file:
                file.write(body)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Keeper)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def end_of(source: str) -> str:
    """The line that closes a source: an Envoy record with a request id to look for."""
    record = {"start_time": "2026-05-11T06:07:08.090Z", "method": "GET", "path": "/end", "response_code": 401}
    return json.dumps(
        {**record, "response_code_details": "jwt_authn_access_denied{Jwt_is_expired}", "request_id": END + source}
    )


def value_of(value: Any) -> AnyValue:
    """A Python value in protobuf; invalid Unicode becomes a question mark, as senders do."""
    if isinstance(value, dict):
        made = AnyValue()
        made.kvlist_value.values.extend(KeyValue(key=_utf8(k), value=value_of(v)) for k, v in value.items())
        return made
    if isinstance(value, list):
        made = AnyValue()
        made.array_value.values.extend(map(value_of, value))
        return made
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int) and abs(value) < 1 << 63:
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    return AnyValue() if value is None else AnyValue(string_value=_utf8(str(value)))


def request_of(carriers: Iterable[Carrier]) -> ExportLogsServiceRequest:
    """An export request: every carrier under its own resource."""
    request = ExportLogsServiceRequest()
    for carrier in carriers:
        logs = request.resource_logs.add(resource=Resource(attributes=_pairs(carrier.resource)))
        body = value_of(carrier.text if carrier.fields is None else carrier.fields)
        logs.scope_logs.add().log_records.append(LogRecord(body=body, attributes=_pairs(carrier.attributes)))
    return request


def json_request_of(carriers: Iterable[Carrier]) -> bytes:
    """The same in OTLP/JSON."""
    logs = [
        {
            "resource": {"attributes": _json_pairs(carrier.resource)},
            "scopeLogs": [{"logRecords": [{
                "body": _json_value(carrier.text if carrier.fields is None else carrier.fields),
                "attributes": _json_pairs(carrier.attributes),
            }]}],
        }
        for carrier in carriers
    ]  # fmt: skip
    return orjson.dumps({"resourceLogs": logs})


def _pairs(values: dict[str, Any]) -> list[KeyValue]:
    return [KeyValue(key=_utf8(name), value=value_of(value)) for name, value in values.items()]


def _json_pairs(values: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": name, "value": _json_value(value)} for name, value in values.items()]


def _json_value(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return {"kvlistValue": {"values": _json_pairs(value)}}
    if isinstance(value, list):
        return {"arrayValue": {"values": [_json_value(item) for item in value]}}
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    return {} if value is None else {"stringValue": str(value)}


def _utf8(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
