"""Google Cloud Pub/Sub in: streaming pull; a message is acknowledged when its records are durable, and comes again otherwise.

The library bounds how many messages are out at once, and prolongs their leases meanwhile. What a message holds is read as a Kafka message
is: a line, lines, a batch, OTLP; Cloud Logging's LogEntry is taken off by the envelopes' reader.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any, Final

from google.api_core.exceptions import GoogleAPICallError
from google.auth.exceptions import GoogleAuthError
from google.cloud import pubsub_v1

from collector.errors import Backpressure
from collector.events import Origin
from collector.records import Batch, RawRecord
from collector.redaction import configured, fixed
from collector.settings import PubsubSettings
from collector.sources import Intake
from collector.sources.kafka.decoding import Message, decode_raw
from collector.telemetry import Telemetry

log = logging.getLogger("why401.pubsub")
BATCH_MESSAGES: Final = 1_000
GATHER_SECONDS: Final = 0.1
OFFER_SECONDS: Final = 0.5
RETRY_SECONDS: Final = 1.0
MAX_RETRY_SECONDS: Final = 60.0
CLOSE_SECONDS: Final = 10.0
STOP_GRACE_SECONDS: Final = 5.0
_KIND: Final = fixed("pubsub")
ERRORS: Final = (GoogleAPICallError, GoogleAuthError, OSError)


class PubsubSource:
    """Pulls every subscription of the settings until `stop`."""

    def __init__(self, settings: PubsubSettings, telemetry: Telemetry) -> None:
        self._settings = settings
        self._telemetry = telemetry
        self._decode = decode_raw(settings.gateway)
        self._arrived: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()  # bounded by the library's flow control
        self._in_flight: set[Future[None]] = set()

    def run(self, intake: Intake, stop: threading.Event) -> None:
        """A stream per subscription; what they bring is handed over together."""
        streams = [
            threading.Thread(target=self._stream, args=(name, stop), name=f"pubsub-{n}", daemon=True)
            for n, name in enumerate(self._settings.subscriptions)
        ]
        for stream in streams:
            stream.start()
        while not stop.is_set():
            if messages := self._gathered():
                self._hand_over(messages, intake, stop)
        self._await_acknowledgements()
        for stream in streams:
            stream.join(CLOSE_SECONDS)

    def _stream(self, name: str, stop: threading.Event) -> None:
        """Pull one subscription, again when the stream breaks."""
        backoff = RETRY_SECONDS
        while not stop.is_set():
            began = time.monotonic()
            try:
                self._pull(name, stop)
            except ERRORS as error:
                self._failed(type(error).__name__)
                backoff = (
                    RETRY_SECONDS
                    if time.monotonic() - began > MAX_RETRY_SECONDS
                    else min(2 * backoff, MAX_RETRY_SECONDS)
                )
                log.warning("%s: %s; trying again in %.0f s", name, type(error).__name__, backoff)
                stop.wait(backoff)

    def _pull(self, name: str, stop: threading.Event) -> None:
        flow = pubsub_v1.types.FlowControl(
            max_messages=self._settings.max_messages, max_bytes=self._settings.max_mib << 20
        )
        with pubsub_v1.SubscriberClient() as subscriber:
            stream = subscriber.subscribe(
                name, callback=lambda message: self._arrived.put((name, message)), flow_control=flow
            )
            try:
                while not stop.is_set() and not stream.done():
                    stop.wait(GATHER_SECONDS)
                if stream.done():
                    stream.result()  # raises what ended it
                self._await_acknowledgements()
            finally:
                stream.cancel()
                with suppress(Exception):  # what ended it was raised above
                    stream.result(CLOSE_SECONDS)

    def _await_acknowledgements(self) -> None:
        """Streams stay open until then, else their acknowledgements would be lost."""
        deadline = time.monotonic() + STOP_GRACE_SECONDS
        while any(not done.done() for done in list(self._in_flight)) and time.monotonic() < deadline:
            time.sleep(GATHER_SECONDS)

    def _gathered(self) -> list[tuple[str, Any]]:
        """What arrives within a moment: a commit is made for a batch, so a message is not a batch of its own."""
        messages: list[tuple[str, Any]] = []
        deadline = time.monotonic() + GATHER_SECONDS
        while len(messages) < BATCH_MESSAGES and (left := deadline - time.monotonic()) > 0:
            try:
                messages.append(self._arrived.get(timeout=left))
            except queue.Empty:
                break
        return messages

    def _hand_over(self, messages: list[tuple[str, Any]], intake: Intake, stop: threading.Event) -> None:
        items = [record for name, message in messages for record in self._records(name, message)]
        batch = Batch(items, source="pubsub")
        self._in_flight.add(batch.done)
        batch.done.add_done_callback(partial(self._settle, [message for _, message in messages]))
        while not stop.is_set():
            try:
                intake.offer(batch, timeout_s=OFFER_SECONDS)
            except Backpressure:
                stop.wait(GATHER_SECONDS)
                continue
            self._telemetry.count("why401.records.received", len(items), source="pubsub")
            return
        batch.done.cancel()  # never handed over: Google delivers them again

    def _records(self, name: str, message: Any) -> list[RawRecord]:
        origin = Origin(kind=_KIND, source=configured(name))
        published = message.publish_time
        about = Message(origin, int(published.timestamp() * 1e6) * 1_000 if published else 0, time.time_ns())
        try:
            return list(self._decode(message.data, about))
        except Exception as error:  # a decoder's bug costs one message
            self._failed(type(error).__name__)
            return list(self._decode(b"", about))

    def _settle(self, messages: list[Any], done: Future[None]) -> None:
        """On the thread that commits: acknowledge what is durable, give back what is not."""
        self._in_flight.discard(done)
        error = None if done.cancelled() else done.exception()
        if error is not None:
            self._failed(type(error).__name__)
        for message in messages:
            if done.cancelled() or error is not None:
                message.nack()
            else:
                message.ack()

    def _failed(self, kind: str) -> None:
        self._telemetry.count("why401.errors", stage="pubsub", kind=kind)
