"""boto3 clients by our settings. Credentials come from boto3's own chain and nowhere else."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoRegionError

from collector.errors import ConfigurationError
from collector.settings import AwsSettings

ERRORS: Final = (BotoCoreError, ClientError, OSError)
_CONFIG: Final = Config(
    connect_timeout=5, read_timeout=30, retries={"mode": "standard", "max_attempts": 3}, user_agent_extra="why401"
)  # fmt: skip


def client(service: str, settings: AwsSettings) -> Any:
    """A client of `s3`, `sqs` or `logs`. Raises ConfigurationError without a region."""
    for name in ("boto3", "botocore", "urllib3"):  # at debug they write headers, with credentials
        library = logging.getLogger(name)
        library.setLevel(max(library.level, logging.WARNING))
    try:
        return boto3.session.Session().client(
            service,
            region_name=settings.region or None,
            endpoint_url=settings.endpoint or None,
            config=_CONFIG,
        )
    except NoRegionError:
        right = "expected a region, here, in AWS_REGION or in ~/.aws/config"
        raise ConfigurationError("aws.region", "", right) from None


def code_of(error: BaseException) -> str:
    """AWS's own code of an error, or its class: "AccessDenied", "NoCredentialsError". No text of the answer."""
    if isinstance(error, ClientError):
        code = str(error.response.get("Error", {}).get("Code", "")) or "ClientError"
        return code if code.isascii() and code.replace(".", "").isalnum() else "ClientError"
    return type(error).__name__


def reached(settings: AwsSettings) -> Iterator[tuple[str, str]]:
    """(what is read, AWS's code of what keeps us from it or ""): each is asked for once, for `why401 check`."""
    for address in settings.s3:
        bucket, prefix = split(address)
        yield address, _asked(settings, "s3", "list_objects_v2", Bucket=bucket, Prefix=prefix, MaxKeys=1)
    for queue in settings.sqs:
        yield queue, _asked(settings, "sqs", "get_queue_attributes", QueueUrl=queue)
    for group in settings.log_groups:
        yield group, _asked(settings, "logs", "describe_log_groups", **named(group.removesuffix("*")), limit=1)


def named(prefix: str) -> dict[str, str]:
    """The argument for log groups that begin so; none for all of them."""
    return {"logGroupNamePrefix": prefix} if prefix else {}


def split(address: str) -> tuple[str, str]:
    """Bucket and prefix.

    >>> split("s3://logs/AWSLogs/")
    ('logs', 'AWSLogs/')
    """
    bucket, _, prefix = address.removeprefix("s3://").partition("/")
    return bucket, prefix


def _asked(settings: AwsSettings, service: str, operation: str, **arguments: Any) -> str:
    try:
        getattr(client(service, settings), operation)(**arguments)
    except ERRORS as error:
        return code_of(error)
    return ""
