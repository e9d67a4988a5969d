"""cryptojwt, of the Identity Python libraries: keys by issuer."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from benchmarks.live.libraries.contract import Case, Complaint, Says, Trust, complain

SAYS: Says = (
    ("none not allowed", ("alg_not_allowed", "unclassified")),
    ("BadSignature", ("signature_invalid",)),
    ("No key with kid", ("key_not_found",)),
    ("Wrong signing algorithm", ("alg_not_allowed",)),
    ("at least one dot", ("token_malformed",)),
    ("Token not yet valid", ("clock_skew",)),
    ("Token expired", ("token_expired",)),
    (
        "object has no attribute",
        (
            "gateway_error",
            "unclassified",
        ),
    ),
    ("KeyError: ", ("unclassified",)),
    ("Exception: ", ("unclassified",)),
)


class Cryptojwt:
    """cryptojwt.jwt.JWT.unpack."""

    name = "cryptojwt"
    listed = False
    language = "python"
    says = SAYS

    def missing(self) -> str:
        """The package."""
        return "" if find_spec("cryptojwt") else "cryptojwt is not installed"

    def verify(self, cases: Sequence[Case], trust: Trust) -> Sequence[Complaint]:
        """Unpack with a key jar that knows one issuer."""
        from cryptojwt.jwt import JWT
        from cryptojwt.key_jar import KeyJar

        jar = KeyJar()
        # It takes a key with `use` or with `key_ops`, not with both.
        keys = [{name: value for name, value in key.items() if name != "key_ops"} for key in trust.jwks["keys"]]
        jar.import_jwks({"keys": keys}, trust.issuer.url)
        verifier = JWT(key_jar=jar, iss=trust.issuer.audience, allowed_sign_algs=[trust.alg])
        return tuple(complain(cases, verifier.unpack))
