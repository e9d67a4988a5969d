"""S3 objects in: prefixes are listed, queues with S3's notifications are read, or both; an object is read once.

Objects end, so nothing is followed: a version of an object (its ETag) is streamed, and remembered when its records are durable. A queue's
message is deleted then, too, so a crash brings it back. Order of work: a queue's objects as they are announced, a prefix's by name.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError

from collector.records import RawRecord
from collector.settings import AwsSettings
from collector.sources import Intake
from collector.sources.aws import clients, object_reading
from collector.sources.aws.cloud_places import CloudPlaces, StoredObject
from collector.sources.aws.notifications import NotUnderstood, announced
from collector.sources.aws.object_reading import CHUNK_BYTES, Limit, ObjectRecords, plain
from collector.sources.handing_over import HandingOver
from collector.telemetry import Telemetry

NAME: Final = "s3-places.jsonl"
BATCH_RECORDS: Final = 1_000
RECEIVE_SECONDS: Final = 2  # how long a queue is waited for: as long as a stop may take
MESSAGES: Final = 10  # SQS gives no more at once
HIDDEN_SECONDS: Final = 600  # how long a message is nobody else's; prolonged while its objects are read
PROLONG_SECONDS: Final = 120.0
RETRY_SECONDS: Final = 5.0
_GONE: Final = frozenset(
    ("NoSuchKey", "NoSuchVersion", "404", "PreconditionFailed", "412")
)  # deleted, or written anew: another version
_ASLEEP: Final = frozenset(("InvalidObjectState",))  # in Glacier: it would have to be restored first
SOURCE: Final = "s3"


class ObjectSource:
    """Reads `settings.s3` and `settings.sqs` until `stop`."""

    def __init__(self, settings: AwsSettings, telemetry: Telemetry, folder: Path) -> None:
        self._settings = settings
        self._telemetry = telemetry
        self._folder = folder
        self._began = time.time() - settings.since_hours * 3600
        self._listed_at: dict[str, float] = {}  # monotonic
        self._s3: Any = None
        self._sqs: Any = None
        self._under_way: set[StoredObject] = set()  # handed over, and not durable yet
        self._whole: set[str] = set()  # whose last pass left nothing unread

    def run(self, intake: Intake, stop: threading.Event) -> None:
        """List what is due, then look into the queues; wait when there is nothing."""
        self._s3 = clients.client("s3", self._settings)
        self._sqs = clients.client("sqs", self._settings) if self._settings.sqs else None
        over = HandingOver(intake, stop, self._telemetry, SOURCE)
        with CloudPlaces(self._folder / NAME) as places:
            while not stop.is_set():
                busy = [self._list(address, places, over, stop) for address in self._settings.s3]
                busy += [self._receive(queue, places, over, stop) for queue in self._settings.sqs]
                over.settle()
                if not any(busy):
                    stop.wait(0.2)
            over.drain()

    def _list(self, address: str, places: CloudPlaces, over: HandingOver, stop: threading.Event) -> bool:
        if time.monotonic() < self._listed_at.get(address, 0.0):
            return False
        bucket, prefix = clients.split(address)
        try:
            since, is_whole = places.begins(address, self._began), True
            for which in self._objects(bucket, prefix):
                if stop.is_set():
                    return False
                if which.modified >= since and not self._is_known(which, places):
                    is_whole = self._read(which, places, over, stop) and is_whole
            over.drain()
            self._forget(address, places, is_whole=is_whole and not stop.is_set())
        except clients.ERRORS as error:
            over.failed(clients.code_of(error), address)
        self._listed_at[address] = time.monotonic() + self._settings.poll_seconds
        return True

    def _forget(self, address: str, places: CloudPlaces, *, is_whole: bool) -> None:
        """Old objects may be forgotten when none of them is still to be read."""
        self._whole = self._whole | {address} if is_whole else self._whole - {address}
        if self._whole == set(self._settings.s3):
            places.forget_old_objects(self._settings.s3)

    def _objects(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for page in pages:
            for each in page.get("Contents", ()):
                if each["Size"]:  # folders of the console are empty objects
                    modified = each["LastModified"].timestamp()
                    yield StoredObject(bucket, each["Key"], each["ETag"], modified, each["Size"])

    def _is_known(self, which: StoredObject, places: CloudPlaces) -> bool:
        return which in self._under_way or places.is_read(which)

    def _receive(self, queue: str, places: CloudPlaces, over: HandingOver, stop: threading.Event) -> bool:
        try:
            messages = self._sqs.receive_message(
                QueueUrl=queue,
                MaxNumberOfMessages=MESSAGES,
                WaitTimeSeconds=RECEIVE_SECONDS,
                VisibilityTimeout=HIDDEN_SECONDS,
            ).get("Messages", [])
            waiting = _Messages(self._sqs, queue, [message["ReceiptHandle"] for message in messages])
            for message in messages:
                self._take(message, waiting, places, over, stop)
        except clients.ERRORS as error:
            over.failed(clients.code_of(error), queue)
            stop.wait(RETRY_SECONDS)
            return False
        return bool(messages)

    def _take(
        self, message: Any, waiting: _Messages, places: CloudPlaces, over: HandingOver, stop: threading.Event
    ) -> None:
        """Read what a message announces, and delete it when all of that is durable; what is no notification stays for the queue's redrive."""
        try:
            objects = announced(message["Body"])
        except NotUnderstood:
            over.failed("no_notification", waiting.queue)
            return
        is_whole = True
        for which in objects:
            if not self._is_known(which, places):
                is_whole = self._read(which, places, over, stop, waiting.prolong) and is_whole
        if is_whole:
            over.give((), lambda: waiting.delete(message["ReceiptHandle"]))

    def _read(
        self,
        which: StoredObject,
        places: CloudPlaces,
        over: HandingOver,
        stop: threading.Event,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> bool:
        """Hand over the object's records. False when it has to be read again; what cannot be read at all counts as read."""
        address = f"s3://{which.bucket}/{which.key}"
        try:
            whole = self._stream(which, address, over, stop, meanwhile)
        except object_reading.Unsupported:
            over.failed("parquet", address)
        except object_reading.ERRORS as error:  # what was read of it stays
            over.failed(type(error).__name__, address)
        except clients.ERRORS as error:
            code = clients.code_of(error)
            over.failed(code, address)
            if not isinstance(error, ClientError) or code not in _GONE | _ASLEEP:
                return False
        else:
            if not whole:
                return False
        self._remember(which, places, over)
        return True

    def _remember(self, which: StoredObject, places: CloudPlaces, over: HandingOver) -> None:
        """Once what was handed over is durable."""
        self._under_way.add(which)

        def keep() -> None:
            self._under_way.discard(which)
            places.read(which)

        over.give((), keep)

    def _stream(
        self,
        which: StoredObject,
        address: str,
        over: HandingOver,
        stop: threading.Event,
        meanwhile: Callable[[], None],
    ) -> bool:
        """A piece at a time. False when the source was stopped before the end."""
        asked = {"IfMatch": which.etag} if which.etag else {}
        body = self._s3.get_object(Bucket=which.bucket, Key=which.key, **asked)["Body"]
        limit, reading = Limit(self._settings.max_object_mib << 20), ObjectRecords(address, self._settings.gateway)
        waiting: list[RawRecord] = []
        try:
            for chunk in plain(body.iter_chunks(CHUNK_BYTES), limit):
                meanwhile()
                waiting = _given(waiting + reading.feed(chunk), over)
                if stop.is_set():
                    return False
        finally:
            body.close()
            _given(waiting + reading.rest(), over, at_least=1)
            self._count_cut(reading.cut, limit, address, over)
        return not stop.is_set()

    def _count_cut(self, cut: int, limit: Limit, address: str, over: HandingOver) -> None:
        if cut:
            self._telemetry.count("why401.errors", cut, stage=SOURCE, kind="record_cut")
        if limit.is_cut:
            over.failed("object_cut", address)


class _Messages:
    """Of one call to a queue: they stay hidden from others while their objects are read."""

    def __init__(self, sqs: Any, queue: str, receipts: list[str]) -> None:
        self.queue = queue
        self._sqs = sqs
        self._receipts = dict.fromkeys(receipts)
        self._due = time.monotonic() + PROLONG_SECONDS

    def prolong(self) -> None:
        """When it is due: all that are not deleted yet."""
        if time.monotonic() < self._due or not self._receipts:
            return
        self._due = time.monotonic() + PROLONG_SECONDS
        entries = [
            {"Id": str(n), "ReceiptHandle": receipt, "VisibilityTimeout": HIDDEN_SECONDS}
            for n, receipt in enumerate(self._receipts)
        ]
        self._sqs.change_message_visibility_batch(QueueUrl=self.queue, Entries=entries)

    def delete(self, receipt: str) -> None:
        """What it announced is durable."""
        self._receipts.pop(receipt, None)
        self._sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=receipt)


def _given(records: list[RawRecord], over: HandingOver, at_least: int = BATCH_RECORDS) -> list[RawRecord]:
    """Hand over whole batches; what is left for the next one."""
    while len(records) >= at_least:
        over.give(records[:BATCH_RECORDS])
        records = records[BATCH_RECORDS:]
    return records
