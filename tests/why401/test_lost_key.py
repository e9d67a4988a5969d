"""A pseudonym key that was lost with everything beside it: the lake still knows its epoch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from analyzer.store import open_store
from collector.errors import ConfigurationError
from collector.settings import Settings
from collector.telemetry import Telemetry
from tests.analyzer.verdict_samples import TOKEN, failing
from why401.run import collector_of


def test_the_epoch_of_the_lake_is_not_used_again(tmp_path: Path) -> None:
    """Users of epoch 3 are stored; a start without any key begins epoch 4."""
    settings = replace(Settings(), data_dir=str(tmp_path / "data"))
    store = open_store(settings, Telemetry())
    store.append([failing(token=replace(TOKEN, key_epoch=3))], [], {})
    store.close()
    with collector_of(settings, Telemetry()):
        pass

    assert '"epoch":4' in settings.pseudonym_key_path.read_text()


def test_a_lake_that_cannot_be_asked_makes_no_key(tmp_path: Path) -> None:
    """The start is refused: a key under a number that was in use would pass for the lost one."""
    settings = replace(Settings(), data_dir=str(tmp_path / "data"))
    settings.data_path.mkdir()
    (settings.data_path / "catalog.sqlite").write_bytes(b"no catalog" * 1000)
    with pytest.raises(ConfigurationError, match="cannot be read"), collector_of(settings, Telemetry()):
        pass

    assert not settings.pseudonym_key_path.exists()
