"""How far files were read is committed with their rows, or neither is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analyzer.store import Store
from analyzer.store.deltas import Given
from collector.errors import Fenced
from collector.records import FilePlace, Position
from tests.analyzer.verdict_samples import failing

PLACE = FilePlace(path="/a.log", device=1, inode=2**40, position=90, checked=100, head="h", last="l")


def test_places_move_with_the_rows(store: Store) -> None:
    """The latest of each content counts, a truncated file's old one stays, and a commit that fails moves nothing."""
    later, other = replace(PLACE, position=200, checked=210), replace(PLACE, head="of another content", position=5)
    store.commit(Given(verdicts=[failing()]), [Position("t", 0, 0, 1)], {}, [PLACE, later])
    store.commit(Given(verdicts=[failing()]), [], {}, [other])
    with pytest.raises(Fenced):
        store.commit(Given(verdicts=[failing()]), [Position("t", 0, 7, 8)], {}, [replace(later, position=300)])

    assert {later, other} == set(store.files())
    assert [(2, 2)] == store.rows("SELECT (SELECT count(*) FROM store.events), count(*) FROM store.files")
