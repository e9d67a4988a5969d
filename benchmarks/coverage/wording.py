"""Which literals are messages that a person or a program reads, and what they look like once their values are filled in."""

from __future__ import annotations

import re
from typing import Final

from benchmarks.coverage.messages import HOLE, Message

MAX_LENGTH: Final = 400
VALUE: Final = "acme"  # what a placeholder becomes
NUMBER: Final = "7"
# Calls that no operator sees at the usual level, and texts that are no messages: help, schema, tests, tracing.
UNSEEN: Final = re.compile(
    r"(?i)debug|trace|verbose|\bfine[rst]*\b|\bV\b|assert|\brequire\b|import|(?<!error_)description|deprecat|usage|helptext"
    r"|annotat|regex|re\.compile|getenv|\bprintln\b|add_argument|option\b|querySelector|MustCompile|metric|counter|@(?:module|type)?doc\b"
)
_PRINTF: Final = re.compile(r"%(?:\.\*|[-+#0 ]*[\d*]*(?:\.[\d*]+)?)(?:[hlLqjzt]{0,2}|\{[^}]*\})([a-zA-Z])(?![a-z]{3})")
_BRACES: Final = re.compile(r"\{[\w.:?!#$,()\[\]-]{0,40}\}")
_WORDS: Final = re.compile(r"[A-Za-z]{2,}[^A-Za-z\n]*\s[^A-Za-z\n]*[A-Za-z]{2,}")
_NO_SENTENCE: Final = re.compile(
    r"(?i)^(?:select|insert|update|delete) .*(?:from|into|set) |^[/<]|^https?:|^\w+://|^-----|^[\w-]+(?:, ?[\w-]+)+$|[{}]\s*\n"
)


def filled(text: str) -> str:
    """The message with a value in each placeholder.

    >>> filled("token %q of {} is %d s too old")
    'token "acme" of acme is 7 s too old'
    """
    text = text.replace("%%", "%").replace(f"%{HOLE}", HOLE).replace(HOLE, VALUE)
    text = _PRINTF.sub(
        lambda found: {"d": NUMBER, "u": NUMBER, "i": NUMBER, "q": f'"{VALUE}"'}.get(found[1], VALUE), text
    )
    text = _BRACES.sub(VALUE, text).replace("{{", "{").replace("}}", "}")
    return " ".join(re.sub(rf"(?:{VALUE})+", VALUE, text).split())


def is_message(message: Message, constants: str = "") -> bool:
    """A sentence of at least two words, or a word that the product's `constants` match in full."""
    text = message.text.strip()
    if len(text) > MAX_LENGTH or UNSEEN.search(message.call):
        return False
    if constants and re.fullmatch(constants, text):
        return True
    return bool(_WORDS.search(text.replace(HOLE, " "))) and not _NO_SENTENCE.search(text) and _mostly_words(text)


def _mostly_words(text: str) -> bool:
    plain = [character for character in text if character != HOLE]
    return sum(character.isalpha() or character in " '\"" for character in plain) >= 0.7 * len(plain)
