"""Messages whose code is known, by product, and which products share their words.

Three origins: the examples of the knowledge files, the messages of libraries that have none (`unlisted.toml` of the
tests), and a labelled corpus (`libraries.jsonl`), which is not part of this repository.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from analyzer.knowledge.match import Knowledge, shipped
from analyzer.knowledge.signatures import Signature, signatures

HERE: Final = Path(__file__).parent.parent
CORPUS: Final = HERE.parent / "shared" / "corpus"
UNLISTED: Final = HERE / "tests" / "analyzer" / "knowledge" / "unlisted.toml"
# Products that wrap, embed or quote each other: one of them is left out with all of them.
SURE: Final = 0.5  # a signature that is less sure is of vague words, which say nothing certain
_FAMILIES: Final = {
    ".net": ("aspnetcore", "dotnet-identitymodel", ".net", "asp.net", "azure-apim"),
    "auth0-java": ("java-jwt", "jwks-rsa-java", "auth0/", "ktor"),
    "envoy": ("envoy", "istio", "jwt_verify_lib", "google/jwt_verify_lib", "esp", "gcp-api-gateway", "grpc"),
    "erlang": ("erlang-jose", "joken"),
    "golang-jwt": ("golang-jwt", "go-jwt-middleware", "krakend", "tyk", "traefik"),
    "node": ("jsonwebtoken", "express-jwt", "koa-jwt", "passport-jwt", "fast-jwt", "jwks-rsa", "@fastify", "fastify"),
    "openresty": ("lua-resty", "apisix", "openresty", "kong"),
    "panva": ("jose", "express-oauth2-jwt-bearer"),
    "php": ("firebase",),
    "pyjwt": ("pyjwt", "flask-jwt-extended", "simplejwt"),
    "spring": ("nimbus-jose-jwt", "spring", "apinto"),
    "square": ("go-jose", "go-oidc", "square/", "kubernetes", "oauth2-proxy", "oathkeeper"),
    "keycloak": ("keycloak",),
}
# Names that begin like a family's and are none of it.
_APART: Final = {
    "apinto": "apinto",
    "apipark": "apinto",
    "auth0/jwks-rsa-java": "auth0-java",
    "jose4j": "jose4j",
    "josekit": "josekit",
    "josekit (rust)": "josekit",
    "jsonwebtoken (rust)": "rust-jsonwebtoken",
    "jwks-rsa-java": "auth0-java",
}


@dataclass(frozen=True, slots=True)
class Labelled:
    """One message: its product's family, the accepted codes (best first), and where it was taken from."""

    family: str
    text: str
    codes: tuple[str, ...]
    origin: str  # "examples", "unlisted" or "corpus"
    name: str = ""


def family(product: str) -> str:
    """The family of a product, as its folder, its facts or a corpus names it.

    >>> family("flask-jwt-extended"), family("jose4j"), family("kataras-jwt")
    ('pyjwt', 'jose4j', 'kataras-jwt')
    """
    name = product.lower()
    return _APART.get(name) or next((one for one, members in _FAMILIES.items() if name.startswith(members)), name)


def examples() -> Iterator[Labelled]:
    """Every example of a message signature that is sure of itself, with the codes of its own signature."""
    for signature in signatures():
        if signature.certainty < SURE:
            continue
        for text in signature.examples:
            readings = shipped().read(text, signature.gateway)
            own = next((reading for reading in readings if reading.signature_id == signature.id), None)
            if own:
                yield Labelled(family(_product(signature)), text, (own.code, *own.also), "examples", signature.id)


def unlisted() -> Iterator[Labelled]:
    """Every message of a library that has no signatures."""
    for name, row in tomllib.loads(UNLISTED.read_text(encoding="utf-8")).items():
        for text, *codes in row["texts"]:
            yield Labelled(family(name), text, tuple(codes), "unlisted", name)


def corpus(folder: Path = CORPUS) -> Iterator[Labelled]:
    """Every message of a labelled corpus; none where the corpus is not on this machine."""
    file = folder / "libraries.jsonl"
    for line in file.read_text(encoding="utf-8").splitlines() if file.is_file() else ():
        case = json.loads(line)
        yield Labelled(family(case["library"]), case["raw"], tuple(case["codes"]), "corpus", str(case["id"]))


@cache
def without(left_out: str) -> Knowledge:
    """What is known without a family: neither its signatures nor another product's with the same words."""
    return Knowledge(remaining(signatures(), left_out))


def remaining(all_of_them: Sequence[Signature], left_out: str) -> list[Signature]:
    """The signatures that are no family's, in words or by name."""
    own = [signature for signature in all_of_them if family(_product(signature)) == left_out]
    spoken = {template.texts for signature in own for template in signature.templates}
    gone = {signature.id for signature in own}
    return [s for s in all_of_them if s.id not in gone and not any(t.texts in spoken for t in s.templates)]


def _product(signature: Signature) -> str:
    return signature.library or signature.gateway or signature.id.partition(".")[0]
