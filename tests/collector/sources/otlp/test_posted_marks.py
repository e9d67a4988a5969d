"""Marks that a pipeline posts: kept as they are told, redacted, bounded, and through the same door as logs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from collector.errors import SinkUnavailable
from collector.sources.otlp.http_source import OtlpHttpSource
from collector.sources.otlp.posted_marks import MAX_BYTES, Mark, read
from collector.sources.otlp.receiver import Refused
from tests.collector.sources.otlp.rig import JSON, Answer, Rig, running, send
from tests.waiting import HANG_S, eventually

NOW = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
SECRET = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"


class Store:
    """Keeps marks, or fails, or waits."""

    def __init__(self) -> None:
        self.marks: list[Mark] = []
        self.error: Exception | None = None
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.begun = threading.Event()

    def __call__(self, mark: Mark) -> None:
        self.begun.set()
        self.may_go_on.wait(HANG_S)
        if self.error:
            raise self.error
        self.marks.append(mark)


@contextmanager
def kept(store: Store | None, **settings: Any) -> Iterator[Rig]:
    """A receiver at which marks may be posted."""

    class Source(OtlpHttpSource):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            self.keep_mark = store

    with running(Source, **settings) as rig:
        yield rig


def post(rig: Rig, body: bytes, content_type: str = JSON, **headers: str) -> Answer:
    return send(rig, body, {"Content-Type": content_type, **headers}, path="/v1/marks")


def test_a_mark_is_stored_before_it_is_acknowledged() -> None:
    """204; its time is what was posted, else now."""
    store = Store()
    with kept(store) as rig:
        first = post(rig, b'{"text": "shop 7.1", "gateway": "kong", "detail": "eu", "at": "2026-03-02T14:00Z"}')
        second = post(rig, b'{"text": "shop 7.2"}')

    assert [(204, b""), (204, b"")] == [(one.status, one.body) for one in (first, second)]
    assert ("shop 7.1", "kong", "eu", NOW) == (
        store.marks[0].text,
        store.marks[0].gateway,
        store.marks[0].detail,
        store.marks[0].at,
    )
    assert abs((store.marks[1].at - datetime.now(UTC)).total_seconds()) < HANG_S


def test_a_secret_in_a_mark_is_redacted() -> None:
    """Whoever posts it may be a script with all its variables."""
    mark = read(orjson.dumps({"text": f"deployed with {SECRET}", "detail": f"Authorization: Bearer {SECRET}"}), NOW)

    assert (False, True) == (SECRET in mark.text + mark.detail, mark.text.startswith("deployed with "))


@pytest.mark.parametrize(
    "body",
    [
        b"", b"x", b"[]", b"null", b"{}", b'{"text": ""}', b'{"text": 7}', b'{"text": "a", "at": "noon"}', b'{"text": "a", "at": 7}',
        b'{"text": "a", "who": "b"}', orjson.dumps({"text": "a" * 201}), b'{"text": "a", "gateway": []}', b"[" * 5_000,
    ],
)  # fmt: skip
def test_a_wrong_body_is_refused_without_its_values(body: bytes) -> None:
    """With the field and what is expected."""
    with pytest.raises(Refused, match="expected"):
        read(body, NOW)


def test_what_cannot_be_stored_is_retryable() -> None:
    """503 with Retry-After, also while another mark is being stored; too large and of another type are neither."""
    store = Store()
    with kept(store) as rig, ThreadPoolExecutor(1) as pool:
        store.may_go_on.clear()
        waiting = pool.submit(post, rig, b'{"text": "a"}')
        eventually(store.begun.is_set, "the first mark is being stored")
        busy = post(rig, b'{"text": "b"}')
        store.may_go_on.set()
        first = waiting.result(HANG_S)
        store.error = SinkUnavailable("store", "gone")
        gone = post(rig, b'{"text": "c"}')
        large = post(rig, b" " * (MAX_BYTES + 1))
        typed = post(rig, b'{"text": "d"}', "text/plain")

    assert (503, 204, 503, 413, 415) == (busy.status, first.status, gone.status, large.status, typed.status)
    assert ("retry-after" in busy.headers, ["a"]) == (True, [mark.text for mark in store.marks])


def test_the_door_is_the_one_of_logs(tmp_path: Path) -> None:
    """Without the sender's token 401, and nothing is kept."""
    tokens = tmp_path / "tokens"
    tokens.write_text(f"ci {'t' * 40}\n")
    tokens.chmod(0o600)
    store = Store()
    with kept(store, token_file=str(tokens)) as rig:
        refused = post(rig, b'{"text": "a"}')
        taken = post(rig, b'{"text": "b"}', Authorization=f"Bearer {'t' * 40}")

    assert (401, 204, ["b"]) == (refused.status, taken.status, [mark.text for mark in store.marks])


def test_without_a_store_there_is_no_such_path() -> None:
    """`why401 collect` has none: 404, as for any unknown path."""
    with kept(None) as rig:
        assert 404 == post(rig, b'{"text": "a"}').status
