"""Text that no parser knows: whether it is a refusal's message, before anybody is told why.

`why401 explain` is also asked about a sentence alone, cut out of its log. What says that something was refused is taken for
an application's message; a stack frame, a line of source code, a start-up line or a greeting is not.
"""

from __future__ import annotations

from typing import Final

from analyzer.verdicts import Diagnosis
from collector.gateways.reading.admission import is_admitted
from collector.gateways.reading.log_lines import is_exception
from collector.gateways.reading.scan import has_any
from collector.sources.lines import says_nothing

LEAST: Final = 0.5  # certainty from which a sentence without a word of refusal is taken for one
_READ_CHARS: Final = 2048
_NONE: Final = ("ok", "unclassified")
_CODE: Final = ("raise ", "return ", "throw ", "assert ", "const ", "def ", "var ", "let ")
_CODE_ENDS: Final = (")", ";", ":", "{")
# What a program says of itself while it starts, stops or is configured.
_ANNOUNCED: Final = (
    "start", "listening", "running on", "initialized", "initialised", "initializing", "enabled", "loaded", "loading",
    "registered", "configured", "using ", "ready", "shutdown", "shutting down", "stopped", "version", "successfully",
    "created", "connected",
)  # fmt: skip
_PROBLEMS: Final = (
    "error", "fail", "not ", "n't ", "invalid", "denied", "cannot", "unable", "exception", "refus", "reject", "missing",
    "expired", "bad", "no ", "unauthor", "forbidden",
)  # fmt: skip


def is_fragment(text: str) -> bool:
    """A stack frame or a line of source code without its exception, as where a file was cut: nobody's message.

    >>> is_fragment("main.verify(0xc000, 0x2)"), is_fragment("raise ExpiredSignatureError('x')")
    (True, True)
    >>> is_fragment("jwt expired"), is_fragment("invalid token: at least one audience is expected (shop)")
    (False, False)
    """
    line = text.partition("\n")[0]
    bare = line.strip()
    if says_nothing(line.encode("utf-8", "replace")) or (bare.startswith(_CODE) and bare.endswith(_CODE_ENDS)):
        return True
    return _is_call(bare) or (line[:1].isspace() and ".go:" in line and bare[:1] in "/.")


def is_refusal(text: str, diagnosis: Diagnosis, *, is_doubtful: bool = False) -> bool:
    """Whether a text says that something was refused: in words, or by what the analyzer makes of it.

    `diagnosis` is what it would be if it were one. `is_doubtful`: a gateway's parser knows the line and leaves it out, as
    those at debug level, so that both must say it.
    """
    low = text[:_READ_CHARS].lower()
    if has_any(low, _ANNOUNCED) and not has_any(low, _PROBLEMS):
        return False
    is_told, is_explained = is_admitted(text) or is_exception(text), _is_explained(diagnosis)
    return (is_told and is_explained) if is_doubtful else (is_told or is_explained)


def _is_explained(diagnosis: Diagnosis) -> bool:
    return diagnosis.code not in _NONE and diagnosis.confidence >= LEAST


def _is_call(bare: str) -> bool:
    """`pkg.function(arguments)` and nothing else: a frame of Go or Java, a line of code."""
    name, parenthesis, _ = bare.partition("(")
    is_name = "." in name and name.replace(".", "").replace("_", "").replace("/", "").replace("$", "").isalnum()
    return bool(parenthesis) and bare.endswith((")", ");")) and is_name
