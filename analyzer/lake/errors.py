"""Every error that the store raises of its own, beside Fenced and SinkUnavailable of the sink's contract.

Why401Error
├── NoStore          there is no lake at that place yet
├── NewerStore       a later why401 migrated the lake; this one must not write to it
├── NotOneQuery      text that is not exactly one SELECT
└── QueryTimeout     a reader's query took too long and was interrupted
"""

from __future__ import annotations

from collections.abc import Sequence

from collector.errors import Why401Error


class NoStore(Why401Error):
    """The catalog does not exist; the first writer creates it."""

    def __init__(self, place: str) -> None:
        super().__init__(f"no store at {place}; `why401 up` creates one")
        self.place = place


class NewerStore(Why401Error):
    """The lake has migrations that this version does not know."""

    def __init__(self, migrations: Sequence[str]) -> None:
        super().__init__(f"a newer why401 applied {', '.join(migrations)}; upgrade this one before it writes")
        self.migrations = tuple(migrations)


class NotOneQuery(Why401Error):
    """A reader runs one SELECT at a time; `found` names the statements' types."""

    def __init__(self, found: Sequence[str]) -> None:
        super().__init__(f"expected one SELECT, found {', '.join(found) or 'nothing'}")
        self.found = tuple(found)


class QueryTimeout(Why401Error):
    """The query ran for `timeout_s` and was interrupted; the connection is fit for the next one."""

    def __init__(self, timeout_s: float) -> None:
        super().__init__(f"query interrupted after {timeout_s:g} s; narrow its time range or raise the timeout")
        self.timeout_s = timeout_s
