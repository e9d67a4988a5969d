"""RE2 expressions with named groups over text: the groups that took part, by name. Linear in the text, whatever the text is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from collector.redaction.patterns import any_of, compiled

_GROUP: Final = "(?P<"


class Named:
    """One expression, all of whose groups have a name; it matches at a text's beginning."""

    __slots__ = ("_pattern", "names")

    def __init__(self, expression: str) -> None:
        self._pattern = compiled(expression.encode())
        self.names = tuple(piece.partition(">")[0] for piece in expression.split(_GROUP)[1:])

    def match(self, text: str) -> dict[str, str]:
        """The text of each group that took part, in the groups' order; empty when nothing matches."""
        data = text.encode("utf-8", "surrogatepass")
        found = self._pattern.match(data)
        if found is None:
            return {}
        spans = zip(self.names, found.spans[1:], strict=True)
        return {name: data[start:end].decode("utf-8", "replace") for name, (start, end) in spans if start >= 0}


def first_of(expressions: Sequence[str]) -> Callable[[str], list[int]]:
    """A function that gives, in one pass, the places in order of the expressions that match at a text's beginning."""
    find = any_of([rf"\A(?:{_unnamed(each)})".encode() for each in expressions])

    def matching(text: str) -> list[int]:
        return sorted(find(text.encode("utf-8", "surrogatepass")))

    return matching


def _unnamed(expression: str) -> str:
    first, *rest = expression.split(_GROUP)
    return first + "".join("(?:" + piece.partition(">")[2] for piece in rest)
