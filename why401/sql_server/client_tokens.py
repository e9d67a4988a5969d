"""Who may query remotely: one token per client, kept as its SHA-256 with an expiry, in a file of mode 0600.

A token is 256 random bits, so a plain hash cannot be reversed; it is shown once, when it is created.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import orjson

from collector.errors import ConfigurationError
from collector.settings.private import exposure

FILE: Final = "sql-tokens.json"
PREFIX: Final = "why401_sql_"  # a secret scanner finds it by this
MIN_LENGTH: Final = 32  # characters of a token that the operator brings
MAX_CLIENTS: Final = 1_000
MAX_FILE_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Token:
    """A client's right to query, until `expires`. Holds the digest only."""

    client: str
    sha256: str
    expires: datetime

    def is_valid(self, now: datetime) -> bool:
        """Whether it has not expired."""
        return now < self.expires


class ClientTokens:
    """The tokens that one data directory grants. Every change is a whole new file, so a reader never sees half of one."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> tuple[Token, ...]:
        """All tokens, expired ones too; none when there is no file. Raises ConfigurationError for a file that is not private or no token file."""
        try:
            content = read_private(self.path)
        except FileNotFoundError:
            return ()
        try:
            return tuple(_token(entry) for entry in orjson.loads(content))
        except (ValueError, KeyError, TypeError):
            raise ConfigurationError(
                "sql tokens", str(self.path), "not a token file; remove it and grant new tokens"
            ) from None

    def grant(self, client: str, days: float) -> str:
        """A new token for `client`, in place of its old one. The only time that it is seen."""
        _check_name(client)
        secret = PREFIX + secrets.token_urlsafe(32)
        self._put(_made(client, secret, days))
        return secret

    def adopt(self, client: str, file: Path, days: float) -> None:
        """The token that the operator put into `file` (mode 0600), for `client`."""
        _check_name(client)
        try:
            secret = read_private(file).decode().strip()
        except (OSError, UnicodeDecodeError):
            raise ConfigurationError("--token-file", str(file), "cannot be read as text") from None
        if len(secret) < MIN_LENGTH:
            raise ConfigurationError("--token-file", str(file), f"expected at least {MIN_LENGTH} characters")
        self._put(_made(client, secret, days))

    def revoke(self, client: str) -> bool:
        """Take a client's token away; a running server ends its sessions within a second. False: there was none."""
        tokens = self.read()
        left = tuple(token for token in tokens if token.client != client)
        if len(left) < len(tokens):
            self._write(left)
        return len(left) < len(tokens)

    def stamp(self) -> tuple[int, int]:
        """Another one when the file changed."""
        try:
            found = self.path.stat()
        except OSError:
            return (0, 0)
        return (found.st_mtime_ns, found.st_ino)

    def _put(self, token: Token) -> None:
        others = tuple(known for known in self.read() if known.client != token.client)
        if len(others) >= MAX_CLIENTS:
            raise ConfigurationError("sql tokens", len(others), f"at most {MAX_CLIENTS} clients; revoke some first")
        self._write((*others, token))

    def _write(self, tokens: tuple[Token, ...]) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self.path.with_name(f".{self.path.name}.{secrets.token_hex(8)}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(orjson.dumps([_entry(token) for token in tokens], option=orjson.OPT_INDENT_2))
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.path)
        finally:
            with contextlib.suppress(FileNotFoundError):
                draft.unlink()


def read_private(path: Path) -> bytes:
    """The content of a file that only its owner may read. Raises ConfigurationError otherwise, FileNotFoundError."""
    with path.open("rb") as file:
        wrong = exposure(os.fstat(file.fileno()), is_ours=True)
        if wrong:
            raise ConfigurationError("sql tokens", str(path), wrong)
        return file.read(MAX_FILE_BYTES)


def _made(client: str, secret: str, days: float) -> Token:
    expires = datetime.now(UTC) + timedelta(days=days)
    return Token(client, hashlib.sha256(secret.encode()).hexdigest(), expires)


def _check_name(client: str) -> None:
    if not (
        client.isascii() and client.replace("-", "").replace("_", "").replace(".", "").isalnum() and len(client) <= 64
    ):
        raise ConfigurationError(
            "client", client, "expected a name of at most 64 letters, digits, dots, hyphens and underscores"
        )


def _entry(token: Token) -> dict[str, str]:
    return {"client": token.client, "sha256": token.sha256, "expires": token.expires.isoformat(timespec="seconds")}


def _token(entry: dict[str, str]) -> Token:
    token = Token(str(entry["client"]), str(entry["sha256"]).lower(), datetime.fromisoformat(entry["expires"]))
    if len(bytes.fromhex(token.sha256)) != 32 or token.expires.tzinfo is None:
        raise ValueError
    return replace(token, expires=token.expires.astimezone(UTC))
