"""docs/gateways/envoy.md: its lines are what the demo's Envoy is started with, and its commands lead to the right codes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from benchmarks.live import newcomer
from benchmarks.live.recipe import Recipe
from why401.demo.bootstrap import Ports, bootstrap
from why401.demo.mint import Mint

RECIPE: Final = Recipe("envoy")
RIGHT: Final = 0.98


def loggers(folder: Path) -> list[dict[str, Any]]:
    """The access loggers of the demo's Envoy."""
    config = bootstrap(
        Mint(), Ports(services=1, otlp=2, nothing=3), f"{folder}/access.jsonl", instance="edge-1", jwks_cache_s=5
    )
    manager = config["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    found: list[dict[str, Any]] = manager["access_log"]
    return found


def test_the_lines_are_those_of_the_running_envoy(tmp_path: Path) -> None:
    """The file's logger whole; of the OTLP logger all but the attributes, of which the page shows three."""
    file, otlp = loggers(tmp_path)
    shown = yaml.safe_load(RECIPE.block("otlp", tmp_path))
    attributes = shown["typed_config"].pop("attributes")["values"]
    every = otlp["typed_config"].pop("attributes")["values"]

    assert file == yaml.safe_load(RECIPE.block("log", tmp_path))
    assert otlp == shown
    assert len(attributes) == 3
    assert all(one in every for one in attributes)


@pytest.mark.envoy
def test_the_recipe_leads_to_the_right_codes(observed: Any) -> None:
    """Its own configuration is read by `why401 init --from`, its file by `why401 up`; every fault is in the store."""
    folder = observed.run.envoy.folder
    (folder / "envoy.yaml").symlink_to(folder / "envoy.json")
    asked = Counter(fault.code for fault, _ in observed.labelled)
    in_store = newcomer.found(RECIPE, folder)

    assert asked.total() > 80
    assert newcomer.right(asked, in_store) >= RIGHT, {"lacking": asked - in_store, "extra": in_store - asked}
