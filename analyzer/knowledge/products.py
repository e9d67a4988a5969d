"""The knowledge files on disk: one folder a gateway, one a library, and in it one file a kind of fact (README.md)."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal

Kind = Literal["gateway", "library"]
FOLDERS: Final[Mapping[Kind, str]] = {"gateway": "gateways", "library": "libraries"}


def table(path: str) -> dict[str, Any]:
    """The content of one file, `path` relative to this package."""
    return tomllib.loads(files("analyzer.knowledge").joinpath(path).read_text(encoding="utf-8"))


def tables(folder: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The files of one folder, in the order of their names: (path, content)."""
    for name in sorted(item.name for item in files("analyzer.knowledge").joinpath(folder).iterdir()):
        if name.endswith(".toml"):
            yield f"{folder}/{name}", table(f"{folder}/{name}")


def facts(kind: Kind, what: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The file `<what>.toml` of every product that has one, in the order of the folders' names: (path, content)."""
    root = files("analyzer.knowledge").joinpath(FOLDERS[kind])
    for product in sorted(root.iterdir(), key=lambda item: item.name):
        if product.joinpath(f"{what}.toml").is_file():
            path = f"{FOLDERS[kind]}/{product.name}/{what}.toml"
            yield path, table(path)


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
