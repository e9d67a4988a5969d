"""What `why401 check` says of Amazon's services."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from collector.errors import ConfigurationError
from collector.settings import AwsSettings, load
from collector.sources.aws import clients
from collector.telemetry import Telemetry
from why401.cli import main
from why401.run import raw_sources


def test_check_says_what_can_be_read(client: Any, endpoint: str, name: str, tmp_path: Path):
    """Each place by itself; AWS's own code for what cannot."""
    client("s3").create_bucket(Bucket=name)
    config = tmp_path / "why401.toml"
    config.write_text(
        f'[aws]\nendpoint = "{endpoint}"\nregion = "us-east-1"\n'
        f's3 = ["s3://{name}/logs/", "s3://{name}-not"]\nlog_groups = ["api/*"]\n'
    )
    result = CliRunner().invoke(main, ["check", "--config", str(config)])

    assert 0 == result.exit_code, result.output
    assert f"s3://{name}/logs/: can be read" in result.output
    assert f"s3://{name}-not: cannot be read (NoSuchBucket)" in result.output
    assert "api/*: can be read" in result.output


def test_without_a_region_there_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """boto3 would say it after the start."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(ConfigurationError, match="AWS_REGION"):
        clients.client("logs", AwsSettings())


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("aws.s3", ["my-logs/prefix"], "s3://bucket"),
        ("aws.sqs", ["my-queue"], "URLs of queues"),
        ("pubsub.subscriptions", ["my-subscription"], "projects/PROJECT"),
    ],
)
def test_a_wrong_place_is_told_apart(key: str, value: list[str], says: str):
    """What is expected, before anything is asked."""
    with pytest.raises(ConfigurationError, match=says):
        load(flags={key: value}, environ={})


def test_each_is_started_by_its_settings():
    """One source for objects, one for log groups."""
    flags = {"otlp.grpc": "", "otlp.http": "", "aws.s3": ["s3://b"], "aws.log_groups": ["g"]}
    sources = raw_sources(load(flags=flags, environ={}), Telemetry())

    assert ["ObjectSource", "LogGroupSource"] == [type(source).__name__ for source in sources]
