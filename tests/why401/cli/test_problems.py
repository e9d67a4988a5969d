"""`why401 problems` and `why401 mark`: what the page can do, from the command line, beside a running writer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from analyzer.store import Store, open_store
from collector.settings import Settings
from collector.settings.private import os_user
from collector.telemetry import Telemetry
from tests.analyzer.verdict_samples import GROUP, failing
from why401.cli import main, moments

OTHER = replace(GROUP, id="v1-00000000000000bb")
NOW = datetime(2026, 11, 2, 10, tzinfo=UTC)
Run = Callable[..., Result]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A writer with two groups, at work."""
    store = open_store(replace(Settings(), data_dir=str(tmp_path)), Telemetry())
    store.append([failing(0), failing(0, group=OTHER)], [], {})
    return store


@pytest.fixture
def run(store: Store, tmp_path: Path) -> Run:
    """The command over the store's folder."""

    def _run(name: str, *arguments: str) -> Result:
        before = ["--data-dir", str(tmp_path)]
        return CliRunner().invoke(
            main, [name, *before, *arguments] if name == "problems" else [name, *arguments, *before]
        )

    return _run


VERBS = [
    (["resolve", GROUP.id, "--note", "deployed"], "resolved"),
    (["resolve", GROUP.id, "--next-release"], "resolved in the next release"),
    (["mute", GROUP.id], "muted"),
    (["mute", GROUP.id, "--until", "2026-12-24T10:00Z"], "muted until 24 Dec 10:00 UTC"),
    (["archive", GROUP.id], "archived"),
    (["reopen", GROUP.id], "opened"),
    (["assign", GROUP.id, "ben"], "assigned to ben"),
    (["assign", GROUP.id], "assigned to nobody"),
    (["note", GROUP.id, "see the runbook"], "noted"),
    (["merge", GROUP.id, OTHER.id], f"merged into {OTHER.id}"),
    (["split", GROUP.id], "kept apart"),
]


@pytest.mark.parametrize(("arguments", "says"), VERBS, ids=lambda value: value if isinstance(value, str) else "")
def test_every_verb_is_kept_with_its_author(arguments: list[str], says: str, run: Run, store: Store) -> None:
    """Told on one line, and in the history of the group."""
    done = run("problems", *arguments)
    shown = run("problems", "show", GROUP.id)

    assert (0, f"{GROUP.id}: {says}\n") == (done.exit_code, done.output)
    assert f"{os_user()}  {says}" in shown.output
    assert [(os_user(),)] == store.rows("SELECT author FROM notes")


def test_the_list_leaves_out_what_was_put_aside(run: Run) -> None:
    """Muted ones are there with --all; undo brings one back."""
    run("problems", "mute", GROUP.id)
    some, every = run("problems").output, run("problems", "--all").output
    undone = run("problems", "undo", GROUP.id).output

    assert (False, True, True) == (GROUP.id in some, GROUP.id in every, OTHER.id in some)
    assert ("undid: muted\n", True) == (undone, GROUP.id in run("problems").output)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["resolve", "v1-nowhere"], "there is no group 'v1-nowhere'"),
        (["show", "v1-nowhere"], "there is no group 'v1-nowhere'"),
        (["undo", GROUP.id], "nothing was decided"),
        (["merge", GROUP.id, GROUP.id], "cannot be merged into itself"),
        (["mute", GROUP.id, "--until", "soon"], "expected 30m, 8h"),
        (["mute", GROUP.id, "--until", "99999999999999999999d"], "expected 30m, 8h"),
        (["note", GROUP.id, "x" * 20_000], "at most 10,000 characters"),
    ],
)
def test_what_cannot_be_decided_is_told(arguments: list[str], says: str, run: Run, store: Store) -> None:
    """A sentence, a status that is not 0, and no row."""
    done = run("problems", *arguments)

    assert (True, True) == (done.exit_code != 0, says in done.output), done.output
    assert [] == store.rows("FROM notes")


def test_a_mark_is_a_change(run: Run, store: Store) -> None:
    """With its time, its gateway and its details; a text too long is refused."""
    done = run("mark", "shop 7.1", "--gateway", "kong", "--at", "2026-11-02T10:00Z", "--detail", "blue")
    refused = run("mark", "x" * 201)

    assert (0, "marked shop 7.1 at 2026-11-02 10:00:00 UTC\n") == (done.exit_code, done.output)
    assert [(NOW, "marked", "shop 7.1", "kong", "blue", False)] == store.rows("FROM changes WHERE kind = 'marked'")
    assert "expected 1 to 200 characters" in refused.output


def test_without_a_store_nothing_is_made(tmp_path: Path) -> None:
    """A sentence that names the place."""
    done = CliRunner().invoke(main, ["mark", "x", "--data-dir", str(tmp_path / "none")])

    assert (2, False) == (done.exit_code, (tmp_path / "none").exists())
    assert "no store at" in done.output


@pytest.mark.parametrize(
    ("text", "expected"),
    [("30m", "10:30"), ("8h", "18:00"), ("2026-11-02T12:00", "12:00"), ("2026-11-02T12:00+02:00", "10:00")],
)
def test_times_as_people_type_them(text: str, expected: str) -> None:
    """From now on, or exactly; without a zone it is UTC."""
    assert expected == f"{moments.later(text, NOW).astimezone(UTC):%H:%M}"


@pytest.mark.parametrize("text", ["", "h", "-1h", "1.5h", "²h", "yesterday"])
def test_what_is_no_time_is_refused(text: str) -> None:
    """In words of the command line."""
    with pytest.raises(click.BadParameter, match="expected 30m"):
        moments.later(text, NOW)
