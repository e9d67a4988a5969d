"""The client: right rows, and words instead of tracebacks when the store is missing, broken or replaced."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from analyzer.lake.adhoc import first_rows
from analyzer.lake.attach import connect, writer
from analyzer.lake.errors import DamagedCatalog, NoStore, StoreUnavailable
from analyzer.situation import present
from collector import settings as settings_module
from collector.records import Position
from dashboard import client, config, filters, queries
from tests.dashboard import sample_lake
from tests.dashboard.conftest import forget

FOLDERS = (Path(queries.__file__).parent, Path(present.__file__).parent / "queries")
NAMES = sorted(path.stem for folder in FOLDERS for path in folder.glob("*.sql"))
OF_THE_FUTURE = ("next_keys", "next_leeway", "next_unmet")  # nothing is about to break here: test_explore.py
OF_DECISIONS = ("group_decision", "group_history", "merged")  # nobody decided anything here: test_life.py


def params(**more: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    window = {"since": now - timedelta(hours=1), "until": now, "before": now - timedelta(hours=2)}
    return {**window, "gateway": "", "bucket_s": 60, "group": sample_lake.FAULTS[0].group_id,
        **dict.fromkeys(filters.COLUMNS, ""), "issuer": sample_lake.LOGIN, "by": "code", "other_since": window["before"], "other_until": window["since"],
        "hour": window["since"], "groups": sample_lake.FAULTS[0].group_id, "state": "open", **more}  # fmt: skip


@pytest.mark.parametrize(
    "name", [name for name in NAMES if name not in (*OF_DECISIONS, *OF_THE_FUTURE, "group_compared")]
)
def test_every_statement_runs_and_finds_something(name: str, lake: Path, use: Callable[..., None]) -> None:
    """Each panel's SQL gives rows over two hours of believable traffic."""
    use(lake)

    assert len(client.query(name, **params())) > 0


def test_what_is_expected_stands_beside_what_came(lake: Path, use: Callable[..., None]) -> None:
    """Of a group whose failures lack a scope; a group of which nothing is known to be expected has no pair."""
    use(lake)
    scope = next(fault.group_id for fault in sample_lake.FAULTS if fault.missing_scope)
    (pair,) = client.query("group_compared", **params(group=scope)).to_dict("records")

    assert ("reports:read", "orders:read orders:write", "reports:read", 1.0) == (
        pair["expected"],
        pair["received"],
        pair["missing_scope"],
        pair["share"],
    )
    assert client.query("group_compared", **params()).empty


@pytest.mark.parametrize("name", NAMES)
def test_a_gateways_name_is_a_value_never_sql(name: str, lake: Path, use: Callable[..., None]) -> None:
    """Quotes, wildcards and statements in a filter match nothing and break nothing."""
    use(lake)
    window = params()
    before = client.query("headline", **window)["requests"][0]

    client.query(name, **window | {"gateway": "'; DROP TABLE failures; --%_", "group": "' OR 1=1 --"})

    assert before == client.query("headline", **window)["requests"][0]


@pytest.mark.parametrize("name", NAMES)
def test_the_sql_that_is_shown_is_the_sql_that_runs(name: str, lake: Path, use: Callable[..., None]) -> None:
    """Pasted into the explorer, which reads views only, the text behind a panel gives the panel's rows."""
    use(lake)
    shared = params()

    assert len(client.query(name, **shared)) == len(first_rows(client.lake(), queries.rendered(name, shared)))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("it's", "'it''s'"), (None, "NULL"), (3, "3"), (["a", 1], "['a', 1]"),
        (datetime(2026, 11, 23, 3, 4, 5, tzinfo=UTC), "TIMESTAMPTZ '2026-11-23 03:04:05+00'"),
    ],
)  # fmt: skip
def test_literals(value: Any, expected: str) -> None:
    """Values are written as DuckDB reads them."""
    assert expected == queries.literal(value)


def test_numbers_agree_between_panels(lake: Path, use: Callable[..., None]) -> None:
    """Refused requests are the same count by cause, by gateway, by responder and in the headline."""
    use(lake)
    shared = params()
    total = client.query("headline", **shared)["refused"][0]
    others = [
        client.query("trend_by_cause", **shared)["requests"].sum(),
        client.query("by_gateway", **shared)["refused"].sum(),
        client.query("responders", **shared)["requests"].sum(),
        client.query("heat", **shared)["refused"].sum(),
    ]

    assert [total] * 4 == others


