"""S3 against moto's server: listed and announced objects, once each, whatever they are compressed with."""

from __future__ import annotations

import gzip
import json
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import zstandard

from collector.errors import SinkUnavailable
from collector.settings import AwsSettings
from collector.sources.aws.object_reading import Limit, ObjectRecords, plain
from collector.sources.aws.object_source import ObjectSource
from collector.telemetry import Telemetry
from tests.intakes import LedgerIntake, running
from tests.waiting import eventually

ALB = 'https 2026-11-30T10:00:00.000000Z app/api/50dc6c495c0c9188 192.0.2.7:2817 - -1 -1 -1 401 - 34 366 "GET https://api.example.com:443/orders HTTP/1.1" "curl/8.5" - - - "Root=1-58" "api.example.com" "-" 0 2026-11-30T10:00:00.000000Z "authenticate" "-" "AuthMissingCookie" "-" "-" "-" "-"'


def put(s3: Any, bucket: str, key: str, body: bytes) -> None:
    s3.put_object(Bucket=bucket, Key=key, Body=body)


@pytest.fixture
def s3(client: Any, name: str) -> Any:
    out = client("s3")
    out.create_bucket(Bucket=name)
    return out


def reading(endpoint: str, folder: Path, intake: LedgerIntake, telemetry: Telemetry | None = None, **settings: Any):
    aws = AwsSettings(endpoint=endpoint, region="us-east-1", poll_seconds=1, **settings)
    return running(ObjectSource(aws, telemetry or Telemetry(), folder), intake)


def texts(intake: LedgerIntake) -> list[str]:
    return sorted(item.text for item in intake.items)


def test_the_objects_of_a_prefix_are_read_and_those_that_come(s3: Any, endpoint: str, name: str, tmp_path: Path):
    """Nothing of another prefix, no empty object; each record says where it stood."""
    put(s3, name, "AWSLogs/1.log.gz", gzip.compress(f"{ALB}\nsecond\n".encode()))
    put(s3, name, "AWSLogs/folder/", b"")
    put(s3, name, "other/2.log", b"not ours")
    intake = LedgerIntake()
    with reading(endpoint, tmp_path, intake, s3=(f"s3://{name}/AWSLogs/",)):
        eventually(lambda: len(intake.items) == 2, "the first object")
        put(s3, name, "AWSLogs/3.log", b"third")
        eventually(lambda: len(intake.items) == 3, "the new object")

    assert [ALB, "second", "third"] == [item.text for item in intake.items]
    assert [0, len(ALB) + 1, 0] == [item.origin.offset for item in intake.items]
    assert f"s3://{name}/AWSLogs/1.log.gz" == intake.items[0].origin.source


def test_a_restart_reads_what_was_not_stored(s3: Any, endpoint: str, name: str, tmp_path: Path):
    """An object is remembered when its records are durable, and only then; a new version of it is another one."""
    put(s3, name, "a", b"one")
    address, first = f"s3://{name}", LedgerIntake()
    with reading(endpoint, tmp_path, first, s3=(address,)):
        eventually(lambda: first.items, "the object")
    put(s3, name, "b", b"two")
    lost = LedgerIntake(manual=True)
    with reading(endpoint, tmp_path, lost, s3=(address,)):
        eventually(lambda: lost.waiting, "the second object")
    put(s3, name, "a", b"one again")
    last = LedgerIntake()
    with reading(endpoint, tmp_path, last, s3=(address,)):
        eventually(lambda: len(last.items) == 2, "what was lost, and the new version")

    assert ["one"] == texts(first)
    assert ["two"] == [batch.items[0].text for batch in lost.waiting]
    assert ["one again", "two"] == texts(last)


def test_a_batch_that_was_not_stored_is_given_again(s3: Any, endpoint: str, name: str, tmp_path: Path):
    """Before the object is remembered."""
    put(s3, name, "a", b"one\ntwo")
    intake = LedgerIntake(manual=True)
    with reading(endpoint, tmp_path, intake, s3=(f"s3://{name}",)):
        eventually(lambda: intake.waiting, "the object")
        intake.fail_waiting(SinkUnavailable("store", "away"))
        eventually(lambda: intake.waiting, "the same records again")
        intake.commit_waiting()

    assert ["one", "two"] == texts(intake)


def test_old_objects_are_left_alone(s3: Any, endpoint: str, name: str, tmp_path: Path):
    """`since_hours` = 0: only what is written after the first start, also at the second one."""
    put(s3, name, "old", b"old")
    eventually(lambda: s3.head_object(Bucket=name, Key="old"), "the object")
    time.sleep(1.1)  # S3's times are whole seconds
    intake = LedgerIntake()
    with reading(endpoint, tmp_path, intake, s3=(f"s3://{name}",), since_hours=0):
        time.sleep(1.1)
        put(s3, name, "new", b"new")
        eventually(lambda: intake.items, "the new object")
    again = LedgerIntake()
    with reading(endpoint, tmp_path, again, s3=(f"s3://{name}",), since_hours=24):
        put(s3, name, "newer", b"newer")
        eventually(lambda: again.items, "the newest object")

    assert (["new"], ["newer"]) == (texts(intake), texts(again))


