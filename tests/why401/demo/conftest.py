"""One real Envoy for the whole folder: every fault is sent once, its records are kept from both access loggers."""

from __future__ import annotations

import threading
from concurrent import futures
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2, logs_service_pb2_grpc

from tests.waiting import eventually
from why401.demo.labels import LabelledRun


class Receiver(logs_service_pb2_grpc.LogsServiceServicer):
    """An OTLP logs service that keeps what it gets."""

    def __init__(self):
        self.lock = threading.Lock()
        self.requests = []
        self.server = grpc.server(futures.ThreadPoolExecutor(2))
        logs_service_pb2_grpc.add_LogsServiceServicer_to_server(self, self.server)
        self.port = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()

    def Export(self, request, context):  # noqa: N802  # the service's name for it
        with self.lock:
            self.requests.append(request)
        return logs_service_pb2.ExportLogsServiceResponse()

    def records(self, count):
        """The records as (body, attributes), as soon as there are `count` of them."""
        eventually(lambda: len(self._received()) >= count, f"{count} OTLP records")
        return self._received()

    def _received(self):
        with self.lock:
            return [record for request in self.requests for record in _records(request)]

    def resources(self):
        """The attributes of every resource that came."""
        with self.lock:
            return [_values(logs.resource.attributes) for request in self.requests for logs in request.resource_logs]


def _values(pairs):
    return {pair.key: pair.value.string_value for pair in pairs}


def _records(request):
    return [
        (record.body.string_value, _values(record.attributes))
        for logs in request.resource_logs
        for scope in logs.scope_logs
        for record in scope.log_records
    ]


@dataclass
class Observed:
    """What a whole round of faults left behind."""

    run: LabelledRun
    labelled: list[tuple[Any, dict[str, Any]]]
    otlp: list[tuple[str, dict[str, str]]]
    resources: list[dict[str, str]]

    def record(self, name):
        """The JSON record of one fault."""
        return next(record for fault, record in self.labelled if fault.name == name)


@pytest.fixture(scope="session")
def observed(tmp_path_factory):
    receiver = Receiver()
    try:
        with LabelledRun(tmp_path_factory.mktemp("envoy"), otlp_port=receiver.port) as run:
            run.send()
            yield Observed(run, run.labelled(), receiver.records(run.sent + 1), receiver.resources())
    finally:
        receiver.server.stop(None)
