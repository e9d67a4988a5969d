"""Entries → the text of `[[issuers]]`, with a comment behind every value that says where it stands.

Values pass the redaction before they are written: what looks like a secret is left out and said so.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from collector.settings.checks import ALGORITHMS, issuer_url
from collector.settings.checks import jwks as check_jwks
from collector.visible import visible
from why401.expectations.inputs import Found
from why401.expectations.joined import IssuerEntry, entries
from why401.expectations.told import Document, Expectation, Place, Told

# Of templates, environments and vaults: what stands there is known only where the gateway runs.
PLACEHOLDERS: Final = ("${", "{{", "{$", "{env.", "{vault://", "$(", "#{", "<%", "{tenantid}")
MAX_SHOWN: Final = 12
_WIDTH: Final = 60
Redact = Callable[[str], str]


def issuers_text(found: Found, redact: Redact) -> str:
    """The tables for all that was found. `redact` removes secrets from a text."""
    writer = _Writer(redact)
    lines = list(writer.heads(found.documents))
    lines += [line for entry in entries(found.documents) for line in writer.entry(entry)]
    lines += list(writer.routes(found.documents))
    return "\n".join(lines) + "\n"


def is_placeholder(text: str) -> bool:
    """A value that a template or the environment fills in.

    >>> is_placeholder("${ISSUER_URI}"), is_placeholder("https://idp.example.com/")
    (True, False)
    """
    return any(mark in text for mark in PLACEHOLDERS)


class _Writer:
    def __init__(self, redact: Redact) -> None:
        self._redact = redact
        self._base: Place | None = None  # of the entry that is written: paths below it are shortened

    def heads(self, documents: Iterable[Document]) -> Iterator[str]:
        """What was read, and what of it has no setting."""
        last = ""
        for document in documents:
            title = f"# {self._shown(document.file)}: {document.title}"
            if title != last:
                yield title
            last = title
            yield from self._head(document)

    def _head(self, document: Document) -> Iterator[str]:
        for remark in document.remarks:
            yield f"#   {self._at(remark.place)}: {self._shown(remark.says)}"
        for issued in document.issued:
            yield f"#   issuer {issued.name!r} signs with {self._listed(issued.algorithms) or '(not told)'}; audiences of its tokens: {self._listed(issued.audiences) or '(not told)'}"

    def entry(self, entry: IssuerEntry) -> Iterator[str]:
        """One table; commented out when the configuration does not tell the issuer."""
        yield ""
        self._base = None
        for expectation in entry.expectations[:MAX_SHOWN]:
            yield f"# {self._named(expectation)}"
        self._base = entry.expectations[0].place
        yield from self._facts(entry)
        lines = [line for line in self._lines(entry) if line]
        if not self._is_told(entry.issuer):
            yield f"# {self._why_no_issuer(entry.issuer)}"
            lines = [line if line.startswith("# ") else f"# {line}" for line in lines]
        yield from lines

    def routes(self, documents: Iterable[Document]) -> Iterator[str]:
        """Routes on which no token is checked."""
        self._base = None
        open_routes = [route for document in documents for route in document.routes if not route.is_checked]
        if open_routes:
            yield "\n# Routes without a check:"
        for route in open_routes[:200]:
            yield f"#   {self._shown(route.pattern.text)}: {self._shown(route.why)} ({self._at(route.pattern.place)})"
        if len(open_routes) > 200:
            yield f"#   and {len(open_routes) - 200} more"

    def _named(self, expectation: Expectation) -> str:
        name = self._shown(expectation.name)
        return f"{expectation.gateway} {name!r}, {self._at(expectation.place)}"

    def _facts(self, entry: IssuerEntry) -> Iterator[str]:
        """What has no setting but helps whoever reads the file."""
        for says, field in (("token in", "carriers"), ("keys in the configuration", "inline_keys")):
            if values := entry.told(field):
                yield f"#   {says}: {self._listed(values)}"
        if not entry.routes and (routes := entry.told("routes")):
            yield f"#   routes: {self._listed(routes)}"
        if cache := entry.told("cache_seconds"):
            yield f"#   keeps the key set for {self._shown(cache[0].text)} s ({self._at(cache[0].place)})"

    def _listed(self, values: tuple[Told, ...]) -> str:
        more = f" and {len(values) - MAX_SHOWN} more" if len(values) > MAX_SHOWN else ""
        return ", ".join(self._shown(one.text) for one in values[:MAX_SHOWN]) + more

    def _why_no_issuer(self, issuer: Told | None) -> str:
        if issuer is None:
            return "No issuer is configured here. If tokens have one, set it and remove the # in front of the table."
        if is_placeholder(issuer.text):
            return f"The issuer is filled in elsewhere ({self._at(issuer.place)}). Set its value and remove the # in front of the table."
        return f"The issuer looks like a secret and is not copied ({self._at(issuer.place)})."

    def _lines(self, entry: IssuerEntry) -> Iterator[str]:
        yield "[[issuers]]"
        issuer = entry.issuer
        yield self._line(
            "issuer",
            json_text(issuer.text if self._is_told(issuer) and issuer else "…"),
            [issuer.place] if issuer else [],
        )
        yield self._list(entry, "audiences")
        yield self._algorithms(entry)
        yield self._jwks(entry)
        yield self._single(entry, "user_claim")
        yield self._list(entry, "required_claims") or self._requires_none(entry)
        yield self._list(entry, "required_scopes")
        yield self._skew(entry)
        if entry.gateways:
            yield self._line(
                "gateways",
                json_text(list(entry.gateways)),
                [],
                "the other gateways that were read expect something else",
            )
        if entry.routes:
            yield self._line(
                "routes",
                json_text([self._shown(one) for one in entry.routes]),
                [one.place for one in entry.told("routes")],
            )

    def _line(self, name: str, value: str, places: list[Place], says: str = "") -> str:
        shown = ", ".join(dict.fromkeys(self._at(place) for place in places[:3]))
        told = says or shown
        return f"{f'{name} = {value}':<{_WIDTH}}  # {told}" if told else f"{name} = {value}"

    def _list(self, entry: IssuerEntry, field: str) -> str:
        values = entry.told(field)
        if not values:
            return ""
        known = [one for one in values if self._is_told(one)]
        line = self._line(field, json_text([one.text for one in known]), [one.place for one in known])
        if len(known) == len(values):
            return line
        # Half a list would refuse what the gateway accepts.
        return f"# {line}; {len(values) - len(known)} more: filled in elsewhere, or like a secret"

    def _requires_none(self, entry: IssuerEntry) -> str:
        is_known = entry.expectations[0].usual.get("required_claims") == ""
        return self._line("required_claims", "[]", [], "not set; the gateway requires none") if is_known else ""

    def _single(self, entry: IssuerEntry, field: str) -> str:
        values = entry.told(field)
        return (
            self._line(field, json_text(values[0].text), [values[0].place])
            if values and self._is_told(values[0])
            else ""
        )

    def _algorithms(self, entry: IssuerEntry) -> str:
        values = [one for one in entry.told("algorithms") if one.text in ALGORITHMS]
        if values:
            return self._line("algorithms", json_text([one.text for one in values]), [one.place for one in values])
        of_keys = [] if entry.told("jwks") else algorithms_of(entry.told("inline_keys"))
        if of_keys:
            return self._line("algorithms", json_text(of_keys), [], "not set; those of the keys in the configuration")
        usual = entry.usual("algorithms").split()
        return (
            self._line("algorithms", json_text(usual), [], "not set; the gateway accepts these by default")
            if usual
            else ""
        )

    def _jwks(self, entry: IssuerEntry) -> str:
        values = entry.told("jwks")
        if not values:
            return self._inline_set(entry)
        one, issuer = values[0], entry.issuer.text if entry.issuer else ""
        value = json_text(one.text) if self._is_told(one) else '"…"'
        if not self._is_told(one):
            return "# " + self._line(
                "jwks", value, [], f"filled in elsewhere, or like a secret ({self._at(one.place)})"
            )
        if wrong := check_jwks(one.text):
            return "# " + self._line("jwks", value, [], f"{self._at(one.place)}; expected {wrong}")
        if one.text == "discovery" and (wrong := issuer_url(issuer)):
            return "# " + self._line("jwks", value, [], f"the issuer has no metadata to discover: it is not {wrong}")
        if _is_elsewhere(one.text):
            return "# " + self._line(
                "jwks", value, [], f"{self._at(one.place)}; a file on the gateway's machine: copy it here"
            )
        return self._line("jwks", value, [one.place])

    def _inline_set(self, entry: IssuerEntry) -> str:
        """Public keys that stand in the configuration: they are no secret, and have no other place."""
        return "".join(self._line("jwks", literal(one.text), [one.place]) for one in entry.told("inline_set")[:1])

    def _skew(self, entry: IssuerEntry) -> str:
        seconds, values = entry.skew_seconds, entry.told("skew_seconds")
        if seconds is None:
            return ""
        says = "" if values else "not set; the gateway's default"
        if seconds > 3600:
            return "# " + self._line(
                "clock_skew_seconds", str(seconds), [], "more than an hour, which why401 does not accept"
            )
        return self._line("clock_skew_seconds", str(seconds), [one.place for one in values[:1]], says)

    def _is_told(self, one: Told | None) -> bool:
        """A value that may be written: it is there, it is no placeholder, and nothing in it looks like a secret."""
        if one is None or is_placeholder(one.text):
            return False
        plain = one.text.replace("@", ".at.")  # a service account's issuer or audience is an address, and no person's
        return self._redact(plain) == plain

    def _shown(self, text: str) -> str:
        return visible(self._redact(text))

    def _at(self, place: Place) -> str:
        if place.line:
            return self._shown(f"{place.file}:{place.line}")
        base = self._base
        if (
            base
            and place.path != base.path
            and base.path
            and place.file == base.file
            and place.path.startswith(base.path)
        ):
            return self._shown(place.path.removeprefix(base.path).lstrip("."))
        return self._shown(str(place))


def _is_elsewhere(jwks: str) -> bool:
    """Whether it is a file that is not on this machine, as the gateway's configuration names it. It is not opened."""
    is_file = "://" not in jwks and jwks != "discovery"
    return is_file and not (Path(jwks).is_absolute() and Path(jwks).is_file())


def json_text(value: str | list[str]) -> str:
    """JSON's texts and lists of texts are TOML's too, but for DEL and lone surrogates.

    >>> json_text(["a", "é"])
    '["a", "é"]'
    """
    text = json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return text.encode("utf-8", "replace").decode()


def literal(text: str) -> str:
    r"""TOML's literal string, in which JSON needs no backslashes.

    >>> literal('{"keys": []}')
    '\'{"keys": []}\''
    """
    return json_text(text) if "'" in text or not text.isprintable() else f"'{text}'"


def algorithms_of(keys: Iterable[Told]) -> list[str]:
    """The algorithms that keys serve, by their `alg`, else by their type: of "kid RSA RS256" the last word that is one."""
    found: dict[str, None] = {}
    for key in keys:
        words = key.text.split()
        named = [word for word in words if word in ALGORITHMS] or [
            alg for word in words[-1:] for alg in _OF_TYPE.get(word, ())
        ]
        found |= dict.fromkeys(named)
    return list(found)


_OF_TYPE: Final = {
    "RSA": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    "EC": ("ES256", "ES384", "ES512"),
    "OKP": ("EdDSA",),
    "oct": ("HS256", "HS384", "HS512"),
}
