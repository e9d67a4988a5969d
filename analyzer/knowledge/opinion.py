"""What a text without a signature means: the grammar's and the learned reader's opinions as one probability per code.

Both opinions are columns of one table, a row per code; opinion.toml has a weight per column, fitted by
`python -m benchmarks.training` on messages of products that were left out of what was learned (docs/decisions/0022).
The probability of a code is the softmax of its weighted row.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Final

import re2

from analyzer.knowledge.learned import Learned, shipped
from analyzer.knowledge.match import Reading
from analyzer.knowledge.meaning import LEAST, read_meaning
from analyzer.knowledge.products import table
from analyzer.knowledge.signatures import signatures, title

READINGS: Final = 3
LEAST_LIKELY: Final = 0.05  # a code that is less likely is not given
_ALSO: Final = 0.1  # another code that is as likely is a meaning of the text, too
UNDECIDED: Final = "unclassified"
# Long hexadecimal runs and numbers; three digits may be a status, which has a meaning. The standard library's matcher is ten times as fast
# as RE2's Python layer, and linear here: a run that ends within a word has no other place to begin.
_NUMBER: Final = re.compile(r"\b(?:[0-9a-fA-F-]{8,}|[0-9]{4,}|[0-9]{1,2})\b", re.ASCII)
_WORD: Final = re.compile(r"[a-z]{2,}")
_CLOSE: Final = 0.6  # cosine of two sets of words; what shares less, or one word, is not called close
_SHARED: Final = 2
_FEW: Final = 4  # words; fewer with a colon behind them are the heading of what follows
_HAS_TO_BE: Final = r"(?i)\b(?:must|should|has to|needs to) be (?:an? )?(?:time |date |timestamp |value )?in the "
_IS_PAST: Final = re2.compile(_HAS_TO_BE + "future")
_IS_FUTURE: Final = re2.compile(_HAS_TO_BE + "past")
_SEVERITY: Final = re2.compile(
    r"(?i)\b(?:non[- ]?)?(?:critical|fatal|severe)[ :-]+((?:error|failure|exception|issue|problem|fault)s?)\b"
)
# How a sentence begins or goes on that says what to look at, behind the one that says what happened.
_ADVICE: Final = re2.compile(
    r"(?i)(?:[.!?;]|\s-)\s+(?:(?:please|make sure|ensure|check|verify that|try|consider|see|hint|did you|have you|is the|are you|do you)\b"
    r"|[^.!?]{0,80}?\b(?:may|might|could) (?:be|have)\b)"
)
# Columns of the table, and of opinion.toml: the learned score and its root; whether the grammar names the code first,
# how surely (above the least), how surely as second or third, and as another meaning of the first; the undecided
# code's own column, and the same where the grammar says nothing.
COLUMNS: Final = ("learned", "root", "first", "sure", "later", "also", "undecided", "silent")


def without_numbers(text: str) -> str:
    """Sessions, seconds and ports differ from line to line; the rest does not, and is remembered.

    >>> without_numbers("status 401, port 43312")
    'status 401, port 0'
    """
    return _NUMBER.sub("0", text)


def without_advice(text: str) -> str:
    """What happened, without the sentences that say what to look at: they speak of other causes, too.

    >>> without_advice("Invalid worker signature. The server may be configured with another secret.")
    'Invalid worker signature'
    >>> without_advice("Please send a token")
    'Please send a token'
    """
    found = _ADVICE.search(text)
    return text[: found.start()] if found else text


def without_severity(text: str) -> str:
    """An error that is called critical speaks of no critical header.

    >>> without_severity("Non-critical error: token refused"), without_severity("unsupported critical header: error")
    ('error: token refused', 'unsupported critical header: error')
    """
    return str(_SEVERITY.sub(r"\1", text))


def as_it_is(text: str) -> str:
    """What has to lie in the future does not: said as it is, for readers that take "future" for what they find there.

    >>> as_it_is("exp must be in the future"), as_it_is("iat must not be in the future")
    ('exp has expired', 'iat must not be in the future')
    """
    return str(_IS_FUTURE.sub("is in the future", str(_IS_PAST.sub("has expired", text))))


@cache
def weights() -> tuple[float, ...]:
    """The weight of each of COLUMNS."""
    fitted: Mapping[str, float] = table("opinion.toml")["weights"]
    return tuple(float(fitted[column]) for column in COLUMNS)


@cache
def threshold() -> float:
    """The probability from which on three of five answers are right; what is less likely is no answer."""
    return float(table("opinion.toml")["decided"])


def rows(codes: Sequence[str], scores: Sequence[float], said: Sequence[Reading]) -> list[list[float]]:
    """The table: a row of COLUMNS for each code."""
    found = [[score, math.copysign(math.sqrt(abs(score)), score), 0.0, 0.0, 0.0, 0.0, 0.0, 0.0] for score in scores]
    at = dict(zip(codes, found, strict=True))
    at[UNDECIDED][6], at[UNDECIDED][7] = 1.0, float(not said)
    for rank, reading in enumerate(said):
        row = at[reading.code]
        row[2], row[3 if rank == 0 else 4] = float(rank == 0), reading.certainty - LEAST
    for code in said[0].also if said else ():
        at[code][5] = 1.0
    return found


def probabilities(text: str, learned: Learned, fitted: Sequence[float]) -> dict[str, float]:
    """Every code and its probability."""
    lines = rows(learned.codes, learned.scores(text), read_meaning(text))
    sums = [sum(map(float.__mul__, line, fitted)) for line in lines]
    most = max(sums)
    powers = [math.exp(one - most) for one in sums]
    whole = sum(powers)
    return {code: power / whole for code, power in zip(learned.codes, powers, strict=True)}


class Opinion:
    """Reads texts with one array; remembers the last ones."""

    def __init__(self, learned: Learned | None = None) -> None:
        self._learned = learned
        self.read = lru_cache(maxsize=4096)(self._read)

    def _read(self, text: str) -> tuple[Reading, ...]:
        """Readings, the most likely first, at most READINGS; `certainty` is the probability."""
        text = as_it_is(without_severity(without_advice(_unquoted(text))))
        if _is_heading(text):
            return ()
        found = probabilities(text, self._learned or shipped(), weights())
        likely = _likely(found)
        named = {reading.code: reading.signature_id for reading in read_meaning(text)}
        also = [code for code in likely[1:] if found[code] >= _ALSO]
        return tuple(
            Reading(
                signature_id=named.get(code, f"learned.{code}"),
                code=code,
                also=tuple(also) if rank == 0 else (),
                certainty=round(found[code], 2),
                library="",
                gateway="",
                says=title(code),
                matched=0,
            )
            for rank, code in enumerate(likely)
        )


def _unquoted(text: str) -> str:
    """Erlang's binaries as the words that they are: `claim: <<"aud">>`."""
    return text.replace('<<"', '"').replace('">>', '"') if '<<"' in text else text


