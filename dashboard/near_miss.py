"""Two values that almost agree, with what differs marked character by character: pure. Markdown for `st.markdown`."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import Final

from dashboard import wording

MAX_LENGTH: Final = 400  # characters of a value; comparing takes their product
_AGAINST: Final = "` against `"


def values(says: str) -> tuple[str, str, str] | None:
    """Received, expected and how they differ, of the near miss of a group; None when it names no two values.

    >>> values("`https://a/` against `https://a`: trailing slash")
    ('https://a/', 'https://a', 'trailing slash')
    """
    received, against, rest = says.strip().partition(_AGAINST)
    expected, end, how = rest.partition("`")
    if not (against and end and received[:1] == "`" and "`" not in received[1:]) or (how and how[:2] != ": "):
        return None
    return received[1:], expected, how[2:]


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
