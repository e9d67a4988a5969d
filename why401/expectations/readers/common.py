"""What readers share: places of line formats, issuers behind metadata URLs, manifests of Kubernetes, where a token is carried."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

import yaml

from why401.expectations.formats import Line
from why401.expectations.nodes import Node
from why401.expectations.told import Place, Remark, Route, Told

WELL_KNOWN: Final = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")
# What a gateway accepts that takes the algorithm from the token and the keys from a key set.
ASYMMETRIC: Final = "RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA"
_UNITS: Final = {"": 1, "ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|)")


def at(root: Node, line: Line | int) -> Place:
    """The place of a line."""
    return Place(file=root.file, line=line if isinstance(line, int) else line.number)


def tell(text: str, place: Place) -> Told | None:
    """A value that a reader took out of something larger; None when it is empty."""
    return Told(text=text, place=place) if text else None


def tell_all(texts: Iterable[str], place: Place) -> tuple[Told, ...]:
    """Several values from one place."""
    return tuple(Told(text=text, place=place) for text in texts if text)


def lines_of(root: Node) -> tuple[Line, ...]:
    """The lines of a line format."""
    lines: tuple[Line, ...] = root.raw["lines"]
    return lines


def all_lines(lines: Iterable[Line]) -> Iterator[Line]:
    """Every line, those inside sections after their section's."""
    for line in lines:
        yield line
        yield from all_lines(line.inside)


def issuer_of_metadata(told: Told | None) -> Told | None:
    """The issuer that a metadata URL belongs to (OpenID Connect Discovery 1.0 section 4, RFC 8414).

    >>> issuer_of_metadata(Told(text="https://idp/t1/.well-known/openid-configuration", place=Place(file="x"))).text
    'https://idp/t1'
    """
    if told is None:
        return None
    text = next((told.text.removesuffix(end) for end in WELL_KNOWN if told.text.endswith(end)), told.text)
    return Told(text=text, place=told.place)


def discovery(issuer: Told | None) -> Told | None:
    """The key set is the one that the issuer's metadata names."""
    return Told(text="discovery", place=issuer.place) if issuer else None


def duration(told: Told | None) -> Told | None:
    """`30s`, `5m`, `1h30m` or plain seconds as whole seconds; None for anything else.

    >>> [duration(Told(text=text, place=Place(file="x"))).text for text in ("90", "5m", "1h30m", "500ms")]
    ['90', '300', '5400', '0']
    """
    seconds = _seconds(told.text) if told else None
    return Told(text=str(int(seconds)), place=told.place) if told and seconds is not None else None


def _seconds(text: str) -> float | None:
    text = text.strip()
    parts = _DURATION.findall(text)
    if not text or "".join(number + unit for number, unit in parts) != text:
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def is_manifest(root: Node, group: str, *kinds: str) -> bool:
    """A Kubernetes object of a group, whatever its version."""
    return root.get("apiVersion").text.partition("/")[0] == group and root.get("kind").text in kinds


def name_of(root: Node) -> str:
    """`namespace/name` of a Kubernetes object."""
    about = root.get("metadata")
    return "/".join(filter(None, (about.get("namespace").text, about.get("name").text)))


def unknown_version(gateway: str, root: Node, known: tuple[str, ...]) -> Iterator[Remark]:
    """A version that did not exist when the reader was written is read all the same, and said so."""
    version = root.get("apiVersion").text.rpartition("/")[2]
    if version not in known:
        says = f"{root.get('kind').text} {version!r} is not a known version; read as {known[0]}"
        yield Remark(gateway=gateway, place=root.get("apiVersion").place, says=says)


def carriers(*kinds: tuple[str, Iterable[Told]]) -> tuple[Told, ...]:
    """`header x-jwt`, `cookie sid`, `query jwt`, with places."""
    return tuple(Told(text=f"{kind} {one.text}", place=one.place) for kind, values in kinds for one in values)


def carried_in(headers: Node, params: Node, cookies: Node) -> tuple[Told, ...]:
    """The same for objects of Kubernetes: headers by their `name`, parameters and cookies as they are."""
    return carriers(
        ("header", (told for one in headers.each() if (told := one.get("name").told()))),
        ("query", params.all_told()),
        ("cookie", cookies.all_told()),
    )


def container_flags(root: Node) -> Node:
    """The flags of a workload's containers (`command`, `args`) or of a compose file's services, as an object; empty: none."""
    kinds = ("Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob")
    if root.get("kind").text not in kinds and not root.get("services").is_mapping:
        return Node(None, root.file)
    words = [
        word
        for node in root.walk()
        for field in ("command", "args")
        for word in node.get(field).each()
        if node.get(field).is_list
    ]
    return Node(dict(_flags(words)), root.file)


def _flags(words: list[Node]) -> Iterator[tuple[str, Any]]:
    """`--name=value`, `--name value` and `--name`; each keeps its line."""
    for number, word in enumerate(words):
        if not word.text.startswith("--"):
            continue
        name, is_set, value = word.text.lstrip("-").partition("=")
        follows = words[number + 1].text if number + 1 < len(words) else "--"
        text = value if is_set else "true" if follows.startswith("--") else follows
        mark = word.raw.start_mark if isinstance(word.raw, yaml.ScalarNode) else None
        yield name, yaml.ScalarNode("tag:yaml.org,2002:str", text, mark) if mark else text


def unread(gateway: str, name: str, node: Node, known: Collection[str]) -> Iterator[Remark]:
    """A remark for each field that the reader does not know."""
    for field, value in node.items():
        if field not in known:
            yield Remark(gateway=gateway, place=value.place, says=f"{name}: `{field}` is not read".removeprefix(": "))


def listed(values: Iterable[Told]) -> str:
    """Values as a person lists them."""
    return ", ".join(one.text for one in values)


def must_be(gateway: str, claims: Mapping[str, tuple[Told, ...]], settings: Collection[str]) -> Iterator[Remark]:
    """A remark for each claim that is compared with fixed values and has no setting."""
    for claim, values in claims.items():
        if claim not in settings and values:
            yield Remark(
                gateway=gateway, place=values[0].place, says=f"the claim {claim!r} must be one of {listed(values)}"
            )


def route(gateway: str, pattern: Told, why_open: str) -> Route:
    """A route; it is checked when there is no reason why it is not."""
    return Route(gateway=gateway, pattern=pattern, is_checked=not why_open, why=why_open)


_METHODS: Final = ("get", "put", "post", "delete", "patch", "head", "options", "x-amazon-apigateway-any-method")


def operations(gateway: str, root: Node) -> Iterator[Route]:
    """The operations of an OpenAPI document, and whether a security requirement applies to each."""
    everywhere = root.get("security")
    for path, methods in root.get("paths").items():
        for method, operation in methods.items():
            if method.lower() in _METHODS:
                security = operation.get("security") if operation.has("security") else everywhere
                told = Told(text=without_parameters(path), place=operation.place)
                yield route(gateway, told, "" if security.each() else f"{method.upper()} has no security")


def without_parameters(path: str) -> str:
    """`/orders/{id}` as `[[issuers]] routes` has it.

    >>> without_parameters("/orders/{id}/lines")
    '/orders/*/lines'
    """
    return "/".join("*" if part.startswith("{") else part for part in path.split("/"))
