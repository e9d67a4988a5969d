"""The licence of every package that the image holds, against the list in licences.toml."""

from __future__ import annotations

import importlib.metadata
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageMetadata
from pathlib import Path
from typing import Final

LIST: Final = Path(__file__).with_name("licences.toml")
_NAME: Final = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==")
_TOKEN: Final = re.compile(r"\(|\)|[^\s()]+")


@dataclass(frozen=True, slots=True)
class Rules:
    """The list."""

    allowed: frozenset[str]
    words: Mapping[str, str]
    exceptions: Mapping[str, str]


def rules(path: Path = LIST) -> Rules:
    """Read the list."""
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    return Rules(frozenset(raw["allowed"]), raw["words"], raw["exceptions"])


def locked(requirements: Path) -> list[str]:
    """Names in a hashed requirements file, each once."""
    found = (_NAME.match(line) for line in requirements.read_text(encoding="utf-8").splitlines())
    return list(dict.fromkeys(match[1] for match in found if match))


def complaints(names: Iterable[str], known: Rules) -> Iterator[str]:
    """One line per package whose licence is not allowed. What is not installed here (another platform's) is passed over."""
    for name in names:
        try:
            about = importlib.metadata.metadata(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        said = licence(about)
        if name not in known.exceptions and not (said and is_allowed(said, known)):
            yield f"{name} {about['Version']}: {said or 'names no licence'}"


def licence(about: PackageMetadata) -> str:
    """The SPDX expression, else the classifiers joined, else the old free text's first line; "" for none."""
    if expressions := about.get_all("License-Expression"):
        return str(expressions[0])
    return " OR ".join(f'"{text}"' for text in _classified(about) or _free_text(about))


def _classified(about: PackageMetadata) -> list[str]:
    """What the classifiers say, but for the one that says no more than that it is one."""
    classifiers = [str(text) for text in about.get_all("Classifier") or ()]
    ends = [text.rpartition(" :: ")[2] for text in classifiers if text.startswith("License ::")]
    return [text for text in ends if text != "OSI Approved"]


def _free_text(about: PackageMetadata) -> list[str]:
    lines = str((about.get_all("License") or [""])[0]).strip().splitlines()
    return lines[:1]


def is_allowed(expression: str, known: Rules) -> bool:
    """Whether we may ship under it. Words in quotes are looked up as a whole."""
    if '"' in expression:
        return any(_is_known(text, known) for text in expression.split('"')[1::2])
    return _any(_TOKEN.findall(expression), known)


def _is_known(text: str, known: Rules) -> bool:
    return known.words.get(text, text) in known.allowed


def _any(tokens: list[str], known: Rules) -> bool:
    """OR binds weaker than AND (SPDX 2.3 annex D.4)."""
    return any(_every(part, known) for part in _split(tokens, "OR"))


def _every(tokens: list[str], known: Rules) -> bool:
    return all(_one(part, known) for part in _split(tokens, "AND"))


def _one(tokens: list[str], known: Rules) -> bool:
    if tokens[:1] == ["("] and tokens[-1:] == [")"]:
        return _any(tokens[1:-1], known)
    # `GPL-2.0 WITH Classpath-exception-2.0` is neither its licence nor nothing: nobody has looked at it yet.
    return len(tokens) == 1 and tokens[0] in known.allowed


def _split(tokens: list[str], word: str) -> Iterator[list[str]]:
    """The parts between that word, outside of brackets."""
    depth, part = 0, list[str]()
    for item in tokens:
        depth += (item == "(") - (item == ")")
        if item == word and depth == 0:
            yield part
            part = []
        else:
            part.append(item)
    yield part
