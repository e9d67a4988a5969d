"""A user's own signatures: files of `[knowledge] files`, in the format of README.md, beside those of the package.

They are held to the same rules, and proven when they are loaded: examples must be read with their code, near misses
must not be read. What is wrong is named with file and entry.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from analyzer.knowledge.match import Knowledge, shipped
from analyzer.knowledge.signatures import KnowledgeError, Signature, signatures, signatures_of

MAX_FILE: Final = 4 << 20  # bytes
MAX_SIGNATURES: Final = 5_000  # in all files of a user


def knowledge(files: Iterable[Path] = ()) -> Knowledge:
    """What the package knows, and a user's files with it. Raises KnowledgeError with the file and the entry."""
    own = [(str(path), signature) for path in files for signature in signatures_of(str(path), _table(path))]
    if not own:
        return shipped()
    _check_ids(own)
    both = Knowledge((*signatures(), *(signature for _, signature in own)))
    for file, signature in own:
        prove(both, file, signature)
    return both


def prove(known: Knowledge, file: str, signature: Signature) -> None:
    """Read a signature's examples and near misses with everything that is known. Raises KnowledgeError."""
    for fault in _faults(known, signature):
        raise KnowledgeError(file, signature.id, fault)


def _faults(known: Knowledge, signature: Signature) -> Iterator[str]:
    for example in signature.examples:
        readings = known.read(example, signature.gateway)
        if signature.id not in [reading.signature_id for reading in readings]:
            yield f"its pattern does not read its example {example!r}"
        elif readings[0].code != signature.code:
            first = readings[0]
            yield f"{first.signature_id} reads the example {example!r} first, as {first.code}, not {signature.code}"
    for near in signature.near_misses:
        if signature.id in [reading.signature_id for reading in known.read(near, signature.gateway)]:
            yield f"its pattern reads its near miss {near!r}"


def _table(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_FILE + 1)
        if len(raw) > MAX_FILE:
            raise KnowledgeError(str(path), "the file", f"is larger than {MAX_FILE >> 20} MiB")
        return tomllib.loads(raw.decode("utf-8"))
    except OSError as error:
        raise KnowledgeError(str(path), "the file", f"cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise KnowledgeError(str(path), "the file", f"is not TOML: {error}") from None


def _check_ids(own: list[tuple[str, Signature]]) -> None:
    if len(own) > MAX_SIGNATURES:
        raise KnowledgeError(own[-1][0], "the files", f"{MAX_SIGNATURES} signatures at most, not {len(own)}")
    counts = Counter([*(signature.id for signature in signatures()), *(signature.id for _, signature in own)])
    for file, signature in own:
        if counts[signature.id] > 1:
            raise KnowledgeError(file, signature.id, "this id is taken")
