"""Rules `jose`, `fragment`, `packed` and `entropy`: credentials known by their structure or their randomness.

A JWS, JWE or unsigned JWT is 2 to 5 dotted base64url parts of which one decodes to the start of a JSON object
(RFC 7515, 7516), not a string that begins with `eyJ`: white space before the brace, standard base64, empty
parts, glued prefixes and SD-JWT disclosures all occur. Fragments are what truncation leaves of one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from collector.redaction import shapes
from collector.redaction.field_names import kind_of
from collector.redaction.hits import SECRET, TOKEN, Hit, Spans, is_mask
from collector.redaction.meter import spend
from collector.redaction.patterns import compiled

_PART: Final = rb"[A-Za-z0-9_\-]"
_DOTTED: Final = compiled(_PART + rb"{8,}={0,2}(?:\." + _PART + rb"*={0,2}){1,8}(?:~" + _PART + rb"*={0,2}){0,64}")
_DOTTED_STANDARD: Final = compiled(rb"[A-Za-z0-9+/]{8,}={0,2}(?:\.[A-Za-z0-9_\-+/]*={0,2}){1,4}")
_RUN: Final = compiled(rb"[A-Za-z0-9_\-+/~]{16,}={0,2}")
# A run of 20, or a short header: the base64 of `{`, alone or behind white space, and a dot.
TRIGGER: Final = rb"[A-Za-z0-9_\-+/~]{20}|(?:e[yw]|IH|DQp7|Cns|CXs)[A-Za-z0-9_\-+/]{8,}={0,2}\."
# Wherever `may_hold` is true, this occurs: in a run of 20 a pair of neighbours that no path of words and numbers has
# (shapes.is_route), with enough of the run on one side of it; a first or last character that none has; a short header.
_ANY: Final = rb"[A-Za-z0-9_\-+/~]"
_NO_SLASH: Final = rb"[A-Za-z0-9_\-+~]"
_ODD: Final = (
    rb"(?:[A-Za-z0-9_\-+~][A-Z]|[A-Z][0-9_\-+/~]|[a-uw-z_\-+~][0-9]|[0-9][A-Za-z_\-+~]|[_\-][_\-+/~]|/[_\-]"
    rb"|[+~][a-z/_+~\-]|[a-z/][+~])"
)
_ODD_BEHIND: Final = rb"(?:[A-Za-z0-9_\-+~]v[0-9]|[A-Za-z0-9_\-+~/]//)"  # odd because of what is before it
SUSPECT: Final = (
    rb"(?:" + _ODD + rb"|" + _ODD_BEHIND + rb")" + _ANY + rb"{11}"
    rb"|"
    + _ANY
    + rb"{8}"
    + _ODD
    + rb"|"
    + _ANY
    + rb"{7}"
    + _ODD_BEHIND
    + rb"|[0-9]{20}|(?:(?m:^)|[^A-Za-z0-9_\-+/~])[_\-]"
    + _ANY
    + rb"{19}|"
    + _ANY
    + rb"{19}[A-Z_\-](?:(?m:$)|[^A-Za-z0-9_\-+/~])"
    rb"|(?:e[yw]|IH|DQp7|Cns|CXs)[A-Za-z0-9_\-+/]{8,}={0,2}\."
)
_SUSPECT: Final = compiled(SUSPECT)
_ANY_BYTES: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+/~"
_CANDIDATE: Final = compiled(rb"[A-Za-z0-9_\-+/~]{20,}|(?:e[yw]|IH|DQp7|Cns|CXs)[A-Za-z0-9_\-+/]{8,}={0,2}\.")
_MIXED: Final = compiled(rb"[0-9]|[a-z][A-Z]")
LOOK_STEPS: Final = 3  # to see that a run is a name
RUN_STEPS: Final = 12  # to decode and measure a run of characters
MIN_PART: Final = 12
MIN_LIKE: Final = 17  # gitleaks, rule jwt
MIN_RUN: Final = 20
MIN_DISGUISED: Final = 64
MAX_ARN: Final = 96  # the name of a resource of AWS, up to its path
_AUTHORIZATION_SERVER: Final = b"aus"  # of Okta: `https://acme.okta.com/oauth2/aus…` is an issuer
_OPEN: Final = b"\"'`[](){<:= \t\\,|>-\r\n"
MAX_SENTENCE: Final = 80
_ENTITIES: Final = (b"&quot;", b"&#34;", b"&#39;", b"&apos;")
_NAMED_BEHIND: Final = compiled(
    rb"[\"'`]? (?:is|was) (?:(?:not|no|an?|the|valid|known|unknown|our) ){0,3}([A-Za-z][\w.\-]{1,40})"
)
_LOOKED_FOR: Final = compiled(
    rb"(?i)\b(?:find|found|locate|match|matching|no|unknown)\b[^=\r\n]{0,24}\bkeys?\b[^=\r\n]{0,24}$"
)
_CREDENTIAL_KEY: Final = compiled(rb"(?i)api|access|secret|private|licen|account|customer|consumer|user")
_LINKS: Final = (b"is", b"was", b"value")  # between a name and its value
_WORD_BYTES: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.#"


def find(data: bytes, taken: Sequence[Hit] = ()) -> list[Hit]:
    """Tokens by structure, then fragments, packed text and random runs; but nothing inside of what is `taken`."""
    if not may_hold(data):
        return []
    gone = [hit for hit in taken if not is_mask(data[hit.start : hit.end])]
    held = Spans(gone)
    found = list(_tokens(data, held))
    if b"+" in data or b"/" in data:
        found += _standard_tokens(data, held)
    found += _runs(data, Spans(gone + found) if found else held)
    return found


def may_hold(data: bytes) -> bool:
    """A short header, or a long run with a digit or a change of case in it; most long runs are paths of words."""
    suspect = _SUSPECT.find(data)[0]
    if suspect < 0:
        return False
    begin = len(data[:suspect].rstrip(_ANY_BYTES))
    for start, end in _CANDIDATE.spans(data, begin):
        run = data[start:end]
        if run.endswith(b".") or not (shapes.is_route(run) or _MIXED.find(run)[0] < 0):
            return True
    return False


def _tokens(data: bytes, taken: Spans) -> Iterator[Hit]:
    for start, end in _DOTTED.spans(data):
        if taken.hold(start, end):
            continue
        candidate = data[start:end]
        parts = candidate.split(b".", 5)[:5]
        if any(map(_is_part, parts)) or sum(map(_is_like_part, parts)) > 1:
            yield Hit(start, start + len(candidate.rstrip(b".")), "jose", TOKEN)


def _standard_tokens(data: bytes, taken: Spans) -> Iterator[Hit]:
    """Standard base64 has `/`: only a run that begins with the header is one, else it may be a path before a token."""
    for start, end in _DOTTED_STANDARD.spans(data):
        if taken.hold(start, end):
            continue
        candidate = data[start:end]
        if shapes.is_json_object(candidate.partition(b".")[0]):
            yield Hit(start, start + len(candidate.rstrip(b".")), "jose", TOKEN)


def _is_like_part(part: bytes) -> bool:
    """Begins like one; two of them make a token even when neither decodes, as after a change by hand or by a filter."""
    return part.startswith(b"ey") and len(part) >= MIN_LIKE


def _is_part(part: bytes) -> bool:
    if len(part) < MIN_PART:
        return False
    return (
        shapes.is_json_object(part) or _is_glued(part) or (part.endswith(b"ye") and shapes.is_json_object(part[::-1]))
    )


def _is_glued(part: bytes) -> bool:
    """`tokeyJhbGci…`: the header begins inside the run."""
    start = part.find(b"ey", 1, 64)
    return start > 0 and shapes.is_json_object(part[start:])


def _runs(data: bytes, taken: Spans) -> Iterator[Hit]:
    exempt_end = -1
    for start, end in _RUN.spans(data):
        if taken.hold(start, end):
            continue
        spend(LOOK_STEPS)
        run = data[start:end]
        if shapes.is_route(run) or shapes.is_word(run) or shapes.is_public(run):
            continue
        if _is_safe(data, start, exempt_end) or _is_named_behind(data, end):
            exempt_end = end
            if shapes.is_json_object(run) or _is_disguised(run):
                yield Hit(start, end, "fragment", TOKEN)
            continue
        yield from _judge(run, start)


def _judge(run: bytes, start: int) -> Iterator[Hit]:
    """The run as a whole, or in a path its segments."""
    spend(RUN_STEPS * (1 + run.count(b"/")))
    segments = run.split(b"/") if b"/" in run else [run]
    if len(segments) == 1 or not _is_path(segments):
        rule = _rule(run)
        if rule:
            yield Hit(start, start + len(run), *rule)
        return
    before = b""
    for segment in segments:
        is_issuer = before == b"oauth2" and segment.startswith(_AUTHORIZATION_SERVER)
        before = segment
        rule = _rule(segment)
        if rule and not is_issuer:
            yield Hit(start, start + len(segment), *rule)
        start += len(segment) + 1


def _is_path(segments: list[bytes]) -> bool:
    """Slashes between words and credentials are a path's; in standard base64 they stand between remnants of any kind."""
    words = [len(s) > 1 and (shapes.is_name(s) or shapes.is_public(s)) for s in segments[:64]]
    return any(words) and all(word or len(s) <= 4 or _rule(s) for word, s in zip(words, segments, strict=False))


