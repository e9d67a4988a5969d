"""`python -m tests.analyzer.knowledge.meaning_score [FOLDER]`: how much read_meaning reads rightly where no signature helps.

Texts are unlisted.toml beside this file, the examples of libraries/*.toml, and libraries.jsonl of FOLDER (default: the
environment's WHY401_CORPUS). The lexicon was written with the FIRST libraries in view, then with the others but for the
LAST; of `unlisted`, and of LAST until the end, only the rate was seen: that is what to expect of a library nobody listed.
"""

import json
import os
import sys
import tomllib
from collections import Counter
from pathlib import Path

from analyzer.knowledge import read_meaning
from analyzer.knowledge.products import facts, table

UNLISTED = Path(__file__).with_name("unlisted.toml")
# Libraries that quote or wrap each other are one family. The halves were drawn once, before the first look: every other
# one of random.Random(401).shuffle(sorted(families)).
FAMILIES = {
    ".NET": ("aspnetcore", "dotnet-identitymodel"),
    "auth0-java": ("java-jwt", "jwks-rsa-java", "ktor", "auth0/", "Ktor"),
    "erlang": ("erlang-jose", "joken", "Joken"),
    "node": ("jsonwebtoken", "express-jwt", "koa-jwt", "passport-jwt", "fast-jwt", "jwks-rsa", "@fastify"),
    "openresty": ("lua-resty-jwt", "lua-resty-openidc"),
    "panva": ("jose", "express-oauth2-jwt-bearer"),
    "pyjwt": ("pyjwt", "PyJWT", "flask-jwt-extended"),
    "spring": ("nimbus-jose-jwt", "spring-security"),
    "square": ("go-jose", "go-oidc", "square/"),
}
APART = {  # names that begin like a family's and are none of it
    "jwks-rsa-java": "auth0-java",
    "auth0/jwks-rsa-java": "auth0-java",
    "jose4j": "jose4j",
    "josekit": "josekit",
    "josekit (rust)": "josekit",
}
FIRST = {
    ".NET", "node", "pyjwt", "firebase-php-jwt", "firebase/php-jwt", "go-jwt-middleware", "go-runtime", "golang-jwt",
    "google/jwt_verify_lib (Envoy jwt_authn, Istio)", "jwt_verify_lib", "jwx", "lcobucci-jwt", "node-runtime",
    "python-jose", "python-runtime", "simplejwt", "smallrye-jwt", "vapor-jwt-kit",
}  # fmt: skip
LAST = {"auth0-java", "aws-jwt-verify", "erlang", "jwt-cpp", "josekit", "square"}  # by the parity of sha256(family)
SURE = 0.6


def family(library):
    """The family that a file of libraries/ or a corpus line belongs to."""
    if library in APART:
        return APART[library]
    if library.startswith((".NET", "ASP.NET")):
        return ".NET"
    return next((name for name, members in FAMILIES.items() if library.startswith(members)), library)


def group(library):
    """When the library's texts were first looked at."""
    name = family(library)
    return "first" if name in FIRST else "last" if name in LAST else "second"


def unlisted():
    """(library, text, accepted codes) of every text of unlisted.toml; its libraries are named by what was seen of them."""
    for row in tomllib.loads(UNLISTED.read_text(encoding="utf-8")).values():
        for text, *codes in row["texts"]:
            yield "seen" if row["seen"] else "unseen", text, set(codes)


def examples():
    """(library, text, accepted codes) of every example of libraries/."""
    claims = table("claims.toml")
    for path, content in facts("library", "words"):
        for row in content["signature"]:
            by = row.get("by", {})
            tables = (claims[by] if isinstance(by, str) else by).values()
            accepted = {row["code"], *row.get("also", ()), *(code for codes in tables for code in codes)}
            for text in row["examples"]:
                yield path.split("/")[1], text, accepted


def corpus(path):
    """The same of a labelled file."""
    for line in path.read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        yield case["library"], case["raw"], set(case["codes"])


def score(cases):
    """library -> Counter of texts, right, unread, sure (SURE or more certain) and, of these, sure and right."""
    counts = {}
    for library, text, accepted in cases:
        count = counts.setdefault(library, Counter())
        best = next(iter(read_meaning(text)), None)
        right = best is not None and best.code in accepted
        sure = best is not None and best.certainty >= SURE
        count.update(texts=1, right=right, unread=best is None, sure=sure, sure_right=sure and right)
    return counts


def show(name, counts, group_of):
    """A line for each library, and one for each group."""
    groups = {}
    for library, count in sorted(counts.items()):
        of = group_of(library)
        groups.setdefault(of, Counter()).update(count)
        print(f"  {library:48} {of:7} {count['right']:4} of {count['texts']:4}")
    for of, count in groups.items():
        rate, sure = count["right"] / count["texts"], count["sure_right"] / max(1, count["sure"])
        print(
            f"{name}, {of}: {count['right']} of {count['texts']} = {rate:.1%}; {count['unread']} unread; "
            f"of {count['sure']} with a certainty of {SURE} or more {sure:.1%}"
        )


def main(arguments):
    show("unlisted", score(unlisted()), str)
    show("examples", score(examples()), group)
    folder = next(iter(arguments), os.environ.get("WHY401_CORPUS", ""))
    path = Path(folder, "libraries.jsonl")
    if folder and path.is_file():
        show("corpus", score(corpus(path)), group)
    else:
        print(f"corpus: no libraries.jsonl in {folder!r}, nothing to score")


if __name__ == "__main__":
    main(sys.argv[1:])
