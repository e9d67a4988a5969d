"""The engine: which rules can match a text, all of them on every view of it, until nothing is found any more."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from collector.redaction import (
    byte_lists,
    contexts,
    echoes,
    fields,
    jose,
    key_material,
    layouts,
    looks,
    meter,
    nearby,
    opaque,
    people,
    personal,
    schemes,
    spoken,
    statements,
    vendors,
)
from collector.redaction.addresses import INSIDE, ODD_TRIGGER, ipv4, ipv6, leading, networks, odd_addresses
from collector.redaction.hits import SHORT, Hit, is_mask, merge, render, trim, whole
from collector.redaction.patterns import any_of
from collector.redaction.standins import TOKEN, shortened
from collector.redaction.views import TRIGGER, View, deeper, fold
from collector.safe import Safe

# What `found` may count, in the order of docs/redaction.md; `failed` counts texts that were given up.
NAMES: Final = (
    "field", "cookie", "scheme", "jose", "fragment", "packed", "entropy", "vendor", "pem", "jwk", "url",
    "email", "ip", "phone", "card", "mac", "name", "imei", "failed",
)  # fmt: skip
MAX_PASSES: Final = 12  # texts of people need two; what still changes after twelve is refused
FAILED_TEXT: Final = "[redaction failed]"
_GROWTH: Final = 64
HIT_STEPS: Final = 4  # to map, trim, merge and render one
SEARCHED_A_STEP: Final = 800  # characters that a rule reads in one, if nothing is there


@dataclass(frozen=True, slots=True)
class Rule:
    """A family of rules: `find` is called when the trigger occurs in a view; `automaton` is the one that looks for it."""

    name: str
    trigger: bytes
    find: Callable[[bytes], Iterable[Hit]]
    automaton: int = 0


# In order: a rule before another names a hit that both find in equal length.
# An automaton that waits for several things has a state for each combination of them. Over logs of every kind one for all
# rules never stops making new ones (1 ms a line); these groups, found by measuring (`redact-varied`), do after some hundred lines.
RULES: Final = (
    Rule("keys", key_material.TRIGGER, key_material.find),
    Rule("vendors", vendors.TRIGGER, vendors.find, 1),
    Rule("spoken", spoken.TRIGGER, spoken.find),
    Rule("fields", fields.TRIGGER, fields.find, 1),
    Rule("schemes", schemes.TRIGGER, schemes.find),
    Rule("jose", jose.TRIGGER, jose.find, 2),
    Rule("statements", statements.TRIGGER, statements.find),
    Rule("bytes", byte_lists.TRIGGER, byte_lists.find),
    Rule("contexts", contexts.BESIDE.trigger, contexts.BESIDE.find, 3),
    Rule("contexts afar", contexts.AFAR.trigger, contexts.AFAR.find, 2),
    Rule("nearby", nearby.TRIGGER, nearby.find, 1),
    Rule("layouts", layouts.TRIGGER, layouts.find),
    Rule("looks", looks.TRIGGER, looks.find),
    Rule("people", people.TRIGGER, people.find, 1),
    Rule("email", rb"@", personal.emails),
    Rule("ipv4", rb"[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]", ipv4),
    Rule("odd addresses", ODD_TRIGGER, odd_addresses),
    Rule("ipv6", rb"[0-9A-Fa-f]?::[0-9A-Fa-f]?|(?:[0-9A-Fa-f]{1,4}:){7}", ipv6),
    Rule("phone", rb"\+[1-9][0-9 ().\-]{6}", personal.phones),
    Rule("card", rb"[2-6](?:[ \-]?[0-9]){12}", personal.cards),
    Rule("iban", rb"[A-Z]{2}[0-9]{2}[A-Z0-9]{11}", personal.ibans),
    Rule("mac", rb"[0-9A-Fa-f]{2}[:\-](?:[0-9A-Fa-f]{2}[:\-]){4}[0-9A-Fa-f]{2}", personal.macs),
    Rule("name", personal.NAMES_TRIGGER, personal.names),
    Rule("imei", rb"(?i:\bimei|\bimsi)", personal.imeis),
)


# What only the looks of a word tell, in no form of a key: the first to be wrong about an identifier.
GUESSES: Final = frozenset(("nearby", "looks", "people"))
PROFILES: Final = ("standard", "strict", "diagnosis")


class Redacted(NamedTuple):
    """A text that may be stored, and how often each rule replaced something in it."""

    text: str
    found: tuple[tuple[Safe, int], ...] = ()


Redact = Callable[[str], str]
FAILED: Final = Redacted(FAILED_TEXT, ((Safe("failed"), 1),))


_ESCAPED: Final = len(RULES)
_INSIDE: Final = _ESCAPED + 1  # an address that is not the text's first word
_JOSE: Final = [rule.name for rule in RULES].index("jose")
_IPV4: Final = [rule.name for rule in RULES].index("ipv4")
_ADDRESSES: Final = frozenset((_IPV4, _INSIDE))
_TRIGGERS: Final = {_ESCAPED: TRIGGER, _INSIDE: INSIDE} | {index: rule.trigger for index, rule in enumerate(RULES)}
_IP: Final = Safe("ip")


def _automata() -> list[list[int]]:
    """What each automaton looks for, by its index; the first looks for what is no rule too."""
    automata: dict[int, list[int]] = {0: [_ESCAPED, _INSIDE]}
    for index, rule in enumerate(RULES):
        automata.setdefault(rule.automaton, []).append(index)
    return list(automata.values())


_AUTOMATA: Final = _automata()
_SETS: Final = tuple((automaton, any_of([_TRIGGERS[index] for index in automaton])) for automaton in _AUTOMATA)


def suspects(*others: bytes) -> tuple[bytes, ...]:
    """Patterns of which one occurs in every text that a rule other than `ipv4` may change, or in which one of `others` does."""
    texts = {index: [trigger] for index, trigger in _TRIGGERS.items()}
    texts |= {_JOSE: [jose.SUSPECT], _IPV4: [], _INSIDE: list(others)}
    return tuple(b"|".join(text for index in automaton for text in texts[index]) for automaton in _AUTOMATA)


def _triggered(data: bytes) -> list[int]:
    """What occurs: the rules' triggers, and what is no rule."""
    triggered: list[int] = []
    for automaton, which in _SETS:
        if places := which(data):
            triggered += [automaton[place] for place in places]
    return triggered


