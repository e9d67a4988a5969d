"""Fixtures of the dashboard's tests: lakes, settings, a running page, a browser."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import streamlit as st

from collector import settings as settings_module
from dashboard import config
from tests.brokers import free_ports
from tests.dashboard import sample_lake
from tests.waiting import HANG_S

ROOT = Path(__file__).parents[2]
APP = ROOT / "dashboard" / "served.py"
MAX_PAGES = 2  # of 300 MB each
CHROMIUM = "/usr/bin/chromium"
CHROMIUM_FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.fixture(scope="session")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of a lake with two hours of traffic."""
    data_dir = tmp_path_factory.mktemp("lake")
    sample_lake.build(data_dir)
    return data_dir


@pytest.fixture(scope="session")
def hostile_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with markup in what attackers control."""
    data_dir = tmp_path_factory.mktemp("hostile")
    sample_lake.build(data_dir, hostile=True)
    return data_dir


_in_use: list[tuple[Path, str]] = []  # what this process's caches hold: reconnecting costs most of a test


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """Point this process's dashboard at a data directory; caches start empty when it is another one."""

    def _use(data_dir: Path, **dashboard: Any) -> None:
        lines = [f'data_dir = "{data_dir}"', "[dashboard]", *(f"{key} = {value}" for key, value in dashboard.items())]
        file = tmp_path / "why401.toml"
        file.write_text("\n".join(lines))
        monkeypatch.setenv(config.CONFIG_ENV, str(file))
        if _in_use != [(data_dir, str(dashboard))]:
            forget()
            _in_use[:] = [(data_dir, str(dashboard))]

    return _use


def forget() -> None:
    """Drop everything the dashboard remembers between runs."""
    _in_use.clear()
    config.settings.cache_clear()
    st.cache_resource.clear()


@dataclass
class Served:
    """A page served by a real Streamlit process."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Path], Served]]:
    """Start the dashboard over a data directory, as `why401 dashboard` does; one process per directory, two at a time."""
    running: dict[Path, Served] = {}

    def _serve(data_dir: Path) -> Served:
        served = running.pop(data_dir, None)
        if served is None:
            if len(running) >= MAX_PAGES:
                _end(running.pop(next(iter(running))))  # the one that was not used for the longest time
            served = _start(data_dir, tmp_path_factory.mktemp("served"))
        running[data_dir] = served
        return served

    yield _serve
    for served in running.values():
        _end(served)


def _end(served: Served) -> None:
    served.process.terminate()
    served.process.wait(timeout=HANG_S)


def _start(data_dir: Path, work: Path) -> Served:
    address = f"127.0.0.1:{free_ports(1)[0]}"
    file = work / "why401.toml"
    file.write_text(f'data_dir = "{data_dir}"\n[dashboard]\naddress = "{address}"\n')
    flags = config.streamlit_flags(settings_module.load(file, environ={}))
    with (work / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", str(APP), *flags],
            cwd=work, env={**os.environ, config.CONFIG_ENV: str(file)}, stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
    served = Served(f"http://{address}", process, work / "log")
    await_health(served)
    return served


def await_health(served: Served) -> None:
    """Return when the page answers."""
    deadline = time.monotonic() + HANG_S
    while time.monotonic() < deadline:
        assert served.process.poll() is None, served.log.read_text()
        try:
            with urllib.request.urlopen(served.url + "/_stcore/health", timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the page did not start: " + served.log.read_text())


@dataclass
class Visit:
    """A browser page that remembers what it asked for and what went wrong."""

    page: Any
    origin: str
    requests: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    @property
    def off_origin(self) -> list[str]:
        """Requests that left the dashboard's own address."""
        mine = (self.origin, self.origin.replace("http", "ws", 1), "data:", "blob:")
        return [url for url in self.requests if not url.startswith(mine)]


_browsers: list[Any] = []


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Debian's chromium; without it the test is skipped with the reason."""
    if not Path(CHROMIUM).exists():
        pytest.skip(f"no {CHROMIUM}")
    if _browsers:  # tests/threats imports this fixture, and a process may drive one browser only
        yield _browsers[0]
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        _browsers.append(driver.chromium.launch(executable_path=CHROMIUM, args=list(CHROMIUM_FLAGS)))
        yield _browsers[0]
        _browsers.pop().close()


@pytest.fixture
def visit(chromium: Any) -> Iterator[Callable[..., Visit]]:
    """Open a path of a served dashboard in a fresh context."""
    contexts: list[Any] = []

    def _visit(served: Served, path: str = "/", width: int = 1440, scheme: str = "light") -> Visit:
        context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        context.set_default_timeout(HANG_S * 1000)
        made = Visit(context.new_page(), served.url)
        made.page.on("request", lambda request: made.requests.append(request.url))
        made.page.on("websocket", lambda socket_: made.requests.append(socket_.url))
        made.page.on("dialog", lambda dialog: (made.dialogs.append(dialog.message), dialog.dismiss()))
        made.page.goto(served.url + path)
        return made

    yield _visit
    for context in contexts:
        context.close()
