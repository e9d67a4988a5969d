"""JSON Schemas: valid, as strict as what reads the file, and true of every event; mistakes are reported all at once."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import orjson
import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from collector.errors import ConfigurationError, SeveralMistakes
from collector.event_schema import event_schema
from collector.events import EventDecodeError, from_json, to_json
from collector.settings import load
from collector.settings.schema import config_schema
from tests.analyzer.verdict_samples import failing, passing, unread
from why401.cli import main
from why401.cli.init import document

CONFIG = jsonschema.Draft202012Validator(config_schema())
EVENT = jsonschema.Draft202012Validator(event_schema())


@pytest.mark.parametrize("validator", [CONFIG, EVENT], ids=["config", "event"])
def test_a_schema_is_one(validator: Any) -> None:
    """By the metaschema of its draft."""
    validator.check_schema(validator.schema)


def test_what_init_writes_is_valid_with_every_line_in_force() -> None:
    """The schema knows every section and setting, and accepts every default."""
    lines = [line.removeprefix("# ") for line in document().splitlines()[2:]]
    given = tomllib.loads("\n".join(line for line in lines if line.startswith("[") or " = " in line))

    assert [] == [f"{error.json_path}: {error.message}" for error in CONFIG.iter_errors(given)]
    assert set(given) == set(CONFIG.schema["properties"])


WRONG = {
    "an unknown setting": "[otlp]\ngprc = ''\n",
    "an unknown section": "[otpl]\n",
    "a text for a number": "[store]\ncommit_rows = 'many'\n",
    "a number beyond its bounds": "[store]\ncommit_rows = 0\n",
    "none of the words": "[telemetry]\nlog_level = 'loud'\n",
    "a word that is no rule": "[alerts]\nrules = ['news']\n",
    "a setting that is missing": "[[issuers]]\naudiences = ['a']\n",
    "a table where a list of them is expected": "[issuers]\nissuer = 'x'\n",
    "a list of numbers": "[files]\npaths = [1]\n",
}


@pytest.mark.parametrize("name", WRONG)
def test_schema_and_reading_refuse_the_same(name: str, tmp_path: Path) -> None:
    """An editor marks what `why401 check` refuses."""
    file = tmp_path / "why401.toml"
    file.write_text(WRONG[name])

    assert list(CONFIG.iter_errors(tomllib.loads(WRONG[name])))
    with pytest.raises(ConfigurationError):
        load(file, {})


def test_all_mistakes_are_said_at_once(tmp_path: Path) -> None:
    """Of the whole file, in its order, each with its key; a secret's value in none of them; exit status 2."""
    file = tmp_path / "why401.toml"
    file.write_text(
        '[store]\ncommit_rows = 0\ns3_secret = 5\n[otlp]\ngprc = "x"\n[[issuers]]\naudiences = ["a"]\n[[issuers]]\nissuer = "b"\nalgorithms = ["RS257"]\n'
    )
    with pytest.raises(SeveralMistakes) as found:
        load(file, {})
    shown = CliRunner().invoke(main, ["check", "--config", str(file)])

    keys = ["store.commit_rows", "store.s3_secret", "otlp.gprc", "issuers[0].issuer", "issuers[1].algorithms"]
    assert keys == [each.key for each in found.value.mistakes]
    assert (2, 5) == (shown.exit_code, shown.stderr.count("why401: "))
    assert all(key in shown.stderr for key in keys)


def test_check_reports_the_mistakes_of_every_part(tmp_path: Path) -> None:
    """What only a later look finds, too: doors, knowledge, alerts, destinations."""
    file = tmp_path / "why401.toml"
    file.write_text(
        '[otlp]\ngrpc = "0.0.0.0:4317"\n[knowledge]\nfiles = ["none.toml"]\n[alerts]\nurls = "x y z"\n[export]\nocsf = "kafka:t"\n'
    )
    file.chmod(0o600)
    shown = CliRunner().invoke(main, ["check", "--config", str(file)])

    assert 2 == shown.exit_code
    assert [True] * 4 == [word in shown.stderr for word in ("otlp.grpc", "none.toml", "alerts.urls", "kafka.bootstrap")]
    assert "valid" not in shown.stdout


def test_every_event_is_valid() -> None:
    """What goes out by `to_json` is what the schema says."""
    full = failing(trace_id="4bf92f3577b34da6a3ce929d0e0e4736", span_id="00f067aa0ba902b7").event
    odd = replace(full, zone_known=False, redactions=(("jwt", 2),))
    for event in (full, odd, passing().event, unread().event):
        assert [] == [
            f"{error.json_path}: {error.message}" for error in EVENT.iter_errors(orjson.loads(to_json(event)))
        ]


BROKEN = {"authfail.outcome": "perhaps", "why401.schema": 2, "time_unix_nano": "now", "token.segments": ["a"], "token.claims": [["sub"]], "gateway.name": None, "http.response.status_code": "401"}  # fmt: skip


@pytest.mark.parametrize("key", BROKEN)
def test_schema_and_analyzer_refuse_the_same_events(key: str) -> None:
    """Whoever writes events by the schema writes events that are read."""
    event = json.loads(to_json(failing().event)) | {key: BROKEN[key]}

    assert list(EVENT.iter_errors(event))
    with pytest.raises(EventDecodeError):
        from_json(json.dumps(event))
    del event[key]
    is_needed = key in EVENT.schema["required"]
    assert is_needed == bool(list(EVENT.iter_errors(event)))
