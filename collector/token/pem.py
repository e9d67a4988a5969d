"""Public keys in PEM, as HAProxy, Kong and Apinto pin them → JWKs without a kid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

_BEGIN: Final = "-----BEGIN "
_END: Final = "-----END "
_KEY: Final = "PUBLIC KEY"  # also RSA PUBLIC KEY
_CERTIFICATE: Final = "CERTIFICATE"


def public_keys(data: bytes) -> tuple[Mapping[str, Any], ...]:
    """The public keys of PEM blocks: keys and certificates, in order. Raises ValueError, also for a private key.

    >>> from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
    >>> from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    >>> public = generate_private_key(SECP256R1()).public_key()
    >>> [key["crv"] for key in public_keys(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))]
    ['P-256']
    """
    return tuple(map(_jwk, _blocks(data.decode("ascii", "replace"))))


def _blocks(text: str) -> Iterator[tuple[str, bytes]]:
    """The name and the text of each block; what stands between them is a comment (RFC 7468, section 2)."""
    for part in text.split(_BEGIN)[1:]:
        name, dashes, _ = part.partition("-----")
        body, end, _ = part.partition(f"{_END}{name}-----")
        if not dashes or not end:
            raise ValueError("a PEM block without an end")
        yield name, f"{_BEGIN}{body}{end}\n".encode()


def _jwk(block: tuple[str, bytes]) -> Mapping[str, Any]:
    name, text = block
    if name == _CERTIFICATE:
        key: Any = x509.load_pem_x509_certificate(text).public_key()
    elif name.endswith(_KEY):
        key = load_pem_public_key(text)
    else:
        raise ValueError("expected public keys or certificates in PEM, found another kind of block")
    if isinstance(key, RSAPublicKey):
        return RSAAlgorithm.to_jwk(key, as_dict=True)
    if isinstance(key, EllipticCurvePublicKey):
        return ECAlgorithm.to_jwk(key, as_dict=True)
    if isinstance(key, Ed25519PublicKey | Ed448PublicKey):
        return OKPAlgorithm.to_jwk(key, as_dict=True)
    raise ValueError("a public key that no JWS algorithm uses")
