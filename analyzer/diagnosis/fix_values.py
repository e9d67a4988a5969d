"""The values that a fix names: from the gateway's message, the token, the configuration, and the tokens that pass."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import islice
from typing import Final

from msgspec import Struct, field

from analyzer.diagnosis.findings import Case, Finding
from analyzer.diagnosis.near import difference, nearest_of
from analyzer.diagnosis.passing import SAME
from analyzer.diagnosis.quoted import sides
from analyzer.diagnosis.weigh import Decision
from analyzer.knowledge import Reading, is_harmless
from analyzer.knowledge.masks import unmasked
from collector.events import TokenFacts
from collector.structs import Dataclass

# Holes that hold one and the same thing in every signature -> the placeholder that they fill.
HOLES: Final = {
    "kid": "kid", "alg": "alg", "issuer": "issuer", "iss": "issuer", "audience": "audience", "aud": "audience",
    "claim": "claim", "scope": "scope", "scopes": "scope",
}  # fmt: skip
_HOLES_OF: Final = {name: tuple(hole for hole in HOLES if HOLES[hole] == name) for name in set(HOLES.values())}
# What `got` and `expected` hold, by what the signature is about.
PAIRS: Final = {
    "issuer_not_trusted": ("issuer", "expected_issuer"),
    "audience_mismatch": ("audience", "expected_audience"),
    "alg_not_allowed": ("alg", "expected_alg"),
    "scope_insufficient": ("", "scope"),
    "iss": ("issuer", "expected_issuer"),
    "aud": ("audience", "expected_audience"),
}
CONSIDERED: Final = 2_000  # characters of a message
_MARKS: Final = "\"'`.,:;()[]{}\\"
_VALUE: Final = r"(?:\\?[\"'`]|\[|\\u0022){0,3}([A-Za-z0-9][\w.:/@+=%*~-]{0,199})"
_QUOTES: Final = r"\\?[\"'`]"


def _stated(lone: str = _QUOTES) -> re.Pattern[str]:
    """Behind a name: `:` or `=`, or a space before what looks like a value, then the value."""
    return re.compile(rf"\\?[\"']?(?:\s?[:=]\s?|\s(?={lone})){_VALUE}")


_QUOTED: Final = re.compile(r"(?![\w-])[^\"'`\[\]]{0,30}?(?:\\?[\"'`]|\[){1,3}([A-Za-z0-9][\w.:/@+=%*~-]{0,199})")
# `kid=k1`, `"aud": "orders"`, `issuer 'https://…'`, where no signature has a hole for the value: names and what follows.
_NAMED: Final = {
    "issuer": (("issuer", "iss"), _stated()),
    "audience": (("audiences", "audience", "aud"), _stated()),
    "kid": (("kid", "key id", "keyid", "key with id"), _stated()),
    "alg": (("algorithm", "alg"), _stated(rf"{_QUOTES}?[A-Z]{{2}}\d")),
    "claim": (("claim",), _stated()),
    "scope": (("scopes", "scope"), _stated()),
}
_EXPECTED: Final = (
    "expected", "expecting", "configured", "must be", "should be", "validaudience", "validaudiences", "validissuer",
    "validissuers",
)  # fmt: skip
_RECEIVED: Final = ("got", "received", "found", "but was", "actual")
_TRIES: Final = 4  # places at which one name is looked at
_NO_VALUES: Final = frozenset({"null", "none", "undefined", "true", "false"})
# A claim's name: `"sub" claim`, `$.aud`, `Go struct field idToken.exp`; or in words.
_CLAIM_NAME: Final = re.compile(
    r"\\?[\"'`](?P<quoted>[A-Za-z][\w:./-]{0,60})\\?[\"'`]\s(?:claim|field)\b"
    r"|(?<![\w$])\$\.(?P<path>\w{1,60})|Go struct field (?:\w{1,60}\.){1,3}(?P<field>\w{1,60})"
)
_CLAIM_WORDS: Final = {
    "issuer claim": "iss", "audience claim": "aud", "subject claim": "sub", "subject must": "sub", "subject invalid": "sub",
    "invalid subject": "sub", "jwt id": "jti", "jwtid": "jti", "expiration": "exp", "not before": "nbf", "notbefore": "nbf",
    "issued at": "iat",
}  # fmt: skip
# Claims that are named without quotes: "the sub claim", "missing exp".
_REGISTERED: Final = frozenset(
    {"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "azp", "nonce", "scope", "scp", "email", "upn", "oid", "roles"}
    | {"groups", "preferred_username", "tenant", "tid", "acr", "amr", "client_id", "user_id", "username"}
)
_UNAMBIGUOUS: Final = frozenset({"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "client_id"})
_DEFAULT_AUDIENCES: Final = ("account",)  # Keycloak writes it into every token, beside the API's own
_CLAIM_CODES: Final = ("_missing", "_type_invalid", "_value_invalid", "_representation", "_not_allowed", "_not_found")
_ABOUT_A_CLAIM: Final = ("claim_missing", "claim_type_invalid", "claim_value_invalid", "user_claim_missing")


class Values(Dataclass, Struct, gc=False):
    """What fills the placeholders of a fix; a value is looked for when a fix asks for it.

    Everything is redacted already. `best` is the strongest finding for the code decided for.
    """

    case: Case
    decision: Decision
    best: Finding | None
    _found: dict[str, str] = field(default_factory=dict)

    def get(self, name: str, default: str = "", /) -> str:
        """The first harmless value: the message's own, the token's, the configured, the passing one, the one compared with."""
        if not name:
            return default
        if name not in self._found:
            found = next(filter(_is_usable, self._candidates(name)), "")
            self._found[name] = found or sides(self.case, self.decision.code).get(name, "")
        return self._found[name] or default

    def variety(self) -> str:
        """The discriminant that chooses the fix: the finding's, unless the message is about another claim than the finding."""
        if self.best is None:
            return ""
        subject, _, form = self.best.discriminant.partition(" ")
        is_of_another = self.best.code.startswith("claim_") and form and self.get("claim", subject) != subject
        return "" if is_of_another else self.best.discriminant

    def _candidates(self, name: str) -> Iterator[str]:
        case, decision = self.case, self.decision
        first = (decision.reading,) if decision.reading else ()
        for reading in (*first, *case.readings):
            if reading.captures:
                yield from _captured(name, reading, decision)
        words = case.event.words
        for text in (words.reason, words.message, words.challenge):
            if text:
                yield from _quoted(name, unmasked(text[:CONSIDERED]), decision.code)
        yield from _of_token(name, case)
        yield from _of_finding(name, case, decision, self.best)
        yield from _expected(name, case)


