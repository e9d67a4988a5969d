"""Clients of Loki and of Splunk as published, told nothing but why401's address: what they push is in the store under its code."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from benchmarks.live.libraries.node import folder, install
from collector.sources.otlp.http_source import OtlpHttpSource
from tests.collector.sources.access_rig import GOOD
from tests.live.storing import storing
from tests.waiting import HANG_S, eventually

PACKAGES: Final = ("winston-loki@6.1.7", "winston@3.19.0", "splunk-logging@0.11.1")
LINE: Final = (Path(__file__).parents[2] / "docs" / "examples" / "gateways" / "nginx.log").read_text().strip()


@pytest.mark.skipif(not (shutil.which("node") and shutil.which("npm")), reason="node and npm are not installed")
def test_winston_loki_and_splunks_own_library(tmp_path: Path) -> None:
    """Loki's push in protobuf with snappy and in JSON, and an event of Splunk's HEC; the line is nginx's in each."""
    if why := install(PACKAGES):
        pytest.skip(why)
    wanted = {"otlp.http": "127.0.0.1:0"}
    with storing(tmp_path, lambda settings, telemetry: OtlpHttpSource(settings.otlp, telemetry), wanted) as store:
        command = ["node", str(Path(__file__).with_name("push.cjs")), str(folder(PACKAGES))]
        done = subprocess.run(
            [*command, f"http://{store.source.address}", GOOD, LINE],
            capture_output=True,
            text=True,
            timeout=HANG_S,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        eventually(lambda: store.codes().total() == 3, "three refusals")
        assert store.rows("SELECT DISTINCT code, gateway FROM failures") == [("audience_mismatch", "nginx")]
        assert store.rows("SELECT origin_kind, gateway_instance, count(*) FROM failures GROUP BY ALL ORDER BY ALL") == [
            ("loki", "nginx", 2), ("splunk_hec", "edge-1", 1),
        ]  # fmt: skip
