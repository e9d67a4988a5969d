"""Values that a message compares ("expected X, got Y") are evidence without configuration: what is missing, of another type, nearly equal.

The message says *that* two values differ; the values say *how*: nothing came (`got None`), something of another JSON type
(`got 7`), a list that holds the expected value, or a value that differs by a slash, a prefix, a version.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from analyzer.diagnosis.findings import MISSING, Case, Finding, Strength
from analyzer.diagnosis.near import nearest_of
from analyzer.diagnosis.weigh import VAGUE
from analyzer.knowledge import is_harmless
from analyzer.knowledge.masks import unmasked
from collector.events import Words

CONSIDERED: Final = 1_000  # characters of a message
CACHED: Final = 2_048  # messages; at most 3 MB
_VALUE: Final = (
    r"(?P<value>\\?\"[^\"\\\n]{0,200}\\?\"|'[^'\n]{0,200}'|`[^`\n]{0,200}`|\[[^\[\]\n]{0,200}\]|\{[^}\n]{0,200}\}|<[\w ']{1,30}>"
    r"|[^\s,;()\"}]{1,200})"
)
_LEAD: Final = r"(?:\s?[:=]\s?|\s)(?:(?:to be|one of|either|a|an|the|value|type|of type|as|is|was|been|audience|issuer|be)\s?[:=]?\s){0,3}"
_RECEIVED: Final = re.compile(
    rf"(?i)\b(?:but got|but was|got|received|found|actual|was given|given|provided){_LEAD}{_VALUE}"
)
_EXPECTED: Final = re.compile(
    rf"(?i)\b(?:expected|expecting|expects|want|wanted|should be|should have been|must be|required){_LEAD}{_VALUE}"
)
_UNEQUAL: Final = re.compile(
    r"(?i)(?<!\S)(?P<got>\"[^\"\n]{1,200}\"|'[^'\n]{1,200}'|`[^`\n]{1,200}`|\[[^\[\]\n]{1,200}\]|[^\s\"'`\[]\S{0,120}) "
    r"(?:!=|<>|does not match|doesn't match|did not match|didn't match|is not equal to|does not equal|differs from|instead of|is not(?= [\"'`\[]))(?: with)?(?: any of)?(?: the)?(?: expected| configured| allowed)?"
    r"(?: audience| issuer| value)?:? (?P<expected>\"[^\"\n]{1,200}\"|'[^'\n]{1,200}'|`[^`\n]{1,200}`|\[[^\[\]\n]{1,200}\]|[^\s,;\"}]{1,200})"
)
# One of these, in lower case, stands in whatever _RECEIVED or _UNEQUAL finds; most messages have none, and are not searched.
_COMPARING: Final = (
    "got", "but was", "received", "found", "actual", "given", "provided", "!=", "<>", "match", "equal", "differs", "instead of", "is not",
)  # fmt: skip
# How a claim is named, the most telling first.
_NAMED_CLAIMS: Final = (
    re.compile(r"(?i)[\"'`](?P<name>[a-z][\w:./-]{0,60})[\"'`] claim"),
    re.compile(r"(?i)claim:? [\"'`](?P<name>[a-z][\w:./-]{0,60})[\"'`]"),
    re.compile(r"(?i)\bclaim (?P<name>iss|sub|aud|exp|nbf|iat|jti|azp|scope|scp)\b"),
    re.compile(r"(?i)(?<![\w-])(?P<name>[a-z][\w-]{1,40}) claim\b"),
)
# Words for what is compared, the most telling first; a claim that is named goes before them.
_SUBJECTS: Final = (
    (re.compile(r"(?i)\b(?:audiences?|aud)\b"), "aud"),
    (re.compile(r"(?i)\b(?:issuers?|iss)\b"), "iss"),
    (re.compile(r"(?i)\b(?:subject|sub)\b"), "sub"),
    (re.compile(r"\bjti\b"), "jti"),
    (re.compile(r"\bazp\b"), "azp"),
)
_WORDS_FOR: Final = {"issuer": "iss", "audience": "aud", "subject": "sub"}
_NO_NAMES: Final = frozenset(
    ("the", "a", "an", "this", "that", "required", "token", "jwt", "invalid", "missing", "unexpected", "of", "custom", "from",
     "with", "in", "for", "by", "on", "and", "or", "no", "not", "to", "is", "has", "each", "every", "any", "which", "validate",
     "bad", "wrong", "user", "id", "registered", "public", "private", "mandatory", "expected", "its", "your", "failed")
)  # fmt: skip
_ABSENT: Final = frozenset(
    ("none", "null", "nil", "undefined", "", "nonetype", "empty", "nothing", "missing", "<nil>", "[]", "(none)")
)
_NO_VALUES: Final = _NO_NAMES - _ABSENT  # "found in the token": a place
_TYPES: Final = {
    "int": "a number", "integer": "a number", "number": "a number", "float": "a number", "float64": "a number",
    "bool": "a boolean", "boolean": "a boolean", "true": "a boolean", "false": "a boolean", "dict": "an object",
    "object": "an object", "map": "an object", "list": "an array", "array": "an array",
}  # fmt: skip
_NUMBERS: Final = re.compile(r"-?\d{1,20}(?:\.\d{1,10})?\Z")
_LISTS: Final = ("aud", "scope", "scp", "roles", "groups")  # may be arrays
_STATUSES: Final = frozenset(("400", "401", "403", "404", "407", "500", "502", "503"))
_OF_ARRAYS: Final = ('"', "'", ",", " ")  # "[https://a]" is a value in brackets, '["https://a"]' and "[a b]" are arrays
_TIMES: Final = ("exp", "nbf", "iat", "auth_time")  # are numbers
_OF_VALUES: Final = ("claim_not_allowed", "claim_value_invalid")
KNOWN: Final = 0.8  # certainty of a message whose author meant what it says
_PLACEHOLDERS: Final = {"iss": "issuer", "aud": "audience"}
_DIFFERS: Final = {"iss": "issuer_not_trusted", "aud": "audience_mismatch"}
_QUOTES: Final = "\"'`\\"
_MARKS: Final = ".,;:)("


@dataclass(frozen=True, slots=True)
class Compared:
    """What a message compares: a claim's name, the value that came and the one that was expected ("" not told)."""

    claim: str
    received: str
    expected: str
    is_quoted: bool  # the received value stood in quotes: a text, whatever it looks like