def _is_usable(value: str) -> bool:
    return is_harmless(value) and value.lower() not in _NO_VALUES


def _captured(name: str, reading: Reading, decision: Decision) -> Iterator[str]:
    """What the holes of a signature hold."""
    captures = dict(reading.captures)
    is_own = reading.code == decision.code or reading is decision.reading
    if is_own or name in ("kid", "alg", "issuer", "audience"):
        for hole in _HOLES_OF.get(name, ()):
            yield from _each(captures.get(hole, ""))
    yield from _compared(name, reading.code, captures)


def _compared(name: str, code: str, captures: Mapping[str, str]) -> Iterator[str]:
    """What the message received and what it expected."""
    about = captures.get("claim", "").strip(_MARKS)
    received, expected = PAIRS.get(about) or PAIRS.get(code) or ("", "")
    if name == received:
        yield from _each(captures.get("got") or (captures.get("value", "") if about in PAIRS else ""))
    if name == expected:
        yield from _each(captures.get("expected", ""))


def _each(text: str) -> Iterator[str]:
    """The values of a list in any spelling: `["a","b"]`, `[a b]`, `'a', 'b'`. A mask is no value: `[[secret]]`."""
    for value in unmasked(text).replace(",", " ").split():
        yield value.strip(_MARKS)


@lru_cache(maxsize=4096)  # tokens differ, messages repeat; at most 8 MB of texts
def _quoted(name: str, text: str, code: str) -> tuple[str, ...]:
    """Values beside the words that name them."""
    return tuple(filter(is_harmless, _beside(name, text, code)))


def _beside(name: str, text: str, code: str) -> Iterator[str]:
    received, expected = PAIRS.get(code, ("", ""))
    low = lowered if len(lowered := text.lower()) == len(text) else text  # places must agree
    if name == received:
        yield _behind(_RECEIVED, _QUOTED, text, low)
    if name == expected:
        yield _behind(_EXPECTED, _QUOTED, text, low)
    if name in _NAMED:
        names, pattern = _NAMED[name]
        yield _behind(names, pattern, text, low)
    if name == "claim":
        yield from _claim_named(text, code)


