"""Every error that the collector raises.

Why401Error
├── ConfigurationError     a setting is invalid; the process does not start
│   └── SeveralMistakes    several are, each said
├── UnreadableRecord       a parser recognized a record and could not read it; counted, never raised to the top
├── Backpressure           the intake is full; the source asks its sender to retry later
├── Fenced                 another consumer owns the partition now; the source seeks to the offset in the store
└── SinkUnavailable        the sink does not accept batches at the moment; the pipeline waits and retries
"""

from __future__ import annotations

from collections.abc import Sequence


class Why401Error(Exception):
    """The base class: `except Why401Error` catches every error of ours."""


class ConfigurationError(Why401Error):
    """A setting cannot be used. Carries file, key, value and what is expected."""

    def __init__(self, key: str, value: object, expected: str, *, file: str = "") -> None:
        where = f"{file}: " if file else ""
        super().__init__(f"{where}{key} = {value!r}: {expected}")
        self.key = key
        self.value = value
        self.expected = expected
        self.file = file


class SeveralMistakes(ConfigurationError):
    """Several settings cannot be used: all of them, so that nobody has to start again for each."""

    def __init__(self, mistakes: Sequence[ConfigurationError]) -> None:
        first = mistakes[0]
        super().__init__(first.key, first.value, first.expected, file=first.file)
        self.mistakes = tuple(mistakes)

    def __str__(self) -> str:
        return "\n".join(map(str, self.mistakes))


class UnreadableRecord(Why401Error):
    """A record of a known gateway without a required field. `why` contains no part of the record."""

    def __init__(self, gateway: str, why: str) -> None:
        super().__init__(f"{gateway}: {why}")
        self.gateway = gateway
        self.why = why


class Backpressure(Why401Error):
    """The intake is full. The sender should retry after `retry_after_s` seconds."""

    def __init__(self, retry_after_s: float, why: str = "queue full") -> None:
        super().__init__(f"{why}; retry after {retry_after_s:g} s")
        self.retry_after_s = retry_after_s
        self.why = why


class Fenced(Why401Error):
    """The stored offset of a partition is not the one that this batch continues from."""

    def __init__(self, topic: str, partition: int, expected: int, found: int) -> None:
        super().__init__(
            f"{topic}[{partition}]: the batch continues from offset {expected}, but the store is at {found}"
        )
        self.topic = topic
        self.partition = partition
        self.expected = expected
        self.found = found


class SinkUnavailable(Why401Error):
    """The sink (Kafka, catalog, disk) does not accept writes at the moment; nothing is lost, the write is retried."""

    def __init__(self, sink: str, why: str) -> None:
        super().__init__(f"{sink}: {why}")
        self.sink = sink
        self.why = why
