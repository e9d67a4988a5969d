"""A native crash of the working process does not end the service, and loses and doubles nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

from analyzer.lake import connect_reader, run_query
from collector.settings import load
from tests.brokers import free_ports
from tests.waiting import HANG_S, eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc")
# A child that writes how it was started to a file, and then does what the file's length says.
CHILD = """
import os, signal, sys, time
from collector.telemetry import Telemetry
from analyzer.writer_name import next_name
from why401 import restarting
restarting.FIRST_PAUSE_S, restarting.MAX_PAUSE_S = 0.01, 0.02
ends = sys.argv[2:]
def work():
    telemetry = Telemetry()
    restarting.report(telemetry)
    with open(sys.argv[1], "a") as file:
        print(os.getpid(), int(telemetry.value("why401.errors", stage="process")), int(next_name().split("-")[0], 16), file=file)
    end = ends[min(len(open(sys.argv[1]).readlines()), len(ends)) - 1]
    if end == "wait":
        time.sleep(600)
    if end == "raise":
        raise ValueError("an ordinary error")
    if end.startswith("SIG"):
        os.kill(os.getpid(), getattr(signal, end))
    sys.exit(int(end))
restarting.supervised(work)
"""


@contextmanager
def supervised(said: Path, *ends: str):
    process = subprocess.Popen([sys.executable, "-c", CHILD, str(said), *ends], stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def starts(said: Path) -> list[list[int]]:
    """Of each child its process id, how many crashes before it were counted, and the name of its writer."""
    return [[int(word) for word in line.split()] for line in said.read_text().splitlines()] if said.exists() else []


def test_who_crashes_is_started_again_and_counted(tmp_path):
    """Whatever signal it was, as often as needed, until one ends by itself; its exit status is the service's."""
    with supervised(tmp_path / "said", "SIGABRT", "SIGSEGV", "SIGKILL", "SIGABRT", "3") as process:
        assert 3 == process.wait(HANG_S)
    assert 1 == len({name for _, _, name in starts(tmp_path / "said")})  # the lease of a dead writer is its successor's
    assert [0, 1, 2, 3, 4] == [crashes for _, crashes, _ in starts(tmp_path / "said")]


@pytest.mark.parametrize(("end", "status"), [("0", 0), ("2", 2), ("raise", 1)])
def test_who_ends_by_itself_is_not_started_again(end, status, tmp_path):
    """Neither an end in order nor an error that Python told."""
    with supervised(tmp_path / "said", end) as process:
        assert status == process.wait(HANG_S)
    assert 1 == len(starts(tmp_path / "said"))


def test_a_supervisor_that_is_killed_takes_its_child_along(tmp_path):
    """No writer stays behind with port and catalog."""
    with supervised(tmp_path / "said", "wait") as process:
        eventually(lambda: starts(tmp_path / "said"), "the child runs")
        process.kill()
        ((child, _, _),) = starts(tmp_path / "said")
        eventually(lambda: not Path(f"/proc/{child}/cmdline").exists() or _is_zombie(child), "the child is gone")


def test_who_is_told_to_stop_is_not_started_again(tmp_path):
    """SIGTERM goes on to the child, also when that dies of it."""
    with supervised(tmp_path / "said", "SIGABRT", "wait") as process:
        eventually(lambda: len(starts(tmp_path / "said")) == 2, "the second child runs")
        process.terminate()
        assert 128 + signal.SIGTERM == process.wait(HANG_S)
    assert 2 == len(starts(tmp_path / "said"))


def _is_zombie(pid: int) -> bool:
    return ") Z " in Path(f"/proc/{pid}/stat").read_text()


def test_what_was_acknowledged_before_a_crash_is_stored_once(tmp_path):
    """The working process of `why401 up` aborts; the service listens again, and each acknowledged record is there once."""
    (http,) = free_ports(1)
    config = tmp_path / "why401.toml"
    config.write_text(
        f'data_dir = "{tmp_path}/data"\n[otlp]\ngrpc = ""\nhttp = "127.0.0.1:{http}"\n[telemetry]\nprometheus = ""\n'
    )
    process = subprocess.Popen([sys.executable, "-m", "why401", "up", "--config", str(config)])
    try:
        eventually(lambda: _sent(http, 1), "the first record is stored")
        (worker,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        os.kill(int(worker), signal.SIGABRT)
        eventually(lambda: _sent(http, 2), "it listens again, and stores the second record")
        process.terminate()
        assert 0 == process.wait(HANG_S)
    finally:
        process.kill()
        process.wait(HANG_S)
    con = connect_reader(load(config, {}), memory_mib=256)
    rows = run_query(con, "SELECT request_id, count(*) FROM failures GROUP BY ALL ORDER BY ALL").rows
    con.close()
    assert [("1", 1), ("2", 1)] == [(request_id[-1], count) for request_id, count in rows]


def _sent(port: int, number: int) -> bool:
    """Whether a refusal was acknowledged; one that could not be delivered was not taken."""
    line = {"response_code": 401, "x_request_id": f"00000000-0000-4000-8000-00000000000{number}"}
    line["response_code_details"] = "jwt_authn_access_denied{Jwt_is_expired}"
    record = {"body": {"stringValue": json.dumps(line)}}
    body = json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/logs", body, {"Content-Type": "application/json"}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=HANG_S) as answer:
            return answer.status == 200
    except OSError:
        return False
