"""A view of a parsed YAML, JSON or TOML document that knows where each value stands.

Nothing is copied or expanded: a YAML alias stays one node however often it is named, so that a "bomb" of aliases costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from why401.expectations.told import Place, Told

MAX_WALKED: Final = 500_000  # containers that a search looks into
MAX_DEPTH: Final = 100
_WORDS: Final[Mapping[str, Any]] = {"true": True, "false": False, "null": None, "~": None, "": None}
_RESOLVED: Final = ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:null")


@dataclass(frozen=True, slots=True)
class Node:
    """A value of a document, or nothing (`raw` None): a path that is not there reads as empty.

    >>> Node({"jwt": {"issuer": "https://a/"}}, "kong.json").get("jwt", "issuer").text
    'https://a/'
    """

    raw: Any
    file: str
    path: str = ""
    line: int = 0

    @property
    def place(self) -> Place:
        """Where it stands."""
        return Place(file=self.file, line=self.line or _line(self.raw), path=self.path)

    @property
    def is_mapping(self) -> bool:
        """An object."""
        return isinstance(self.raw, (dict, yaml.MappingNode))

    @property
    def is_list(self) -> bool:
        """An array."""
        return isinstance(self.raw, (list, yaml.SequenceNode))

    def __bool__(self) -> bool:
        return self.value is not None

    @property
    def value(self) -> Any:
        """A scalar's value; of an object or array, what the parser made."""
        return _scalar(self.raw) if isinstance(self.raw, yaml.ScalarNode) else self.raw

    @property
    def text(self) -> str:
        """A scalar as text; "" for everything else."""
        value = self.value
        if isinstance(value, bool):
            return "true" if value else "false"
        return str(value) if isinstance(value, (str, int, float)) else _date(value)

    @property
    def is_true(self) -> bool:
        """true, or a text that says so."""
        return self.text.lower() in ("true", "yes", "on")

    def names(self) -> tuple[str, ...]:
        """An object's names."""
        return tuple(name for name, _ in self.items())

    def items(self) -> Iterator[tuple[str, Node]]:
        """An object's names and values."""
        if isinstance(self.raw, dict):
            for name, raw in self.raw.items():
                yield str(name), Node(raw, self.file, f"{self.path}.{name}".lstrip("."))
        elif isinstance(self.raw, yaml.MappingNode):
            for key, raw in self.raw.value:
                name = key.value if isinstance(key, yaml.ScalarNode) else ""
                yield name, Node(raw, self.file, f"{self.path}.{name}".lstrip("."), key.start_mark.line + 1)

    def each(self) -> tuple[Node, ...]:
        """An array's elements; a single value stands for an array of one."""
        if not self.is_list:
            return (self,) if self else ()
        raw = self.raw.value if isinstance(self.raw, yaml.SequenceNode) else self.raw
        return tuple(Node(one, self.file, f"{self.path}[{number}]") for number, one in enumerate(raw))

    def get(self, *names: str) -> Node:
        """The value at a path of names; each is found in snake_case and in camelCase."""
        node = self
        for name in names:
            node = node._child(name)
        return node

    def _child(self, name: str) -> Node:
        spellings = (name, camel(name))
        found = {key: node for key, node in self.items() if key in spellings}
        return found.get(name) or found.get(camel(name)) or Node(None, self.file, f"{self.path}.{name}".lstrip("."))

    def has(self, name: str) -> bool:
        """Whether the name is there, with any value: `allow_missing: {}`."""
        return name in (keys := self.names()) or camel(name) in keys

    def first(self, *names: str) -> Node:
        """The first of several names that is there."""
        return next((node for name in names if (node := self.get(name))), self.get(names[0]))

    def told(self) -> Told | None:
        """The scalar with its place; None when it is empty."""
        return Told(text=self.text, place=self.place) if self.text else None

    def all_told(self) -> tuple[Told, ...]:
        """The scalars of an array."""
        return tuple(told for one in self.each() if (told := one.told()))

    def words(self) -> tuple[Told, ...]:
        """The scalars of an array, or the words of a text with spaces or commas between them."""
        return tuple(
            Told(text=word, place=told.place)
            for told in self.all_told()
            for word in told.text.replace(",", " ").split()
        )

    def walk(self) -> Iterator[Node]:
        """Every object below, itself first; each is visited once, and MAX_WALKED containers at most."""
        seen: set[int] = set()
        waiting: list[tuple[Node, int]] = [(self, 0)]
        while waiting and len(seen) < MAX_WALKED:
            node, depth = waiting.pop()
            if id(node.raw) in seen or depth > MAX_DEPTH:
                continue
            if node.is_mapping:
                seen.add(id(node.raw))
                yield node
                waiting += [(one, depth + 1) for one in reversed([value for _, value in node.items()])]
            elif node.is_list:
                seen.add(id(node.raw))
                waiting += [(one, depth + 1) for one in reversed(node.each())]


def camel(name: str) -> str:
    """`remote_jwks` as protobuf's JSON spells it.

    >>> camel("remote_jwks")
    'remoteJwks'
    """
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


def _line(raw: Any) -> int:
    return raw.start_mark.line + 1 if isinstance(raw, yaml.Node) else 0


def _date(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else ""


def _scalar(raw: yaml.ScalarNode) -> Any:
    """YAML 1.1's booleans and nulls; everything else stays the text that was written (`0123`, `1_000`, `1:20`)."""
    if raw.tag.startswith("!") and raw.tag != "!":  # CloudFormation's !Ref: filled in elsewhere
        return "${" + raw.value + "}"
    if raw.tag not in _RESOLVED:
        return raw.value
    word = raw.value.lower()
    return _WORDS.get(word, word in ("yes", "on"))
