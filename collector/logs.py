"""Our own log: one line a message, redacted and without control characters; exceptions without what they quote.

`int("s3cr3t")` raises a ValueError that shows its argument, a KeyError is nothing but its key. So a traceback keeps its
places and types, and a message only where its author is known to quote no record: our own errors, the operating
system's, and those of Kafka and DuckDB, which meet redacted events only.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from types import TracebackType
from typing import Any, Final, TextIO

from collector.errors import Why401Error
from collector.redaction import safe_text

FORMAT: Final = "%(asctime)s %(levelname)-7s %(name)s  %(message)s"
MAX_LINE: Final = 2_000
MAX_FRAMES: Final = 60  # a recursion has thousands
MAX_CHAIN: Final = 8
_DISCREET: Final = (Why401Error, OSError)
_DISCREET_MODULES: Final = frozenset(("kafka", "duckdb", "_duckdb"))
log = logging.getLogger("why401")


def start(level: str, stream: TextIO) -> None:
    """Log to the stream, at this level or above; what no one catches is logged, too, instead of printed."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(SafeFormatter(FORMAT))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.captureWarnings(True)
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread
    sys.unraisablehook = _unraisable


class SafeFormatter(logging.Formatter):
    """Formats a record, then redacts it."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, and the traceback below it. Never raises: a message that does not fit its arguments is named."""
        try:
            record.message = record.getMessage()
        except Exception as error:
            record.message = f"[a log message that cannot be formatted: {type(error).__name__}]"
        if self.usesTime():
            record.asctime = self.formatTime(record, self.datefmt)
        record.message = safe_text(record.message, MAX_LINE)
        lines = [self.formatMessage(record)]
        if record.exc_info:
            lines.append(self.formatException(record.exc_info))
        return "\n".join(lines)

    def formatException(self, ei: Any) -> str:  # noqa: N802  # logging's name
        """Places, types, and messages of those who quote nothing."""
        return "\n".join(_chain_lines(ei[1]) if ei[1] is not None else ())


def _chain_lines(error: BaseException) -> list[str]:
    """The first cause first, as Python prints it; at most MAX_CHAIN exceptions of MAX_FRAMES places."""
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in chain and len(chain) < MAX_CHAIN:
        chain.append(link)
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return [safe_text(line, MAX_LINE) for link in reversed(chain) for line in _lines(link)]


def _lines(error: BaseException) -> list[str]:
    frames = traceback.extract_tb(error.__traceback__)[-MAX_FRAMES:]
    places = [f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
    return ["Traceback (most recent call last):", *places, _said(error)]


def _said(error: BaseException) -> str:
    name = type(error).__qualname__
    module = type(error).__module__.partition(".")[0]
    if isinstance(error, _DISCREET) or module in _DISCREET_MODULES:
        return f"{name}: {error}"
    return f"{name} (its message is not shown: it may quote a record)"


def _uncaught(kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    log.critical("stopped by an unexpected %s", kind.__name__, exc_info=(kind, error, where))


def _uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None and not issubclass(args.exc_type, SystemExit):
        name = args.thread.name if args.thread else "?"
        about = (args.exc_type, args.exc_value, args.exc_traceback)
        log.error("thread %s stopped by an unexpected %s", name, args.exc_type.__name__, exc_info=about)


def _unraisable(args: Any) -> None:
    log.error("an unexpected %s that nobody could catch", args.exc_type.__name__)
