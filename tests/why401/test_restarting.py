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
from prometheus_client.parser import text_string_to_metric_families

from analyzer.lake import connect_reader, run_query
from collector.settings import load
from tests.brokers import free_ports
from tests.waiting import HANG_S, eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc")
# A child that writes how it was started to a file, and then does what the file's length says. Those after a comma work beside it.
CHILD = """
import os, signal, sys, time
from functools import partial
from collector.telemetry import Telemetry
from analyzer.writer_name import next_name
from why401 import restarting
restarting.FIRST_PAUSE_S, restarting.MAX_PAUSE_S = 0.01, 0.02
def work(said, ends):
    telemetry = Telemetry()
    restarting.report(telemetry)
    with open(said, "a") as file:
        print(os.getpid(), int(telemetry.value("why401.errors", stage="process")), int(next_name().split("-")[0], 16), file=file)
    end = ends[min(len(open(said).readlines()), len(ends)) - 1]
    if end == "wait":
        time.sleep(600)
    if end == "raise":
        raise ValueError("an ordinary error")
    if end.startswith("SIG"):
        os.kill(os.getpid(), getattr(signal, end))
    sys.exit(int(end))
places = " ".join(sys.argv[2:]).split(",")
restarting.supervised(*(partial(work, sys.argv[1] + str(at or ""), ends.split()) for at, ends in enumerate(places)))
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
    """SIGTERM goes on to the child. One that dies of it had not begun to work, and to stop was what was asked."""
    with supervised(tmp_path / "said", "SIGABRT", "wait") as process:
        eventually(lambda: len(starts(tmp_path / "said")) == 2, "the second child runs")
        process.terminate()
        assert 0 == process.wait(HANG_S)
    assert 2 == len(starts(tmp_path / "said"))


def test_one_of_several_that_crashes_is_started_again_beside_the_others(tmp_path):
    """Its crashes are its own, and so is its name as a writer; the other one works on until all are told to stop."""
    with supervised(tmp_path / "said", "wait", ",", "SIGABRT", "SIGSEGV", "wait") as process:
        eventually(lambda: len(starts(tmp_path / "said1")) == 3, "the third child at the second place runs")
        process.terminate()
        assert 0 == process.wait(HANG_S)
    first, second = starts(tmp_path / "said"), starts(tmp_path / "said1")
    assert ([0], [0, 1, 2]) == ([crashes for _, crashes, _ in first], [crashes for _, crashes, _ in second])


def test_one_of_several_that_ends_by_itself_ends_them_all(tmp_path):
    """With its status, after the others have ended."""
    with supervised(tmp_path / "said", "wait", ",", "SIGABRT", "3") as process:
        assert 3 == process.wait(HANG_S)
    ((child, _, _),) = starts(tmp_path / "said")
    assert not Path(f"/proc/{child}").exists()


def test_a_supervisor_that_is_killed_takes_all_its_children_along(tmp_path):
    """None of them keeps another one alive."""
    with supervised(tmp_path / "said", "wait", ",", "SIGABRT", "wait") as process:
        eventually(lambda: starts(tmp_path / "said") and len(starts(tmp_path / "said1")) == 2, "both run")
        process.kill()
        for child, _, _ in (starts(tmp_path / "said")[0], starts(tmp_path / "said1")[1]):
            eventually(lambda: not Path(f"/proc/{child}/cmdline").exists() or _is_zombie(child), "it is gone")  # noqa: B023  # at once


def _is_zombie(pid: int) -> bool:
    return ") Z " in Path(f"/proc/{pid}/stat").read_text()


def test_what_was_acknowledged_before_a_crash_is_stored_once(tmp_path):
    """A process of `why401 up --workers 2` aborts; both listen on, each acknowledged record is there once, and one page has the metrics of both."""
    http, grpc, prometheus = free_ports(3)
    config = tmp_path / "why401.toml"
    config.write_text(
        f'data_dir = "{tmp_path}/data"\n[otlp]\ngrpc = "127.0.0.1:{grpc}"\nhttp = "127.0.0.1:{http}"\n'
        f'[telemetry]\nprometheus = "127.0.0.1:{prometheus}"\n'
    )
    process = subprocess.Popen([sys.executable, "-m", "why401", "up", "--config", str(config), "--workers", "2"])
    try:
        eventually(lambda: _sent(http, 1), "the first record is stored")
        eventually(lambda: _workers(prometheus) == {"1", "2"}, "both work")
        *_, worker = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        os.kill(int(worker), signal.SIGABRT)
        eventually(lambda: _sent(http, 2), "the second record is stored")
        eventually(lambda: _workers(prometheus, "SIGABRT") == {"2"}, "it works again, and its crash is counted")
        process.terminate()
        assert 0 == process.wait(HANG_S)
    finally:
        process.kill()
        process.wait(HANG_S)
    con = connect_reader(load(config, {}), memory_mib=256)
    rows = run_query(con, "SELECT request_id, count(*) FROM failures GROUP BY ALL ORDER BY ALL").rows
    con.close()
    assert [("1", 1), ("2", 1)] == [(request_id[-1], count) for request_id, count in rows]


def _workers(port: int, word: str = "process_cpu_seconds_total") -> set[str]:
    """Whose series hold the word."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=HANG_S) as answer:
            families = text_string_to_metric_families(answer.read().decode())
            samples = [sample for family in families for sample in family.samples]
    except OSError:
        return set()
    return {each.labels["worker"] for each in samples if word in (each.name, *each.labels.values())}


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
