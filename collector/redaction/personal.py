"""Personal data: e-mail addresses, phone and card numbers, MAC addresses, IMEI, distinguished names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from collector.redaction.extents import JOINED, touches
from collector.redaction.hits import CARD, EMAIL, MAC, PHONE, USER, Hit, is_mask
from collector.redaction.meter import spend
from collector.redaction.patterns import compiled

_EMAIL_TEXT: Final = rb"(?:[A-Za-z0-9._%+\-\x80-\xff]{1,64}|\"[^\"\r\n@]{1,64}\\?\")@(?:[A-Za-z0-9\x80-\xff\-]{1,63}\.){1,8}[A-Za-z\x80-\xff]{2,24}"
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
    + rb"[^\s,/+\"\\;=&<>()\[\]:]{0,64}){0,4}\b))"
)
_IMEI_TEXT: Final = rb"(?i)\bim(?:ei|si)[\"'=: ]{1,6}([0-9]{14,16})"
NAMES_TRIGGER: Final = rb"\b(?i:cn|uid|emailaddress|gn|sn|givenname|surname|userid|0\.9\.2342\.19200300\.100\.1\.1|1\.2\.840\.113549\.1\.9\.1)[ ]?="
IBAN_STEPS: Final = 5
_EMAIL: Final = compiled(_EMAIL_TEXT)
_PHONE: Final = compiled(_PHONE_TEXT)
_IBAN: Final = compiled(rb"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_CARD: Final = compiled(_CARD_TEXT)
_MAC: Final = compiled(_MAC_TEXT)
_DN: Final = compiled(_NAME_TEXT)
_IMEI: Final = compiled(_IMEI_TEXT)
# Issuers of major card networks; other numbers of that length are times and identifiers.
_CARD_NETWORK: Final = compiled(rb"4|5[1-5]|2[2-7]|3[47]|36|38|6011|65|62|35")
_PHONE_MORE: Final = JOINED | frozenset(b"+")
_CARD_MORE: Final = JOINED | frozenset(b".")
_MAC_MORE: Final = JOINED | frozenset(b":-")
# Words of certificate authorities, which are no people: `CN=Acme Issuing CA 2`.
_AUTHORITIES: Final = frozenset(
    (b"CA", b"Root", b"Authority", b"Issuing", b"Intermediate", b"Certificate", b"SSL", b"TLS")
)
_SERIAL: Final = compiled(
    rb"(?i)(?:serial|fingerprint|thumbprint|key ?id|identifier)[a-z \"':=#]{0,12}$"
)  # of a certificate
MAX_GROUP: Final = 24
_GROUP: Final = compiled(rb"(?i:member|group)[A-Za-z]{0,8}[\"' ]{0,3}[:=][\[\"' ]{0,3}$")  # `memberOf: cn=ops`
_NOBODY: Final = frozenset((b"null", b"none", b"nil", b"undefined", b"unknown", b"anonymous"))
MAX_COMMAND: Final = 80
_SHELL: Final = compiled(
    rb"(?:^|[ /\"'])(?:ssh|scp|sftp|mosh)[ ][^\r\n;|&]{0,70}$"
)  # `ssh jane@db7.int`: the host stays
_SERVICE_DOMAINS: Final = (b".gserviceaccount.com",)  # an issuer or audience, not a person


def emails(data: bytes) -> Iterator[Hit]:
    """E-mail addresses, but none of service accounts."""
    for match in _EMAIL.finditer(data):
        if match.group().endswith(_SERVICE_DOMAINS) or _is_userinfo(data, match.start()):
            continue
        if _SHELL.find(data[max(0, match.start() - MAX_COMMAND) : match.start()])[0] >= 0 or _is_realm(match.group()):
            yield Hit(match.start(), match.start() + match.group().rindex(b"@"), "field", USER)
        else:
            yield Hit(match.start(), match.end(), "email", EMAIL)


def _is_realm(address: bytes) -> bool:
    """`jane@CORP.EXAMPLE`, of Kerberos: the realm is what is configured."""
    name, _, domain = address.rpartition(b"@")
    return domain.isupper() and not name.isupper()


def _is_userinfo(data: bytes, start: int) -> bool:
    """`scheme://user:password@host` belongs to rule `url`, which keeps the host."""
    before = data[max(0, start - 300) : start]
    authority = before.rpartition(b"://")
    return bool(authority[1]) and not set(authority[2]) & set(b"/? \t\r\n\"'<>")


def phones(data: bytes) -> Iterator[Hit]:
    """Phone numbers in international form."""
    for match in _PHONE.finditer(data):
        digits = len(match.group().translate(None, b"+ ().-"))
        if 9 <= digits <= 15 and not touches(data, match.start(), match.end(), _PHONE_MORE):
            yield Hit(match.start(), match.end(), "phone", PHONE)


def cards(data: bytes) -> Iterator[Hit]:
    """Payment card numbers."""
    for start, end in _CARD.spans(data):
        if touches(data, start, end, _CARD_MORE):
            continue
        digits = data[start:end].translate(None, b" -")
        if _CARD_NETWORK.end_at(digits) > 0 and _luhn(digits):
            yield Hit(start, end, "card", CARD)


def _luhn(digits: bytes) -> bool:
    values = [c - 48 for c in reversed(digits)]
    doubled = [sum(divmod(2 * value, 10)) for value in values[1::2]]
    return (sum(values[0::2]) + sum(doubled)) % 10 == 0


def ibans(data: bytes) -> Iterator[Hit]:
    """Account numbers of banks, by their check digits (ISO 13616)."""
    for start, end in _IBAN.spans(data):
        spend(IBAN_STEPS)
        if not touches(data, start, end, JOINED) and _is_iban(data[start:end].decode("ascii")):
            yield Hit(start, end, "card", CARD)


def _is_iban(text: str) -> bool:
    return int("".join(str(int(character, 36)) for character in text[4:] + text[:4])) % 97 == 1


def macs(data: bytes) -> Iterator[Hit]:
    """MAC addresses."""
    for match in _MAC.finditer(data):
        is_serial = _SERIAL.find(data[max(0, match.start() - 24) : match.start()])[0] >= 0
        if not is_serial and not touches(data, match.start(), match.end(), _MAC_MORE):
            yield Hit(match.start(), match.end(), "mac", MAC)


def names(data: bytes) -> Iterator[Hit]:
    """People in distinguished names; hosts and services (`CN=gw.acme.example`, `CN=issuing-ca`) stay."""
    for match in _DN.finditer(data):
        start, end = match.span(1) if match.group(1) else match.span(2)
        value = data[start:end]
        if is_mask(value) or value.lower() in _NOBODY or _is_group(data, match.start()):
            continue
        if not _AUTHORITIES.isdisjoint(value.split()):
            continue
        if b" " not in value and (value.count(b".") >= 2 or b"-" in value):
            continue
        yield Hit(start, end, "name", USER)


def _is_group(data: bytes, start: int) -> bool:
    return _GROUP.find(data[max(0, start - MAX_GROUP) : start])[0] >= 0


def imeis(data: bytes) -> Iterator[Hit]:
    """Device and subscriber numbers behind their name."""
    for match in _IMEI.finditer(data):
        yield Hit(match.start(1), match.end(1), "imei", PHONE)
