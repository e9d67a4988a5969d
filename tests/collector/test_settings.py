"""The settings table: defaults that load, sources that override, errors that name file, key, value and what is right."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.errors import ConfigurationError
from collector.settings import Entry, entries, load


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
        ("[store]\ncommit_rows = 'many'\n", "store.commit_rows", "an integer"),
        ("[store]\ncommit_rows = 0\n", "store.commit_rows", "a number from 1 to 1e+06"),
        ("[otlp]\ngrpc = 'here'\n", "otlp.grpc", '"host:port"'),
        ("insecure = 'perhaps'\n", "insecure", "true or false"),
        ("[kafka]\nstart = 'now'\n", "kafka.start", "one of earliest, latest"),
        ("[kafka]\ntopics = 7\n", "kafka.topics", "a list of strings"),
        ("store = 5\n", "store", "a table: [store]"),
        ("issuers = 5\n", "issuers", "a list of tables: [[issuers]]"),
        ("[[issuers]]\n", "issuers[0].issuer", "required: "),
        ("[[issuers]]\nissuer='x'\nalgorithms=['RS265']\n", "issuers[0].algorithms", "did you mean RS256?"),
        ("[[issuers]]\nissuer='x'\njwks='http://a.example/k'\n", "issuers[0].jwks", "https URL"),
        ("[store\n", "(syntax)", "invalid TOML"),
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

    assert "expected a string" in str(raised.value)


def test_a_missing_file_is_an_error_and_no_file_is_not() -> None:
    """`--config` means it; without it the defaults serve."""
    with pytest.raises(ConfigurationError, match="no such file"):
        load("/nonexistent/why401.toml", {})


def test_every_setting_explains_itself() -> None:
    """The help is what `why401 init` and the docs are written from."""
    assert [] == [entry.key for entry in entries() if not entry.help.endswith((".", ")", ";"))]


SECRETS = [entry for entry in entries() if entry.secret]


def private(folder: Path, text: str, mode: int = 0o600) -> Path:
    file = folder / "secret"
    file.touch(0o600)
    file.write_text(text)
    file.chmod(mode)
    return file


def held(settings: object, key: str) -> object:
    for name in key.split("."):
        settings = getattr(settings, name)
    return settings


@pytest.mark.parametrize("entry", SECRETS, ids=lambda entry: entry.key)
@pytest.mark.parametrize("how", ["toml", "environment"])
def test_a_secret_may_come_from_a_private_file(tmp_path: Path, entry: Entry, how: str) -> None:
    """`KEY_file`, relative to why401.toml, or `WHY401_KEY_FILE`; without the line break at its end."""
    private(tmp_path, "hunter2\n")
    section = f"[{entry.section}]\n{entry.name}_file = 'secret'\n" if how == "toml" else ""
    environ = {entry.env + "_FILE": "secret"} if how == "environment" else {}

    assert "hunter2" == held(load(written(tmp_path, section), environ), entry.key)


@pytest.mark.parametrize("entry", SECRETS, ids=lambda entry: entry.key)
def test_no_secret_is_in_the_repr(tmp_path: Path, entry: Entry) -> None:
    """Settings end in tracebacks and logs."""
    settings = load(written(tmp_path, ""), {entry.env: "hunter2"})

    assert "hunter2" == held(settings, entry.key)
    assert "hunter2" not in repr(settings)


@pytest.mark.parametrize(
    ("text", "mode", "says"),
    [
        ("[kafka]\nsasl_password_file = 'secret'\n", 0o644, "others can read it (mode 0644); run chmod 600"),
        ("[kafka]\nsasl_password_file = 'secret'\n", 0o660, "others can read it"),
        ("[kafka]\nsasl_password_file = 'nowhere'\n", 0o600, "cannot be read: No such file"),
        ("[kafka]\nsasl_password_file = 'secret'\nsasl_password = 'hunter2'\n", 0o600, "not both"),
        ("[kafka]\nsasl_pasword = 'hunter2'\n", 0o600, "did you mean sasl_password?"),
        ("[kafka]\nsasl_password = ['hunter2']\n", 0o600, "expected a string"),
        ("kafka = 'hunter2'\n", 0o600, "a table: [kafka]"),
    ],
)
def test_a_wrong_secret_is_named_and_not_shown(tmp_path: Path, text: str, mode: int, says: str) -> None:
    """File, key and what would be right; the value stays unsaid, under a misspelled name too."""
    private(tmp_path, "hunter2", mode)

    with pytest.raises(ConfigurationError) as raised:
        load(written(tmp_path, text), {})

    assert says in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_a_section_inside_a_section(tmp_path: Path) -> None:
    """From the file and from the environment, with errors that name the whole path."""
    file = written(tmp_path, "[otlp.oidc]\nissuer = 'https://idp/'\n")

    oidc = load(file, {"WHY401_OTLP_OIDC_AUDIENCE": "why401"}).otlp.oidc

    assert ("https://idp/", "why401", ("RS256",)) == (oidc.issuer, oidc.audience, oidc.algorithms)
    with pytest.raises(ConfigurationError, match=r"otlp\.oidc\.isuer.*did you mean issuer"):
        load(written(tmp_path, "[otlp.oidc]\nisuer = 'x'\n"), {})


@pytest.mark.parametrize(
    ("text", "key", "says"),
    [
        ("[otlp.oidc]\nalgorithms = ['HS256']\n", "otlp.oidc.algorithms", "asymmetric algorithms"),
        ("[otlp.oidc]\nalgorithms = []\n", "otlp.oidc.algorithms", "asymmetric algorithms"),
        ("[dashboard.login]\nissuer = 'http://idp'\n", "dashboard.login.issuer", "https URL"),
        ("[dashboard.login]\nredirect_uri = 'https://x/'\n", "dashboard.login.redirect_uri", "/oauth2callback"),
    ],
)
def test_what_would_let_strangers_in_is_refused(tmp_path: Path, text: str, key: str, says: str) -> None:
    """Shared-key algorithms, providers in plain text, and a way back to nowhere."""
    with pytest.raises(ConfigurationError) as raised:
        load(written(tmp_path, text), {})

    assert key == raised.value.key
    assert says in raised.value.expected
