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
