"""Where a walk ends and what a token says → what the gateway would answer, by the rules and codes of the diagnosis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

from msgspec import structs

from analyzer.verdicts import Verdict
from collector.events import Outcome, Verification
from collector.records import Parsed
from collector.settings import Settings
from why401.expectations.expected import issuers_of
from why401.expectations.inputs import Found
from why401.expectations.told import Document
from why401.explainer import Explainer
from why401.trace.walked import Asked, Part, Walked
from why401.trace.walks import walk_of

NOTHING: Final = "unclassified"  # no rule finds a fault
ANY: Final = "*"
USUAL: Final = "authorization"
_UNVERIFIED: Final = (Verification.NOT_CHECKED, Verification.KEYS_UNREACHABLE, Verification.KEYS_INVALID)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """The header that carries it. `value` "": the request has none; None: it is not told, so only the way is walked."""

    header: str = USUAL
    value: str | None = None

    def __repr__(self) -> str:
        return f"Credential(header={self.header!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What one gateway would do. `code` "ok": it lets the request pass; "": its configuration does not decide."""

    gateway: str
    title: str
    file: str
    walked: Walked
    code: str
    verdict: Verdict | None = None
    unknown: tuple[str, ...] = ()

    @property
    def answer(self) -> str:
        """In a sentence."""
        if self.code == "":
            return self.walked.elsewhere or "give --token to have it judged"
        if self.code != "ok":
            return f"refused: {self.code}"
        if self.walked.open:
            return f"no token is checked: {self.walked.open}"
        return "the token is accepted" + (", as far as the files tell" if self.unknown else "")


def credential(text: str | None) -> Credential:
    """`Authorization: Bearer …`, `X-Token: …`, a scheme and a token, or a bare token, which is sent as Bearer.

    >>> credential("x-token: abc"), credential("abc").value, credential("Basic YTpi").value
    (Credential(header='x-token'), 'Bearer abc', 'Basic YTpi')
    """
    line = (text or "").strip()
    name, colon, value = line.partition(":")
    if colon and name and all(char.isalnum() or char in "-_" for char in name):
        return Credential(header=name.lower(), value=value.strip())
    is_bare = line and " " not in line
    return Credential(value=None if text is None else f"Bearer {line}" if is_bare else line)


def predict(found: Found, asked: Asked, credential: Credential, *, fetch: bool) -> Iterator[Prediction]:
    """One prediction per gateway, in the order of the files, up to the first that refuses."""
    parts = [Part(document=one, root=root) for one, root in zip(found.documents, found.roots, strict=True)]
    for gateway, group in groupby(parts, key=lambda part: part.document.gateway):
        mine = list(group)
        told = _predicted(gateway, mine, asked, credential, fetch=fetch)
        yield told
        if told.code not in ("", "ok"):
            return


def _predicted(gateway: str, parts: Sequence[Part], asked: Asked, credential: Credential, *, fetch: bool) -> Prediction:
    walked = walk_of(gateway)(parts, asked)
    document = parts[0].document
    told = Prediction(
        gateway=gateway, title=document.title, file=document.file, walked=walked, code="", unknown=walked.unknown
    )
    if walked.open:
        return replace(told, code="ok")
    if walked.refusal:
        return replace(told, code=walked.refusal)
    if not walked.expectations or credential.value is None:
        return told
    verdict, unknown = _judged(gateway, walked, asked, credential, fetch=fetch)
    diagnosis = verdict.diagnosis
    unknown = (*walked.unknown, *_not_in_settings(parts, walked), *_elsewhere(walked), *unknown)
    forgiven = {NOTHING, *walked.forgives}
    if diagnosis is None or {ANY, diagnosis.code} & forgiven:
        return replace(told, code="ok", unknown=unknown)
    # What is missing is said as advice for logs, and there is none.
    return replace(
        told,
        code=diagnosis.code,
        verdict=structs.replace(verdict, diagnosis=structs.replace(diagnosis, missing=())),
        unknown=unknown,
    )


def _not_in_settings(parts: Sequence[Part], walked: Walked) -> Iterator[str]:
    """What the configuration requires of tokens, and no setting has a name for."""
    names = tuple(f"{one.name}: " for one in walked.expectations)
    for remark in (remark for part in parts for remark in part.document.remarks):
        if remark.says.startswith(names):
            yield f"{remark.says} ({remark.place})"


def _elsewhere(walked: Walked) -> Iterator[str]:
    """Places of the token that are no header: it is judged as if it stood where they say."""
    places = sorted({told.text for one in walked.expectations for told in one.carriers})
    if places and not any(place.startswith("header ") for place in places):
        yield f"whether the token is looked for in the header: the files name {', '.join(places)}"


def _judged(
    gateway: str, walked: Walked, asked: Asked, credential: Credential, *, fetch: bool
) -> tuple[Verdict, tuple[str, ...]]:
    settings, unknown = _settings(gateway, walked, fetch=fetch)
    headers = {"authorization": _carried(walked, credential)}
    parsed = Parsed(
        gateway,
        method=asked.method,
        path=asked.target,
        host=asked.host,
        headers=headers,
        credential_logged=True,
        outcome=Outcome.DENIED,
    )
    verdict = Explainer(settings).predict(parsed)
    if not unknown and credential.value and verdict.event.token.verification in _UNVERIFIED:
        unknown = ("the signature: the files name no key that could be read",)
    return verdict, unknown


def _carried(walked: Walked, credential: Credential) -> str:
    """The credential as an Authorization header, if the gateway looks where it stands; "" if it does not."""
    value, places = credential.value or "", (told.text for one in walked.expectations for told in one.carriers)
    headers = dict(_header(place) for place in places if place.startswith("header ")) or {USUAL: ""}
    scheme = headers.get(credential.header)
    if scheme is None:
        return ""
    is_usual = credential.header == USUAL and scheme in ("", "Bearer")
    return value if is_usual else f"Bearer {value.removeprefix(scheme).strip()}"


def _header(place: str) -> tuple[str, str]:
    """`header x-ticket, behind 'Token'` → the name in lower case, and the prefix."""
    name, _, prefix = place.removeprefix("header ").partition(", behind ")
    return name.lower(), prefix.strip("'\"")


def _settings(gateway: str, walked: Walked, *, fetch: bool) -> tuple[Settings, tuple[str, ...]]:
    """`[[issuers]]` as `why401 init --from` writes them, of what holds on this route."""
    held = tuple(replace(one, routes=()) for one in walked.expectations)
    document = Document(gateway=gateway, title="", file="", expectations=held)
    settings = Settings(issuers=issuers_of(Found(documents=(document,))))
    return (settings, ()) if fetch else _offline(settings)


def _offline(settings: Settings) -> tuple[Settings, tuple[str, ...]]:
    """Without the key sets that would have to be fetched."""
    issuers = tuple(
        replace(one, jwks="") if one.jwks == "discovery" or "://" in one.jwks else one for one in settings.issuers
    )
    unknown = (
        ("the signature: the key set was not fetched (--fetch asks for it)",) if issuers != settings.issuers else ()
    )
    return replace(settings, issuers=issuers), unknown
