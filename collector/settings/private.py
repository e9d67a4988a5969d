"""Files with secrets: refused when anyone but their owner can read them."""

from __future__ import annotations

import os
import pwd
import stat
from pathlib import Path
from typing import Final

from collector.errors import ConfigurationError

MAX_BYTES: Final = 1 << 20


def read_private(path: Path, key: str, *, file: str = "") -> str:
    """The text of a file that only its owner can read, without the trailing line break.

    A file owned by root may be readable by its group, as Kubernetes mounts secrets (PostgreSQL has the same rule for keys).
    Raises ConfigurationError, which names `key` and the path, never the content.
    """
    try:
        with path.open("rb") as opened:
            wrong = exposure(os.fstat(opened.fileno()))
            data = opened.read(MAX_BYTES + 1)
        text = data.decode().rstrip("\r\n")
    except OSError as error:
        raise ConfigurationError(key, str(path), f"cannot be read: {error.strerror}", file=file) from None
    except UnicodeDecodeError:
        raise ConfigurationError(key, str(path), "expected UTF-8 text", file=file) from None
    if wrong or len(data) > MAX_BYTES or not text:
        raise ConfigurationError(key, str(path), wrong or f"expected 1 to {MAX_BYTES} bytes", file=file)
    return text


def read_regular(path: Path, most: int) -> bytes:
    """The content of a regular file of at most so many bytes: no device that never ends, no FIFO that waits for a writer.

    Raises OSError, ValueError.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("not a regular file")
        with os.fdopen(descriptor, "rb", closefd=False) as opened:
            data = opened.read(most + 1)
    finally:
        os.close(descriptor)
    if len(data) > most:
        raise ValueError(f"more than {most} bytes")
    return data


def check_private(path: Path, key: str) -> None:
    """Raises ConfigurationError when the file is not there or others can read it."""
    try:
        wrong = exposure(path.stat())
    except OSError as error:
        raise ConfigurationError(key, str(path), f"cannot be read: {error.strerror}") from None
    if wrong:
        raise ConfigurationError(key, str(path), wrong)


def exposure(status: os.stat_result, *, is_ours: bool = False) -> str:
    """Who else can read a file with a secret, and what to do; "" when nobody can.

    `is_ours`: a file that why401 writes itself: a regular file and closed to the group as well. Only where nobody but root may write it
    and we are not root, somebody has mounted it, as Kubernetes mounts secrets: then the group may read it.
    """
    if is_ours and not stat.S_ISREG(status.st_mode):
        return "expected a regular file"
    mode = stat.S_IMODE(status.st_mode)
    is_mounted = status.st_uid == 0 and (not is_ours or (os.geteuid() != 0 and not mode & 0o222))
    allowed = 0o640 if is_mounted else 0o600
    return "" if mode & ~(allowed | 0o100) == 0 else f"others can read it (mode {mode:04o}); run chmod 600"


def os_user() -> str:
    """Who runs this process, for audit trails."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user has no name
        return str(os.getuid())
