"""Faults that words about credentials are said in, and that are of something else: the program, its machine, a database, another kind of token."""

from __future__ import annotations

from typing import Final

import re2

from collector.gateways.reading.scan import ascii_only, has_any

READ_CHARS: Final = 2048
# Errors of files, disks and sockets, whichever program has them, and whatever the file is for.
_OF_THE_SYSTEM: Final = (
    "read-only file system", "no space left on device", "address already in use", "too many open files",
    "disk quota exceeded", "device or resource busy", "not a directory", "is a directory", "input/output error",
)  # fmt: skip
# A program that could not be put together: it has refused nobody yet, whatever the missing part is called.
_OF_ASSEMBLY: Final = (
    "required a bean of type", "error creating bean with name", "application failed to start", "no qualifying bean of type",
    "unable to resolve service for type", "nest can't resolve dependencies", "no module named ", "cannot find module ",
    "classnotfoundexception", "noclassdeffounderror", "cannot import name ",
)  # fmt: skip
# Databases and clusters, whatever the table or the lease is for; a parser's tokens and a language model's.
_OF_STORES: Final = (
    "sqlstate[", "database is locked", "lock wait timeout", "deadlock", "could not obtain lock", "violates unique constraint",
    "violates foreign key", "no such table", "leader_not_available", "not_leader_or_follower", "etcdserver: request timed out", "leader election", "renew lease",
    '" failed (2: no such file or directory)',
)  # fmt: skip
_OF_OTHER_TOKENS: Final = (
    "max_tokens", "context length",
    "context window", "prompt tokens", "completion tokens", "token usage", "tokens requested", "node_tls_reject_unauthorized",
)  # fmt: skip
_OTHER_TOKEN: Final = re2.compile(
    r"\b(?:captcha|lock|continuation|page|pagination|push|card|payment|cancellation|cancel|sync|resume|fencing|cursor|fcm|apns) ?token\b"
    r"|\bunexpected token (?:\S+ )?(?:at line|near|in expression)\b"
)
_OTHER_ACCESS: Final = re2.compile(
    r"\b(?:open|mkdir|stat|unlink|rename|chmod|chown|fork/exec|access to path) ['\"]?/[^ ]*(?: is|:)? (?:permission )?denied"
    r"|\[errno 13\]|\beacces\b|\bfailedmount\b|\bfailedscheduling\b|\bgpg(?: error)?: "
)
_OF_OTHERS: Final = (*_OF_THE_SYSTEM, *_OF_ASSEMBLY, *_OF_STORES, *_OF_OTHER_TOKENS)
_OTHERS: Final = (
    (("token",), _OTHER_TOKEN),
    (("denied", "errno 13", "eacces", "failedmount", "failedscheduling", "gpg"), _OTHER_ACCESS),
)


def is_of_program(message: str) -> bool:
    """Whether a text tells of a fault of the program or its machine, whatever the file or the class that is missing is for.

    >>> is_of_program("Method chain required a bean of type 'a.JwtDecoder' that could not be found.")
    True
    >>> is_of_program("page token is invalid"), is_of_program("open /run/key.pem: permission denied"), is_of_program("token expired")
    (True, True, False)
    """
    low = message[:READ_CHARS].lower()
    if has_any(low, _OF_OTHERS):
        return True
    plain = ascii_only(low)
    return any(has_any(low, hints) and found.search(plain) for hints, found in _OTHERS)
