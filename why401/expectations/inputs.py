"""Files, folders and standard input → documents → what their readers found."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from why401.expectations.formats import Source, Unreadable, documents
from why401.expectations.nodes import Node
from why401.expectations.readers import READERS, Reader
from why401.expectations.told import Document, document

MAX_BYTES: Final = 64 << 20
MAX_FILES: Final = 2_000
SKIPPED_FOLDERS: Final = frozenset({"node_modules", "__pycache__", "vendor"})
STDIN: Final = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What all inputs tell. `unread`: files of a folder that are not, or not whole, a gateway's configuration, and why."""

    documents: tuple[Document, ...] = ()
    roots: tuple[Node, ...] = field(default=(), repr=False)  # the tree of each document, for who walks through it
    unread: tuple[Unreadable, ...] = ()


def read(paths: Iterable[str]) -> Found:
    """Read files, folders and "-". Raises Unreadable for a file that was named and cannot be read; in a folder it is noted.

    >>> import tempfile, pathlib
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "any-name"
    >>> _ = file.write_text('{"_format_version": "3.0", "consumers": [{"jwt_secrets": [{"key": "https://idp/", "algorithm": "RS256"}]}]}')
    >>> [one.issuer.text for one in read([str(file)]).documents[0].expectations]
    ['https://idp/']
    """
    found: list[tuple[Document, Node]] = []
    unread: list[Unreadable] = []
    for path in paths:
        if path != STDIN and Path(path).is_dir():
            _folder(Path(path), found, unread)
        else:
            found += _read_text(_text(path), "stdin" if path == STDIN else path)
    documents, roots = tuple(one for one, _ in found), tuple(root for _, root in found)
    return Found(documents=documents, roots=roots, unread=tuple(unread))


def _folder(folder: Path, found: list[tuple[Document, Node]], unread: list[Unreadable]) -> None:
    for number, file in enumerate(_files(folder)):
        if number >= MAX_FILES:
            unread.append(Unreadable(str(folder), f"more than {MAX_FILES} files; the rest is not read: name the files"))
            return
        try:
            found += _read_text(_text(str(file)), str(file))
        except Unreadable as error:
            unread.append(error)


def files_of(path: Path) -> Iterator[Path]:
    """The files that are read of a path."""
    return _files(path) if path.is_dir() else iter((path,))


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name in SKIPPED_FOLDERS:
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _files(path)
        elif path.is_file():
            yield path


def _text(path: str) -> str:
    try:
        if path == STDIN:
            data = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with Path(path).open("rb") as file:
                data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Unreadable(path, error.strerror or str(error)) from None
    if len(data) > MAX_BYTES:
        hint = "of Envoy's config_dump ask for parts: /config_dump?resource=dynamic_listeners"
        raise Unreadable(path, f"more than {MAX_BYTES >> 20} MiB; {hint}")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(path, f"no UTF-8 text (byte {error.start})") from None


def read_text(text: str, file: str) -> list[Document]:
    """What the readers find in one text. Raises Unreadable when no reader knows any of its documents."""
    return [found for found, _ in _read_text(text, file)]


def _read_text(text: str, file: str) -> list[tuple[Document, Node]]:
    found = []
    sources = list(documents(text, file))
    for source in sources:
        reader = next(
            (reader for reader in READERS if reader.form == source.form and reader.is_mine(source.root)), None
        )
        if reader:
            found.append((_read(reader, source), source.root))
    if not found:
        raise Unreadable(file, f"{_shape(sources)} is not a configuration that why401 reads; it reads {_products()}")
    return found


def _read(reader: Reader, source: Source) -> Document:
    return document(reader.gateway, reader.title, source.root.file, reader.read(source.root))


def _products() -> str:
    return ", ".join(dict.fromkeys(reader.title for reader in READERS))


def _shape(sources: list[Source]) -> str:
    root = sources[0].root if sources else Node(None, "")
    kind = root.get("kind").text if root.is_mapping else ""
    if kind:
        return f"{root.get('apiVersion').text or 'no apiVersion'} {kind}"
    names = root.names()[:4] if root.is_mapping and sources[0].form == "tree" else ()
    return f"a document with {', '.join(names)}" if names else f"this {sources[0].form if sources else 'empty'} text"
