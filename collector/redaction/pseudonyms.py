"""Keyed pseudonyms: affected users can be counted and joined, and never read.

HMAC-SHA-256(key of the epoch, kind + ":" + value), cut to 128 bits, because e-mail addresses and user names are
guessable and a plain hash of them is not a pseudonym (PCI DSS 4, 3.5.1.1). Keys are those of collector/redaction/key_file.py; the
highest epoch is in use. Forgetting a key makes the pseudonyms of its epoch unlinkable: erasure by key destruction.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
from collections import OrderedDict
from pathlib import Path
from typing import Final, NoReturn

from collector.errors import ConfigurationError
from collector.redaction import key_file
from collector.redaction.key_file import KEY_BYTES, SETTING
from collector.safe import Safe

DIGEST_BYTES: Final = 16  # 128 bits: no collision among 10^9 users in practice
CACHE_ENTRIES: Final = 65_536  # about 12 MB; a storm repeats few users
log = logging.getLogger("why401.pseudonyms")


class Pseudonyms:
    """Pseudonyms under the newest key of a file. Holds no value, only digests; `repr` and pickle give no key."""

    __slots__ = ("_cache", "_key", "_path", "_seen", "epoch")

    def __init__(self, key: bytes, epoch: int) -> None:
        if len(key) < KEY_BYTES:
            raise ConfigurationError(SETTING, f"{len(key)} bytes", f"expected a key of at least {KEY_BYTES} bytes")
        self._path: Path | None = None
        self._seen: key_file.Signature | None = None
        self._cache: Final[OrderedDict[bytes, Safe]] = OrderedDict()
        self._use(key, epoch)

    @classmethod
    def open(cls, path: Path, *, used: int = 0) -> Pseudonyms:
        """Read the key file, or create it with mode 0600 on first start, or when it was lost: then with a new epoch.

        `used` is the highest epoch that is known to be stored, beside what key_file.py noted.

        Raises ConfigurationError when others can read the file or its content is not a key file.
        """
        lost = key_file.create(path, used=used)
        epochs, seen = key_file.read(path)
        if lost:
            log.error(
                "%s is gone: users who were stored under epoch %d and earlier can be looked up and joined with later ones no more."
                " Epoch %d begins with a new key. If you have a copy of the file, stop why401 and put it back",
                path, lost, epochs[-1].number,
            )  # fmt: skip
        if epochs[-1].number < (behind := key_file.noted(path)):
            log.error(
                "%s ends with epoch %d, but epoch %d was in use: users of the epochs between can be looked up no more."
                " A new epoch begins. If you have a later copy of the file, stop why401 and put it back",
                path, epochs[-1].number, behind,
            )  # fmt: skip
            key_file.rotate(path)
            epochs, seen = key_file.read(path)
        key_file.note(path, epochs[-1].number)
        opened = cls(epochs[-1].key, epochs[-1].number)
        opened._path, opened._seen = path, seen
        return opened

    def refresh(self) -> bool:
        """Whether another epoch is in use since the file changed. Asks the file system once; reads only what changed.

        A file that is missing or cannot be used is logged once, and the key that was read stays in use.
        """
        if self._path is None or (found := key_file.signature(self._path)) == self._seen:
            return False
        self._seen = found
        try:
            epochs, self._seen = key_file.read(self._path)
        except ConfigurationError as error:
            log.error("epoch %d stays in use: %s", self.epoch, error)
            return False
        newest, before = epochs[-1], (self.epoch, self._key.digest())
        self._use(newest.key, newest.number)
        if (self.epoch, self._key.digest()) == before:  # an older epoch was forgotten
            return False
        log.info("epoch %d of the pseudonym key is in use, after epoch %d", self.epoch, before[0])
        return True

    def _use(self, key: bytes, epoch: int) -> None:
        self.epoch = epoch
        self._key = hmac.new(key, digestmod=hashlib.sha256)
        self._cache.clear()

    def of(self, kind: str, value: str) -> Safe:
        """32 hex digits for a value of a kind ("user"); equal in and out, and only within one epoch."""
        message = f"{kind}:{value}".encode("utf-8", "surrogatepass")
        # Keyed by digest, so that the cache holds nothing readable.
        name = hashlib.blake2b(message, digest_size=16).digest()
        known = self._cache.get(name)
        if known is not None:
            return known
        return self._remember(name, self._digest(message))

    def _digest(self, message: bytes) -> Safe:
        mac = self._key.copy()
        mac.update(message)
        return Safe(mac.digest()[:DIGEST_BYTES].hex())

    def _remember(self, name: bytes, pseudonym: Safe) -> Safe:
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
