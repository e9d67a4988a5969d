"""The folder into which a reader's large statements spill: one per process, private, gone with it, also when it is killed."""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

_PREFIX = "why401-spill-"
_LOCK = "in-use"


@cache
def folder() -> str:
    """One for this process, of mode 0700. A killed process cannot remove its own, so the next one does."""
    remove_abandoned(Path(tempfile.gettempdir()))
    unlocked = Path(tempfile.mkdtemp(prefix=f".{_PREFIX}"))
    # Held until the process ends, however it ends: the kernel lets go of a lock, and of nothing else.
    fcntl.flock(os.open(unlocked / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600), fcntl.LOCK_EX)
    made = unlocked.rename(unlocked.with_name(unlocked.name.removeprefix(".")))  # not seen by others until it is locked
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return str(made)


def remove_abandoned(parent: Path) -> list[Path]:
    """Delete this user's spill folders whose process has ended; returns them. What cannot be examined stays."""
    gone = [path for path in parent.glob(f"{_PREFIX}*") if _is_abandoned(path)]
    for path in gone:
        shutil.rmtree(path, ignore_errors=True)
    return gone


def _is_abandoned(path: Path) -> bool:
    try:
        if path.is_symlink() or path.stat().st_uid != os.getuid():
            return False
        lock = os.open(path / _LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:  # gone meanwhile, or made by something else
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(lock)
    return True
