"""Source trees: a folder, or a git directory (bare or not) at a revision. Nothing is written and nothing is fetched."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

MAX_FILES: Final = 3_000  # of one product at one revision
MAX_CHARS: Final = 2_000_000  # of one file; what is longer is generated


@dataclass(frozen=True, kw_only=True)
class SourceFile:
    """One file of a tree; `path` is relative to the tree and has slashes."""

    path: str
    text: str


def files(tree: Path, revision: str, wanted: Sequence[str], unwanted: Sequence[str] = ()) -> Iterator[SourceFile]:
    """The files whose path matches a pattern of `wanted` (fnmatch, `*` crosses slashes) and none of `unwanted`.

    An empty revision reads the folder itself. Raises OSError, and CalledProcessError where git refuses.
    """
    paths = _listed(tree, revision) if revision else _walked(tree)
    chosen = [path for path in paths if _fits(path, wanted) and not _fits(path, unwanted)]
    for path in sorted(chosen)[:MAX_FILES]:
        text = _shown(tree, revision, path) if revision else (tree / path).read_text("utf-8", "replace")
        if len(text) <= MAX_CHARS:
            yield SourceFile(path=path, text=text)


def _fits(path: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(path, pattern) for pattern in patterns)


def _walked(tree: Path) -> list[str]:
    return [path.relative_to(tree).as_posix() for path in tree.rglob("*") if path.is_file()]


def _listed(tree: Path, revision: str) -> list[str]:
    return _git(tree, "ls-tree", "-r", "--name-only", "-z", revision).rstrip("\0").split("\0")


def _shown(tree: Path, revision: str, path: str) -> str:
    return _git(tree, "show", f"{revision}:{path}")


def _git(tree: Path, *arguments: str) -> str:
    done = subprocess.run(  # a list of arguments, no shell; the revision comes from the caller
        ["git", "-C", str(tree), *arguments],
        check=True,
        capture_output=True,
    )
    return done.stdout.decode("utf-8", "replace")
