"""What log lines of programs share: where their time, level and words stand, what of a stack trace is worth keeping."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from collector.gateways.reading import topic
from collector.gateways.reading.admission import is_admitted
from collector.gateways.reading.scan import has_any
from collector.gateways.reading.times import rfc3339_ns
from collector.gateways.reading.values import MAX_KEYS, as_text

MAX_HEAD: Final = 200  # time, level, process, thread and logger stand within it
MAX_STACK: Final = 16_384  # characters of a record that are read for its exceptions
_READ_CHARS: Final = 2048
_TIME_CHARS: Final = frozenset("0123456789:.,+-Zz")
_REFUSALS: Final = (
    "fail", "denied", "deny", "invalid", "expired", "reject", "malformed", "missing", "unsupported", "insufficient",
    "could not", "couldn't", "cannot", "can't", "unable", "unauthenticated", "unauthorized", "unauthorised",
    "forbidden",
    "mismatch", "does not match", "not match", "doesn't match", "not active", "not allowed", "not found", "not valid",
    "not verified", "not authorized", "not configured", "not provided", "not present", "not trusted", "not supported",
    "wrong", "no matching", "no token", "no auth", "no credentials", "no bearer", "exception", "error", "required",
    "refused", "unreachable", "timed out", "too early", "not yet", "unknown", "revoked", "blocked", "incorrect",
)  # fmt: skip
# One of these stands in whatever the learned vocabulary admits; most lines have none, and are not weighed.
_HINTS: Final = (
    "auth", "token", "jw", "session", "cookie", "credential", "permission", "denied", "forbid", "scope", "claim", "key", "login", "logged in",
    "access", "signature", "bearer", "audience", "issuer", "expired", "certificate",
)  # fmt: skip
_CLASS_WORDS: Final = ("JWT", "Jwt", "JWS", "JWE", "JWK", "JOSE", "Token")
_FRAMES: Final = ("at ", "File ", "... ", "^", "~", "from /", "--- ", "goroutine ")
_NOTES: Final = (
    "Traceback (most recent call last)",
    "During handling of the above exception",
    "The above exception was the direct cause",
)
_ENDINGS: Final = ("Exception", "Error", "Fault", "Failure", "Throwable", "Expired", "ExpiredSignature", "Warning")


@dataclass(frozen=True, slots=True, repr=False)
class Logback:
    """The parts of a Java program's line."""

    time_ns: int
    level: str
    logger: str
    message: str
    thread: str = ""


def refuses(message: str) -> bool:
    """Whether a sentence speaks of a failure of authentication, and not only of authentication."""
    if names_refusal(message):
        return True
    return has_any(message[:_READ_CHARS].lower(), _HINTS) and is_admitted(message, is_calm=True)


def names_refusal(message: str) -> bool:
    """The same by plain words alone, without what the vocabulary learned."""
    return topic.is_auth(message) and has_any(message[:_READ_CHARS].lower(), _REFUSALS)


def leading_time(text: str, near_ns: int = 0) -> int:
    """The RFC 3339 like time at a line's beginning, after an opening bracket; 0 when there is none."""
    start = 1 if text[:1] == "[" else 0
    if text[start + 4 : start + 5] not in ("-", "/") or not text[start : start + 4].isdigit():
        return 0
    end = start + 19
    while end < len(text) and end - start < 40 and text[end] in _TIME_CHARS:
        end += 1
    return rfc3339_ns(text[start:end].rstrip(":,"), near_ns)


def logback(text: str, near_ns: int = 0) -> Logback | None:
    """Spring Boot's `TIME LEVEL pid --- [thread] logger : message`, JBoss's `TIME LEVEL [logger] (thread) message`."""
    if not text[:4].isdigit():
        return None
    time_ns = leading_time(text, near_ns)
    head = text[10:MAX_HEAD].split(None, 2) if time_ns else []
    rest = text[11:].lstrip().split(None, 2)
    if len(head) < 3 or len(rest) < 3 or rest[1] not in _LEVELS:
        return None
    if rest[2].startswith("["):
        logger, _, tail = rest[2][1:].partition("] ")
        return Logback(time_ns, rest[1], logger, _after_thread(tail))
    front, arrow, tail = rest[2].partition("--- [")
    if not arrow or len(front) > 32:
        return None
    return _boot(time_ns, rest[1], tail)


_LEVELS: Final = frozenset(("ERROR", "WARN", "INFO", "DEBUG", "TRACE", "FATAL", "SEVERE", "WARNING"))


def _boot(time_ns: int, level: str, tail: str) -> Logback | None:
    """From the first bracket on: `thread] logger : message`; since 3.2 the application's name may come first."""
    head, colon, message = tail.partition(" : ")
    if not colon:
        head, colon, message = tail.partition(": ")
    if not colon or len(head) > MAX_HEAD:
        return None
    front, _, logger = head.rpartition("] ")
    return Logback(time_ns, level, logger.strip(), message, front.rpartition("[")[2].strip())


def _after_thread(tail: str) -> str:
    if not tail.startswith("("):
        return tail
    thread, closing, message = tail.partition(") ")
    return message if closing and len(thread) <= 120 else tail


def challenge_status(value: str) -> int:
    """The status that RFC 6750, section 3.1, gives to a challenge's error code."""
    if 'error="insufficient_scope"' in value:
        return 403
    return 400 if 'error="invalid_request"' in value else 401


def condensed(text: str) -> str:
    """The sentences of a record of several lines: messages and exceptions, without frames and source code."""
    if "\n" not in text:
        return text
    kept: list[str] = []
    is_source = False
    for line in text[:MAX_STACK].split("\n"):
        bare = line.strip()
        is_frame = bare.startswith(_FRAMES) and line[:1].isspace()
        if bare and not (is_frame or bare.startswith(_NOTES) or (is_source and line[:1].isspace())):
            kept.append(bare)
        is_source = is_frame and bare.startswith("File ")  # Python prints the source line below it
    return "\n".join(kept)


def is_exception(line: str) -> bool:
    """Whether a line begins with the name of an exception class: `pkg.Name: message`, or the name alone."""
    if not line[:1].isalpha():
        return False
    name = line[:MAX_HEAD].partition(":")[0].partition(" ")[0].rstrip(",")
    if "::" in line[: len(name) + 2]:  # Ruby, C++, Rust
        name = line[:MAX_HEAD].partition(" ")[0].rstrip(":")
    if not _is_qualified(name):  # of most lines: their first word is no class
        return False
    return name.endswith(_ENDINGS) or (line[len(name) :].startswith(": ") and any(w in name for w in _CLASS_WORDS))


def _is_qualified(name: str) -> bool:
    last = name.replace("::", ".").rpartition(".")[2]
    return (
        bool(last)
        and last[0].isupper()
        and name.replace(".", "").replace("_", "").replace(":", "").replace("$", "").isalnum()
    )


def words_of(fields: Mapping[str, Any], *names: str) -> str:
    """The first of several keys that holds text; an object gives its `message` or `stack`."""
    for name in names:
        value = fields.get(name)
        if isinstance(value, Mapping) and len(value) <= MAX_KEYS:
            value = value.get("message") or value.get("Message") or value.get("msg") or value.get("stack")
        if text := as_text(value):
            return text
    return ""


def named(fields: Mapping[str, Any], *names: str) -> str:
    """An exception object's class, which says more than its message: `name`, `type`, `class`."""
    found = next((value for name in names if isinstance(value := fields.get(name), Mapping)), None)
    return as_text((found.get("name") or found.get("type") or found.get("class")) if found else None)
