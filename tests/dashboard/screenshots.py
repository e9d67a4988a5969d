"""`python -m tests.dashboard.screenshots [--at STORE] [--to DIR]`: opens every page in a real browser, tells how long each took, and keeps its picture.

Without a store: the pictures of README and docs, of the tests' own store. With one: what a large store does to the page.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from tests.dashboard import sample_lake
from tests.dashboard.conftest import CHROMIUM, CHROMIUM_FLAGS, Served, _end, _start

DOCS: Final = Path(__file__).parents[2] / "docs" / "screenshots"
# Picture → path, what is on the page when it is ready, width, colour scheme.
PAGES: Final = (
    ("overview", "/", "Not explained yet", 1440, "light"),
    ("group", "", "Latest requests (redacted)", 1440, "light"),
    ("group-dark", "", "Latest requests (redacted)", 1440, "dark"),
    ("explore", "/explore?by=client&show=share&range=1h", "Refused requests (redacted)", 1440, "light"),
    ("issuers", "/issuers", "Claims over time", 1440, "light"),
    ("groups", "/groups", "Groups with failures in this window", 1440, "light"),
    ("health", "/health", "Kafka positions", 1440, "light"),
    ("inspector", "/inspector", "Explain", 1440, "light"),
    ("sql", "/sql", "token_shapes", 1440, "light"),
    ("overview-narrow", "/", "Not explained yet", 420, "light"),
    ("unknown", "/a/b/c", "of requests", 1440, "light"),
)
KEPT: Final = ("overview", "overview-narrow", "group", "group-dark", "explore", "issuers", "sql")


def taken(served: Served, group: str, folder: Path, names: tuple[str, ...]) -> None:
    """A picture per page in `folder`, and a line with its seconds and the process's memory."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=list(CHROMIUM_FLAGS))
        for name, path, ready, width, scheme in PAGES:
            if name not in names:
                continue
            context = browser.new_context(viewport={"width": width, "height": 1000}, color_scheme=scheme)  # type: ignore[arg-type]
            page = context.new_page()
            page.set_default_timeout(120_000)
            print(
                f"{name:<16} {_opened(page, served.url + (path or f'/group?group={group}'), ready):6.1f} s, {_resident_mib(served)} MiB",
                flush=True,
            )
            page.wait_for_timeout(1_500)  # charts draw themselves
            page.screenshot(path=str(folder / f"{name}.png"))
            context.close()
        browser.close()


def _opened(page: Any, url: str, ready: str) -> float:
    started = time.monotonic()
    page.goto(url)
    try:
        page.get_by_text(ready, exact=False).first.wait_for()
    except Exception as error:  # the picture shows why
        print(f"  {type(error).__name__}: {ready!r} did not appear")
    return time.monotonic() - started


def _resident_mib(served: Served) -> int:
    lines = Path(f"/proc/{served.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) // 1024


def main() -> None:
    """Serve the store, take the pictures, end the page."""
    parser = argparse.ArgumentParser(prog="python -m tests.dashboard.screenshots")
    parser.add_argument("--at", type=Path, help="folder of a store")
    parser.add_argument("--to", type=Path, default=DOCS)
    parser.add_argument("--group", default=sample_lake.FAULTS[1].group_id)
    parser.add_argument("--all", action="store_true", help="also of pages that the docs do not show")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        at = chosen.at
        if at is None:
            at = Path(folder) / "lake"
            sample_lake.build(at)
        work = Path(folder) / "served"
        work.mkdir()
        served = _start(at.absolute(), work)
        try:
            taken(
                served, chosen.group, chosen.to, tuple(name for name, *_ in PAGES) if chosen.all or chosen.at else KEPT
            )
        finally:
            _end(served)


if __name__ == "__main__":
    main()
