"""Rule `field`, in statements: the value of a column in SQL's INSERT, the argument of a call that logs somebody in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from collector.redaction.field_names import kind_of
from collector.redaction.hits import SECRET, USER, Hit
from collector.redaction.judges import NAME, says_nothing
from collector.redaction.meter import spend
from collector.redaction.patterns import Match, compiled

STEPS: Final = 2
MAX_COLUMNS: Final = 64
MAX_ROWS: Final = 32
_INSERT_TEXT: Final = rb"(?i:\b(?:insert|replace)\s+(?:ignore\s+)?into\s+)[^\s(]+\s*\(([^()]+)\)\s*(?i:values)\s*\("
# Names of functions, and which of their arguments is the password: counted from 0, or the last.
_CALL_TEXT: Final = (
    rb"(?i:(pdo->__construct|mysqli?(?:_p?connect|->(?:__construct|connect|real_connect))|oci_p?connect|sqlsrv_connect|odbc_connect)"
    rb"|ldap_bind|ftp_login|ssh2_auth_password|\bauthenticate|\b(?:check|verify|validate)_?(?:credentials?|password)"
    rb"|password_(?:verify|hash)|\b(?:sign|log)_?in|\bdo_?login|\bbasic_?auth)\("
)
# Values that a driver binds to placeholders, listed behind the statement: SQLAlchemy, PostgreSQL, Hibernate, JDBC.
_BOUND_TEXT: Final = rb"(?i:parameters?|params|bind(?:ing|s)?|args|values)(?: parameter \[[0-9]{1,2}\] as \[[A-Za-z_0-9]{1,20}\] -)?[\"']?\]?[:=]? ?(?:[\[({]|\$1 = )"
_PLACEHOLDER: Final = compiled(
    rb"(?i)\b([a-z_][\w.\"`]{0,60})\s*(?:=|<>|!=|\blike\b|\bin\b)\s*\(?\s*(?:\?|\$[0-9]{1,2}|%s|:[a-z_]\w{0,30}|%\([a-z_]\w{0,30}\)s|@p?[0-9a-z_]{1,30})"
)
_QUOTED: Final = compiled(rb"'((?:[^'\\\n]|\\.|''){1,512})'|\"((?:[^\"\\\n]|\\.){1,512})\"|- \[([^\]\r\n]{1,512})\]")
_BOUND: Final = compiled(_BOUND_TEXT)
MAX_BOUND: Final = 600  # characters of a list of bound values
TRIGGER: Final = (
    (
        _INSERT_TEXT
        + b"|(?:=|(?i:like)) ?(?:[?]|[$][0-9]|%s|:[a-z]|@)[^\x00]*(?:"
        + _BOUND_TEXT
        + b")|(?i:binding parameter )|"
        + _CALL_TEXT
    )
    .replace(b"([^", b"(?:[^")
    .replace(b"(pdo", b"(?:pdo")
)  # groups cost
_INSERT: Final = compiled(_INSERT_TEXT)
_CALL: Final = compiled(_CALL_TEXT)
_VALUE: Final = compiled(
    rb"\s*(?:[NEe]?'((?:[^'\\\n]|\\.|''){0,512})'|\"((?:[^\"\\\n]|\\.){0,512})\"|([^,()'\"\n]{0,200}(?:\([^()\n]{0,100}\))?))\s*([,)])"
)
_NEXT_ROW: Final = compiled(rb"\s*,\s*\(")
_CONNECT_PASSWORD: Final = 2
_USER_KINDS: Final = ("user", "name")
_BOUND_KINDS: Final = ("auth", "secret", "weak", *_USER_KINDS)


def find(data: bytes) -> Iterator[Hit]:
    """Values of columns and arguments."""
    for match in _INSERT.finditer(data):
        kinds = [kind_of(column.strip(b" \t\r\n`\"'[]")) for column in match.group(1).split(b",")[:MAX_COLUMNS]]
        if any(kind not in ("", "safe", "weak") for kind in kinds):
            yield from _rows(data, match.end(), kinds)
    yield from _bound(data)
    for match in _CALL.finditer(data):
        values, _ = _values(data, match.end())
        at = _CONNECT_PASSWORD if match.group(1) else len(values) - 1
        if match.group().lower().startswith(b"password_"):
            at = 0
        if 0 <= at < len(values):
            yield from _hit(data, values[at], SECRET)
            if at == 1:
                yield from _hit(data, values[0], USER)


def _bound(data: bytes) -> Iterator[Hit]:
    """Values of placeholders in order, of columns that are secret or people's; all of them when some are missing."""
    columns = [(match.end(), _column_kind(match.group(1))) for match in _PLACEHOLDER.finditer(data)][:MAX_COLUMNS]
    if not any(kind in _BOUND_KINDS for _, kind in columns):
        return
    first = _BOUND.find(data, columns[-1][0])[0]
    if first >= 0:
        values = [_unquoted(match) for match in _QUOTED.finditer(data, first, first + MAX_BOUND)][: len(columns)]
        for (_, kind), span in zip(columns, values, strict=False):
            if len(values) < len(columns) or kind in _BOUND_KINDS:
                yield from _hit(data, span, USER if kind in _USER_KINDS else SECRET)


def _unquoted(match: Match) -> tuple[int, int]:
    return next(span for span in match.spans[1:] if span[0] >= 0)


def _column_kind(name: bytes) -> str:
    return kind_of(name.strip(b'`"').rpartition(b".")[2])


def _rows(data: bytes, position: int, kinds: list[str]) -> Iterator[Hit]:
    for _ in range(MAX_ROWS):
        values, end = _values(data, position)
        for kind, span in zip(kinds, values, strict=False):
            if kind in ("auth", "secret", *_USER_KINDS):
                yield from _hit(data, span, USER if kind in _USER_KINDS else SECRET)
        position = _NEXT_ROW.end_at(data, end)
        if position < 0:
            return


def _values(data: bytes, position: int) -> tuple[list[tuple[int, int]], int]:
    """The spans of values up to the closing bracket; -1, -1 for what is not quoted. And where they end."""
    spans: list[tuple[int, int]] = []
    for _ in range(MAX_COLUMNS):
        spend(STEPS)
        match = _VALUE.match(data, position)
        if not match:
            break
        quoted = match.span(1) if match.group(1) else match.span(2)
        spans.append(quoted)
        position = match.end()
        if match.group(4) == b")":
            break
    return spans, position


def _hit(data: bytes, span: tuple[int, int], label: str) -> Iterator[Hit]:
    if span[0] >= 0 and not says_nothing(data[span[0] : span[1]]):
        yield Hit(*span, NAME, label)
