"""Every error that the collector raises.

Why401Error
├── ConfigurationError     a setting is wrong; the process does not start
├── UnreadableRecord       a record that a parser claimed and could not read; counted, never raised to the top
├── Backpressure           the intake is full; the source tells its sender to wait
├── Fenced                 another consumer owns the partition now; the source seeks to the store's offset
└── SinkUnavailable        the sink cannot take batches at the moment; the pipeline waits and tries again
"""

from __future__ import annotations


class Why401Error(Exception):
    """The root, so that `except Why401Error` means "ours"."""


class ConfigurationError(Why401Error):
    """A setting cannot be used. Carries file, key, value and what would be right."""

    def __init__(self, key: str, value: object, expected: str, *, file: str = "") -> None:
        where = f"{file}: " if file else ""
        super().__init__(f"{where}{key} = {value!r}: {expected}")
        self.key = key
        self.value = value
        self.expected = expected
        self.file = file


class UnreadableRecord(Why401Error):
    """A record of a known gateway without what makes it one. `why` holds no part of the record."""

    def __init__(self, gateway: str, why: str) -> None:
        super().__init__(f"{gateway}: {why}")
        self.gateway = gateway
        self.why = why


class Backpressure(Why401Error):
    """The intake is full. `retry_after_s` is what to tell the sender."""

    def __init__(self, retry_after_s: float, why: str = "queue full") -> None:
        super().__init__(f"{why}; retry after {retry_after_s:g} s")
        self.retry_after_s = retry_after_s
        self.why = why


class Fenced(Why401Error):
    """The stored offset of a partition is not the one that this batch continues."""

    def __init__(self, topic: str, partition: int, expected: int, found: int) -> None:
        super().__init__(f"{topic}[{partition}]: batch continues offset {expected}, the store is at {found}")
        self.topic = topic
        self.partition = partition
        self.expected = expected
        self.found = found


class SinkUnavailable(Why401Error):
    """The sink (Kafka, the catalog, the disk) refuses at the moment; nothing is lost, it is tried again."""

    def __init__(self, sink: str, why: str) -> None:
        super().__init__(f"{sink}: {why}")
        self.sink = sink
        self.why = why
