"""What the page turns into words: everything about the lake, and what only an operator may do."""

from __future__ import annotations

from typing import Final

from analyzer.lake.errors import LakeError
from collector.errors import Why401Error


class NotPermitted(Why401Error):
    """A viewer requested something that only an operator may do."""

    def __init__(self) -> None:
        super().__init__("Only an operator may do this.")


class OtherViews(Why401Error):
    """The store's views were made by another release than the page's, or its writer is renewing them just now."""

    def __init__(self, place: str) -> None:
        self.place = place
        super().__init__(f"the store at {place} has views of another release than this page")


class NotInspected(Why401Error):
    """What was pasted could not be explained; the sentence says why and quotes nothing of it."""


SHOWN: Final = (LakeError, NotPermitted, OtherViews)
