"""Two values that almost agree, with what differs marked character by character: pure. Markdown for `st.markdown`."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import Final

from dashboard import wording

MAX_LENGTH: Final = 400  # characters of a value; comparing takes their product
_VALUES: Final = re.compile(r"`([^`]+)` against `([^`]+)`(?:: (.*))?")


def values(says: str) -> tuple[str, str, str] | None:
    """Received, expected and how they differ, of the near miss of a group; None when it names no two values.

    >>> values("`https://a/` against `https://a`: trailing slash")
    ('https://a/', 'https://a', 'trailing slash')
    """
    found = _VALUES.fullmatch(says.strip())
    return (found[1], found[2], found[3] or "") if found else None


def marked(received: str, expected: str) -> tuple[str, str]:
    r"""Both, with the characters that only one of them has on a coloured ground.

    >>> print(*marked("https", "http"))
    http:red-background[s] http
    """
    one, other = wording.visible(received, MAX_LENGTH), wording.visible(expected, MAX_LENGTH)
    steps = SequenceMatcher(None, one, other, autojunk=False).get_opcodes()
    left = "".join(_part(one[a:b], "red", tag) for tag, a, b, _, _ in steps)
    right = "".join(_part(other[a:b], "green", tag) for tag, _, _, a, b in steps)
    return left, right


def _part(text: str, colour: str, tag: str) -> str:
    if not text:
        return ""
    safe = wording.escape(text, MAX_LENGTH).replace(" ", "\u00a0")
    return safe if tag == "equal" else f":{colour}-background[{safe}]"
