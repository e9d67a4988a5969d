"""Every error that the dashboard raises; each is a sentence for the person who looks at the page.

DashboardError
├── StoreMissing       there is no lake yet, or none with the views in it
├── StoreUnavailable   the lake was there and cannot be read at the moment
├── QueryTimeout       a query took longer than `dashboard.query_timeout_seconds`
├── QueryRefused       SQL that is not one SELECT over the views, or that DuckDB rejected
└── NotPermitted       something that only an operator may do
"""

from __future__ import annotations


class DashboardError(Exception):
    """The root, so that one place per page can turn any of them into words."""

    def args_again(self) -> list[str | float]:
        """What the constructor took, so that an error crosses from one process to the next."""
        return list(vars(self).values())


class StoreMissing(DashboardError):
    """No lake at `where`, or a lake without views."""

    def __init__(self, where: str) -> None:
        super().__init__(f"no store at {where}")
        self.where = where


class StoreUnavailable(DashboardError):
    """The lake cannot be read. `kind` is the class of DuckDB's error; its text may hold a connection string."""

    def __init__(self, where: str, kind: str) -> None:
        super().__init__(f"the store at {where} cannot be read ({kind})")
        self.where = where
        self.kind = kind


class QueryTimeout(DashboardError):
    """A query was interrupted, or waited too long for its turn."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"stopped after {seconds:g} s")
        self.seconds = seconds


class QueryRefused(DashboardError):
    """SQL that is not run. `why` says what would be right."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class NotPermitted(DashboardError):
    """A viewer asked for what an operator may do."""

    def __init__(self) -> None:
        super().__init__("only an operator may do this")
