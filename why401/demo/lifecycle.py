"""`why401 demo`: real Envoys, `why401 up`, the dashboard, and a working day in a few minutes."""

from __future__ import annotations

import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, TextIO

from why401.demo.children import ChildFailed, HeldPort
from why401.demo.day import Day, Pace
from why401.demo.envoy import EnvoyFailed
from why401.demo.progress import Progress
from why401.demo.staging import Plan, Stage
from why401.demo.zoo import Zoo

RATE: Final = 60.0


def run_demo(
    *, seconds: float | None, dashboard: bool, rate: float = RATE, out: TextIO, folder: Path | None = None,
    all_faults: bool = False, pace: Pace | None = None, listen_port: int = 0, otlp_port: int = 0, dashboard_port: int = 0,
) -> int:  # fmt: skip
    """Run until `seconds` are over (None: until Ctrl-C), print the summary, leave no process; the exit status.

    Port 0 takes a free one. Without `folder` everything lives in a temporary one that is removed at the end.
    """
    progress = Progress(out)
    otlp, page = HeldPort(otlp_port), HeldPort(dashboard_port) if dashboard else None
    with ExitStack() as stack:
        stack.callback(otlp.release)
        stack.callback(page.release if page else lambda: None)
        place = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="why401-demo-")))
        place.mkdir(parents=True, exist_ok=True)
        stack.enter_context(_terminate_like_interrupt())
        plan = Plan(folder=place, seconds=seconds, rate=rate, listen=listen_port, otlp=otlp, page=page)
        try:
            stage: Stage = Zoo(plan, progress) if all_faults else Day(plan, progress, pace)
            stage.run()
        except (EnvoyFailed, ChildFailed) as error:
            progress.say(f"why401 demo: {error}")
            return 1
        except KeyboardInterrupt:
            return 130
    return 0


@contextmanager
def _terminate_like_interrupt() -> Iterator[None]:
    """SIGTERM ends the demo as Ctrl-C does: its children would outlive it otherwise."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
