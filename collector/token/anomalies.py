"""What is odd about a token that was read: members of its header, and the length and form of its signature.

Nothing is verified here: a signature of the right length may be wrong all the same (collector/token/verification.py).
"""

from __future__ import annotations

from typing import Any, Final

from collector.redaction import fixed
from collector.safe import Safe

HMAC_BYTES: Final = {"HS256": 32, "HS384": 48, "HS512": 64}
EC_BYTES: Final = {"ES256": 64, "ES256K": 64, "ES384": 96, "ES512": 132}
ED_BYTES: Final = (64, 114)
CASED_ALGS: Final = ("RS256", "HS256", "ES256", "PS256", "NONE")
RSA_BYTES: Final = (128, 192, 256, 320, 384, 512, 768, 1024)  # moduli in use; a cut signature has some other length
MIN_TEXT_BYTES: Final = 6  # of a signature: what is left of a cut one may be text by chance

_SIGNATURE_EMPTY: Final = fixed("signature_empty")
_SIGNATURE_SHORT: Final = fixed("signature_short")
_SIGNATURE_UNPADDED: Final = fixed("signature_unpadded")
_SIGNATURE_LONG: Final = fixed("signature_long")
_SIGNATURE_DER: Final = fixed("signature_der")
_SIGNATURE_TEXT: Final = fixed("signature_text")


def header_anomalies(header: dict[str, Any]) -> list[Safe]:
    """What is odd about a header's members; nothing about one that could not be read."""
    return [anomaly for anomaly, has in _HEADER_ANOMALIES if has(header)] if header else []


def _lacks_alg(header: dict[str, Any]) -> bool:
    return header.get("alg") is None


def _is_alg_not_string(header: dict[str, Any]) -> bool:
    alg = header.get("alg")
    return alg is not None and not isinstance(alg, str)


def _is_alg_case_wrong(header: dict[str, Any]) -> bool:
    """Names are compared letter by letter (RFC 7515, section 4.1.1); lower-case `none` is right."""
    alg = header.get("alg")
    return isinstance(alg, str) and alg not in ("none", alg.upper()) and alg.upper() in CASED_ALGS


def _is_kid_not_string(header: dict[str, Any]) -> bool:
    return "kid" in header and not isinstance(header["kid"], str)


def _is_typ_not_string(header: dict[str, Any]) -> bool:
    return "typ" in header and not isinstance(header["typ"], str)


def _is_b64_false(header: dict[str, Any]) -> bool:
    return header.get("b64") is False


def _embeds_key(header: dict[str, Any]) -> bool:
    return "jwk" in header or "x5c" in header


_HEADER_ANOMALIES: Final = (
    (fixed("alg_missing"), _lacks_alg),
    (fixed("alg_not_string"), _is_alg_not_string),
    (fixed("alg_case"), _is_alg_case_wrong),
    (fixed("kid_not_string"), _is_kid_not_string),
    (fixed("typ_not_string"), _is_typ_not_string),
    (fixed("b64_false"), _is_b64_false),
    (fixed("embedded_key"), _embeds_key),
)


def _is_text(signature: bytes) -> bool:
    """Random bytes do not look so: somebody wrote it by hand. Of three bytes, one time in twenty they do."""
    return len(signature) >= MIN_TEXT_BYTES and signature.isascii() and signature.decode().isprintable()


def signature_anomalies(alg: str, signature: bytes, *, is_cut: bool) -> list[Safe]:
    """Whether a signature has the length and the form of its algorithm; `is_cut`: its base64 has a length that no bytes have.

    >>> signature_anomalies("HS256", bytes(31), is_cut=False)
    ['signature_short']
    """
    if not signature:
        return [_SIGNATURE_EMPTY]
    if len(signature) != HMAC_BYTES.get(alg) and _is_text(signature):
        return [_SIGNATURE_TEXT]
    if is_cut:
        return [_SIGNATURE_SHORT]
    if alg in HMAC_BYTES:
        return _wrong_length(len(signature), HMAC_BYTES[alg])
    if alg in EC_BYTES:
        return _ec_anomalies(signature, EC_BYTES[alg])
    return _odd_length(alg, len(signature))


def _ec_anomalies(signature: bytes, expected: int) -> list[Safe]:
    length = len(signature)
    if length != expected and _is_der(signature):
        return [_SIGNATURE_DER]
    if expected - length in (1, 2):  # of random R and S, one in 128 begins with a zero byte
        return [_SIGNATURE_UNPADDED]
    return _wrong_length(length, expected)


def _wrong_length(length: int, expected: int) -> list[Safe]:
    if length == expected:
        return []
    return [_SIGNATURE_SHORT if length < expected else _SIGNATURE_LONG]


def _odd_length(alg: str, length: int) -> list[Safe]:
    if alg.startswith(("RS", "PS")) and length not in RSA_BYTES:
        return [_SIGNATURE_SHORT]
    if alg == "EdDSA" and length not in ED_BYTES:
        return [_SIGNATURE_SHORT if length < ED_BYTES[0] else _SIGNATURE_LONG]
    return []


def _is_der(signature: bytes) -> bool:
    """An ASN.1 SEQUENCE of two INTEGERs, as OpenSSL writes ECDSA signatures; RFC 7518 requires R and S side by side."""
    return (
        len(signature) > 8
        and signature[0] == 0x30
        and signature[1] in (len(signature) - 2, 0x81)
        and 0x02 in signature[2:4]
    )
