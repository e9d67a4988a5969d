r"""Lines that GitHub's runner shows as annotations: `::error file=F,line=N,title=T::MESSAGE` (docs.github.com, Workflow commands).

A line break would end the command, and the next line could be one: data escapes `%`, CR and LF, and properties `:` and `,` as well
(actions/toolkit, packages/core/src/command.ts).
"""

from __future__ import annotations

from typing import Final

from collector.visible import visible

ERROR: Final = "error"
LEVELS: Final = {ERROR: ERROR, "warning": "warning", "note": "notice"}  # ours → the runner's
_DATA: Final = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY: Final = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


def annotation(says: str, *, level: str = ERROR, file: str = "", line: int = 0, title: str = "") -> str:
    r"""The command for one annotation; `level` is one of LEVELS, `line` 0 where none is known.

    >>> annotation("100 % of\nthem", file="a,b.log", line=3, title="bearer: 1")
    '::error file=a%2Cb.log,line=3,title=bearer%3A 1::100 %25 of%0Athem'
    """
    known = {"file": file, "line": str(line) if line and file else "", "title": title}
    properties = ",".join(f"{name}={_shown(value).translate(_PROPERTY)}" for name, value in known.items() if value)
    return f"::{LEVELS[level]}{' ' if properties else ''}{properties}::{_shown(says).translate(_DATA)}"


def _shown(text: str) -> str:
    """Our own line breaks stay; everything else that hides is visible."""
    return "\n".join(visible(line) for line in text.split("\n"))
