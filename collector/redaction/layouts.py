"""Rule `field`, in layouts: tables whose first line names the columns, and blocks of a manifest that hold secrets only.

Delimiters are commas, tabs, bars, semicolons, or two and more blanks. A line with another number of cells ends the table.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from collector.redaction.field_names import kind_of
from collector.redaction.hits import SECRET, USER, Hit
from collector.redaction.judges import NAME, says_nothing
from collector.redaction.meter import spend
from collector.redaction.patterns import compiled

STEPS: Final = 1
MAX_COLUMNS: Final = 32
MAX_ROWS: Final = 64
MAX_LINE: Final = 2_000
MAX_TABLES: Final = 8
MIN_COLUMNS: Final = 2
MAX_NAME: Final = 32  # characters of a column; a sentence with commas has longer ones
_DELIMITERS: Final = (b"\t", b"|", b",", b";")
_COLUMN: Final = rb"(?i:[a-z_ \-]{0,20}(?:password|passwd|passphrase|passwort|kennwort|senha|pwd|secret|token|[a-z]{2,12}[._ \-]?key|code|pin|otp|login|user(?:[_ ]?name)?|e-?mail|first[_ ]name|last[_ ]name|phone|ssn)[ \"']{0,30})"
_HEADER_TEXT: Final = (
    rb"(?m:^)(?:[^\r\n=]{0,200}[,\t|;\"'] ?|[^\r\n=]{0,200}  )?"
    + _COLUMN
    + rb"(?:[,\t|;]|  )[^\r\n=]{0,200}\r?\n|(?m:^)[^\r\n=]{0,200}(?:[,\t|;] ?|  )"
    + _COLUMN
    + rb"\r?\n"
)
_BLOCK_TEXT: Final = rb"(?m:^)[ \t]*(?:stringData|data):[ \t]*\r?\n"
TRIGGER: Final = (
    rb"(?i:password|passwd|passphrase|passwort|kennwort|senha|pwd|secret|token|key|code|pin|otp|login|user|name|mail|phone|ssn)[ \"']*(?:[,\t|;]|  )[^\r\n=]*\r?\n"
    rb"|(?:[,\t|;] ?|  )(?i:[a-z_ \-]*(?:password|passwd|passphrase|passwort|kennwort|senha|pwd|secret|token|key|code|pin|otp|login|user|name|mail|phone|ssn))[ \"']*\r?\n"
    rb"|(?:stringData|data):[ \t]*\r?\n"
)  # fmt: skip
_HEADER: Final = compiled(_HEADER_TEXT)
_BLOCK: Final = compiled(_BLOCK_TEXT)
_ENTRY: Final = compiled(rb"([ \t]+)[\w.\-]{1,100}:[ \t]+[\"']?([^\s\"'].{0,1000}?)[\"']?\r?\n?$")
_CELL: Final = {
    b"\t": compiled(rb"[^\t\r\n]+"),
    b"|": compiled(rb"[^|\r\n]+"),
    b";": compiled(rb"[^;\r\n]+"),
    b",": compiled(rb"\"[^\"\r\n]*\"|[^,\r\n]+"),
    b"  ": compiled(rb"[^\s]+(?: [^\s]+)*"),
}
_RULER: Final = b"-+|=: \t\r"
_STRIP: Final = b" \t\"'`"
_KINDS: Final = {"secret": SECRET, "auth": SECRET, "user": USER, "cookie": SECRET}


def find(data: bytes) -> Iterator[Hit]:
    """Cells of columns that are secret or personal, entries of a Kubernetes Secret."""
    for _, match in zip(range(MAX_TABLES), _HEADER.finditer(data), strict=False):
        yield from _table(data, match.start(), match.end())
    for match in _BLOCK.finditer(data):
        if (
            match.group().strip().startswith(b"s")
            or b"kind: Secret" in data[max(0, match.start() - 2000) : match.start()]
        ):
            yield from _block(data, match.end())


def _table(data: bytes, start: int, end: int) -> Iterator[Hit]:
    header = data[start:end].rstrip(b"\r\n")
    delimiter = next((mark for mark in _DELIMITERS if mark in header), b"  ")
    names = _row(data, start, start + len(header), delimiter)
    kinds = [_kind(data[first:last]) for first, last in names[:MAX_COLUMNS]]
    if not _is_header(names) or not any(kinds):
        return
    for first, last in _lines(data, end):
        cells = _row(data, first, last, delimiter) if data[first:last].strip(_RULER) else []
        if cells and len(cells) != len(names):
            return
        yield from _cells(data, kinds, cells)


def _is_header(names: list[tuple[int, int]]) -> bool:
    return len(names) >= MIN_COLUMNS and all(last - first <= MAX_NAME for first, last in names)


def _lines(data: bytes, position: int) -> Iterator[tuple[int, int]]:
    for _ in range(MAX_ROWS):
        line = data.find(b"\n", position, position + MAX_LINE)
        last = len(data) if line < 0 else line
        if last <= position or last - position > MAX_LINE:
            return
        yield position, last
        position = last + 1


def _row(data: bytes, start: int, end: int, delimiter: bytes) -> list[tuple[int, int]]:
    cells = [_stripped(data, *span) for span in _CELL[delimiter].spans(data, start, end)]
    return [cell for cell in cells if cell[0] < cell[1]]


def _cells(data: bytes, kinds: list[str], cells: list[tuple[int, int]]) -> Iterator[Hit]:
    for kind, (first, last) in zip(kinds, cells, strict=False):
        spend(STEPS)
        if kind and not says_nothing(data[first:last]):
            yield Hit(first, last, NAME, _KINDS[kind])


def _kind(name: bytes) -> str:
    kind = kind_of(name.replace(b" ", b"_"))
    return kind if kind in _KINDS else ""


def _stripped(data: bytes, start: int, end: int) -> tuple[int, int]:
    text = data[start:end]
    left = len(text) - len(text.lstrip(_STRIP))
    return start + left, max(start + left, start + len(text.rstrip(_STRIP)))


def _block(data: bytes, end: int) -> Iterator[Hit]:
    for first, last in _lines(data, end):
        match = _ENTRY.match(data[first:last])
        if not match:
            return
        spend(STEPS)
        if not says_nothing(match.group(2)):
            yield Hit(first + match.start(2), first + match.end(2), NAME, SECRET)
