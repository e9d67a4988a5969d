"""The settings table: defaults that load, sources that override, errors that name file, key, value and what is right."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.errors import ConfigurationError
from collector.settings import entries, load


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "why401.toml"
    file.write_text(text)
    return file


def test_flags_beat_environment_beats_file(tmp_path: Path) -> None:
    """The nearer to the person, the stronger."""
    file = written(tmp_path, "[store]\ncommit_rows = 1\nkeep_events_days = 1\ninline_rows = 1\n")
    environ = {"WHY401_STORE_COMMIT_ROWS": "2", "WHY401_STORE_INLINE_ROWS": "2"}

    store = load(file, environ, {"store.inline_rows": 3}).store

    assert (2, 1, 3) == (store.commit_rows, store.keep_events_days, store.inline_rows)


def test_issuers_are_read_with_their_defaults(tmp_path: Path) -> None:
    """One table per issuer; what is left out has the default that verifiers have."""
    file = written(
        tmp_path, '[[issuers]]\nissuer = "https://a/"\n[[issuers]]\nissuer = "https://b/"\nclock_skew_seconds = 0\n'
    )

    first, second = load(file, {}).issuers

    assert ("https://a/", 60, ("RS256",), 0) == (
        first.issuer,
        first.clock_skew_seconds,
        first.algorithms,
        second.clock_skew_seconds,
    )


@pytest.mark.parametrize(
    ("text", "key", "says"),
    [
        ("[stor]\n", "stor", "did you mean store?"),
        ("[store]\ncommit_row = 1\n", "store.commit_row", "did you mean commit_rows?"),
        ("[store]\ncommit_rows = 'many'\n", "store.commit_rows", "a whole number"),
        ("[store]\ncommit_rows = 0\n", "store.commit_rows", "a number from 1 to 1e+06"),
        ("[otlp]\ngrpc = 'here'\n", "otlp.grpc", '"host:port"'),
        ("insecure = 'perhaps'\n", "insecure", "true or false"),
        ("[kafka]\nstart = 'now'\n", "kafka.start", "one of earliest, latest"),
        ("[kafka]\ntopics = 7\n", "kafka.topics", "a list of texts"),
        ("store = 5\n", "store", "a table: [store]"),
        ("issuers = 5\n", "issuers", "a list of tables: [[issuers]]"),
        ("[[issuers]]\n", "issuers[0].issuer", "is required"),
        ("[[issuers]]\nissuer='x'\nalgorithms=['RS265']\n", "issuers[0].algorithms", "did you mean RS256?"),
        ("[[issuers]]\nissuer='x'\njwks='http://a.example/k'\n", "issuers[0].jwks", "https URL"),
        ("[store\n", "(syntax)", "not TOML"),
    ],
)
def test_a_wrong_setting_is_named_with_what_would_be_right(tmp_path: Path, text: str, key: str, says: str) -> None:
    """File, key, value and the remedy, in one line."""
    file = written(tmp_path, text)

    with pytest.raises(ConfigurationError) as raised:
        load(file, {})

    assert (key, str(file)) == (raised.value.key, raised.value.file)
    assert says in str(raised.value)


def test_a_secret_is_not_repeated_in_an_error(tmp_path: Path) -> None:
    """Errors end in logs and tickets."""
    file = written(tmp_path, "[kafka]\nsasl_password = 5\n")

    with pytest.raises(ConfigurationError) as raised:
        load(file, {})

    assert "expected text" in str(raised.value)


def test_a_missing_file_is_an_error_and_no_file_is_not() -> None:
    """`--config` means it; without it the defaults serve."""
    with pytest.raises(ConfigurationError, match="no such file"):
        load("/nonexistent/why401.toml", {})


def test_every_setting_explains_itself() -> None:
    """The help is what `why401 init` and the docs are written from."""
    assert [] == [entry.key for entry in entries() if not entry.help.endswith((".", ")", ";"))]
