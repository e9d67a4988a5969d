"""Text into words: lower case, without plural s, names split, and without what is no word (addresses, tokens, JSON keys).

The work is linear in the text: every character is looked at a bounded number of times.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

_LONGEST_WORD: Final = 40  # a longer run of letters is a token or a hash, not a word
_OPAQUE: Final = 20  # a run this long with capitals, small letters and digits is a token, a key id or a hash
_IDENTIFIER: Final = 64  # a longer run with hyphens is looked at in pieces
_LONGEST_ADDRESS: Final = 256
_ENCODED: Final = 8  # what begins with {" in base64url is a token, however short
_NUMBER: Final = "0"  # a date's year, a NumericDate: any number of so many digits; three may be a status
_DIGITS: Final = 4
# Letters, digits and underscores, and an apostrophe between letters ("isn't"): linear, as nothing in it overlaps.
_WORD: Final = re.compile(r"\w+(?:'[^\W\d_]\w*)*")
_NAME: Final = 4  # pieces of a name that is a sentence of its own: an error code, a class
_CLASS_NAMES: Final = ("Error", "Exception", "Fault")
_OPENERS: Final = frozenset("'\"`[(<{‘“")
_CLOSERS: Final = frozenset("'\"`])>}’”")
_BREAKS: Final = frozenset(".;\n:,|{}")
_VALUES: Final = frozenset("'\"[{-0123456789tfn")  # what a JSON value begins with
_SPEAKING: Final = frozenset(
    {"error", "error_description", "reason", "message", "msg", "code", "detail", "description"}
)
_SCHEMES: Final = frozenset({"bearer", "dpop", "basic", "digest"})
# What is read at an address, where its path says so: "connection to https://idp.example/keys refused".
_PLACES: Final = (
    (re.compile(r"jwks|/(?:keys|certs|jwk)\b"), "jwks"),
    (re.compile(r"/\.well-known/(?:openid-configuration|oauth-authorization-server)"), "discovery"),
    (re.compile(r"/introspect(?:ion)?\b"), "introspection"),
    (re.compile(r"/userinfo\b"), "userinfo"),
)
_NAMING: Final = frozenset(
    {"see", "visit", "url", "uri", "endpoint"}
)  # said before an address, which then says no more
_HEADER: Final = "eyJ"  # {" in base64url: how the header of a JWT begins


class Word(NamedTuple):
    """A lower-case word; `quoted` stands alone between quotes or brackets, `named` is a part of an error's name."""

    text: str
    clause: int
    quoted: bool = False
    named: bool = False
    plural: bool = False


def split_words(text: str) -> Iterator[Word]:
    """Words in lower case, without addresses and opaque runs; names in camelCase and snake_case are split."""
    text = text.replace("\\n", "\n").replace("’", "'")
    at = clause = 0
    before = ""
    while match := _WORD.search(text, at):
        start, end = match.span()
        if start > at and text[at:start] != " ":
            clause += _breaks(text, at, start)
        at = _silent_until(text, start, end)
        yield from _read_at(text, end, at, before, clause)
        before = match.group().casefold()
        if at == start:
            at = end
            enclosed = text[start - 1 : start] in _OPENERS and text[end : end + 1] in _CLOSERS
            for piece, named, plural, alone in _pieces(match.group()):
                yield Word(piece, clause, enclosed and alone, named, plural)


def _silent_until(text: str, start: int, end: int) -> int:
    """Where what says nothing ends that begins with this name: an address, a token, a parameter; else `start`."""
    behind = text[end : end + 1]
    if _is_address(text, end) or (end - start >= _ENCODED and text.startswith("eyJ", start)):
        return _until_space(text, end)
    if behind == "=" and text.startswith('="', end):
        return start if text[start:end] in _SPEAKING else _parameter_end(text, end + 2)
    if behind == "-":
        return _identifier_end(text, start, end)
    check = _SILENT.get(behind)
    return end if check and check(text, start, end) else start


def _read_at(text: str, scheme_end: int, end: int, before: str, clause: int) -> Iterator[Word]:
    """What is read at the address whose scheme ends here, if its path says so; `before` is the word in front of it."""
    if _is_address(text, scheme_end) and before not in _NAMING:
        address = text[scheme_end:end][:_LONGEST_ADDRESS]
        yield from (Word(word, clause) for pattern, word in _PLACES if pattern.search(address))


def _is_address(text: str, end: int) -> bool:
    """The name that ends here is a URL's scheme."""
    return text.startswith("://", end)


