"""Faults that words about credentials are said in, and that are of something else: the program, its machine, a database, another kind of token."""

from __future__ import annotations

from typing import Final

import re2
from ahocorasick_rs import AhoCorasick

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
    '" failed (2: no such file or directory)', ".sql failed",
)  # fmt: skip
_OF_OTHER_TOKENS: Final = (
    "max_tokens", "context length", "context limit",
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
# Words of credentials in another sense: claims of the insured, audiences of campaigns, signatures on paper, of viruses and of methods.
_OTHER_SENSE: Final = re2.compile(
    r"\b(?:insurance|damage|warranty|expense|baggage|travel|accident|medical|dental|patent|volume|storage|liability)[ -]claims?\b"
    r"|\bclaims? (?:check|form|amount|adjuster|handler|intake|number|#?[a-z]{0,3}-?\d{3,})\b"
    r"|\baudience (?:segment|list|upload|export|import|size|builder|sync|estimate)s?\b|\b(?:target|campaign|custom|lookalike) audiences?\b"
    r"|\b(?:virus|malware|package|commit|method|function|firmware|contract|document|card|handwritten|petition|intrusion)[ -]signatures?\b"
    r"|\bsignature (?:page|field|request|database|update|scan|pad|image|count)s?\b|\bcommit [0-9a-f]{6,40}\b"
    r"|\b(?:card|bond|invoice|payment|stock|ticket) issuers?\b|\bissuer (?:bank|country)\b"
)
_SENSES: Final = ("claim", "audience", "signature", "issuer")
_OF_CREDENTIALS: Final = (
    "token",
    "jwt",
    "jws",
    "bearer",
    "oauth",
    "oidc",
    "authoriz",
    "authoris",
    "authentic",
    "api key",
    " 401",
    " 403",
)
_FIND_OTHERS: Final = AhoCorasick([*_OF_THE_SYSTEM, *_OF_ASSEMBLY, *_OF_STORES, *_OF_OTHER_TOKENS])
_OTHERS: Final = (
    (("token",), _OTHER_TOKEN),
    (("denied", "errno 13", "eacces", "failedmount", "failedscheduling", "gpg"), _OTHER_ACCESS),
)


def is_of_program(message: str) -> bool:
    """Whether a text tells of a fault of the program or its machine, whatever the file or the class that is missing is for.

    >>> is_of_program("Method chain required a bean of type 'a.JwtDecoder' that could not be found.")
    True
    >>> is_of_program("insurance claim denied"), is_of_program("bearer token lacks the insurance claim")
    (True, False)
    >>> is_of_program("page token is invalid"), is_of_program("open /run/key.pem: permission denied"), is_of_program("token expired")
    (True, True, False)
    """
    low = message[:READ_CHARS].lower()
    plain = ascii_only(low)
    if _FIND_OTHERS.find_matches_as_indexes(plain):
        return True
    if has_any(low, _SENSES) and not has_any(low, _OF_CREDENTIALS) and _OTHER_SENSE.search(plain):
        return True
    return any(has_any(low, hints) and found.search(plain) for hints, found in _OTHERS)
