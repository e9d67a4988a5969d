"""The page in a real browser: what is drawn, what is clicked, what is fetched."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.dashboard import sample_lake
from tests.dashboard.conftest import Served, Visit
from tests.waiting import HANG_S, patient

pytestmark = pytest.mark.browser
Serve = Callable[[Path], Served]
Open = Callable[..., Visit]
CLICK_S = patient(10.0)
ISSUER_GROUP = "v1-4be1c0ffee000003"
ROTATION_GROUP = "v1-4be1c0ffee000001"


def wait_for(page: Any, text: str) -> None:
    page.get_by_text(text, exact=False).first.wait_for()


def test_the_overview_is_drawn_and_asks_nobody_else(lake: Path, serve: Serve, visit: Open) -> None:
    """Sentence, cards, five charts; every request goes to the page's own address."""
    seen = visit(serve(lake))
    wait_for(seen.page, "of requests pass")
    wait_for(seen.page, "Not explained yet")
    seen.page.locator('[data-testid="stVegaLiteChart"] canvas, [data-testid="stVegaLiteChart"] svg').nth(3).wait_for()

    assert ([], [], 4) == (seen.off_origin, seen.dialogs, seen.page.locator('[data-testid="stVegaLiteChart"]').count())


def test_a_click_opens_the_group(lake: Path, serve: Serve, visit: Open) -> None:
    """From the first screen to the fix, with the group in the address."""
    seen = visit(serve(lake), "/?range=6h")
    seen.page.get_by_role("link", name="Envoy has not learned the issuer's new signing key").click()
    wait_for(seen.page, "How to fix it")
    wait_for(seen.page, "In jwt_authn set remote_jwks.cache_duration")

    assert (True, True) == (f"group={ROTATION_GROUP}" in seen.page.url, "range=6h" in seen.page.url)


def test_a_shared_link_shows_the_group(lake: Path, tmp_path: Path, serve: Serve, visit: Open) -> None:
    """The address alone is enough, even for the first visitor of a fresh process."""
    (tmp_path / "fresh").symlink_to(lake)
    seen = visit(serve(tmp_path / "fresh"), f"/group?group={ROTATION_GROUP}")
    wait_for(seen.page, "Envoy has not learned the issuer's new signing key")
    wait_for(seen.page, "Latest requests (redacted)")

    assert ([], []) == (seen.off_origin, seen.dialogs)


def test_changing_the_range_changes_the_address(lake: Path, serve: Serve, visit: Open) -> None:
    """What is seen can be shared."""
    seen = visit(serve(lake))
    wait_for(seen.page, "of requests pass")
    seen.page.get_by_role("radio", name="24h").click()
    seen.page.wait_for_url("**range=24h*")

    assert "range=24h" in seen.page.url


@pytest.mark.parametrize("path", ["/", f"/group?group={ISSUER_GROUP}", "/groups", "/health", "/sql"])
def test_markup_in_data_stays_text(path: str, hostile_lake: Path, serve: Serve, visit: Open) -> None:
    """Scripts, images and links in issuer, title, message, evidence and fix are shown, not run and not fetched."""
    seen = visit(serve(hostile_lake), path)
    seen.page.locator('[data-testid="stDataFrame"], [data-testid="stExpander"]').first.wait_for()
    if ISSUER_GROUP in path:
        wait_for(seen.page, "<script>alert(2)</script>")
    seen.page.wait_for_load_state("networkidle")
    planted = seen.page.locator(
        'img[src*="evil"], a[href*="evil"], a[href^="javascript"], script:has-text("alert")'
    ).count()

    assert ([], [], 0) == (seen.off_origin, seen.dialogs, planted)


def test_the_developers_chrome_is_gone(lake: Path, serve: Serve, visit: Open) -> None:
    """No deploy button, no menu of Streamlit's."""
    seen = visit(serve(lake))
    wait_for(seen.page, "of requests pass")

    assert 0 == seen.page.get_by_text("Deploy", exact=True).count()


def test_a_narrow_window_needs_no_sideways_scrolling(lake: Path, serve: Serve, visit: Open) -> None:
    """On a phone, columns stack."""
    seen = visit(serve(lake), width=420)
    wait_for(seen.page, "of requests pass")
    wait_for(seen.page, "Not explained yet")

    assert seen.page.evaluate("document.documentElement.scrollWidth") <= 420


def test_the_page_outlives_its_store(tmp_path: Path, serve: Serve, visit: Open) -> None:
    """Missing, there, gone, there again: the open page follows by itself, in words."""
    data_dir = tmp_path / "lake"
    seen = visit(serve(data_dir))
    wait_for(seen.page, "No data recorded yet")
    sample_lake.build(data_dir)
    wait_for(seen.page, "of requests pass")
    data_dir.rename(tmp_path / "gone")  # at once: the page may be reading in it
    wait_for(seen.page, "No data recorded yet")
    sample_lake.build(data_dir, seed=2)
    wait_for(seen.page, "of requests pass")

    assert [] == seen.off_origin


@pytest.mark.parametrize("path", ["/", "/groups"])
def test_a_row_of_the_list_opens_its_group_once(path: str, lake: Path, serve: Serve, visit: Open) -> None:
    """Choosing a row leads to the group; coming back shows the list and does not bounce."""
    seen = visit(serve(lake), path)
    if path == "/":
        seen.page.locator('[data-testid="stExpander"] summary').first.click()
    _choose_first_row(seen.page)
    wait_for(seen.page, "How to fix it")
    seen.page.get_by_role("link", name="Groups").first.click()
    wait_for(seen.page, "Groups with failures in this window")
    seen.page.wait_for_load_state("networkidle")

    assert ("group=" in seen.page.url, seen.page.get_by_text("How to fix it").count()) == (False, 0)


def _choose_first_row(page: Any) -> None:
    """A refresh that redraws the list under the pointer swallows the click; a person clicks again."""
    from playwright import sync_api

    grid = page.locator('[data-testid="stDataFrame"]').first
    grid.locator("canvas").first.wait_for()
    for _ in range(int(HANG_S / CLICK_S)):
        grid.click(position={"x": 16, "y": 50})
        with suppress(sync_api.TimeoutError):
            page.wait_for_url("**group=v1-*", timeout=1000 * CLICK_S)
            return
    raise AssertionError("no click opened the group")
