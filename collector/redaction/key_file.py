"""The pseudonym keys on disk: one JSON object a line, `{"epoch": 1, "key": "<64 hex digits>", "created": "<RFC 3339>"}`.

The highest epoch is in use. Every change writes a new file beside the old one and renames it, so that a reader sees
one or the other; changes wait for each other. Messages name the file and the epoch, never a key.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import orjson

from collector.errors import ConfigurationError
from collector.settings.private import exposure

KEY_BYTES: Final = 32
MAX_FILE_BYTES: Final = 1 << 20
SETTING: Final = "pseudonym_key"
_FORMAT: Final = 'one JSON object a line: {"epoch": 1, "key": "<64 hex digits>", "created": "<time>"}'
_REMEDY: Final = "Put a copy back; if there is none, move the file away, and the next start begins a new epoch"
Signature = tuple[int, int, int]  # inode, time of change in ns, size


@dataclass(frozen=True, slots=True)
class Epoch:
    """One key and its time of use. `repr` shows no key."""

    number: int
    created: str  # RFC 3339; "" when the line does not say
    key: bytes = field(repr=False)


def signature(path: Path) -> Signature | None:
    """Changes when the content changes; None when the file cannot be read. One system call."""
    try:
        return _signature(path.stat())
    except OSError:
        return None


def read(path: Path) -> tuple[tuple[Epoch, ...], Signature]:
    """Every epoch, the newest last, and what the file was then.

    Raises ConfigurationError when others can read the file or its content is not a key file.
    """
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if wrong := exposure(status, is_ours=True):
                raise ConfigurationError(SETTING, str(path), f"{wrong} {path}")
            content = file.read(MAX_FILE_BYTES)
    except FileNotFoundError:
        raise ConfigurationError(SETTING, str(path), _why_gone(path)) from None
    except OSError as error:
        raise ConfigurationError(SETTING, str(path), f"cannot be read: {error.strerror}") from None
    epochs = {epoch.number: epoch for epoch in (_epoch(line, path) for line in content.splitlines() if line.strip())}
    if not epochs:
        raise ConfigurationError(SETTING, str(path), f"holds no key; expected {_FORMAT}. {_REMEDY}")
    return tuple(epochs[number] for number in sorted(epochs)), _signature(status)


def create(path: Path, *, used: int = 0) -> int:
    """Write a key, whole or not at all; nothing when there is a file. Raises ConfigurationError.

    The number of the epoch is above `used` and above every one that was noted beside the file: a new key under an old
    number would pass for the one that is lost. Gives the last number that was in use before, 0 at the first start.
    """
    try:
        if path.exists():
            return 0
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lost = max(used, noted(path))
        draft = _draft(path, [_fresh(lost + 1)])
        try:
            with contextlib.suppress(FileExistsError, FileNotFoundError):
                os.link(draft, path)  # link fails when another process was first, and swept
        finally:
            draft.unlink(missing_ok=True)
        _sync_directory(path)
    except OSError as error:
        raise ConfigurationError(SETTING, str(path), f"cannot be created: {error.strerror}") from None
    return lost


def note(path: Path, number: int) -> None:
    """Remember beside the key file, without its keys, which epoch was in use. Where that cannot be written, nothing."""
    with contextlib.suppress(OSError):
        if number > noted(path):
            beside = _beside(path)
            draft = beside.with_name(f"{beside.name}.{secrets.token_hex(8)}")
            draft.touch(mode=0o600)
            draft.write_text(f"{number}\n", encoding="ascii")
            draft.replace(beside)


def noted(path: Path) -> int:
    """The last epoch that is known to have been in use, 0 when none is."""
    try:
        return int(_beside(path).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0


def _why_gone(path: Path) -> str:
    used = noted(path)
    if not used:
        return "does not exist; the first start of `why401 up` or `why401 collect` creates it"
    return (
        f"is gone; epoch {used} was in use. Put a copy back; if there is none, the next start begins epoch {used + 1},"
        " and users who are stored can be looked up no more"
    )


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.epoch")


def rotate(path: Path) -> Epoch:
    """A new key of the next epoch, which is in use from now on. Raises ConfigurationError."""
    with _changing(path) as epochs:
        fresh = _fresh(max(epochs[-1].number, noted(path)) + 1)  # a file from a backup may be behind
        _replace(path, [*epochs, fresh])
    note(path, fresh.number)
    return fresh


def check_forgettable(path: Path, number: int) -> None:
    """Raises ConfigurationError when `forget` would."""
    _refuse_needed(read(path)[0], number, path)


def forget(path: Path, number: int) -> None:
    """Destroy the key of an epoch: its pseudonyms can be linked to nobody any more. Raises ConfigurationError.

    The epoch in use cannot be forgotten. The old file's bytes are overwritten before they are freed; copies in backups,
    snapshots and in the spare blocks of a flash disk are beyond our reach.
    """
    with _changing(path) as epochs:
        _refuse_needed(epochs, number, path)
        with path.open("r+b") as old:
            _replace(path, [epoch for epoch in epochs if epoch.number != number])
            old.write(bytes(os.fstat(old.fileno()).st_size))
            old.flush()
            os.fsync(old.fileno())


def _refuse_needed(epochs: Sequence[Epoch], number: int, path: Path) -> None:
    numbers = [epoch.number for epoch in epochs]
    if number not in numbers:
        raise ConfigurationError(SETTING, str(path), f"has no epoch {number}; it has {', '.join(map(str, numbers))}")
    if number == numbers[-1]:
        raise ConfigurationError(SETTING, str(path), f"epoch {number} is in use; rotate first")


@contextlib.contextmanager
def _changing(path: Path) -> Iterator[tuple[Epoch, ...]]:
    """The epochs, while no other process changes them."""
    try:
        folder = os.open(path.parent, os.O_RDONLY)
    except OSError as error:
        raise ConfigurationError(SETTING, str(path), f"cannot be read: {error.strerror}") from None
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        _sweep(path)
        yield read(path)[0]
    except OSError as error:
        raise ConfigurationError(SETTING, str(path), f"cannot be changed: {error.strerror}") from None
    finally:
        os.close(folder)


def _replace(path: Path, epochs: Iterable[Epoch]) -> None:
    status = path.stat()
    draft = _draft(path, epochs)
    try:
        if (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
            os.chown(draft, status.st_uid, status.st_gid)  # root rotates, the collector's user reads
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    _sync_directory(path)


def _draft(path: Path, epochs: Iterable[Epoch]) -> Path:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(map(_line, epochs))
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        draft.unlink()
        raise
    return draft


def _sweep(path: Path) -> None:
    """Drafts of processes that were killed hold keys, too; one to be forgotten must not stay in them."""
    for draft in path.parent.glob(f".{path.name}.*"):
        draft.unlink(missing_ok=True)


def _sync_directory(path: Path) -> None:
    """A rename or link survives a power cut when its directory does."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _fresh(number: int) -> Epoch:
    return Epoch(number, datetime.now(UTC).isoformat(timespec="seconds"), secrets.token_bytes(KEY_BYTES))


def _line(epoch: Epoch) -> bytes:
    return orjson.dumps({"epoch": epoch.number, "key": epoch.key.hex(), "created": epoch.created}) + b"\n"


def _signature(status: os.stat_result) -> Signature:
    return status.st_ino, status.st_mtime_ns, status.st_size


def _epoch(line: bytes, path: Path) -> Epoch:
    # The line is a secret: no part of it may reach the message, nor its exception the traceback.
    try:
        entry = orjson.loads(line)
        number, key, created = int(entry["epoch"]), bytes.fromhex(entry["key"]), str(entry.get("created", ""))
    except (ValueError, TypeError, KeyError, AttributeError):
        raise ConfigurationError(
            SETTING, str(path), f"has a line that is no key; expected {_FORMAT}. {_REMEDY}"
        ) from None
    if number < 1 or len(key) != KEY_BYTES:
        raise ConfigurationError(SETTING, str(path), f"epoch from 1 and {KEY_BYTES} bytes of key; expected {_FORMAT}")
    return Epoch(number, created, key)
