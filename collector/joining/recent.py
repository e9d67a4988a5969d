"""What was seen of late: whether to look closer at a line, and whether to wait for another about its request.

A batch waits only where it has paid before: where the other kind of line came of late, by family, by stream or by an id
that programs hand on, or where a family is so new that nobody knows.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from collector.gateways import has_shared_format, is_embedded
from collector.joining.halves import Half, Line

LEARN_S: Final = 60.0  # a gateway kind just seen is given this long to show that it writes both
REMEMBER_S: Final = 600.0
MAX_SEEN: Final = 4096  # families and streams; the one that was idle longest is forgotten
_WORDS: Final = "words"
_ACCESS: Final = "access"
_WHY: Final = "why"
_ECHO: Final = "echo"
_PAIR: Final = "pair"  # two lines of words were joined
_MET: Final = "met"  # for the first time
_ANY: Final = "ids"  # the place of lines that name a request's id, whoever writes them


class Recent:
    """When each kind of line was last seen. Bounded; one stage owns it."""

    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._noted: tuple[object, ...] = ()

    def has_words(self, family: str, stream: str) -> bool:
        """Whether lines of words were seen, beside which a whole line may have more to learn."""
        return (_WORDS, family) in self._seen or (_WORDS, stream) in self._seen

    def is_settled(self, line: Line) -> bool:
        """Whether nobody has more to say about a line's request. Most lines are whole, and no words were seen beside them."""
        return not self.has_words(line.family, line.stream) and line.is_whole

    def is_apart(self, line: Line) -> bool:
        """Whether a whole line, whose words were seen beside others, is one that none of those others can belong to.

        It is found by lines of its own family, by an id, or as the access line of a server within a program.
        """
        is_own = not (is_embedded(line.family) or has_shared_format(line.family))
        return is_own and not self.has_words(line.family, _ANY) and line.is_whole

    def note(self, half: Half, now: float) -> None:
        """A line was seen. Of lines that follow each other and are alike, the first tells all."""
        noted = half.is_access, half.family, half.stream, bool(half.ids), half.has_line, half.says_why, now
        if noted == self._noted:
            return
        self._noted = noted
        kind = _ACCESS if half.is_access else _WORDS
        self._set(kind, half.family, now)
        self._set(kind, half.stream, now)
        if half.ids:
            self._set(kind, _ANY, now)
        if half.has_line:
            self._set(_WHY if half.says_why else _ECHO, half.stream, now)
        self._set(_MET, half.family, self._seen.get((_MET, half.family), now))

    def note_pair(self, one: Half, other: Half, now: float) -> None:
        """Two lines of words were joined: the family writes several about one refusal."""
        if one.has_line and other.has_line:
            self._noted = ()
            self._set(_PAIR, one.family, now)

    def may_come(self, half: Half, now: float) -> bool:
        """Whether to wait for another line about the half's request."""
        if self._is_to_learn(half, now) or (half.has_line and self._may_echo(half, now)):
            return True
        if half.is_access and half.has_line:
            return False
        lacking = _WORDS if half.is_access else _ACCESS
        places = (half.family, half.stream, _ANY) if half.ids else (half.family, half.stream)
        return any(self._is_near(lacking, place, now) for place in places)

    def _is_to_learn(self, half: Half, now: float) -> bool:
        """A family is new. Its access lines with a code of their own go on: exporters give up on who answers late."""
        is_answer = half.is_access and half.is_spoken and not half.has_line
        return not is_answer and now - self._seen.get((_MET, half.family), now) < LEARN_S

    def _may_echo(self, half: Half, now: float) -> bool:
        """A reason waits for its echo and an echo for the reason."""
        other = _ECHO if half.says_why else _WHY
        return self._is_near(other, half.stream, now) or self._is_near(_PAIR, half.family, now)

    def _is_near(self, what: str, place: str, now: float) -> bool:
        return now - self._seen.get((what, place), now - REMEMBER_S) < REMEMBER_S

    def _set(self, what: str, place: str, now: float) -> None:
        self._seen[what, place] = now
        self._seen.move_to_end((what, place))
        if len(self._seen) > MAX_SEEN:
            self._seen.popitem(last=False)
