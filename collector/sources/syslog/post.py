"""What all senders of a syslog receiver share: messages become records (`streams`), records become batches (`outbox`), drops are counted."""

from __future__ import annotations

import asyncio

from collector.sources import Intake
from collector.sources.syslog.outbox import TICK_SECONDS, Outbox
from collector.sources.syslog.streams import Streams
from collector.sources.syslog.syslog_messages import Message
from collector.telemetry import Telemetry


class Post:
    """Belongs to one event loop."""

    def __init__(self, intake: Intake, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        self._streams = Streams()
        self._outbox = Outbox(intake, telemetry)

    @property
    def is_full(self) -> bool:
        """Whether senders have to wait."""
        return self._outbox.is_full

    async def has_room(self) -> None:
        """Returns when they have not."""
        await self._outbox.room.wait()

    def take(self, message: Message) -> None:
        """One message of any sender."""
        for record in self._streams.feed(message):
            self._outbox.put(record)

    def drop(self, reason: str, amount: int = 1) -> None:
        """Count messages that are none, or that there is no room for."""
        self._outbox.drop(amount, reason)

    def note_cut(self, amount: int) -> None:
        """Messages that kept their beginning only. They are stored, so they are no drops."""
        if amount:
            self._telemetry.count("why401.errors", amount, stage="syslog", kind="record_cut")

    async def run(self) -> None:
        """Hand over what comes, until cancelled."""
        while True:
            for record in self._streams.idle():
                self._outbox.put(record)
            self._outbox.hand_over()
            self._note_cut_records()
            await asyncio.sleep(TICK_SECONDS)

    async def leave(self) -> None:
        """Hand over what is left."""
        for record in self._streams.rest():
            self._outbox.put(record)
        self._note_cut_records()
        await self._outbox.leave()

    def _note_cut_records(self) -> None:
        self.note_cut(self._streams.cut)
        self._streams.cut = 0
