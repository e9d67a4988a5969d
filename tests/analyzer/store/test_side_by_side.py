"""Workers of one start commit one after the other."""

from __future__ import annotations

import threading
from pathlib import Path

from analyzer.store.side_by_side import alone
from collector.settings import Share
from tests.waiting import HANG_S


def test_a_worker_waits_for_the_other_one(tmp_path: Path) -> None:
    """The second is let in when the first is done, not before."""
    entered = threading.Event()

    def second() -> None:
        with alone(Share(number=2, of=2, folder=str(tmp_path))):
            entered.set()

    with alone(Share(number=1, of=2, folder=str(tmp_path))):
        thread = threading.Thread(target=second)
        thread.start()
        assert not entered.wait(0.2)
    assert entered.wait(HANG_S)
    thread.join(HANG_S)
