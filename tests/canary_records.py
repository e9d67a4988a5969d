"""Every gateway's record with a secret in it: in a header, a query, a path, a sentence, any field; whole and broken."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.collector.gateways.cases import FILES, load
from tests.secrets_of_every_kind import ENCODINGS, Secret, generate

PLACES: Final = 5  # records that a fixture lends itself to, for each source
_PATHS: Final = ("path", "url", "uri", "request_uri", ":path", "request_path", "RequestPath", "target")


@dataclass(slots=True)
class Carrier:
    """A record as a sender has it: a line, or a map; perhaps attributes beside it."""

    text: str = ""
    fields: dict[str, Any] | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    resource: dict[str, Any] = field(default_factory=dict)

    def line(self) -> str:
        """As a line of a file or a Kafka message."""
        if self.fields is not None:
            return json.dumps(self.fields)
        return self.text if not self.attributes else json.dumps({"message": self.text, **self.attributes})


def carriers(seed: str, *, places: int = PLACES) -> Iterator[tuple[Carrier, Secret]]:
    """Every fixture, `places` times, each time with another secret elsewhere in it."""
    rng, secrets = random.Random(seed), generate(seed)
    for path in FILES:
        record = load(path)["record"]
        for _ in range(places):
            secret = next(secrets)
            yield _with(record, secret, rng), secret


def _with(record: Mapping[str, Any], secret: Secret, rng: random.Random) -> Carrier:
    carrier = Carrier(
        record.get("text", ""), copy.deepcopy(record.get("fields")), dict(record.get("attributes", {})),
        dict(record.get("resource", {})),
    )  # fmt: skip
    phrase = ENCODINGS[rng.choice((*("plain",) * 8, *ENCODINGS))](rng.choice(secret.phrases))
    if carrier.fields is None:
        carrier.text = _in_text(carrier.text, phrase, rng)
    elif rng.random() < 0.1:
        carrier.fields[phrase] = rng.choice((1, "x", {}))
    elif secret.value and rng.random() < 0.4:
        _in_headers(carrier.fields, secret, rng)
    else:
        _in_leaf(carrier.fields, phrase, rng)
    if carrier.attributes and rng.random() < 0.5:
        _in_leaf(carrier.attributes, phrase, rng)
    if carrier.resource and rng.random() < 0.3:
        _in_leaf(carrier.resource, phrase, rng)
    return carrier


def _in_text(text: str, phrase: str, rng: random.Random) -> str:
    """Between two words, inside a quoted value, or at the end."""
    gaps = [at for at, c in enumerate(text) if c in ' "']
    at = rng.choice([*gaps, len(text)])
    before = text[: at + 1] if at < len(text) else text + " "
    return f"{before}{phrase} {text[at + 1 :]}"


def _in_headers(fields: dict[str, Any], secret: Secret, rng: random.Random) -> None:
    place = rng.choice(("flat", "headers", "nested"))
    if place == "flat":
        fields[rng.choice((secret.header, secret.header.replace("-", "_")))] = secret.value
    elif place == "headers":
        headers = fields.get("headers")
        fields["headers"] = {**(headers if isinstance(headers, dict) else {}), secret.header: secret.value}
    else:
        request = fields.get("request")
        fields["request"] = {
            **(request if isinstance(request, dict) else {}),
            "headers": {secret.header: [secret.value]},
        }


def _in_leaf(fields: dict[str, Any], phrase: str, rng: random.Random) -> None:
    """Behind, before or instead of what one of the texts in it says."""
    leaves = list(_leaves(fields))
    if not leaves:
        fields["message"] = phrase
        return
    holder, key = rng.choice(leaves)
    said = str(holder[key])
    holder[key] = rng.choice((f"{said} {phrase}", f"{phrase} {said}", phrase, f'{said}: "{phrase}"'))


def _leaves(value: Any) -> Iterator[tuple[Any, Any]]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        if isinstance(inner, (str, int, float)) or inner is None:
            yield value, key
        else:
            yield from _leaves(inner)


def broken(seed: str, count: int = 160) -> Iterator[tuple[bytes, Secret]]:
    """Lines that no parser can read: JSON without an end, invalid UTF-8, over-long, binary; a secret in each."""
    rng, secrets = random.Random(seed), generate(seed)
    for n in range(count):
        secret = next(secrets)
        phrase = rng.choice(secret.phrases).replace("\n", " ")
        yield _BREAKS[n % len(_BREAKS)](phrase), secret


def _open_json(phrase: str) -> bytes:
    return json.dumps({"level": "warn", "message": phrase, "path": "/x"})[:-1].encode()


def _cut_json(phrase: str) -> bytes:
    return b'{"response_code": 401, "message": ' + json.dumps(phrase).encode()


def _broken_utf8(phrase: str) -> bytes:
    return b"\xff\xfe 401 " + phrase.encode() + b" \xc3\x28 end"


def _overlong(phrase: str) -> bytes:
    return b"gateway said 401 " + phrase.encode() + b" " + b"long line " * 120_000


def _unknown(phrase: str) -> bytes:
    return f"zzz something else happened, {phrase}, and nobody reads this".encode()


def _unknown_object(phrase: str) -> bytes:
    return json.dumps({"a": {"b": [1, {"c": phrase}]}, "other": True}).encode()


def _controls(phrase: str) -> bytes:
    return f"\x00\x1b]8;;\x07 401 unauthorized\r {phrase}\x85\u2028 x".encode()


_BREAKS: Final = (_open_json, _cut_json, _broken_utf8, _unknown, _unknown_object, _controls, _open_json, _broken_utf8)
LONG: Final = _overlong