def _likely(found: Mapping[str, float]) -> list[str]:
    """The codes that are worth naming, the most likely first."""
    ranked = sorted(found, key=lambda code: -found[code])
    return [code for code in ranked if code != UNDECIDED and found[code] >= LEAST_LIKELY][:READINGS]


def _is_heading(text: str) -> bool:
    """A few words before a colon, none of which the grammar knows: what they announce stands on other lines."""
    return text.rstrip().endswith(":") and len(_WORD.findall(text.lower())) < _FEW and not read_meaning(text)


_SHIPPED: Final = Opinion()


def read_unlisted(text: str) -> tuple[Reading, ...]:
    """What the package makes of a text that no signature knows."""
    return _SHIPPED.read(text)


def is_opinion(reading: Reading) -> bool:
    """The reading is of no signature."""
    return reading.signature_id.startswith(("learned.", "meaning."))


def closest(text: str, code: str) -> str:
    """The known message of a code that shares most of its words with a text; "" when none is close."""
    return _closest(frozenset(_WORD.findall(text.lower())), code)


@lru_cache(maxsize=2048)
def _closest(words: frozenset[str], code: str) -> str:
    near = max(_known(code), key=lambda known: _cosine(words, known[0]), default=(frozenset[str](), ""))
    is_close = len(words & near[0]) >= _SHARED and _cosine(words, near[0]) >= _CLOSE
    return near[1] if is_close else ""


def _cosine(some: frozenset[str], others: frozenset[str]) -> float:
    return len(some & others) / math.sqrt(len(some) * len(others) or 1)


@cache
def _known(code: str) -> tuple[tuple[frozenset[str], str], ...]:
    known = ((one, "…".join(text.texts)) for one in signatures() if one.code == code for text in one.templates)
    return tuple(
        (frozenset(_WORD.findall(text.lower())), f'"{text}" ({one.library or one.gateway})') for one, text in known
    )
