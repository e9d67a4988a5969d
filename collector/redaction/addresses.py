"""Rule `ip`: an address keeps its network (/24, /48); loopback and unspecified addresses and product versions stay."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from socket import AF_INET6, inet_pton
from typing import Final

from collector.redaction.extents import JOINED, touches
from collector.redaction.hits import Hit
from collector.redaction.meter import spend
from collector.redaction.patterns import compiled

_OCTET: Final = rb"(?:25[0-5]|2[0-4][0-9]|[01]?[0-9]{1,2})"
IPV4: Final = compiled(_OCTET + (rb"\." + _OCTET) * 3)
_NONZERO: Final = rb"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9][0-9]?|0[0-9]{1,2})"
# Without `Chrome/131.0.0.0`, which every browser's line has and `is_address` would refuse.
HOST: Final = compiled(
    _OCTET
    + rb"\.(?:"
    + _NONZERO
    + rb"\."
    + _OCTET
    + rb"\."
    + _OCTET
    + rb"|0\."
    + _NONZERO
    + rb"\."
    + _OCTET
    + rb"|0\.0\."
    + _NONZERO
    + rb")"
)
_OTHER: Final = rb"(?:[1-9][0-9]{0,2}|0[0-9]{1,2})"  # than the octet 0
_NOT_ZEROS: Final = (
    rb"[0-9]{1,3}\.(?:" + _OTHER + rb"\.[0-9]{1,3}\.[0-9]{1,3}|0\." + _OTHER + rb"\.[0-9]{1,3}|0\.0\." + _OTHER + rb")"
)
# An address that is not the text's first word; one with something behind it that is not in _SETTLED.
INSIDE: Final = rb"[^0-9]" + _NOT_ZEROS
UNSETTLED: Final = _NOT_ZEROS + rb"(?:[^ ,;)\]|'\"0-9\r]| [^\-\[\"]| (?m:$)|\r[^\n])"
_IPV6: Final = compiled(rb"(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}")
_PRODUCT: Final = compiled(rb"(?:(?:^|[\s\"'(;,])[A-Za-z][\w.\-]{0,40}/|(?i:version|ver|release)[\"':= ]{1,4})$")
_BEFORE_VERSION: Final = b"\"':= "
_BEFORE_PRODUCT: Final = frozenset(b"/" + _BEFORE_VERSION)
_LAST_OF_VERSION: Final = (b"n", b"r", b"e", b"N", b"R", b"E")
_IPV4_MORE: Final = JOINED | frozenset(b".")
_IPV6_MORE: Final = JOINED | frozenset(b":")
# Behind an address these end every run that a rule reads, so that its network cannot become part of one.
_SETTLED: Final = (b" -", b" [", b' "', b'"', b",", b";", b")", b"]", b"|", b"'")
_DIGITS: Final = frozenset(bytes((byte,)) for byte in b"0123456789")
DOTS: Final = 3
ADDRESS_STEPS: Final = 4
MAX_COUNTED: Final = 512
_MAX_ADDRESS: Final = 15  # bytes
_MAX_OCTET: Final = 255
_OF_KEY: Final = rb"(?i:\b(?:[a-z]{1,12}[_.\-]?)?(?:ip|ipv4|addr|address|remote|peer|client))[\"']?[ ]?[:=][ ]?[\"']?"
_HYPHENED: Final = rb"[0-9]{1,3}-[0-9]{1,3}-[0-9]{1,3}-[0-9]{1,3}"
_NUMBER: Final = compiled(_OF_KEY + rb"([0-9]{8,10}|0[xX][0-9A-Fa-f]{8})\b")
_HYPHENS: Final = compiled(rb"(?:(?i:\bip-)|\b)(" + _HYPHENED + rb")(?:\.[A-Za-z]|\b)")
ODD_TRIGGER: Final = (
    rb"(?i:ip|ipv4|addr|address|remote|peer|client)[\"']?[ ]?[:=][ ]?[\"']?(?:[0-9]{8}|0[xX][0-9A-Fa-f]{8})|(?i:\bip-)"
    + _HYPHENED
    + rb"|"
    + _HYPHENED
    + rb"\.[A-Za-z]"
)
_NETWORK_BYTES: Final = 6
_NOBODY: Final = (bytes(16), bytes(15) + b"\x01")  # unspecified, loopback


def leading(text: str, data: bytes) -> tuple[str, int]:
    """`networks` for a text in which nothing of INSIDE occurs."""
    if data[:1] not in _DIGITS:
        return text, 0
    blank = data.find(b" ", 0, _MAX_ADDRESS + 1)
    if blank > 0 and data.startswith(_SETTLED, blank) and (network := _network24(data[:blank])):
        return network + text[blank:], 1
    end = IPV4.end_at(data)
    if end < 0 or not is_address(data, 0, end):
        return text, 0
    if not data.startswith(_SETTLED, end) and end < len(data):
        return text, -1
    return f"{text[: data.rfind(b'.', 0, end)]}.0/24{text[end:]}", 1


@lru_cache(maxsize=8192)
def _network24(word: bytes) -> str:
    """The network of a word that is somebody's address, with nothing before and a blank behind it; "" for any other."""
    if not IPV4.fits(word) or not is_address(word, 0, len(word)):
        return ""
    return word[: word.rfind(b".")].decode("ascii") + ".0/24"


