"""Text that is no message of its own: a stack frame, a line of source code, what a program says of itself while it starts."""

from __future__ import annotations

from typing import Final

import re2

from collector.gateways.reading.scan import ascii_only, has_any
from collector.sources.lines import says_nothing

_CODE: Final = ("raise ", "return ", "throw ", "assert ", "const ", "def ", "var ", "let ")
_CODE_ENDS: Final = (")", ";", ":", "{")
# What a program says of itself while it starts, stops or is configured.
_ANNOUNCED: Final = (
    "start", "listening", "running on", "initialized", "initialised", "initializing", "enabled", "loaded", "loading",
    "registered", "configured", "using ", "ready", "shutdown", "shutting down", "stopped", "version", "successfully",
    "created", "connected", "settings:",
)  # fmt: skip
_PROBLEMS: Final = (
    "error", "fail", "not ", "n't ", "invalid", "denied", "cannot", "unable", "exception", "refus", "reject", "missing",
    "expired", "bad", "no ", "unauthor", "forbidden", "must ", "should ", "already", "mismatch", "revoked", "malformed",
)  # fmt: skip
# What lets a caller in, and what an operator let in.
_GRANTED: Final = (
    "allowing the request", "allowing request", "allowing access", "access granted", "access is granted",
    "request is allowed", "request allowed", "login successful", "tokens allowed", "access allowed", "requests allowed",
)  # fmt: skip
_ADVICE: Final = (
    "deprecat", "not recommended", "defaulting to", " in production", "before production", "for production", "development use only",
    "has its default value",
)  # fmt: skip
_REFUSING: Final = (
    "fail", "invalid", "denied", "cannot", "unable", "exception", "refus", "reject", "expired", "unauthorized", "forbidden",
    "not allowed", "not valid", "mismatch",
)  # fmt: skip
# A test's result (TAP, and what Go, Jest, Mocha and pytest print), and a compiler's or linter's complaint about a place in a file.
_OF_TOOLS: Final = re2.compile(
    r"\s*(?:(?:not )?ok \d+\b|(?:test|it|should) [^\n]{0,200}\(\d+(?:\.\d+)?\s?m?s\)|(?:=== RUN|--- (?:PASS|FAIL|SKIP):|PASS|FAIL)\s|\S+::\S+ (?:PASSED|FAILED|SKIPPED|ERROR)"
    r"|[\w./\\-]+\.[A-Za-z]{1,5}:\d+:\d+:? (?:fatal )?(?:error|warning|note)\b)"
)
_TICKS: Final = ("✓ ", "✔ ", "✗ ", "✘ ", "√ ", "✕ ")
_MAX_TOOL: Final = 300
_DENIED: Final = ("only ", "never", "without", "mismatch", "unexpected", "before")


def advises(low: str) -> bool:
    """Whether a text in lower case warns of a setting, and of nothing that went wrong with it.

    >>> advises("warning: decode() without algorithms is deprecated"), advises("deprecated algorithm: token rejected")
    (True, False)
    """
    return has_any(low, _ADVICE) and not has_any(low, _REFUSING)


def announces(low: str) -> bool:
    """Whether a text in lower case tells of a start, a stop, a configuration or a caller let in, and of no problem with it.

    >>> announces("server started with jwt authentication enabled"), announces("failed to load the keys")
    (True, False)
    >>> announces("the jti was already used"), announces("the token must be sent using one method")
    (False, False)
    >>> announces("a role of the caller matches: access granted"), announces("only opaque tokens allowed")
    (True, False)
    """
    if has_any(low, _GRANTED) and not has_any(low, _DENIED) and not has_any(low, _PROBLEMS):
        return True
    return has_any(low, _ANNOUNCED) and not has_any(low, _PROBLEMS)


def is_fragment(text: str) -> bool:
    """A stack frame or a line of source code without its exception, as where a file was cut, or a test's or compiler's line: nobody's message.

    >>> is_fragment("main.verify(0xc000, 0x2)"), is_fragment("raise ExpiredSignatureError('x')")
    (True, True)
    >>> is_fragment("ok 14 - rejects an expired token"), is_fragment("a.cpp:40:17: error: expected ';' before token")
    (True, True)
    >>> is_fragment("jwt expired"), is_fragment("invalid token: at least one audience is expected (shop)")
    (False, False)
    """
    line = text.partition("\n")[0]
    bare = line.strip()
    if (
        bare.startswith(_TICKS)
        or _OF_TOOLS.match(ascii_only(line[:_MAX_TOOL]))
        or says_nothing(line.encode("utf-8", "replace"))
        or (bare.startswith(_CODE) and bare.endswith(_CODE_ENDS))
    ):
        return True
    return _is_call(bare) or (line[:1].isspace() and ".go:" in line and bare[:1] in "/.")


def _is_call(bare: str) -> bool:
    """`pkg.function(arguments)` and nothing else: a frame of Go or Java, a line of code."""
    name, parenthesis, _ = bare.partition("(")
    is_name = "." in name and name.replace(".", "").replace("_", "").replace("/", "").replace("$", "").isalnum()
    return bool(parenthesis) and bare.endswith((")", ");")) and is_name
