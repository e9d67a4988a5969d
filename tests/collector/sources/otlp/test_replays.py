"""The window of bodies that are on their way or were committed."""

from __future__ import annotations

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse

from collector.sources.otlp.replays import Committed, Delivery, Window


def delivery(total: int = 1) -> Delivery:
    return Delivery(total, ExportLogsServiceResponse())


def commit(window: Window, digest: bytes) -> None:
    window.begin(digest, delivery())
    window.end(digest, committed=True)


def test_first_claim_wins():
    """Of two equal bodies one is delivered."""
    window, first = Window(), delivery()

    assert first is window.begin(b"a", first)
    assert first is window.begin(b"a", delivery())
    assert first is window.find(b"a")


def test_committed_is_remembered():
    """A committed body is answered without its delivery."""
    window = Window()
    window.begin(b"a", delivery(3))
    window.end(b"a", committed=True)

    found = window.find(b"a")
    assert isinstance(found, Committed)
    assert found.total == 3


def test_failed_is_forgotten():
    """A failed body is new again."""
    window = Window()
    window.begin(b"a", delivery())
    window.end(b"a", committed=False)

    assert (window.find(b"a"), len(window)) == (None, 0)


def test_oldest_goes_first():
    """Beyond the number of entries the oldest commit is forgotten."""
    window = Window(entries=2)
    for digest in (b"a", b"b", b"c"):
        commit(window, digest)

    assert (window.find(b"a"), len(window)) == (None, 2)


def test_old_is_forgotten():
    """A commit is remembered for the window's time."""
    window = Window(seconds=0)
    commit(window, b"a")

    assert window.find(b"a") is None


def test_flying_is_never_forgotten():
    """A batch on its way stays known whatever the window's bounds are."""
    window = Window(entries=0, seconds=0)
    first = delivery()
    window.begin(b"a", first)
    commit(window, b"b")

    assert first is window.find(b"a")
