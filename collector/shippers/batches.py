"""Records that clouds and agents deliver together in one JSON document: each becomes a record of its own.

CloudWatch subscriptions (`logEvents`), Azure Event Hub (`records`), Loki (`streams` with `values`), and plain arrays, as Fluent Bit, Datadog
agents and `gcloud logging read` write them. What the document says of all of them goes with each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson

MAX_RECORDS: Final = 10_000
MAX_CHARS: Final = 16 << 20
_MARKS: Final = ('"logEvents"', '"records"', '"streams"', '"hits"')
_MARK_CHARS: Final = 4096


def unbatched(text: str) -> list[str]:
    """The records in a text, as texts; the text itself when it is no batch. Never raises.

    >>> unbatched('{"records":[{"a":1},{"b":2}]}')
    ['{"a":1}', '{"b":2}']
    >>> unbatched('{"a":1}')
    ['{"a":1}']
    """
    bare = text.strip() if text[:1] in ("{", "[", " ", "\n") else ""
    if not _may_be_batch(bare):
        return [text]
    try:
        document = orjson.loads(bare)
    except ValueError:
        return [text]
    records = [_text(record) for _, record in zip(range(MAX_RECORDS), _records(document), strict=False)]
    return records or [text]


def _may_be_batch(text: str) -> bool:
    if len(text) > MAX_CHARS or text[-1:] not in ("}", "]"):
        return False
    if text[:1] == "[":
        return text[1:_MARK_CHARS].lstrip()[:1] == "{"
    head = text[:_MARK_CHARS]
    return text[:1] == "{" and "[" in text and any(map(head.__contains__, _MARKS))


def _text(record: Any) -> str:
    return record if isinstance(record, str) else orjson.dumps(record).decode()


def _records(document: Any) -> Iterator[Any]:
    if isinstance(document, list):
        if all(isinstance(each, Mapping) for each in document):
            yield from document
        return
    for name, read in _BATCHES.items():
        if isinstance(batch := document.get(name), list):
            yield from read(document, batch)
            return
    hits = document.get("hits")
    if isinstance(hits, Mapping) and isinstance(hits.get("hits"), list):
        yield from (hit.get("_source", hit) for hit in hits["hits"] if isinstance(hit, Mapping))


def _cloudwatch(document: Mapping[str, Any], batch: list[Any]) -> Iterator[Any]:
    about = {name: document[name] for name in ("logGroup", "logStream") if name in document}
    yield from ({**about, **each} for each in batch if isinstance(each, Mapping))


def _azure(_: Mapping[str, Any], batch: list[Any]) -> Iterator[Any]:
    yield from (each for each in batch if isinstance(each, Mapping))


def _loki(_: Mapping[str, Any], batch: list[Any]) -> Iterator[Any]:
    for stream in batch:
        if isinstance(stream, Mapping) and isinstance(stream.get("values"), list):
            labels = stream.get("stream")
            for value in stream["values"]:
                if isinstance(value, list) and len(value) >= 2:
                    yield {
                        "timestamp": value[0],
                        "line": value[1],
                        "labels": labels if isinstance(labels, Mapping) else {},
                    }


_BATCHES: Final = {"logEvents": _cloudwatch, "records": _azure, "streams": _loki}
