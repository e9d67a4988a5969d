"""Products that log with the common loggers of their languages: brokers, registries, databases, identity proxies, clouds.

What such a line says is read as an application's (`application.py`); `products.toml` says whose line it is, which words
of the product refuse a caller though no general word does, and where its JSON objects keep what they say.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from msgspec.structs import replace

from collector.events import Outcome
from collector.gateways import application
from collector.gateways.generic import dig
from collector.gateways.reading import topic
from collector.gateways.reading.contract import NotAdmitted, NotAuth, Parser
from collector.gateways.reading.json_fields import fill, finish, flatten, mapping, plan
from collector.gateways.reading.log_lines import condensed, leading_time, refuses
from collector.gateways.reading.marks import Product, Recognized, named, products, recognized
from collector.gateways.reading.shapes import read_line
from collector.gateways.reading.times import any_ns
from collector.gateways.reading.values import MAX_DEPTH, MAX_KEYS, as_text, client, http_status
from collector.records import Parsed, RawRecord

NAME: Final = "product"
NAMES: Final = tuple(each.name for each in products())
ECHOES: Final = {each.name: each.echoes for each in products()}
_SENTENCES: Final = ("message", "reason")
_SPEAKING: Final = ("code", "message", "msg", "error", "description", "error_description", "detail")
_MAX_LISTED: Final = 8
_BROKEN_FROM: Final = 500
_PAYLOADS: Final = ("textPayload", "jsonPayload")
_SUCCESS: Final = ("0", "Success", "authentication_success", "access_granted")


def parse(record: RawRecord) -> Parsed | None:
    """A refusal, or a request, in the log of the product whose marks the record holds."""
    found = recognized(record)
    return _parsed(record, found) if found else None


def parser(name: str) -> Parser:
    """What reads records that the operator calls this product's. Raises KeyError for a name that is not in the table."""

    def parse_named(record: RawRecord) -> Parsed | None:
        return _parsed(record, named(record, name))

    return parse_named


def _parsed(record: RawRecord, found: Recognized) -> Parsed | None:
    product = found.product
    record = _entry(record, product)
    parsed = _object(record, found) if _is_object(record) else None
    parsed = parsed or _line(record) or (_said(record, product) if found.is_refusal else None)
    if parsed is None:
        return None
    parsed.gateway = product.name
    return finish(parsed, record)


def _entry(record: RawRecord, product: Product) -> RawRecord:
    """What Cloud Logging holds of a line or object; a product that Google itself logs names the entry's own keys."""
    fields = record.fields or {}
    payload = next((fields[name] for name in _PAYLOADS if isinstance(fields.get(name), str | Mapping)), None)
    if not payload or any(path.startswith(_PAYLOADS) for paths in product.keys.values() for path in paths):
        return record
    text, inner = (payload, None) if isinstance(payload, str) else ("", payload)
    time_ns = record.time_ns or any_ns(fields.get("timestamp"))
    return replace(record, text=text, fields=inner, time_ns=time_ns)


def _is_object(record: RawRecord) -> bool:
    return record.fields is not None and 0 < len(record.fields) <= MAX_KEYS


def _line(record: RawRecord) -> Parsed | None:
    """What the shared reader of applications' lines makes of it; an object needs a logger's shape, since a mark may be a value."""
    shared = RawRecord(
        record.origin, record.observed_ns, record.text, record.fields, record.attributes, record.resource,
        record.time_ns, record.trace_id, application.NAME if record.fields is None else "",
    )  # fmt: skip
    try:
        return application.parse(shared)
    except NotAdmitted:  # the product's own words may admit it
        return None


def _said(record: RawRecord, product: Product) -> Parsed | None:
    """A line that the shared reader leaves out, or whose shape nobody knows, in the product's own words of refusal."""
    if record.fields is not None or not record.text:
        return None
    line = read_line(record.text, record.time_ns, record.observed_ns)
    message = condensed(line.message if line else record.text).replace('\\"', '"')
    time_ns = (line.time_ns if line else 0) or leading_time(record.text, record.time_ns)
    return Parsed(product.name, time_ns=time_ns, message=message, outcome=topic.outcome(message))


def _object(record: RawRecord, found: Recognized) -> Parsed | None:
    """An object with the keys that the table names; what it does not name is read by what keys usually mean."""
    fields, keys = mapping(record), found.product.keys
    if not (keys or found.is_refusal):
        return None
    parsed = Parsed(found.product.name, time_ns=any_ns(_first(fields, keys.get("time", ())), record.time_ns))
    parsed.status = http_status(_first(fields, keys.get("status", ())))
    for name in _SENTENCES:
        setattr(parsed, name, _sentence(fields, found.product, name))
    for name in keys.keys() - {"time", "status", *_SENTENCES}:
        setattr(parsed, name, as_text(_first(fields, keys[name])))
    parsed.client = client(parsed.client)
    flat = flatten(fields)
    parsed = fill(parsed, flat, plan(flat), record.time_ns)
    return _judged(parsed, found)


def _judged(parsed: Parsed, found: Recognized) -> Parsed | None:
    """With a status the answer is known; without one, a sentence or a code has to refuse. Raises NotAuth."""
    if parsed.status:
        if found.is_refusal and parsed.status < _BROKEN_FROM:  # GraphQL and gRPC refuse with 200, others with 400
            parsed.outcome = Outcome.DENIED
        return parsed
    said = ": ".join(filter(None, (parsed.reason, parsed.message)))
    if not _refuses(parsed, found, said):
        raise NotAuth(found.product.name, "an object without a verdict")
    parsed.outcome = parsed.outcome or (topic.outcome(said) if said else Outcome.DENIED)
    return parsed


def _refuses(parsed: Parsed, found: Recognized, said: str) -> bool:
    if found.is_refusal or refuses(said):
        return True
    return bool(parsed.reason and found.product.prefix)  # the product writes no code for what it allows


def _first(fields: Mapping[str, Any], paths: tuple[str, ...]) -> Any:
    return next((value for path in paths if (value := dig(fields, path))), None)


def _sentence(fields: Mapping[str, Any], product: Product, name: str) -> str:
    text = _joined(fields, product.keys.get(name, ()))
    if text in _SUCCESS and name in product.prefix:
        raise NotAuth(product.name, "a success")
    return product.prefix.get(name, "") + text if text else ""


def _joined(fields: Mapping[str, Any], paths: tuple[str, ...]) -> str:
    texts = (_spoken(dig(fields, path), MAX_DEPTH) for path in paths)
    return ": ".join(dict.fromkeys(filter(None, texts)))


def _spoken(value: Any, depth: int) -> str:
    """A text, the sentence of an object, or those of a list of either."""
    if isinstance(value, list) and depth:
        return "; ".join(filter(None, (_spoken(each, depth - 1) for each in value[:_MAX_LISTED])))
    if isinstance(value, Mapping) and depth:
        found = (_spoken(value.get(name), depth - 1) for name in _SPEAKING)
        return ": ".join(dict.fromkeys(filter(None, found)))
    return as_text(value)
