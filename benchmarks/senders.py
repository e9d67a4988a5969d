"""Senders of the load test, each a process: `python -m benchmarks.senders http|grpc|kafka|hostile ADDRESS SECONDS NAME`.

Good, bad and hostile input at full speed for that long; what was sent and how it was answered is one JSON line at the end.
Every record has an id of its own, every body is repeated until it is acknowledged: so the store must hold each id once.
"""

from __future__ import annotations

import base64
import gzip
import http.client
import json
import random
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from benchmarks.traffic import envoy_json
from tests.waiting import HANG_S

BATCH: Final = 500
MAX_AHEAD: Final = 10_000  # messages beyond what the group committed; else the rest of the test is catching up
MARK: Final = "0f0f0f0f"  # first group of the request ids that benchmarks.traffic makes
HANG_SECONDS: Final = 30.0
RETRY_SECONDS: Final = 0.05
PROTOBUF, JSON = "application/x-protobuf", "application/json"
EXPORT: Final = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"


@dataclass
class Sent:
    """What one sender did."""

    good: int = 0  # records with an id, acknowledged
    bad: int = 0  # records that no parser can read, acknowledged
    hostile: int = 0  # requests
    answers: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)  # answers to hostile requests that should not be


class Lines:
    """Batches of lines: 500 readable ones with fresh ids, 20 unreadable ones."""

    def __init__(self, name: str) -> None:
        self._rng = random.Random(name)
        self._name = self._rng.randrange(1 << 12)
        self._template = "\n".join(envoy_json(BATCH, tokens=100))
        self._number = 0

    def next(self) -> tuple[list[str], list[str]]:
        """(readable, unreadable) of the next batch."""
        self._number += 1
        good = self._template.replace(MARK, f"{self._name:03x}{self._number:05x}").split("\n")
        good[:50] = [self._with_strange_token(line) for line in good[:50]]
        return good, [self._unreadable(n) for n in range(20)]

    def _with_strange_token(self, line: str) -> str:
        """Issuers, keys, clients and routes that nobody has seen before."""
        salt = self._rng.randbytes(9).hex()
        claims = {
            "iss": f"https://{salt}.example.com/",
            "sub": salt,
            "aud": salt,
            "azp": salt,
            "exp": self._rng.randrange(1 << 40),
        }
        token = (
            ".".join(_b64(json.dumps(part).encode()) for part in ({"alg": "RS256", "kid": salt}, claims))
            + "."
            + _b64(b"\x9c" * 256)
        )
        record = json.loads(line)
        return json.dumps(
            record | {"authorization": f"Bearer {token}", "path": f"/{salt}/x", "authority": f"{salt}.example.com"}
        )

    def _unreadable(self, n: int) -> str:
        noise = self._rng.randbytes(20).hex()
        return (
            f'{{"response_code": 401, "message": "{noise}', f"something {noise} happened", "[" * 500 + noise, f"{noise}\x00\x1b[31m\u202e",
            f'{{"a": {{"b": "{noise}"}}}}', "eyJ" * 300 + noise, f"password={noise} " + "x" * 5000,
        )[n % 7]  # fmt: skip


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def request(lines: list[str]) -> bytes:
    """An OTLP request with a record per line."""
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

    made = ExportLogsServiceRequest()
    scope = made.resource_logs.add().scope_logs.add()
    for line in lines:
        scope.log_records.add().body.string_value = line
    return bytes(made.SerializeToString())


def _json_request(lines: list[str]) -> bytes:
    records = [{"body": {"stringValue": line}} for line in lines]
    return json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}).encode()


def hostile() -> Iterator[tuple[bytes, dict[str, str], set[int]]]:
    """(body, headers, statuses that are right) of requests that must be refused."""
    deep = b'{"resourceLogs":' + b"[" * 100_000
    bomb = gzip.compress(bytes(200 << 20), 6)
    while True:
        yield b"\xff" * 1000, {"Content-Type": PROTOBUF}, {400}
        yield deep, {"Content-Type": JSON}, {400}
        yield b'{"resourceLogs": [{"scopeLogs": ' + b"1" * 5000, {"Content-Type": JSON}, {400}
        yield bomb, {"Content-Type": PROTOBUF, "Content-Encoding": "gzip"}, {413}
        yield (
            gzip.compress(gzip.compress(bytes(1 << 20))),
            {"Content-Type": PROTOBUF, "Content-Encoding": "gzip, gzip"},
            {415},
        )
        yield b"\n\x00" * 2_000_000, {"Content-Type": PROTOBUF}, {413}
        yield b"x", {"Content-Type": "text/html"}, {415}
        yield request(["x"])[:-1], {"Content-Type": PROTOBUF}, {400}


