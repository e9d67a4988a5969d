"""Meaning: any sentence is understood or not, as a function, with codes of the taxonomy and weights from 0 to 1."""

from __future__ import annotations

from collections.abc import Iterable

from analyzer.knowledge import read_meaning
from analyzer.taxonomy import CODES
from fuzz.stages import must, text_of

_SENTENCES = (
    "the token has expired", "Audience in Jwt is not allowed", "kid not found in JWKS", "signature could not be verified", "no bearer token",
    "token used before issued", "iss claim doesn't match", "scope insufficient for this resource", "alg none is not supported",
    "jeton expiré", "could not fetch key set from the provider: connection refused", "access denied by policy", "not a valid token; missing aud, exp",
)  # fmt: skip


def check(data: bytes) -> None:
    """Read it twice."""
    text = text_of(data)
    readings = read_meaning(text)
    must(readings == read_meaning(text), "reading is a function")
    must(all(reading.code in CODES for reading in readings), "a code of the taxonomy")


def seeds() -> Iterable[bytes]:
    """Sentences of verifiers."""
    return (sentence.encode() for sentence in _SENTENCES)
