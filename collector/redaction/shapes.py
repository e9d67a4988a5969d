"""What a run of characters is by its shape alone: random, a word, an identifier, base64 of text.

Every function looks at a bounded part of its input, so that rules stay linear on any text.
"""

from __future__ import annotations

import base64
import binascii
import math
import zlib
from collections import Counter
from typing import Final

from collector.redaction.patterns import compiled

WINDOW: Final = 96  # characters of a run that are decoded or measured; a token shows its kind in fewer
MIN_ENTROPY: Final = 3.4  # bit a character; detect-secrets and gitleaks use 3.0 to 4.5 for their generic rules
MIN_HEX_ENTROPY: Final = 2.5  # of at most 4; counters and padded ids have less
MIN_RANDOM: Final = 20
MIN_HEX: Final = 32  # digits of 128 bits
MIN_HEX_DIGITS: Final = 4
MIN_JSON: Final = 8
MAX_SPOKEN: Final = 40  # a longer word in which case changes every fourth letter is none, whatever its vowels
MIN_TEXT: Final = 12  # bytes of printable text; random bytes look so once in 10^5 runs
INFLATE_BYTES: Final = 16_384

_CLASSES: Final = bytes(
    ord("0") if chr(i).isdigit() and i < 128 else
    ord("A") if chr(i).isupper() and i < 128 else
    ord("a") if chr(i).islower() and i < 128 else i
    for i in range(256)
)  # fmt: skip
_VOWELS: Final = b"aeiouyAEIOUY"
_SEPARATORS: Final = b"-_+/~"
_TO_STANDARD: Final = bytes.maketrans(b"-_", b"+/")
_ALPHABET: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_")
_PRINTABLE: Final = bytes(range(0x20, 0x7F)) + b"\t\r\n"
_UUID: Final = rb"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}"
_PUBLIC_SIZES: Final = frozenset((36, 55))
_JSON_STARTS: Final = (b"e", b"I", b"C", b"D", b"7")  # base64 of `{`, white space and the byte order mark
_PACKED_STARTS: Final = (b"H4s", b"e")  # base64 of the first bytes of gzip and zlib
# Base64 of six printable characters, which have a clear first bit and more: tells most runs from text without decoding.
_QUADS: Final = compiled(
    rb"(?:[CDI-Za-f][ACDEFGHQSTUVWXgijklmnwyz0123][AEIMQUYcgkosw048BFJNRVZdhlptx159][A-Za-z0-9+/_\-]){2}"
)

_WORDS: Final = compiled(rb"(?:[A-Z]?[a-z]+|[A-Z]{2,})(?:[_\-./ :+]{0,2}(?:[A-Z]?[a-z]+|[A-Z]{2,}|[A-Z]?[0-9]{1,4}))*")
_SEGMENT: Final = rb"(?:[A-Z]?[a-z]+(?:[_\-][a-z]+)*|v?[0-9]{1,19}|" + _UUID + rb")"
_ROUTE: Final = compiled(rb"/{0,2}" + _SEGMENT + rb"(?:/" + _SEGMENT + rb")*/?")
# What people call a step of a path: words of two letters and more, however joined. Of random runs of ten characters one in a hundred is such.
_NAME: Final = compiled(
    rb"(?:(?:[A-Z]?[a-z]{2,}|OAuth|(?:Me|By|Id|Of|To|In|On|Is|My))[0-9]{0,2}[_\-]?)+|[A-Z]{2,6}|v?[0-9]{1,19}"
)
_ERROR_CODE: Final = compiled(rb"[A-Z]{2,12}[-_]?[0-9]{1,9}")
_BASE32: Final = compiled(rb"[A-Z2-7]{24,}={0,6}")
_HEX: Final = compiled(rb"[0-9a-f]+|[0-9A-F]+")
_PUBLIC: Final = compiled(
    _UUID + rb"|[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"  # W3C traceparent
    rb"|(?i:sha(?:1|256|384|512)[-:=]).*"  # a digest that says so
)


