"""Migrations and views at start."""

from __future__ import annotations

import stat
from dataclasses import replace

import duckdb
import pytest

from analyzer.lake import NewerStore
from analyzer.store import migrate, open_store
from collector.telemetry import Telemetry


def test_everything_is_applied_once(settings):
    """A second start changes nothing: no snapshot is made beside readers."""
    first = open_store(settings, Telemetry())
    before = first.rows("SELECT max(snapshot_id) FROM lake.snapshots()")
    second = open_store(settings, Telemetry())

    assert before == second.rows("SELECT max(snapshot_id) FROM lake.snapshots()")
    known = [(name,) for name, _ in migrate.migrations()]
    assert known == second.rows("SELECT name FROM store.applied WHERE name NOT LIKE 'view %' ORDER BY name")
    first.close()
    second.close()


def test_only_changed_views_are_created_again(settings, monkeypatch):
    """A view with new words is replaced, the others are left."""
    open_store(settings, Telemetry()).close()
    known = migrate.views()
    changed = [replace(view, comment="New words.") if view.name == "notes" else view for view in known]
    monkeypatch.setattr(migrate, "views", lambda: tuple(changed))
    store = open_store(settings, Telemetry())

    assert [("view notes", 2)] == store.rows(
        "SELECT name, count(*) FROM store.applied GROUP BY name HAVING count(*) > 1"
    )
    assert [(True,)] == store.rows(
        "SELECT starts_with(comment, 'New words.') FROM duckdb_views() WHERE view_name = 'notes'"
    )
    store.close()


def test_a_newer_store_is_left_alone(settings):
    """This version does not write to what a later one migrated."""
    store = open_store(settings, Telemetry())
    store.rows("INSERT INTO store.applied VALUES ('0999_later.sql', '', now())")
    store.close()
    with pytest.raises(NewerStore, match="0999_later"):
        open_store(settings, Telemetry())


def test_the_data_directory_is_private(settings):
    """The folder and its files are for the owner only."""
    store = open_store(settings, Telemetry())
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode) & 0o077
        for path in [settings.data_path, *settings.data_path.rglob("*")]
    }

    assert {0} == set(modes.values())
    store.close()


def test_a_migration_that_another_writer_applied_meanwhile_is_done(settings):
    """Two writers start at once: what one of them read as missing, the other has applied, and its SQL fits no more."""
    store = open_store(settings, Telemetry())
    con = store._connected()
    gone = "SELECT updated_at FROM store.offsets"

    migrate._apply(con, "0002_epochs.sql", gone)
    with pytest.raises(duckdb.BinderException):
        migrate._apply(con, "0009_of_nobody.sql", gone)
    store.close()


def test_a_new_store_is_one_snapshot_and_equal_to_one_made_step_by_step(settings, tmp_path, monkeypatch):
    """All at once gives the columns that a store of the first release has after its migrations."""
    store = open_store(settings, Telemetry())
    at_once, snapshots = _columns(store), store.rows("SELECT max(snapshot_id) FROM lake.snapshots()")
    store.close()
    monkeypatch.setattr(migrate, "_begin", lambda con: migrate._in_transaction(con, migrate._RECORDS))
    stepwise = open_store(replace(settings, data_dir=tmp_path / "steps"), Telemetry())

    assert [(1,)] == snapshots
    assert len(at_once) > 300
    assert at_once == _columns(stepwise)
    stepwise.close()


def _columns(store):
    return store.rows(
        "SELECT schema_name, table_name, column_name, data_type FROM duckdb_columns() WHERE database_name = 'lake' ORDER BY ALL"
    )


def test_a_store_that_another_writer_made_meanwhile_is_used(settings):
    """Two first writers: the second finds the store made when its own transaction fails."""
    store = open_store(settings, Telemetry())
    before = _columns(store)

    migrate._begin(store._connected())

    assert before == _columns(store)
    store.close()
