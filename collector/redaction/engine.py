"""The engine: which rules can match a text, all of them on every view of it, until nothing is found any more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from collector.redaction import fields, jose, keys, personal, schemes, vendors
from collector.redaction.hits import SHORT, Hit, is_mask, merge, render, trim, whole
from collector.redaction.patterns import any_of
from collector.redaction.views import ESCAPES, View, deeper, fold

# What `found` may count, in the order of docs/redaction.md; `failed` counts texts that were given up.
NAMES: Final = (
    "field", "cookie", "scheme", "jose", "fragment", "packed", "entropy", "vendor", "pem", "jwk", "url",
    "email", "ip", "phone", "card", "mac", "name", "imei", "failed",
)  # fmt: skip
MAX_PASSES: Final = 6  # texts of people need two; what still changes after six is refused
FAILED_TEXT: Final = "[redaction failed]"
_GROWTH: Final = 64


@dataclass(frozen=True, slots=True)
class Rule:
    """A family of rules: `find` is called when the trigger occurs in a view."""

    name: str
    trigger: bytes
    find: Callable[[bytes], Iterator[Hit]]


# In order: a rule before another names a hit that both find in equal length.
RULES: Final = (
    Rule("keys", keys.TRIGGER, keys.find),
    Rule("vendors", vendors.TRIGGER, vendors.find),
    Rule("fields", fields.TRIGGER, fields.find),
    Rule("schemes", schemes.TRIGGER, schemes.find),
    Rule("jose", jose.TRIGGER, jose.find),
    Rule("email", rb"@", personal.emails),
    Rule("ipv4", rb"[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]", personal.ipv4),
    Rule("ipv6", rb"[0-9A-Fa-f]?::[0-9A-Fa-f]?|(?:[0-9A-Fa-f]{1,4}:){7}", personal.ipv6),
    Rule("phone", rb"\+[1-9][0-9 ().\-]{6}", personal.phones),
    Rule("card", rb"[2-6](?:[ \-]?[0-9]){12}", personal.cards),
    Rule("mac", rb"[0-9A-Fa-f]{2}[:\-](?:[0-9A-Fa-f]{2}[:\-]){4}[0-9A-Fa-f]{2}", personal.macs),
    Rule("name", personal.NAMES_TRIGGER, personal.names),
    Rule("imei", rb"(?i:\bimei|\bimsi)", personal.imeis),
)


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text that may be stored, and how often each rule replaced something in it."""

    text: str
    found: tuple[tuple[str, int], ...] = ()


Redact = Callable[[str], str]
FAILED: Final = Redacted(FAILED_TEXT, (("failed", 1),))


_TRIGGERS: Final = any_of([*(rule.trigger for rule in RULES), ESCAPES])
_ESCAPED: Final = len(RULES)


def run(text: str) -> Redacted:
    """Redact until a pass finds nothing, so that redacting twice changes nothing. May raise."""
    found: Counter[str] = Counter()
    original = len(text)
    for _ in range(MAX_PASSES):
        hits = _hits(text)
        if not hits:
            return Redacted(text, tuple(sorted(found.items()))) if found else Redacted(text)
        found.update(hit.rule for hit in hits)
        text = _bounded(text, hits, 2 * original + _GROWTH)
    return FAILED


def _bounded(text: str, hits: list[Hit], limit: int) -> str:
    rendered = render(text, hits)
    if len(rendered) <= limit:
        return rendered
    return render(text, [hit._replace(label=SHORT) for hit in hits])


def _hits(text: str) -> list[Hit]:
    data = fold(text)
    triggered = _TRIGGERS.Match(data)
    if not triggered:  # None: no match
        return []
    found = list(_in_view(View(data), triggered))
    if _ESCAPED in triggered:
        found += [hit for view in deeper(View(data)) for hit in _in_view(view, _TRIGGERS.Match(view.data) or ())]
    trimmed = (trim(text, whole(data, hit)) for hit in found)
    return merge(hit for hit in trimmed if hit.start < hit.end and not is_mask(data[hit.start : hit.end]))


def _in_view(view: View, triggered: Iterable[int]) -> Iterator[Hit]:
    for index in sorted(triggered):
        if index == _ESCAPED:
            continue
        for hit in RULES[index].find(view.data):
            start, end = view.span(hit.start, hit.end)
            yield Hit(start, end, hit.rule, hit.label)
