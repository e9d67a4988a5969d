"""A newcomer's five minutes, on every gateway that runs here: its usual configuration with a recipe's lines, `why401 init --from`,
faults, and the right codes in the store."""

from __future__ import annotations

from itertools import chain
from typing import Final

import pytest

from benchmarks.live import newcomer
from benchmarks.live.contract import LiveGateway
from benchmarks.live.registry import NEWCOMERS
from tests.live.checks import AT_LEAST, HANG_S
from tests.live.conftest import Drives

RIGHT: Final = 0.98
GATEWAYS: Final = tuple({one.name: one for one in chain.from_iterable(NEWCOMERS.values())}.values())


@pytest.mark.parametrize("gateway", [pytest.param(one, marks=pytest.mark.live(one), id=one.name) for one in GATEWAYS])
def test_the_recipe_leads_to_the_right_codes(gateway: LiveGateway, drives: Drives) -> None:
    """Nothing but the page's lines and commands, and every log as a whole: start-up lines, passing requests, crowds."""
    if lacking := gateway.missing():
        pytest.skip(f"{gateway.name}: {lacking}")
    driven, _, _, in_store, _ = drives[gateway.name].result(HANG_S)
    asked = newcomer.asked(driven)

    assert in_store is not None
    assert asked.total() > AT_LEAST
    assert newcomer.right(asked, in_store) >= RIGHT, {"lacking": asked - in_store, "extra": in_store - asked}
