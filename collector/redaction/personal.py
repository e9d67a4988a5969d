"""Personal data: e-mail and IP addresses, phone and card numbers, MAC addresses, IMEI, distinguished names.

An IP address keeps its network (/24, /48); loopback and unspecified addresses and product versions stay.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Final

from collector.redaction.hits import CARD, EMAIL, MAC, PHONE, USER, Hit, is_mask
from collector.redaction.patterns import compiled

_EMAIL_TEXT: Final = rb"(?:[A-Za-z0-9._%+\-\x80-\xff]{1,64}|\"[^\"\r\n@]{1,64}\\?\")@(?:[A-Za-z0-9\x80-\xff\-]{1,63}\.){1,8}[A-Za-z\x80-\xff]{2,24}"
_IPV4_TEXT: Final = rb"[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}"
_IPV6_TEXT: Final = rb"(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}"
_PHONE_TEXT: Final = rb"\+[1-9][0-9 ().\-]{6,18}[0-9]"
_CARD_TEXT: Final = rb"[2-6](?:[ \-]?[0-9]){12,18}"
_MAC_TEXT: Final = rb"(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}|(?:[0-9A-Fa-f]{2}-){5}[0-9A-Fa-f]{2}"
_WORD: Final = rb"[^\s,/+\"\\;=&<>()\[\]]"
_NAME_TEXT: Final = (
    rb"\b(?i:cn|uid|emailaddress|gn|sn|givenname|surname|userid|0\.9\.2342\.19200300\.100\.1\.1|1\.2\.840\.113549\.1\.9\.1)[ ]?=[ ]?(?:("
    + _WORD
    + rb"{2,128}(?: "
    + _WORD
    + rb"{1,64}){1,4})[,/+\"\\]|("
    + _WORD
    + rb"{2,128}(?: [A-Z0-9\x80-\xff]"
    + _WORD
    + rb"{0,64}){0,4}))"
)
_IMEI_TEXT: Final = rb"(?i)\bim(?:ei|si)[\"'=: ]{1,6}([0-9]{14,16})"
NAMES_TRIGGER: Final = rb"\b(?i:cn|uid|emailaddress|gn|sn|givenname|surname|userid|0\.9\.2342\.19200300\.100\.1\.1|1\.2\.840\.113549\.1\.9\.1)[ ]?="
_EMAIL: Final = compiled(_EMAIL_TEXT)
_IPV4: Final = compiled(_IPV4_TEXT)
_IPV6: Final = compiled(_IPV6_TEXT)
_PHONE: Final = compiled(_PHONE_TEXT)
_CARD: Final = compiled(_CARD_TEXT)
_MAC: Final = compiled(_MAC_TEXT)
_DN: Final = compiled(_NAME_TEXT)
_IMEI: Final = compiled(_IMEI_TEXT)
_PRODUCT: Final = compiled(rb"(?:^|[\s\"'(;,])[A-Za-z][\w.\-]{0,40}/v?$|(?i:version|ver|release)[\"':= ]{1,4}v?$")
# Issuers of major card networks; other numbers of that length are times and identifiers.
_CARD_NETWORK: Final = compiled(rb"4|5[1-5]|2[2-7]|3[47]|36|38|6011|65|62|35")
_SERVICE_DOMAINS: Final = (b".gserviceaccount.com",)  # an issuer or audience, not a person


def emails(data: bytes) -> Iterator[Hit]:
    """E-mail addresses, but none of service accounts."""
    for match in _EMAIL.finditer(data):
        if not match.group().endswith(_SERVICE_DOMAINS) and not _is_userinfo(data, match.start()):
            yield Hit(match.start(), match.end(), "email", EMAIL)


def _is_userinfo(data: bytes, start: int) -> bool:
    """`scheme://user:password@host` belongs to rule `url`, which keeps the host."""
    before = data[max(0, start - 300) : start]
    authority = before.rpartition(b"://")
    return bool(authority[1]) and not set(authority[2]) & set(b"/?# \t\r\n\"'<>")


def ipv4(data: bytes) -> Iterator[Hit]:
    """IPv4 addresses, to their /24."""
    for match in _IPV4.finditer(data):
        start, end = match.span()
        if _touches(data, start, end, b".") or _is_product(data, start):
            continue
        octets = [int(octet) for octet in match.group().split(b".")]
        is_nobody = octets[0] == 127 or not any(octets)
        if max(octets) > 255 or is_nobody or _is_network(data, end, b"/24"):
            continue
        yield Hit(start, end, "ip", "{}.{}.{}.0/24".format(*octets))


def ipv6(data: bytes) -> Iterator[Hit]:
    """IPv6 addresses, to their /48."""
    for match in _IPV6.finditer(data):
        start, end = match.span()
        text = match.group()
        if _touches(data, start, end, b":") or not any(c in b"0123456789" for c in text):
            continue
        network = _network48(text.decode("ascii"))
        if network and not _is_network(data, end, b"/48"):
            yield Hit(start, end, "ip", network)


def _network48(text: str) -> str:
    """The network of an address; "" for none, and for addresses that say nothing of anyone."""
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        return ""
    if address.is_loopback or address.is_unspecified:
        return ""
    return str(ipaddress.ip_network((address, 48), strict=False))


def _is_network(data: bytes, end: int, suffix: bytes) -> bool:
    """`203.0.113.0/24` is a network already."""
    return data[end : end + 3] == suffix and not data[end + 3 : end + 4].isdigit()


def _is_product(data: bytes, start: int) -> bool:
    return _PRODUCT.search(data[max(0, start - 48) : start]) is not None


def _touches(data: bytes, start: int, end: int, more: bytes) -> bool:
    """Part of a longer run, so something else."""
    around = data[max(0, start - 1) : start] + b" " + data[end : end + 1]
    if around[-1:] == b"." and not data[end + 1 : end + 2].isalnum():
        around = around[:-1]
    return any(chr(c).isalnum() or c == 0x5F or c in more for c in around)


def phones(data: bytes) -> Iterator[Hit]:
    """Phone numbers in international form."""
    for match in _PHONE.finditer(data):
        digits = sum(c in b"0123456789" for c in match.group())
        if 9 <= digits <= 15 and not _touches(data, match.start(), match.end(), b"+"):
            yield Hit(match.start(), match.end(), "phone", PHONE)


def cards(data: bytes) -> Iterator[Hit]:
    """Payment card numbers."""
    for match in _CARD.finditer(data):
        digits = match.group().translate(None, b" -")
        if _CARD_NETWORK.match(digits) and not _touches(data, match.start(), match.end(), b".") and _luhn(digits):
            yield Hit(match.start(), match.end(), "card", CARD)


def _luhn(digits: bytes) -> bool:
    values = [c - 48 for c in reversed(digits)]
    doubled = [sum(divmod(2 * value, 10)) for value in values[1::2]]
    return (sum(values[0::2]) + sum(doubled)) % 10 == 0


def macs(data: bytes) -> Iterator[Hit]:
    """MAC addresses."""
    for match in _MAC.finditer(data):
        if not _touches(data, match.start(), match.end(), b":-"):
            yield Hit(match.start(), match.end(), "mac", MAC)


def names(data: bytes) -> Iterator[Hit]:
    """People in distinguished names; hosts and services (`CN=gw.acme.example`, `CN=issuing-ca`) stay."""
    for match in _DN.finditer(data):
        start, end = match.span(1) if match.group(1) else match.span(2)
        value = data[start:end]
        if is_mask(value):
            continue
        if b" " not in value and (value.count(b".") >= 2 or b"-" in value):
            continue
        yield Hit(start, end, "name", USER)


def imeis(data: bytes) -> Iterator[Hit]:
    """Device and subscriber numbers behind their name."""
    for match in _IMEI.finditer(data):
        yield Hit(match.start(1), match.end(1), "imei", PHONE)