def _identifier_end(text: str, start: int, end: int) -> int:
    """Behind a UUID, or a key id like `shop-2026-rs256`: small letters and digits in three runs or more; else `start`."""
    limit = min(len(text), start + _IDENTIFIER)
    while end < limit and (text[end].isalnum() or text[end] in "-_"):
        end += 1
    run = text[start:end]
    return end if run.count("-") > 1 and run.islower() and any(map(str.isdigit, run)) else start


def _breaks(text: str, start: int, end: int) -> int:
    """Ends of clauses in a gap; a dot or a colon inside a name (`jwt.ValidationError`) ends nothing."""
    return sum(
        text[at] in _BREAKS and (text[at] not in ".:" or not text[at + 1 : at + 2].isalnum())
        for at in range(start, min(end, start + _LONGEST_WORD))
    )


def _until_space(text: str, at: int) -> int:
    while at < len(text) and not text[at].isspace() and text[at] not in _CLOSERS:
        at += 1
    return at


def _parameter_end(text: str, start: int) -> int:
    """Behind the value of `algs="ES256"`: a challenge's parameter that is no sentence."""
    end = text.find('"', start)
    return len(text) if end < 0 else end


def _is_json_key(text: str, start: int, end: int) -> bool:
    """The `"iss"` of `{"iss":"https://…"}`: data that a message quotes."""
    if text[start - 1 : start] != text[end : end + 1] or text[end + 1 : end + 2] != ":":
        return False
    return text[end + 2 : end + 4].lstrip()[:1] in _VALUES


def _is_challenge(text: str, start: int, end: int) -> bool:
    """The `Bearer` of `Bearer realm="…"`, which heads every refusal, and of `Bearer eyJ…`, which is the credential."""
    if text[start:end].casefold() not in _SCHEMES:
        return False
    if text.startswith(_HEADER, end + 1):
        return True
    name, equals, _ = text[end : end + _LONGEST_WORD].partition('="')
    return bool(equals) and name[:1] == " " and name[1:].isidentifier()


def _is_package(text: str, start: int, end: int) -> bool:
    """The `java` and the `lang` of `java.lang.String`; the `claims` of `claims.aud`."""
    return text[end + 1 : end + 2].isalpha() and text[start:end].islower()


# By the character behind the name.
_SILENT: Final = {"'": _is_json_key, '"': _is_json_key, " ": _is_challenge, ".": _is_package}


@lru_cache(maxsize=8192)
def _pieces(name: str) -> tuple[tuple[str, bool, bool, bool], ...]:
    """(word, is a part of an error's name, is a plural, is the whole name) of each part; nothing for an opaque run."""
    if len(name) >= _OPAQUE and _is_opaque(name):
        return ()
    pieces = [piece for run in name.split("_") for piece in _humps(run)]
    alone = len(pieces) == 1
    is_class = name.endswith(_CLASS_NAMES)
    named = len(pieces) >= (2 if is_class else _NAME)
    if named and is_class:
        pieces.pop()  # "Error" says nothing
    return tuple([_piece(piece, named, alone) for piece in pieces if len(piece) <= _LONGEST_WORD])


def _piece(piece: str, named: bool, alone: bool) -> tuple[str, bool, bool, bool]:
    word = stem(piece)
    is_plural = word != piece.lower() and piece.endswith("s")
    return (word, named, is_plural, alone)


def _is_opaque(name: str) -> bool:
    return any(map(str.isdigit, name)) and any(map(str.isupper, name)) and any(map(str.islower, name))


def _humps(run: str) -> Iterator[str]:
    """`JWTClaimsError` -> JWT, Claims, Error."""
    start = 0
    for at in range(1, len(run)):
        if _rises(run, at):
            yield run[start:at]
            start = at
        elif _ends_capitals(run, at) and at - 1 > start:
            yield run[start : at - 1]
            start = at - 1
    if run[start:]:
        yield run[start:]


def _rises(run: str, at: int) -> bool:
    """The C of `JwtClaims`. What follows a digit does not: `RS256Key` stays one word."""
    return run[at].isupper() and not run[at - 1].isupper() and not run[at - 1].isdigit()


def _ends_capitals(run: str, at: int) -> bool:
    """The l of `JWTClaims`: the capital before it begins the next word. The s of `JWTs` is a plural."""
    return run[at - 1].isupper() and run[at].islower() and run[at:] != "s"


def stem(word: str) -> str:
    """Lower case, `n't` as "not", no plural s, any long number as one."""
    lower = word.lower()
    if lower.endswith("n't"):
        return "not"
    if len(lower) >= _DIGITS and lower.isdigit():
        return _NUMBER
    lower = lower.replace("'", "")
    if len(lower) < 4 or not lower.endswith("s") or lower.endswith(("ss", "us", "is", "jwks", "dns", "tls")):
        return lower
    return lower[:-2] if lower.endswith(("ches", "shes", "sses", "xes")) else lower[:-1]
