"""Keyed pseudonyms: affected users can be counted and joined, and never read.

HMAC-SHA-256(key of the epoch, kind + ":" + value), cut to 128 bits, because e-mail addresses and user names are
guessable and a plain hash of them is not a pseudonym (PCI DSS 4, 3.5.1.1). The key file holds one JSON object a line,
`{"epoch": 1, "key": "<64 hex digits>", "created": "<RFC 3339>"}`; the highest epoch is in use. Removing a line
makes the pseudonyms of that epoch unlinkable: erasure by key destruction.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
from collections import OrderedDict
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NoReturn

import orjson

from collector.errors import ConfigurationError

KEY_BYTES: Final = 32
DIGEST_BYTES: Final = 16  # 128 bits: no collision among 10^9 users in practice
CACHE_ENTRIES: Final = 65_536  # about 12 MB; a storm repeats few users
MAX_FILE_BYTES: Final = 1 << 20
_SETTING: Final = "pseudonym_key"
_FORMAT: Final = 'one JSON object a line: {"epoch": 1, "key": "<64 hex digits>", "created": "<time>"}'


class Pseudonyms:
    """Pseudonyms under the newest key of a file. Holds no value, only digests; `repr` and pickle give no key."""

    __slots__ = ("_cache", "_key", "epoch")

    def __init__(self, key: bytes, epoch: int) -> None:
        if len(key) < KEY_BYTES:
            raise ConfigurationError(_SETTING, f"{len(key)} bytes", f"expected a key of at least {KEY_BYTES} bytes")
        self.epoch: Final = epoch
        self._key: Final = hmac.new(key, digestmod=hashlib.sha256)
        self._cache: Final[OrderedDict[bytes, str]] = OrderedDict()

    @classmethod
    def open(cls, path: Path) -> Pseudonyms:
        """Read the key file, or create it with mode 0600 on first start.

        Raises ConfigurationError when others can read the file or its content is not a key file.
        """
        try:
            _create(path)
        except FileExistsError:
            pass
        except OSError as error:
            raise ConfigurationError(_SETTING, str(path), f"cannot be created: {error.strerror}") from None
        epoch, key = _newest(_read(path), path)
        return cls(key, epoch)

    def of(self, kind: str, value: str) -> str:
        """32 hex digits for a value of a kind ("user"); equal in and out, and only within one epoch."""
        message = f"{kind}:{value}".encode("utf-8", "surrogatepass")
        # Keyed by digest, so that the cache holds nothing readable.
        name = hashlib.blake2b(message, digest_size=16).digest()
        known = self._cache.get(name)
        if known is not None:
            return known
        return self._remember(name, self._digest(message))

    def _digest(self, message: bytes) -> str:
        mac = self._key.copy()
        mac.update(message)
        return mac.digest()[:DIGEST_BYTES].hex()

    def _remember(self, name: bytes, pseudonym: str) -> str:
        self._cache[name] = pseudonym
        if len(self._cache) > CACHE_ENTRIES:
            self._cache.popitem(last=False)
        return pseudonym

    def __len__(self) -> int:
        """Entries in the cache, for the gauge `why401.cache.size`."""
        return len(self._cache)

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"Pseudonyms(epoch={self.epoch})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("Pseudonyms hold a key and cannot be pickled; open the key file instead")


def _create(path: Path) -> None:
    """Write a first key, whole or not at all: a reader never sees half a file. FileExistsError when there is one."""
    if path.exists():
        raise FileExistsError(path)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(_line(1, secrets.token_bytes(KEY_BYTES)))
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)  # link fails when another process was first
    finally:
        draft.unlink()


def _line(epoch: int, key: bytes) -> bytes:
    created = datetime.now(UTC).isoformat(timespec="seconds")
    return orjson.dumps({"epoch": epoch, "key": key.hex(), "created": created}) + b"\n"


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            _refuse_shared(file.fileno(), path)
            return file.read(MAX_FILE_BYTES)
    except OSError as error:
        raise ConfigurationError(_SETTING, str(path), f"cannot be read: {error.strerror}") from None


def _refuse_shared(handle: int, path: Path) -> None:
    mode = os.fstat(handle).st_mode
    if not stat.S_ISREG(mode):
        raise ConfigurationError(_SETTING, str(path), "expected a regular file")
    if mode & 0o077:
        expected = f"others may read it (mode {stat.S_IMODE(mode):04o}); chmod 600 it"
        raise ConfigurationError(_SETTING, str(path), expected)


def _newest(content: bytes, path: Path) -> tuple[int, bytes]:
    keys = dict(_key(line, path) for line in content.splitlines() if line.strip())
    if not keys:
        raise ConfigurationError(_SETTING, str(path), f"holds no key; expected {_FORMAT}")
    return max(keys.items())


def _key(line: bytes, path: Path) -> tuple[int, bytes]:
    # The line is a secret: no part of it may reach the message, nor its exception the traceback.
    try:
        entry = orjson.loads(line)
        epoch, key = int(entry["epoch"]), bytes.fromhex(entry["key"])
    except (ValueError, TypeError, KeyError):
        raise ConfigurationError(_SETTING, str(path), f"has a line that is no key; expected {_FORMAT}") from None
    if epoch < 1 or len(key) != KEY_BYTES:
        raise ConfigurationError(_SETTING, str(path), f"epoch from 1 and {KEY_BYTES} bytes of key; expected {_FORMAT}")
    return epoch, key