def run(text: str, profile: str = "standard") -> Redacted:
    """Redact until a pass finds nothing, so that redacting twice changes nothing. May raise."""
    if profile != "standard":
        return _run_as(text, profile)
    data = fold(text)
    triggered = _triggered(data) if data.find(TOKEN) < 0 else None
    if triggered is not None and (ordinary := _ordinary(text, data, triggered)):
        return ordinary
    meter.start(len(data))
    try:
        return _run(text, data, triggered)
    finally:
        meter.stop()


def _run_as(text: str, profile: str) -> Redacted:
    """All rules on a text, without what is faster for ordinary ones."""
    data = fold(text)
    meter.start(len(data))
    try:
        hits = _hits(data, _triggered(data), profile)
        return _until_clean(text, hits, profile) if hits else Redacted(text)
    finally:
        meter.stop()


def _run(text: str, data: bytes, triggered: list[int] | None) -> Redacted:
    first = View(data) if triggered else shortened(data)
    if triggered is None:
        triggered = _triggered(first.data)
        if ordinary := _ordinary(text, data, triggered):
            return ordinary
    hits = [_mapped(first, hit) for hit in _hits(first.data, triggered)]
    return _until_clean(text, hits) if hits else Redacted(text)


def _ordinary(text: str, data: bytes, triggered: list[int]) -> Redacted | None:
    """A text with nothing but addresses and paths, as in most access logs; None when the rules must see it."""
    if not triggered:
        return Redacted(text)
    others = [index for index in triggered if index not in _ADDRESSES]
    if others and (others != [_JOSE] or jose.may_hold(data)):
        return None
    redacted, count = (networks if _INSIDE in triggered else leading)(text, data)
    return Redacted(redacted, ((_IP, count),) if count else ()) if count >= 0 else None


def _until_clean(text: str, hits: list[Hit], profile: str = "standard") -> Redacted:
    found: dict[str, int] = {}
    limit = 2 * len(text) + _GROWTH
    for _ in range(MAX_PASSES - 1):
        for hit in hits:
            found[hit.rule] = found.get(hit.rule, 0) + 1
        text = _bounded(text, hits, limit)
        data = fold(text)
        hits = _hits(data, _triggered(data), profile)
        if not hits:
            return Redacted(text, tuple((Safe(rule), count) for rule, count in sorted(found.items())))
    return FAILED


def _bounded(text: str, hits: list[Hit], limit: int) -> str:
    rendered = render(text, hits)
    if len(rendered) <= limit:
        return rendered
    return render(text, [hit._replace(label=SHORT) for hit in hits])


def _hits(data: bytes, triggered: list[int], profile: str = "standard") -> list[Hit]:
    found = _found(data, triggered, profile)
    if _ESCAPED in triggered:
        for view in deeper(View(data)):
            found += [_mapped(view, hit) for hit in _found(view.data, _triggered(view.data), profile)]
    if not found:
        return found
    meter.spend(HIT_STEPS * len(found))
    found += list(echoes.of(data, found))
    trimmed = (trim(data, whole(data, hit)) for hit in found)
    return merge(hit for hit in trimmed if hit.start < hit.end and not is_mask(data[hit.start : hit.end]))


def _found(data: bytes, triggered: list[int], profile: str) -> list[Hit]:
    meter.spend(len(data) * len(triggered) // SEARCHED_A_STEP)
    found: list[Hit] = []
    for index in sorted(triggered):
        if index == _JOSE:
            found += jose.find(data, found)  # decoding what is gone already would cost more than all the rest
        elif index < _ESCAPED and not (profile == "diagnosis" and RULES[index].name in GUESSES):
            found += RULES[index].find(data)
    if profile == "strict":
        found += opaque.find(data)
    return found


def _mapped(view: View, hit: Hit) -> Hit:
    start, end = view.span(hit.start, hit.end)
    return Hit(start, end, hit.rule, hit.label)
