"""Masks are no words: what stands in a message where a secret was says nothing about why a request was refused.

Ours ([secret], [token], collector/redaction/hits.py) and those of others (<redacted>, [FILTERED], ***, xxxx). A name of a
secret that is assigned to one ("secret=***") goes with it, and so does the scheme of a credential ("Bearer [token]").
"""

from __future__ import annotations

import re
from typing import Final

_WORDS: Final = r"(?:redacted|masked|filtered|hidden|removed|omitted|sanitized|scrubbed|truncated|private)"
_MASK: Final = re.compile(
    r"\[(?:token|secret|cookie|key|user|email|phone|card|mac|-)\]"
    rf"|[\[<(*]{{1,2}}(?i:{_WORDS})[\w .:-]{{0,24}}[\]>)*]{{1,2}}"
    r"|\*{3,64}|•{2,64}|(?<!\w)(?:x{4,64}|X{4,64})(?!\w)|REDACTED"
)
_NAME: Final = re.compile(
    r"(?i)(?:client[_ ]?secret|secret|password|passwd|api[_-]?key|key|user(?:name)?)=\Z|\b(?:bearer|dpop)\s{1,4}\Z"
)
_NAME_CHARS: Final = 16
_MARKS: Final = ("[", "<", "(", "*", "xxxx", "XXXX", "•", "REDACTED")


def unmasked(text: str) -> str:
    """The text with a blank for every mask.

    >>> unmasked("cannot validate token=[secret]")
    'cannot validate token= '
    """
    if not any(map(text.__contains__, _MARKS)):
        return text
    kept, done = [], 0
    for mask in _MASK.finditer(text):
        before = text[done : mask.start()]
        name = _NAME.search(before[-_NAME_CHARS:])
        kept.append(before[: len(before) - len(name[0])] if name else before)
        done = mask.end()
    return " ".join((*kept, text[done:]))