def _is_disguised(run: bytes) -> bool:
    """Text in base64 or hex that is too long for an identifier, or says something: not what its place is for."""
    if len(run) < MIN_DISGUISED:
        return shapes.hides_sentence(run)
    return shapes.hides_text(run.rstrip(b"=")) or shapes.hides_packed(run)


def _rule(run: bytes) -> tuple[str, str] | None:
    """Rule and label of a run, None when it is nothing."""
    if len(run) < MIN_RUN:
        return None
    if shapes.hides_text(run.rstrip(b"=")):
        return "fragment", TOKEN
    if shapes.hides_packed(run):
        return "packed", TOKEN
    return ("entropy", SECRET) if shapes.is_random(run) else None


def _is_safe(data: bytes, start: int, exempt_end: int) -> bool:
    """The word before a run says that it is an identifier; or the run continues a list of such runs."""
    start -= _entity(data, start)
    gap = data[max(0, start - 12) : start]
    glue = len(gap) - len(gap.rstrip(_OPEN))
    if b"arn:aws" in data[max(0, start - MAX_ARN) : start].rpartition(b" ")[2]:
        return True
    if gap.endswith(b"Hash=") and data[start + 64 : start + 65] in (b";", b","):  # of a certificate, in Envoy's XFCC
        return True
    if gap.rstrip(b'\\"').endswith(b"W/"):  # a weak entity tag, RFC 9110 8.8.3
        return True
    if exempt_end >= 0 and 0 < start - exempt_end == glue <= 6 and b"," in gap:
        return True
    return kind_of(_word_before(data, start - glue)) == "safe" or _is_looked_for(data, start)


