"""What the page turns into words: everything about the lake, and what only an operator may do."""

from __future__ import annotations

from typing import Final

from analyzer.lake.errors import LakeError
from collector.errors import Why401Error


class NotPermitted(Why401Error):
    """A viewer requested something that only an operator may do."""

    def __init__(self) -> None:
        super().__init__("Only an operator may do this.")


SHOWN: Final = (LakeError, NotPermitted)