def send_http(address: str, until: float, name: str) -> Sent:
    """Both encodings in turn, compressed or not."""
    sent, lines = Sent(), Lines(name)
    number = 0
    while time.monotonic() < until:
        number += 1
        good, bad = lines.next()
        encoded = request(good + bad) if number % 3 else _json_request(good + bad)
        headers = {"Content-Type": PROTOBUF if number % 3 else JSON}
        if number % 2:
            encoded, headers = gzip.compress(encoded, 1), {**headers, "Content-Encoding": "gzip"}
        _until_taken(partial(_post, address, encoded, headers), sent.answers, "200")
        sent.good, sent.bad = sent.good + len(good), sent.bad + len(bad)
    return sent


def send_hostile(address: str, until: float, _name: str) -> Sent:
    """Nothing but requests that must be refused, and connections left half open; no faster than forty a second."""
    sent, attacks = Sent(), hostile()
    while time.monotonic() < until:
        _attack(address, sent, *next(attacks))
        time.sleep(0.025)
    return sent


def _attack(address: str, sent: Sent, body: bytes, headers: dict[str, str], right: set[int]) -> None:
    sent.hostile += 1
    answer = _post(address, body, headers, HANG_S)  # it asks once only: a busy machine may take its time
    sent.answers[f"hostile {answer}"] += 1
    if answer not in {str(status) for status in right} | {"503"}:
        sent.wrong[f"{sorted(right)} expected, {answer}"] += 1
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=HANG_SECONDS) as half:
        half.sendall(
            b"POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\nContent-Type: application/json\r\n\r\n{"
        )


def _post(address: str, body: bytes, headers: dict[str, str], timeout_s: float = HANG_SECONDS) -> str:
    connection = http.client.HTTPConnection(address, timeout=timeout_s)
    try:
        connection.request("POST", "/v1/logs", body, headers)
        answer = connection.getresponse()
        answer.read()
        return str(answer.status)
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__
    finally:
        connection.close()


def send_grpc(address: str, until: float, name: str) -> Sent:
    """One channel; one hostile message in ten."""
    import grpc

    sent, lines, number = Sent(), Lines(name), 0
    with grpc.insecure_channel(address) as channel:
        export = channel.unary_unary(EXPORT)

        def call(body: bytes) -> str:
            try:
                export(body, timeout=HANG_SECONDS)
            except grpc.RpcError as error:
                return str(error.code().name)
            return "OK"

        while time.monotonic() < until:
            number += 1
            good, bad = lines.next()
            _until_taken(partial(call, request(good + bad)), sent.answers, "OK")
            sent.good, sent.bad = sent.good + len(good), sent.bad + len(bad)
            if number % 10 == 0:
                sent.hostile += 1
                answer = call(b"\xff" * 10_000)
                sent.answers[f"hostile {answer}"] += 1
                if answer not in ("INVALID_ARGUMENT", "UNAVAILABLE"):
                    sent.wrong[f"INVALID_ARGUMENT expected, {answer}"] += 1
    return sent


def send_kafka(address: str, until: float, name: str) -> Sent:
    """To the topic NAME: a line a message, and messages of binary noise and emptiness."""
    from kafka import KafkaConsumer, KafkaProducer, TopicPartition

    sent, lines = Sent(), Lines(name)
    producer = KafkaProducer(bootstrap_servers=address, acks="all", linger_ms=20, batch_size=1 << 18)
    group = KafkaConsumer(bootstrap_servers=address, group_id=name, enable_auto_commit=False)
    places = [TopicPartition(name, partition) for partition in producer.partitions_for(name)]
    try:
        while time.monotonic() < until:
            if sent.good + sent.bad - sum(group.committed(place) or 0 for place in places) > MAX_AHEAD:
                time.sleep(RETRY_SECONDS)
                continue
            good, bad = lines.next()
            values = [line.encode("utf-8", "replace") for line in good + bad] + [b"", b"\x00\xff" * 100, b"\n\x05\xff"]
            for future in [producer.send(name, value) for value in values]:
                future.get(timeout=HANG_SECONDS)
            sent.good, sent.bad = sent.good + len(good), sent.bad + len(values) - len(good)
    finally:
        producer.close()
        group.close()
    return sent


def _until_taken(attempt: Callable[[], str], answers: Counter[str], taken: str) -> None:
    """Repeat until acknowledged, as an SDK would; bounded by the parent, which ends a sender that hangs."""
    while True:
        answer = attempt()
        answers[answer] += 1
        if answer == taken:
            return
        time.sleep(RETRY_SECONDS)


SENDERS: Final = {"http": send_http, "grpc": send_grpc, "kafka": send_kafka, "hostile": send_hostile}


def main(kind: str, address: str, seconds: str, name: str) -> None:
    """Send, then say what was sent."""
    sent = SENDERS[kind](address, time.monotonic() + float(seconds), name)
    about = {"good": sent.good, "bad": sent.bad, "hostile": sent.hostile}
    print(json.dumps({**about, "answers": dict(sent.answers), "wrong": dict(sent.wrong)}))


if __name__ == "__main__":
    main(*sys.argv[1:5])
