"""Kubernetes' API server: AuthenticationConfiguration, and the flags `--oidc-*` in a manifest or a command line.

kubernetes.io/docs/reference/access-authn-authz/authentication
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from why401.expectations.nodes import Node
from why401.expectations.readers.common import container_flags, discovery, is_manifest, unknown_version
from why401.expectations.told import Expectation, Finding, Remark, Route, Told

NAME: Final = "kubernetes"
TITLE: Final = "Kubernetes API server"
_VERSIONS: Final = ("v1", "v1beta1", "v1alpha1")
# go-oidc: exp without leeway; a configuration file accepts every asymmetric algorithm, the flags RS256.
_FILE_USUAL: Final = {
    "skew_seconds": "0",
    "algorithms": "RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512",
    "required_claims": "exp",
}
_FLAG_USUAL: Final = {"skew_seconds": "0", "algorithms": "RS256", "required_claims": "exp"}


def is_mine(root: Node) -> bool:
    """The configuration, flags, or a pod that is started with such flags."""
    if is_manifest(root, "apiserver.config.k8s.io", "AuthenticationConfiguration"):
        return True
    flags = container_flags(root) or root
    return bool(flags.get("oidc-issuer-url") or flags.get("authentication-config"))


def read(root: Node) -> Iterator[Finding]:
    """One authenticator per entry of `jwt`, or the one of the flags."""
    if root.get("kind").text != "AuthenticationConfiguration":
        yield from _flags(container_flags(root) or root)
        return
    yield from unknown_version(NAME, root, _VERSIONS)
    for authenticator in root.get("jwt").each():
        yield from _authenticator(authenticator)
    if root.get("anonymous", "enabled").is_true:
        for condition in root.get("anonymous", "conditions").each():
            if path := condition.get("path").told():
                yield Route(gateway=NAME, pattern=path, is_checked=False, why="anonymous requests are allowed")


def _authenticator(jwt: Node) -> Iterator[Finding]:
    about, mappings = jwt.get("issuer"), jwt.get("claimMappings")
    issuer = about.get("url").told()
    rules = jwt.get("claimValidationRules").each()
    yield Expectation(
        gateway=NAME,
        name="AuthenticationConfiguration",
        place=jwt.place,
        issuer=issuer,
        audiences=about.get("audiences").all_told(),
        jwks=discovery(issuer),
        user_claim=mappings.get("username", "claim").told(),
        required_claims=tuple(told for rule in rules if (told := rule.get("claim").told())),
        usual=_FILE_USUAL,
    )
    if url := about.get("discoveryURL").told():
        yield Remark(
            gateway=NAME,
            place=url.place,
            says=f"the metadata is fetched from {url.text}, not from the issuer's address",
        )
    for rule in rules:
        says = (
            f"the claim {rule.get('claim').text!r} must be {rule.get('requiredValue').text!r}"
            if rule.get("claim")
            else f"requires {rule.get('expression').text}"
        )
        yield Remark(gateway=NAME, place=rule.place, says=says)
    for rule in (
        mappings.get("username", "expression"),
        *(one.get("expression") for one in jwt.get("userValidationRules").each()),
    ):
        if rule:
            yield Remark(gateway=NAME, place=rule.place, says=f"user: {rule.text}")


def _flags(flags: Node) -> Iterator[Finding]:
    issuer = flags.get("oidc-issuer-url").told()
    if issuer is None:
        file = flags.get("authentication-config").told()
        if file:
            yield Remark(gateway=NAME, place=file.place, says=f"the issuers are in {file.text}: give that file too")
        return
    client = flags.get("oidc-client-id").told()
    required = flags.get("oidc-required-claim").words()
    yield Expectation(
        gateway=NAME,
        name="--oidc-issuer-url",
        place=issuer.place,
        issuer=issuer,
        audiences=(client,) if client else (),
        algorithms=flags.get("oidc-signing-algs").words(),
        jwks=discovery(issuer),
        user_claim=flags.get("oidc-username-claim").told(),
        required_claims=tuple(Told(text=one.text.partition("=")[0], place=one.place) for one in required),
        usual=_FLAG_USUAL,
    )
    for one in required:
        claim, _, value = one.text.partition("=")
        yield Remark(gateway=NAME, place=one.place, says=f"the claim {claim!r} must be {value!r}")