def classes(run: bytes) -> bytes:
    """The run with each letter and digit replaced by `A`, `a` or `0`."""
    return run.translate(_CLASSES)


def mixes(run: bytes) -> int:
    """Changes between lower case, upper case and digits; a capital at a word's start is none."""
    return _changes(classes(run))


def is_public(run: bytes) -> bool:
    """UUIDs, trace contexts and named digests are identifiers, not credentials."""
    size = len(run)
    return (size in _PUBLIC_SIZES or (size <= 160 and run[:3].lower() == b"sha")) and _PUBLIC.fits(run)


def is_route(run: bytes) -> bool:
    """Words, numbers and UUIDs between slashes: `/v1/orders/19999/items`."""
    return _ROUTE.fits(run)


def is_name(run: bytes) -> bool:
    """A step of a path: `orders`, `OrderService`, `oauth2`, `getUserByToken`, `v1`. Stricter than `is_word`."""
    return len(run) <= 40 and _NAME.fits(run)


def is_word(run: bytes) -> bool:
    """Words, identifiers and error codes that people and programs write: `invalid_grant`, `OrderService/Get`, `AADSTS50126`."""
    if len(run) > 120 or _BASE32.fits(run):
        return False
    if not _WORDS.fits(run):
        return _ERROR_CODE.fits(run)
    changes = mixes(run)
    return changes * 8 <= len(run) + 6 or (
        len(run) <= MAX_SPOKEN and changes * 4 <= len(run) + 2 and _is_pronounceable(run)
    )


def _is_pronounceable(run: bytes) -> bool:
    """At least 30 % vowels among the letters; English has 38 %, random letters 19 %."""
    shape = classes(run)
    letters = shape.count(b"a") + shape.count(b"A")
    return (len(run) - len(run.translate(None, _VOWELS))) * 10 >= letters * 3


def is_random(run: bytes) -> bool:
    """At least 20 characters that no person chose: keys, signatures, opaque tokens, 128-bit hex."""
    size = min(len(run), WINDOW)
    if size < MIN_RANDOM or is_public(run):
        return False
    run = run[:WINDOW]
    shape = classes(run)
    digits = shape.count(b"0")
    may_be_hex = size >= MIN_HEX and digits >= MIN_HEX_DIGITS
    if not _has_letters(shape, may_be_hex):
        return False
    if may_be_hex and _HEX.fits(run):
        return _entropy(run) >= MIN_HEX_ENTROPY
    return _is_irregular(run, shape, size, digits) and not is_word(run) and _entropy(run) >= MIN_ENTROPY


def _has_letters(shape: bytes, may_be_hex: bool) -> bool:
    """Two capitals; a run that may be hex or base36 needs one letter."""
    return shape.count(b"A") >= 2 or (may_be_hex and (b"a" in shape or b"A" in shape))


def _is_irregular(run: bytes, shape: bytes, size: int, digits: int) -> bool:
    """Changes between lower case, upper case and digits at every fifth character; in base36 at every fourth."""
    dense = shape.translate(None, _SEPARATORS)
    changes = _changes(dense if len(dense) * 10 >= size * 9 else shape)
    if changes * 5 < size:
        return False
    return _mixes_cases(shape, digits) or (changes * 4 >= size and _is_base36(run, size, digits))


def _mixes_cases(shape: bytes, digits: int) -> bool:
    least = min(shape.count(b"A"), shape.count(b"a"))
    return least >= 3 or (least == 2 and digits >= 1)


def _is_base36(run: bytes, size: int, digits: int) -> bool:
    return size >= MIN_HEX and digits >= 6 and b"-" not in run


def _changes(shape: bytes) -> int:
    count = shape.count
    return count(b"aA") + count(b"a0") + count(b"0a") + count(b"A0") + count(b"0A")