def _behind(names: tuple[str, ...], pattern: re.Pattern[str], text: str, low: str) -> str:
    """The value behind the first of these names that has one; `low` is the text in lower case."""
    places = (at + len(name) for name in names for at in islice(_places(name, low), _TRIES) if _begins_word(low, at))
    match = next((match for at in places if (match := pattern.match(text, at))), None)
    return match[1].rstrip(_MARKS) if match else ""


def _places(name: str, low: str) -> Iterator[int]:
    at = low.find(name)
    while at >= 0:
        yield at
        at = low.find(name, at + len(name))


def _begins_word(low: str, at: int) -> bool:
    """Not inside a word; a line break may be written as a backslash and an n."""
    before = low[max(0, at - 1) : at]
    return not (before.isalnum() or before in ("_", "-")) or low[max(0, at - 2) : at] in ("\\n", "\\t")


def _claim_named(text: str, code: str) -> Iterator[str]:
    if not code.endswith(_CLAIM_CODES):
        return
    if match := _CLAIM_NAME.search(text):
        yield match[match.lastindex or 0]
    low = text.lower()
    yield from (claim for words, claim in _CLAIM_WORDS.items() if words in low)
    names = _REGISTERED if "claim" in text else _UNAMBIGUOUS
    yield from (bare for word in text.split() if (bare := word.strip(_MARKS)) in names)


def _of_token(name: str, case: Case) -> list[str]:
    token = case.event.token
    if name == "audience":
        return _by_likelihood(token, _audiences(case)) if len(token.aud) > 1 else list(token.aud)
    named = {"issuer": token.iss, "kid": token.kid, "alg": token.alg}
    return [named[name]] if name in named else []


def _by_likelihood(token: TokenFacts, expected: tuple[str, ...]) -> list[str]:
    """Of several audiences the one that names an API: nearly the expected one, not the client, not a default."""
    return sorted(
        token.aud,
        key=lambda audience: (
            not any(difference(audience, value) for value in expected),
            audience == token.client,
            audience in _DEFAULT_AUDIENCES,
        ),
    )


def _of_finding(name: str, case: Case, decision: Decision, best: Finding | None) -> Iterator[str]:
    """The claim or the scope that a rule found at fault; the configured user claim where the user is missing."""
    about = best.discriminant if best else ""
    if name == "claim":
        yield from _claim_at_fault(case, decision.code, about)
    elif name == "scope" and decision.code == "scope_insufficient" and about not in SAME[0]:
        yield about


def _claim_at_fault(case: Case, code: str, about: str) -> Iterator[str]:
    if code == "user_claim_missing" and case.expected:
        yield case.expected.user_claim
    if code in _ABOUT_A_CLAIM:
        yield about
    if code == "claim_representation" and " " in about:
        yield about.split(maxsplit=1)[0]


def _expected(name: str, case: Case) -> Iterator[str]:
    token, expected = case.event.token, case.expected
    if name == "expected_issuer":
        yield _nearest_or_only((token.iss,), _issuers(case))
    elif name == "expected_audience":
        yield _nearest_or_only(token.aud, _audiences(case))
    elif name == "scope":
        yield from (scope for scope in (expected.required_scopes if expected else ()) if scope not in token.scopes)
    elif name == "expected_alg":
        yield from expected.algorithms if expected else ()


def accepted(name: str, case: Case) -> tuple[str, ...]:
    """Every value that would do for a placeholder of what was expected."""
    if name == "expected_alg":
        return case.expected.algorithms if case.expected else ()
    return {"expected_issuer": _issuers, "expected_audience": _audiences}.get(name, lambda _: ())(case)


def _issuers(case: Case) -> tuple[str, ...]:
    """Those that are configured, else those whose tokens pass on the same route."""
    configured = tuple(issuer.issuer for issuer in case.issuers)
    return configured or tuple(passing.issuer for passing in case.passed.issuers)


def _audiences(case: Case) -> tuple[str, ...]:
    """Those that are configured for the token's issuer, else those of its tokens that pass on the same route."""
    passing = case.passed.of(case.event.token.iss)
    configured = case.expected.audiences if case.expected else ()
    return configured or (passing.audiences if passing else ())


def _nearest_or_only(received: Iterable[str], configured: tuple[str, ...]) -> str:
    """The configured value that was nearly matched, or the only one that there is."""
    if len(configured) == 1:
        return configured[0]
    near = nearest_of(received, configured)
    return near.expected if near else ""