def networks(text: str, data: bytes) -> tuple[str, int]:
    """The text with its IPv4 addresses as networks, and how many; -1 when that might wake another rule."""
    pieces: list[str] = []
    position = end = 0
    size = len(data)
    # Counting is ten times as fast as a search in vain; of a long rest it would make the whole quadratic.
    while size - end > MAX_COUNTED or data.count(b".", end) >= DOTS:
        start, end = IPV4.find(data, end)
        if start < 0:
            break
        if not is_address(data, start, end):
            continue
        if not data.startswith(_SETTLED, end) and end < size:
            return text, -1
        pieces += text[position : data.rfind(b".", start, end)], ".0/24"
        position = end
    return ("".join(pieces) + text[position:], len(pieces) // 2) if pieces else (text, 0)


def ipv4(data: bytes) -> Iterator[Hit]:
    """IPv4 addresses, to their /24."""
    for start, end in IPV4.spans(data):
        if is_address(data, start, end):
            label = data[start : data.rfind(b".", start, end)].decode("ascii") + ".0/24"
            yield Hit(start, end + 3 * _has_prefix(data, end, b"/24"), "ip", label)


def is_address(data: bytes, start: int, end: int) -> bool:
    """An address of somebody: no version, no network, no loopback, no part of a longer word."""
    if start:
        before = data[start - 1]
        if before in _IPV4_MORE or (before in _BEFORE_PRODUCT and _is_product(data, start)):
            return False
    if end < len(data) and data[end] in _IPV4_MORE and touches(data, start, end, _IPV4_MORE):
        return False
    if data.startswith(b".0/24", end - 2):  # a network already
        return False
    # Three zeros are a network, a version (`Chrome/131.0.0.0`) or no address at all.
    return not data.startswith(b"127.", start) and not data.endswith(b".0.0.0", start, end)


def _is_product(data: bytes, start: int) -> bool:
    """`Chrome/120.0.0.0`, `version=1.2.3.4`."""
    before = data[max(0, start - 48) : start]
    if data[start - 1] == 0x2F and before[:-1].rpartition(b" ")[2].isalpha() and b" " in before:
        return True
    if data[start - 1] != 0x2F and not before.rstrip(_BEFORE_VERSION).endswith(_LAST_OF_VERSION):
        return False
    return _PRODUCT.find(before)[0] >= 0


def ipv6(data: bytes) -> Iterator[Hit]:
    """IPv6 addresses, to their /48."""
    for start, end in _IPV6.spans(data):
        text = data[start:end]
        if touches(data, start, end, _IPV6_MORE) or text.translate(None, b"abcdefABCDEF:") == b"":
            continue
        spend(ADDRESS_STEPS)
        network = _network48(text.decode("ascii"))
        last = end + 3 * _has_prefix(data, end, b"/48")
        if network and network.encode() != data[start:last]:
            yield Hit(start, last, "ip", network)


def _network48(text: str) -> str:
    """The network of an address; "" for none, and for addresses that say nothing of anyone."""
    try:
        packed = inet_pton(AF_INET6, text)  # ipaddress takes ten times as long, and longer to say that it is none
    except OSError:
        return ""
    if packed in _NOBODY:
        return ""
    words = [packed[at] << 8 | packed[at + 1] for at in range(0, _NETWORK_BYTES, 2)]
    while words and not words[-1]:
        words.pop()
    return ":".join(f"{word:x}" for word in words) + "::/48"


def odd_addresses(data: bytes) -> Iterator[Hit]:
    """IPv4 addresses as one number behind their key, and with hyphens in a host's name."""
    for match in _NUMBER.finditer(data):
        number = int(match.group(1), 16 if match.group(1)[:2].lower() == b"0x" else 10)
        if number >> 24 and number < 1 << 32:
            octets = number.to_bytes(4, "big")
            yield Hit(match.start(1), match.end(1), "ip", ".".join(map(str, octets[:3])) + ".0/24")
    for match in _HYPHENS.finditer(data):
        parts = match.group(1).split(b"-")
        if _is_hyphenated_host(match.group(), parts):
            start, end = match.span(1)
            yield Hit(start, end, "ip", b"-".join((*parts[:3], b"0")).decode("ascii"))


def _is_hyphenated_host(found: bytes, parts: list[bytes]) -> bool:
    is_host = found[-1:].isalpha() or found[:2].lower() == b"ip"
    return is_host and parts[-1] != b"0" and all(int(part) <= _MAX_OCTET for part in parts)


def _has_prefix(data: bytes, end: int, prefix: bytes) -> bool:
    return data.startswith(prefix, end) and not data[end + 3 : end + 4].isdigit()