def rule(case: Case) -> Iterator[Finding]:
    """The first comparison that the message, the reason or the challenge makes."""
    found = _first_compared(case.event.words)
    if found:
        # Words that no signature knows are told apart by their values, however sure a reader of meanings is.
        known = next((reading.certainty for reading in case.readings[:1] if reading.matched), 0.0)
        yield from next((findings for judge in _JUDGES if (findings := tuple(judge(found, known)))), ())


def sides(case: Case, code: str) -> dict[str, str]:
    """What the message compares, by the placeholder of a fix for this code: harmless texts only."""
    claim = next((claim for claim, its_code in _DIFFERS.items() if its_code == code), "")
    found = _first_compared(case.event.words) if claim else None
    if found is None or found.claim != claim:
        return {}
    name = _PLACEHOLDERS[claim]
    both = ((name, found.received), (f"expected_{name}", found.expected))
    firsts = ((placeholder, next(iter(_values(unmasked(text))), "")) for placeholder, text in both)
    return {placeholder: value for placeholder, value in firsts if is_harmless(value)}


def _first_compared(words: Words) -> Compared | None:
    texts = (words.message, words.reason, words.challenge)
    return next((found for text in texts if text and (found := compared(text[:CONSIDERED]))), None)


@lru_cache(maxsize=CACHED)
def compared(text: str) -> Compared | None:
    """The comparison in a message; None when it makes none, or does not say of what."""
    if not any(map(text.lower().__contains__, _COMPARING)):
        return None
    claim = _claim(text)
    if not claim:
        return None
    unequal, got = _UNEQUAL.search(text), _RECEIVED.search(text)
    if got and got["value"].lower() not in _NO_VALUES:
        wanted = _EXPECTED.search(text)
        return _of(claim, got["value"], wanted["value"] if wanted else "")
    return _of(claim, unequal["got"], unequal["expected"]) if unequal else None