def test_requests_without_a_user_are_no_user(lake: Path, use: Callable[..., None]) -> None:
    """The store writes '' where a token names nobody: the counts of users leave it out, as the view `groups` does."""
    use(lake)
    (nobody,) = (fault for fault in sample_lake.FAULTS if not fault.has_user)
    window = params(group=nobody.group_id, issuer="")
    users = client.query("group_where", **window)["users"]

    assert (0, 0) == (users.max(), client.query("group", **window)["users"][0])


def test_attention_comes_first(lake: Path, use: Callable[..., None]) -> None:
    """New, then back, then growing, then the rest."""
    use(lake)
    order = list(dict.fromkeys(client.query("attention", **params())["status"]))

    assert ["new", "regressed", "escalating", "ongoing"] == order[:4]


def test_a_missing_store_says_where_it_was_looked_for(tmp_path: Path, use: Callable[..., None]) -> None:
    """No file is created by looking."""
    use(tmp_path / "nowhere")

    with pytest.raises(NoStore) as missing:
        client.query("headline", **params())

    assert (str(tmp_path / "nowhere" / "catalog.sqlite"), False) == (
        missing.value.place,
        (tmp_path / "nowhere").exists(),
    )


def test_a_store_without_views_is_no_store_yet(tmp_path: Path, use: Callable[..., None]) -> None:
    """The writer creates the catalog before the views; the page waits."""
    settings = sample_lake.settings(tmp_path)
    connect(settings, writer(settings)).close()
    use(tmp_path)

    with pytest.raises(NoStore):
        client.query("headline", **params())


def test_a_broken_catalog_is_told_without_its_text(tmp_path: Path, use: Callable[..., None]) -> None:
    """A file that is not a database: what is wrong, and no connection string."""
    (tmp_path / "catalog.sqlite").write_bytes(b"not a database" * 100)
    use(tmp_path)

    with pytest.raises(DamagedCatalog) as broken:
        client.query("headline", **params())

    assert "ATTACH" not in str(broken.value)


def test_a_wrong_password_stays_out_of_the_message(
    tmp_path: Path, use: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """DuckDB quotes the connection string in its error; the page must not."""
    use(tmp_path)
    monkeypatch.setenv(
        "WHY401_STORE_CATALOG", "postgres:host=127.0.0.1 port=1 dbname=x password=hunter2-canary connect_timeout=1"
    )
    forget()

    with pytest.raises(StoreUnavailable) as broken:
        client.query("headline", **params())

    chain = [broken.value, broken.value.__cause__]
    assert (False, True) == (any("canary" in str(error) for error in chain), broken.value.__suppress_context__)


def test_a_store_that_goes_away_and_comes_back(tmp_path: Path, use: Callable[..., None]) -> None:
    """Deleted under the reader it is missing, at once; built again it is read again, with its new rows."""
    first = tmp_path / "lake"
    sample_lake.build(first, seed=1)
    use(first)
    before = client.query("headline", **params())["requests"][0]
    shutil.rmtree(first)
    with pytest.raises(NoStore):
        client.query("headline", **params())

    sample_lake.build(first, seed=2)

    assert before != client.query("headline", **params())["requests"][0] > 0


def test_a_reader_sees_what_the_writer_commits(tmp_path: Path, use: Callable[..., None]) -> None:
    """One connection stays open on each side."""
    sample_lake.build(tmp_path)
    use(tmp_path)
    count = "SELECT count(*) AS n FROM positions"
    before = first_rows(client.lake(), count)["n"][0].as_py()
    with sample_lake.opened(tmp_path) as store:
        store.append([], [Position("late.access", 0, 0, 1)], {})

        assert before + 1 == first_rows(client.lake(), count)["n"][0].as_py()


def test_flags_are_options_that_streamlit_knows() -> None:
    """A renamed option would be dropped at start with a warning, and its protection with it."""
    from streamlit.config import get_config_options

    flags = config.streamlit_flags(settings_module.load(None, environ={}))
    named = [flag.removeprefix("--").partition("=")[0] for flag in flags]

    assert [] == sorted(set(named) - set(get_config_options()))


def test_flags_switch_off_what_must_be_off() -> None:
    """No usage statistics, no developer's menu, no grid export without the formula guard."""
    flags = set(config.streamlit_flags(settings_module.load(None, environ={})))
    needed = {
        "--browser.gatherUsageStats=false", "--client.toolbarMode=minimal", "--client.disableDataExport=true",
        "--client.showErrorDetails=none", "--server.address=127.0.0.1", "--server.port=8501",
    }  # fmt: skip

    assert set() == needed - flags