def _notification(bucket: str, key: str) -> dict[str, Any]:
    about = {"bucket": {"name": bucket}, "object": {"key": key}}
    return {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": about}]}


def test_a_queue_announces_objects(client: Any, s3: Any, endpoint: str, name: str, tmp_path: Path):
    """S3's message, SNS's envelope, EventBridge's event; deleted when stored. What is no notification stays in the queue and is counted."""
    sqs, intake, telemetry = client("sqs"), LedgerIntake(), Telemetry()
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    for key in ("a b.log", "sns", "bridge", "unannounced"):
        put(s3, name, key, key.encode())
    bridge = {
        "source": "aws.s3",
        "detail-type": "Object Created",
        "detail": {"bucket": {"name": name}, "object": {"key": "bridge"}},
    }
    for body in (
        _notification(name, "a+b.log"),
        {"Type": "Notification", "Message": json.dumps(_notification(name, "sns"))},
        bridge,
        {"Service": "Amazon S3", "Event": "s3:TestEvent"},
        _notification(name, "gone"),
        {"hello": 1},
    ):  # fmt: skip
        sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(body))

    def left() -> int:
        counts = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        told = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
        return sum(int(told[each]) for each in counts)

    with reading(endpoint, tmp_path, intake, telemetry, sqs=(queue,)):
        eventually(lambda: left() == 1, "all messages but one deleted")

    assert ["a b.log", "bridge", "sns"] == texts(intake)
    counted = telemetry.by("why401.errors", "kind")
    assert 1 == counted["no_notification"]
    assert 1 == counted["NoSuchKey"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (gzip.compress(b"one\n") + gzip.compress(b"two\n"), ["one", "two"]),
        (gzip.compress(gzip.compress(b"one\ntwo")), ["one", "two"]),
        (zstandard.compress(b"one\ntwo"), ["one", "two"]),
        (b'{"a":"}{"}{"b":2}', ['{"a":"}{"}', '{"b":2}']),
        (b'{"messageType":"DATA_MESSAGE","logGroup":"g","logEvents":[{"message":"x"}]}' * 2, ['{"logGroup":"g","message":"x"}'] * 2),
        (b"plain }{ text", ["plain }{ text"]),
        (gzip.compress(b"one\ntwo\n" * 900)[:-9], None),
    ],
    ids=["gzip members", "gzip of gzip", "zstd", "JSON documents in a row", "Firehose", "no JSON", "cut gzip"],
)  # fmt: skip
@pytest.mark.parametrize("step", [1, 7, 1 << 18])
def test_what_an_object_holds(body: bytes, expected: list[str] | None, step: int):
    """By its first bytes, not by its name, wherever the network cuts it; what is readable of a broken one is read."""
    chunks = [body[at : at + step] for at in range(0, len(body), step)]
    reading, found = ObjectRecords("s3://b/a", ""), []
    with nullcontext() if expected else pytest.raises(EOFError):
        for chunk in plain(chunks, Limit(1 << 20)):
            found += reading.feed(chunk)
    found = [item.text for item in found + reading.rest()]

    assert found == expected or (expected is None and len(found) > 1_000 and found[:2] == ["one", "two"])


def test_a_broken_object_is_read_once(s3: Any, endpoint: str, name: str, tmp_path: Path):
    """It is counted, and the next one follows."""
    put(s3, name, "a", gzip.compress(b"one\ntwo\n" * 9_000)[:-9])
    put(s3, name, "b", b"last")
    put(s3, name, "c", b"PAR1....")
    intake, telemetry = LedgerIntake(), Telemetry()
    with reading(endpoint, tmp_path, intake, telemetry, s3=(f"s3://{name}",)):
        eventually(lambda: len(telemetry.by("why401.errors", "kind")) == 2, "the other broken one")

    assert "last" in texts(intake)
    assert len(intake.items) > 10_000
    assert {"EOFError": 1, "parquet": 1} == telemetry.by("why401.errors", "kind")


def test_a_large_object_is_bounded(s3: Any, endpoint: str, name: str, tmp_path: Path):
    """A bomb of 64 MiB in 64 KiB: what is over the limit is left out, and counted."""
    put(s3, name, "a", gzip.compress((b"x" * 1023 + b"\n") * (64 << 10)))
    intake, telemetry = LedgerIntake(), Telemetry()
    with reading(endpoint, tmp_path, intake, telemetry, s3=(f"s3://{name}",), max_object_mib=2):
        eventually(lambda: telemetry.by("why401.errors", "kind"), "the limit")

    assert 2048 == len(intake.items)
    assert {"object_cut": 1} == telemetry.by("why401.errors", "kind")


def test_a_bucket_that_is_not_there_is_asked_again(client: Any, endpoint: str, name: str, tmp_path: Path):
    """The source goes on: a policy may be mended."""
    intake, telemetry = LedgerIntake(), Telemetry()
    with reading(endpoint, tmp_path, intake, telemetry, s3=(f"s3://{name}",)):
        eventually(lambda: telemetry.by("why401.errors", "kind"), "the refusal")
        s3 = client("s3")
        s3.create_bucket(Bucket=name)
        put(s3, name, "a", b"one")
        eventually(lambda: intake.items, "the object")

    assert "NoSuchBucket" in telemetry.by("why401.errors", "kind")