def is_credential(run: bytes) -> bool:
    """At least 8 characters behind a word such as `code` or `Bearer` that are neither a word nor a number."""
    if len(run) < 8 or is_word(run) or is_public(run):
        return False
    shape = classes(run[:WINDOW])
    letters = shape.count(b"a") + shape.count(b"A")
    return letters > 0 and (
        mixes(run[:WINDOW]) >= 2 or (len(run) >= 16 and shape.count(b"0") > 0 and not shape.count(b"-"))
    )


def _entropy(run: bytes) -> float:
    size = len(run)
    return -sum(n / size * math.log2(n / size) for n in Counter(run).values())


def decoded(run: bytes) -> bytes:
    """Base64 or base64url of the run, whatever its padding; b"" when it is neither."""
    run = run.rstrip(b"=").translate(_TO_STANDARD)
    run = run[: len(run) - (len(run) % 4 == 1)]
    try:
        return binascii.a2b_base64(run + b"=" * (-len(run) % 4))
    except binascii.Error:
        return b""


def is_json_object(run: bytes) -> bool:
    """Base64 of the beginning of a JSON object with a member: a JOSE header or a claims set."""
    if run[:1] not in _JSON_STARTS:
        return False
    start = decoded(run[:WINDOW])[: WINDOW // 2].lstrip(b" \t\r\n\xef\xbb\xbf")
    if start[:1] != b"{" or start[1:].lstrip(b" \t\r\n")[:1] != b'"':
        return False
    # `PublicKeyImpl` begins like one from `ey`; eight printable bytes do not happen by chance.
    return len(start) >= MIN_JSON and not start[:MIN_JSON].translate(None, _PRINTABLE)


def hides_text(run: bytes) -> bool:
    """Part of a base64 of text, cut anywhere: one of the four alignments decodes to printable characters."""
    if len(run) < 16:
        return False
    windows = {run[:WINDOW], run[-WINDOW:]}
    windows = {window for window in windows if _QUADS.find(window)[0] >= 0}
    return any(_is_text(decoded(window[shift:])) for window in windows for shift in range(4))


def _is_text(content: bytes) -> bool:
    """Mostly printable; what is not must be UTF-8, and the text must look like JSON then."""
    content = content[3:] if len(content) >= 2 * MIN_TEXT else content  # letters glued to the front decode to noise
    if len(content) < MIN_TEXT:
        return False
    strange = content.translate(None, _PRINTABLE)
    if not strange:
        return True
    return len(strange) * 8 <= len(content) and min(strange) >= 0x80 and b'"' in content


def hides_sentence(run: bytes) -> bool:
    """Base64 of words, an address or an assignment; identifiers in base64 (Auth0's kid is one of hex) are one word."""
    text = decoded(run[:WINDOW])
    return len(text) >= MIN_TEXT and not text.translate(None, _PRINTABLE) and any(mark in text for mark in b" @=")


def hides_packed(run: bytes) -> bool:
    """Hex of text, or base64 or hex of gzip or zlib of text."""
    head = run[: 4 * WINDOW]
    if _BASE32.fits(head) and _is_text(_from_base32(head)):
        return True
    content = _unhex(head)
    if content and (_is_text(content) or _is_text(_inflated(content))):
        return True
    return head.startswith(_PACKED_STARTS) and _is_text(_inflated(decoded(head)))


def _unhex(run: bytes) -> bytes:
    try:
        return binascii.unhexlify(run[: len(run) // 2 * 2])
    except binascii.Error:
        return b""


def _from_base32(run: bytes) -> bytes:
    run = run.rstrip(b"=")
    return base64.b32decode(run[: len(run) // 8 * 8])


def _inflated(content: bytes) -> bytes:
    if content[:2] != b"\x1f\x8b" and content[:1] != b"\x78":
        return b""
    try:
        return zlib.decompressobj(wbits=47).decompress(content, INFLATE_BYTES)
    except zlib.error:
        return b""
