"""The knowledge files in one piece: parsed and checked once, then read back from a cache that only its owner can write.

Parsing 350 TOML files takes half a second and checking their signatures a tenth; reading what became of both takes a
tenth of that. A cache is named after the digest of every file's path and content, the code's too, so what changed is
never answered from it. It holds facts of the package only, no user's files and nothing of any record; one that others
could have written is not read, and one that cannot be written is done without.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

FOLDER_ENV: Final = "WHY401_CACHE_DIR"  # default: why401 in XDG_CACHE_HOME or ~/.cache
MAX_BYTES: Final = 64 << 20
_FORMAT: Final = "2"  # of the cached files; part of their digest
_PACKAGE: Final = files("analyzer.knowledge")
Made = TypeVar("Made")


@cache
def tables() -> Mapping[str, dict[str, Any]]:
    """Path of each knowledge file, relative to this package, and its content."""
    return held("knowledge", dict[str, dict[str, Any]], _parsed)


def held(name: str, kind: type[Made], make: Callable[[], Made]) -> Made:
    """What `make` makes of the knowledge files, of the type `kind`: from the cache called `name`, or made and kept there."""
    file = _cache_file(name, _digest())
    found = _read(file, kind)
    if found is None:
        found = make()
        _write(file, name, found)
    return found


def _parsed() -> dict[str, dict[str, Any]]:
    return {path: tomllib.loads(text.decode()) for path, text in _sources(_PACKAGE, "") if path.endswith(".toml")}


def _sources(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for item in sorted(folder.iterdir(), key=lambda item: item.name):
        if item.name.endswith((".toml", ".py")):
            yield prefix + item.name, item.read_bytes()
        elif item.is_dir() and item.name != "__pycache__":
            yield from _sources(item, f"{prefix}{item.name}/")


@cache
def _digest() -> str:
    digest = blake2b(_FORMAT.encode(), digest_size=16)
    for path, text in _sources(_PACKAGE, ""):
        digest.update(f"{path}\0{len(text)}\0".encode())
        digest.update(text)
    return digest.hexdigest()


def _cache_file(name: str, digest: str) -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    folder = os.environ.get(FOLDER_ENV) or f"{home}/why401"
    return Path(folder).expanduser() / f"{name}-{digest}.msgpack"


def _read(file: Path, kind: type[Made]) -> Made | None:
    """What the file holds; None when there is none, or when somebody else could have written it."""
    try:
        handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as opened:
            if not _is_ours(os.fstat(opened.fileno())) or not _is_ours(file.parent.stat()):
                return None
            return msgspec.msgpack.decode(opened.read(MAX_BYTES), type=kind)
    except (OSError, RuntimeError, ValueError, msgspec.MsgspecError):
        return None


def _is_ours(status: os.stat_result) -> bool:
    return status.st_uid == os.geteuid() and not stat.S_IMODE(status.st_mode) & 0o022


def _write(file: Path, name: str, found: Any) -> None:
    """Write it whole or not at all, and remove what earlier versions left."""
    draft = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    with contextlib.suppress(OSError, RuntimeError):
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(handle, "wb") as opened:
                opened.write(msgspec.msgpack.encode(found))
            draft.replace(file)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
        for older in file.parent.glob(f"{name}-*"):
            if older != file:
                older.unlink(missing_ok=True)
