"""Which objects a message in a queue announces: S3's own notification, in SNS's envelope, or EventBridge's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import unquote_plus

import orjson

from collector.sources.aws.cloud_places import StoredObject

MAX_OBJECTS: Final = 1_000
_TEST: Final = "s3:TestEvent"  # S3 writes one when notifications are set up


class NotUnderstood(Exception):
    """A message that announces nothing."""


def announced(body: str) -> list[StoredObject]:
    """The objects that were created; none for S3's test message and for deletions. Raises NotUnderstood.

    >>> announced('{"Records":[{"eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"b"},"object":{"key":"a+b.gz","eTag":"1"}}}]}')
    [StoredObject(bucket='b', key='a b.gz', etag='"1"', modified=0.0, size=0)]
    """
    document = _document(body)
    if isinstance(inner := document.get("Message"), str):  # SNS, unless it delivers raw messages
        document = _document(inner)
    if document.get("Event") == _TEST:
        return []
    records = document.get("Records")
    if not isinstance(records, list) and _is_event_bridge(document):
        return (
            [_object(document["detail"], is_encoded=False)] if document.get("detail-type") == "Object Created" else []
        )
    if not isinstance(records, list) or not all(isinstance(each, Mapping) and "s3" in each for each in records):
        raise NotUnderstood
    return list(_created(records[:MAX_OBJECTS]))


def _document(text: str) -> Mapping[str, Any]:
    try:
        document = orjson.loads(text)
    except ValueError:
        raise NotUnderstood from None
    if not isinstance(document, Mapping):
        raise NotUnderstood
    return document


def _is_event_bridge(document: Mapping[str, Any]) -> bool:
    return document.get("source") == "aws.s3" and isinstance(document.get("detail"), Mapping)


def _created(records: list[Mapping[str, Any]]) -> Iterator[StoredObject]:
    for record in records:
        if "ObjectRemoved" not in str(record.get("eventName", "")):
            yield _object(record["s3"], is_encoded=True)


def _object(says: Any, *, is_encoded: bool) -> StoredObject:
    """Its name is encoded as in a query, but in EventBridge's."""
    try:
        bucket, key = str(says["bucket"]["name"]), str(says["object"]["key"])
        etag = str(says["object"].get("eTag") or says["object"].get("etag") or "")
    except (KeyError, TypeError, AttributeError):
        raise NotUnderstood from None
    return StoredObject(bucket, unquote_plus(key) if is_encoded else key, f'"{etag}"' if etag else "")
