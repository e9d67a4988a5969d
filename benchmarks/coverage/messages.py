"""The texts that source code can write: string literals, joined over concatenations, with what they are given to.

A scanner of tokens, not a parser: it knows a language's comments, strings, joining operators and calls, which suffices to
find a message and to tell where a value is filled in. Python has a module of its own (`python_messages.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

HOLE: Final = "\0"  # where a value is filled in
MAX_PARTS: Final = 40  # of one message
MAX_OPERAND: Final = 80  # tokens of one joined value


@dataclass(frozen=True, kw_only=True)
class Message:
    """A text with HOLEs, and the code it is in: the call that it is given to, and the words that begin its statement."""

    text: str
    call: str
    path: str
    line: int


@dataclass(frozen=True, kw_only=True)
class Language:
    """How a language writes comments and strings, what joins strings, and how values are written inside them."""

    comments: str
    strings: str
    joins: frozenset[str]
    inside: str = ""  # a pattern of interpolated values
    adjacent: bool = False  # two literals side by side are one
    spreads: bool = False  # a call of the log writes all its arguments


class _Token(NamedTuple):
    kind: str  # comment, string, name, op, line
    text: str
    line: int


_SLASHES: Final = r"//[^\n]*|/\*.*?\*/"
_HASH: Final = r"#[^\n]*"
_DOUBLE: Final = r'"(?:[^"\\\n]|\\.)*"'
_SINGLE: Final = r"'(?:[^'\\\n]|\\.)*'"
_CHAR: Final = r"'(?:[^'\\\n]|\\[^\n]{1,8}?)'"
_REGEX: Final = r"(?<=[(=,:!&|?\[] )/(?![*/])(?:[^/\\\n]|\\.)+/[a-z]*|(?<=[(=,:!&|\[])/(?![*/])(?:[^/\\\n]|\\.)+/[a-z]*"
_PLUS: Final = frozenset("+")
LANGUAGES: Final = {
    "go": Language(comments=_SLASHES, strings=rf"{_DOUBLE}|`[^`]*`|{_CHAR}", joins=_PLUS),
    "c": Language(
        comments=_SLASHES, strings=rf'R"\(.*?\)"|{_DOUBLE}|{_CHAR}', joins=frozenset(("<<", "+")), adjacent=True
    ),
    "java": Language(comments=_SLASHES, strings=rf'""".*?"""|{_DOUBLE}|{_CHAR}', joins=_PLUS),
    "kotlin": Language(
        comments=_SLASHES, strings=rf'""".*?"""|{_DOUBLE}|{_CHAR}', joins=_PLUS, inside=r"\$\{[^{}]*\}|\$\w+"
    ),
    "csharp": Language(
        comments=_SLASHES, strings=rf'[$@]*"(?:[^"\\]|\\.)*"|{_CHAR}', joins=_PLUS, inside=r"(?<!\{)\{[^{}]*\}(?!\})"
    ),
    "javascript": Language(
        comments=_SLASHES,
        strings=rf"`(?:[^`\\]|\\.)*`|{_DOUBLE}|{_SINGLE}|{_REGEX}",
        joins=_PLUS,
        inside=r"\$\{[^}]*\}",
        spreads=True,
    ),
    "lua": Language(
        comments=r"--\[\[.*?\]\]|--[^\n]*",
        strings=rf"\[\[.*?\]\]|{_DOUBLE}|{_SINGLE}",
        joins=frozenset(("..",)),
        spreads=True,
    ),
    "php": Language(comments=rf"{_SLASHES}|{_HASH}", strings=rf"{_DOUBLE}|{_SINGLE}", joins=frozenset(".")),
    "ruby": Language(
        comments=_HASH,
        strings=rf"{_DOUBLE}|{_SINGLE}",
        joins=frozenset(("+", "<<")),
        inside=r"#\{[^{}]*\}",
        adjacent=True,
    ),
    "rust": Language(comments=_SLASHES, strings=rf'r#".*?"#|{_DOUBLE}|{_CHAR}', joins=_PLUS),
    "elixir": Language(
        comments=_HASH, strings=rf'""".*?"""|{_DOUBLE}', joins=frozenset(("<>", "++")), inside=r"#\{[^{}]*\}"
    ),
    "erlang": Language(comments=r"%[^\n]*", strings=_DOUBLE, joins=frozenset(("++",))),
    "swift": Language(
        comments=_SLASHES, strings=rf'""".*?"""|{_DOUBLE}', joins=_PLUS, inside=r"\\\((?:[^()]|\([^()]*\))*\)"
    ),
}
SUFFIXES: Final = {
    ".go": "go", ".c": "c", ".cc": "c", ".cpp": "c", ".h": "c", ".hpp": "c", ".java": "java", ".kt": "kotlin", ".cs": "csharp",
    ".js": "javascript", ".mjs": "javascript", ".cjs": "javascript", ".ts": "javascript", ".lua": "lua", ".php": "php",
    ".rb": "ruby", ".rs": "rust", ".ex": "elixir", ".exs": "elixir", ".erl": "erlang", ".swift": "swift",
}  # fmt: skip
_NAME: Final = r"[.:]{0,2}[A-Za-z_$@][\w$!?]*(?:(?:\.|::|->|:|\?\.)[A-Za-z_$][\w$!?]*)*"
_OP: Final = r"\.\.|<<|<>|\+\+|\+|[(){}\[\],;.]|[^\s\w]"
# Calls whose arguments are written one after the other.
_SPREAD: Final = re.compile(r"\bngx\.log|\blog(?:\.\w+)?$|kong\.log|console\.\w+|\.join$")
_WHOLE: Final = re.compile(r"StrCat|StrJoin")
_OPENERS: Final = frozenset("([{")
_CLOSERS: Final = frozenset(")]}")


@cache
def _tokens_of(language: str) -> re.Pattern[str]:
    known = LANGUAGES[language]
    groups = (("comment", known.comments), ("string", known.strings), ("name", _NAME), ("op", _OP), ("line", r"\n"))
    return re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in groups), re.DOTALL)


def _tokens(text: str, language: str) -> list[_Token]:
    found, line, last = [], 1, 0
    for match in _tokens_of(language).finditer(text):
        line += text.count("\n", last, match.start())
        last = match.start()
        kind = str(match.lastgroup)
        if kind != "comment":
            found.append(_Token(kind, match[0], line))
    return found


def messages(path: str, text: str, language: str) -> Iterator[Message]:
    """Every literal of a file, joined with its neighbours, in their order."""
    scan = _Scan(_tokens(text, language), LANGUAGES[language])
    for index, found, call in scan.run():
        yield Message(text=found, call=call, path=path, line=scan.tokens[index].line)


class _Scan:
    """One pass over the tokens of a file; it keeps the open calls and the statement's first words."""

    def __init__(self, tokens: list[_Token], language: Language) -> None:
        self.tokens = tokens
        self._language = language
        self._used: set[int] = set()
        self._calls: list[str] = []
        self._head: list[str] = []

    def run(self) -> Iterator[tuple[int, str, str]]:
        """(index, text, call) of each message."""
        for index, token in enumerate(self.tokens):
            if token.kind == "string":
                if index not in self._used:
                    yield index, self._joined(index), self._context()
            else:
                self._follow(index, token)

    def _follow(self, index: int, token: _Token) -> None:
        """Keep the open calls, and the words since the statement's beginning."""
        if token.kind == "name":
            self._named(token.text)
        elif (token.kind == "line" or token.text in ";{}") and not self._continues(index):
            self._head = []
        if token.text in _OPENERS:
            self._open(index)
        elif token.text in _CLOSERS and self._calls:
            self._calls.pop()

    def _named(self, name: str) -> None:
        self._head = [*self._head[:5], name]
        if self._calls and self._calls[-1]:
            self._calls[-1] = f"{self._calls[-1]} {name}"[:120]

    def _open(self, index: int) -> None:
        before = self.tokens[index - 1] if index else None
        name = before.text if before and before.kind == "name" else "("
        self._calls.append(name if self.tokens[index].text == "(" else "")

    def _continues(self, index: int) -> bool:
        """A line's end inside parentheses, or behind a comma, is not a statement's."""
        before = self.tokens[index - 1].text if index else ""
        inside = bool(self._calls and self._calls[-1])
        return self.tokens[index].kind == "line" and (inside or before in {",", "+", ".."})

    def _context(self) -> str:
        call = next((call for call in reversed(self._calls) if call and call[0] != "("), "")
        return f"{call} | {' '.join(self._head)}"

    def _joined(self, index: int) -> str:
        """The text from a literal on, over joining operators, and over commas where a call writes all its arguments."""
        call = next(iter((self._calls or [""])[-1].split()), "")
        joins = self._language.joins | ({","} if self._spreads(call) else frozenset())
        parts, at = [self._start(index, call)], index
        while at < len(self.tokens) and len(parts) < MAX_PARTS:
            part, at = self._part(at, joins)
            parts.append(part)
            if self._is_macro(at):
                parts.append(HOLE)
                at = self._next(at + 1)
            if self._is(at, joins):
                at = self._next(at + 1)
            elif not self._is_adjacent(at):
                break
        return "".join(parts)

    def _spreads(self, call: str) -> bool:
        return bool(_WHOLE.search(call) or (self._language.spreads and _SPREAD.search(call)))

    def _start(self, index: int, call: str) -> str:
        """A hole where a value is joined before the first literal."""
        before = self.tokens[index - 1].text if index else ""
        return HOLE if before in self._language.joins or (before == "," and _WHOLE.search(call)) else ""

    def _part(self, at: int, joins: frozenset[str]) -> tuple[str, int]:
        """The text of a literal or a hole for a value, and the index behind it."""
        if self.tokens[at].kind != "string":
            return HOLE, self._operand(at, joins)
        self._used.add(at)
        return self._value(self.tokens[at].text), self._next(at + 1)

    def _is(self, at: int, joins: frozenset[str]) -> bool:
        return at < len(self.tokens) and self.tokens[at].kind == "op" and self.tokens[at].text in joins

    def _is_adjacent(self, at: int) -> bool:
        return self._language.adjacent and at < len(self.tokens) and self.tokens[at].kind == "string"

    def _is_macro(self, at: int) -> bool:
        """A constant between two literals, or behind the last one, as in `"%" PRId64 " bytes"`."""
        if not self._language.adjacent or at >= len(self.tokens) or self.tokens[at].kind != "name":
            return False
        after = self._next(at + 1)
        return self.tokens[at].text.isupper() or (after < len(self.tokens) and self.tokens[after].kind == "string")

    def _next(self, index: int) -> int:
        while index < len(self.tokens) and self.tokens[index].kind == "line":
            index += 1
        return index

    def _operand(self, index: int, joins: frozenset[str]) -> int:
        """The index behind a joined value: at an operator, a comma, a closing bracket or a statement's end."""
        depth = 0
        for at in range(index, min(len(self.tokens), index + MAX_OPERAND)):
            token = self.tokens[at]
            if not depth and (token.text in joins or token.text in ",;:?)]}" or self._ends_line(at)):
                return at
            depth += (token.text in _OPENERS and token.kind == "op") - (token.text in _CLOSERS and token.kind == "op")
        return min(len(self.tokens), index + MAX_OPERAND)

    def _ends_line(self, at: int) -> bool:
        if self.tokens[at].kind != "line":
            return False
        after = self._next(at)
        return after >= len(self.tokens) or self.tokens[after].text not in self._language.joins

    def _value(self, literal: str) -> str:
        """The text of a literal: without quotes, escapes resolved, interpolated values as holes."""
        if literal.startswith("/"):
            return ""
        body = literal.removeprefix("R").removeprefix("r#").rstrip("#").lstrip("$@")
        for quotes in ('"""', "[[", '"(', '"', "'", "`"):
            if body.startswith(quotes):
                body = body[len(quotes) : -len(quotes)]
                break
        if self._language.inside and (
            literal[0] not in "'@\"" or self._language.inside[0] != "(" or "$" in literal[:2]
        ):
            body = re.sub(self._language.inside, HOLE, body)
        return re.sub(r"\\(.)", lambda found: {"n": "\n", "t": "\t", "r": "\r"}.get(found[1], found[1]), body)