def _entity(data: bytes, end: int) -> int:
    """The length of a quote as HTML writes it, before `end`."""
    return next((len(entity) for entity in _ENTITIES if data.endswith(entity, 0, end)), 0)


def _is_named_behind(data: bytes, end: int) -> bool:
    """`4bf92f… is not a valid trace_id`."""
    match = _NAMED_BEHIND.match(data[end : end + MAX_SENTENCE])
    return match is not None and kind_of(match.group(1)) == "safe"


def _is_looked_for(data: bytes, start: int) -> bool:
    """`Unable to find a signing key that matches: '1LTM…'`: the identifier of a key; an API key is not looked for so."""
    before = data[max(0, start - MAX_SENTENCE) : start]
    found = _LOOKED_FOR.find(before)[0]
    return found >= 0 and _CREDENTIAL_KEY.find(before, found)[0] < 0


def _word_before(data: bytes, end: int) -> bytes:
    """The name of what stands behind `end`: `commit` also of `commit is `, and of `name="commit" value="`."""
    before = data[max(0, end - 48) : end]
    name = before.rstrip(_WORD_BYTES)
    word = before[len(name) :]
    if word.lower() not in _LINKS:
        return word
    before = name.rstrip(_OPEN)
    return before[len(before.rstrip(_WORD_BYTES)) :]