def _of(claim: str, received: str, expected: str) -> Compared:
    bare = received.strip(_MARKS)
    return Compared(
        claim, bare.strip(_QUOTES), expected.strip(_MARKS).strip(_QUOTES), bare[:1] in _QUOTES and len(bare) > 2
    )


def _claim(text: str) -> str:
    for pattern in _NAMED_CLAIMS:
        named = pattern.search(text)
        if named and named["name"].lower() not in _NO_NAMES:
            return _WORDS_FOR.get(named["name"].lower(), named["name"])
    return next((claim for pattern, claim in _SUBJECTS if pattern.search(text)), "")


# Each judge: what is compared, and how certainly the message is known -> what the values say beyond it.
def _nothing_came(found: Compared, known: float) -> Iterator[Finding]:
    if found.received.lower() not in _ABSENT and found.received != "<class 'NoneType'>":
        return
    says = f"the message reports that no `{found.claim}` was received"
    yield Finding(MISSING.get(found.claim, "claim_missing"), Strength.STRONG, "message", says, discriminant=found.claim)
    if not found.is_quoted or known < VAGUE:
        yield from _rules_out(says, *_DIFFERS.values(), *_OF_VALUES, "claim_type_invalid")


def _another_type(found: Compared, known: float) -> Iterator[Finding]:
    kind = "" if found.is_quoted or found.claim in _TIMES else _type_of(found)
    if not kind:
        return
    says = f"the message reports that `{found.claim}` is {kind}"
    yield Finding("claim_type_invalid", Strength.STRONG, "message", says, discriminant=found.claim)
    if known < KNOWN:
        yield from _rules_out(says, *_DIFFERS.values(), *_OF_VALUES)


def _type_of(found: Compared) -> str:
    """The JSON type of a value that is no text, where one is expected; "" for a text."""
    received = found.received
    if received[:1] == "[" and found.claim not in _LISTS:
        return "an array" if _is_array(received) else ""
    if received[:1] == "{" and (":" in received or received == "{}"):
        return "an object"
    if received in _STATUSES:  # "got 401": the answer, no claim
        return ""
    word = received.removeprefix("<class '").rstrip("'>").lower()
    return "a number" if _NUMBERS.match(received) else _TYPES.get(word, "")


def _is_array(received: str) -> bool:
    return received == "[]" or any(sign in received for sign in _OF_ARRAYS)


def _in_a_list(found: Compared, _known: float) -> Iterator[Finding]:
    """The expected value is there: the validator compares the list as a whole."""
    if found.received[:1] != "[" or not found.expected or found.expected not in _values(found.received):
        return
    says = f"the message reports `{found.claim}` as a list that holds `{found.expected}`, the expected value"
    yield Finding("claim_representation", Strength.STRONG, "message", says, discriminant=f"{found.claim} list")
    yield from _rules_out(says, *_DIFFERS.values(), "claim_not_allowed")


def _nearly_equal(found: Compared, known: float) -> Iterator[Finding]:
    code = _DIFFERS.get(found.claim)
    near = nearest_of(_values(found.received), _values(found.expected)) if code and found.expected else None
    if code and near:
        says = f"the message compares `{found.received}` with `{found.expected}`: {near.says}"
        strength = Strength.LIKELY if known >= VAGUE else Strength.STRONG
        yield Finding(code, strength, "message", says, near_miss=near, discriminant=near.key)


def _values(text: str) -> list[str]:
    """The values of a list in any spelling, or the one that it is."""
    return [value for part in text.strip("[]").replace(",", " ").split() if (value := part.strip(_QUOTES))]


def _rules_out(says: str, *codes: str) -> Iterator[Finding]:
    yield from (Finding(code, Strength.REFUTES, "message", says) for code in codes)


_JUDGES: Final[tuple[Callable[[Compared, float], Iterator[Finding]], ...]] = (
    _nothing_came,
    _another_type,
    _in_a_list,
    _nearly_equal,
)
