"""The knowledge files by product: one folder a gateway, one a library, and in it one file a kind of fact (README.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final, Literal

from analyzer.knowledge import compiled

Kind = Literal["gateway", "library"]
FOLDERS: Final[Mapping[Kind, str]] = {"gateway": "gateways", "library": "libraries"}


def table(path: str) -> dict[str, Any]:
    """The content of one file, `path` relative to this package. Not to be changed: every caller gets the same one."""
    return compiled.tables()[path]


def tables(folder: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The files of one folder, in the order of their names: (path, content)."""
    for path, content in compiled.tables().items():
        if path.rpartition("/")[0] == folder:
            yield path, content


def facts(kind: Kind, what: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The file `<what>.toml` of every product that has one, in the order of the folders' names: (path, content)."""
    for path, content in compiled.tables().items():
        folder, _, rest = path.partition("/")
        if folder == FOLDERS[kind] and rest.endswith(f"/{what}.toml"):
            yield path, content


@cache
def families(kind: Kind) -> Mapping[str, tuple[str, ...]]:
    """Product -> the products whose facts hold for it too, nearest first (family.toml)."""
    return {content[kind]: tuple(content["family"]) for _, content in facts(kind, "family")}


def relatives(kind: Kind, name: str) -> tuple[str, ...]:
    """The product itself, then those whose facts hold for it too, nearest first.

    >>> relatives("gateway", "istio")
    ('istio', 'envoy')
    """
    return (name, *families(kind).get(name, ()))
