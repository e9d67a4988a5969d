"""Kafka with SASL and TLS: what lets us in, and what is said when we are not."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.traffic import envoy_json
from collector.errors import ConfigurationError, SinkUnavailable
from collector.settings import KafkaSettings, load
from collector.sinks.kafka import KafkaSink
from collector.sources.kafka import refusals
from collector.sources.kafka.decoding import decode_raw
from collector.sources.kafka.refusals import AccessRefused
from collector.sources.kafka.source import KafkaSource
from collector.telemetry import Telemetry
from tests.brokers import free_ports
from tests.intakes import LedgerIntake, running
from tests.secured_brokers import PASSWORD, USER, Secured
from tests.waiting import HANG_S, eventually
from why401.cli import main

ROOT = Path(__file__).parents[4]
SASL = {"security_protocol": "SASL_SSL", "sasl_username": USER, "sasl_password": PASSWORD}


def by_password(secured: Secured, mechanism: str = "SCRAM-SHA-512", **other: object) -> KafkaSettings:
    about = {"bootstrap": (secured.sasl,), "sasl_mechanism": mechanism, "ssl_cafile": secured.file("ca.pem")}
    return KafkaSettings(**(SASL | about | other))


def by_certificate(secured: Secured, **other: object) -> KafkaSettings:
    about = {
        "bootstrap": (secured.mtls,),
        "security_protocol": "SSL",
        "ssl_cafile": secured.file("ca.pem"),
        "ssl_certfile": secured.file("client.pem"),
        "ssl_keyfile": secured.file("client.key"),
    }
    return KafkaSettings(**(about | other))


def source_of(settings: KafkaSettings, topic: str, group: str = "g") -> KafkaSource:
    return KafkaSource(settings, Telemetry(), topics=(topic,), group=group, decode=decode_raw())


def told(settings: KafkaSettings) -> ConfigurationError:
    """What stops a start with these settings."""
    with pytest.raises(ConfigurationError) as raised:
        source_of(settings, "raw").run(LedgerIntake(), threading.Event())
    return raised.value


@pytest.mark.kafka
@pytest.mark.parametrize("how", ["SCRAM-SHA-512", "PLAIN", "certificate"])
def test_the_right_credentials_come_in(secured, how):
    """Records are read, and their offsets committed."""
    topic = secured.broker.topic()
    secured.broker.produce(topic, [b"one", b"two", b"three"])
    settings = by_certificate(secured) if how == "certificate" else by_password(secured, how)
    intake = LedgerIntake()

    with running(source_of(settings, topic, f"group-{how}"), intake):
        eventually(lambda: len(intake.items) == 3, "three records")
        eventually(lambda: secured.broker.committed(f"group-{how}", topic) == 3, "the committed offset")

    assert ["one", "two", "three"] == [record.text for record in intake.items]


WRONG = {
    "password": (
        lambda s: by_password(s, sasl_password="wrong-" + PASSWORD),
        "kafka.sasl_username",
        "refused this user or its password (SCRAM-SHA-512)",
    ),
    "plain-password": (
        lambda s: by_password(s, "PLAIN", sasl_password="wrong-" + PASSWORD),
        "kafka.sasl_username",
        "refused this user or its password (PLAIN)",
    ),
    "mechanism": (lambda s: by_password(s, "SCRAM-SHA-256"), "kafka.sasl_mechanism", "does not offer it"),
    "ca": (lambda s: by_password(s, ssl_cafile=s.file("stranger.pem")), "kafka.ssl_cafile", "expected the CA that signed it"),
    "name": (
        lambda s: by_password(s, bootstrap=(s.sasl_by_address,)),
        "kafka.bootstrap",
        "expected a name that the broker's certificate holds",
    ),
    "no-certificate": (
        lambda s: by_certificate(s, ssl_certfile="", ssl_keyfile=""),
        "kafka.ssl_certfile",
        "set ssl_certfile and ssl_keyfile",
    ),
    "tls-to-plain": (
        lambda s: by_password(s, bootstrap=(s.broker.bootstrap.replace("127.0.0.1", "localhost"),)),
        "kafka.security_protocol",
        "does not answer in TLS",
    ),
    "plain-to-tls": (
        lambda s: KafkaSettings(bootstrap=(s.sasl,)),
        "kafka.security_protocol",
        "speaks TLS: expected SSL",
    ),
}  # fmt: skip


@pytest.fixture
def short_bootstrap(monkeypatch):
    """kafka-python tries a refused connection until its bootstrap ends; a broker that is slower is asked again."""
    monkeypatch.setattr("collector.sources.kafka.client_factory.BOOTSTRAP_MS", 1_000)


@pytest.mark.kafka
@pytest.mark.usefixtures("short_bootstrap")
@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_setting_stops_the_start_with_one_sentence(secured, what, caplog):
    """The setting, where, and what would be right; one line, and never the password."""
    make, key, says = WRONG[what]

    with caplog.at_level(logging.DEBUG):
        error = told(make(secured))

    assert key == error.key
    assert says in error.expected
    assert "\n" not in str(error)
    assert PASSWORD not in str(error) + caplog.text
    assert [] == [record.getMessage() for record in caplog.records if record.name.startswith("kafka")]


@pytest.mark.kafka
@pytest.mark.usefixtures("short_bootstrap")
def test_the_sink_says_the_same(secured, caplog):
    """The event topic is behind the same door."""
    sink = KafkaSink(by_password(secured, sasl_password="wrong-" + PASSWORD), Telemetry())
    said: list[str] = []

    def asked() -> bool:
        with pytest.raises(SinkUnavailable) as raised:
            sink.positions("raw", (0,))
        said.append(str(raised.value))
        return "refused this user or its password" in said[-1]

    with caplog.at_level(logging.DEBUG):
        eventually(asked, "the reason")  # a broker that is slow to answer is away, and asked again

    assert PASSWORD not in str(said) + caplog.text


@pytest.mark.kafka
def test_a_broker_that_is_away_is_waited_for(secured):
    """No refusal is made of a closed port: it may open."""
    away = by_password(secured, bootstrap=(f"localhost:{free_ports(1)[0]}",))

    assert refusals.refusal(away, [ConnectionError()]) is None


@pytest.mark.kafka
def test_credentials_that_stop_working_are_waited_for(secured, monkeypatch, caplog):
    """Who was in once is not stopped by a rotation: it says why, and comes back when it can."""
    topic = secured.broker.topic()
    secured.broker.produce(topic, [b"x"])
    source, intake = source_of(by_password(secured), topic, "rotated"), LedgerIntake()
    real = source._consumer
    outcomes = ["breaks", "refused", "real"]

    @contextmanager
    def consumer():
        outcome = outcomes.pop(0)
        if outcome == "refused":
            raise AccessRefused("kafka.sasl_username", USER, "refused this user")
        if outcome == "breaks":
            yield None
            return
        with real() as made:
            yield made

    monkeypatch.setattr(source, "_consumer", consumer)
    with caplog.at_level(logging.WARNING), running(source, intake):
        eventually(lambda: len(intake.items) == 1, "the record")

    assert "refused this user" in caplog.text


@pytest.mark.kafka
def test_collect_topic_analyze(secured, tmp_path):
    """Two commands over the guarded door, the password from a private file: the lake's offsets are the topic's."""
    raw, events = secured.broker.topic(), secured.broker.topic(name="why401.events")
    secured.broker.produce(raw, [line.encode() for line in envoy_json(50, tokens=5)])
    password = tmp_path / "password"
    password.touch(0o600)
    password.write_text(PASSWORD + "\n")
    config = tmp_path / "why401.toml"
    config.write_text(
        f'data_dir = "{tmp_path}/data"\n[otlp]\ngrpc = ""\nhttp = ""\n[telemetry]\nprometheus = ""\n'
        f'[kafka]\nbootstrap = ["{secured.sasl}"]\ntopics = ["{raw}"]\nevents_topic = "{events}"\n'
        'security_protocol = "SASL_SSL"\nsasl_mechanism = "SCRAM-SHA-512"\n'
        f'sasl_username = "{USER}"\nsasl_password_file = "password"\nssl_cafile = "{secured.file("ca.pem")}"\n'
    )
    commands = [[sys.executable, "-m", "why401", name, "--config", str(config)] for name in ("collect", "analyze")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with (tmp_path / "log").open("wb") as log:
        processes = [
            subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log, env=environment) for command in commands
        ]
    try:
        eventually(lambda: secured.broker.committed("why401", raw) == 50, "collect's offset")
        eventually(lambda: secured.broker.committed("why401-analyze", events) == 50, "analyze's offset")
    finally:
        for process in processes:
            process.terminate()
        print("ended with", [process.wait(HANG_S) for process in processes])  # pytest shows it when this fails
        print((tmp_path / "log").read_text())
    stored = CliRunner().invoke(main, ["sql", "--config", str(config), "--csv", "SELECT sum(requests) FROM traffic"])

    assert "50" == stored.stdout.splitlines()[-1].strip('"')
    assert PASSWORD not in (tmp_path / "log").read_text()
    assert [] == [
        path for path in (tmp_path / "data").rglob("*") if path.is_file() and PASSWORD.encode() in path.read_bytes()
    ]


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"security_protocol": "SASL_SSL"}, "kafka.security_protocol"),
        ({"sasl_mechanism": "PLAIN"}, "kafka.security_protocol"),
        ({"security_protocol": "SASL_SSL", "sasl_mechanism": "PLAIN"}, "kafka.sasl_username"),
        (
            {"security_protocol": "SASL_SSL", "sasl_mechanism": "PLAIN", "sasl_username": "u"},
            "kafka.sasl_password",
        ),
        ({"security_protocol": "SSL", "ssl_cafile": "nowhere.pem"}, "kafka.ssl_cafile"),
    ],
)
def test_settings_that_no_broker_accepts(given, key):
    """Found before a connection is tried."""
    with pytest.raises(ConfigurationError) as raised:
        refusals.check(KafkaSettings(bootstrap=("b:1",), **given))

    assert key == raised.value.key


def test_a_client_key_that_others_read(tmp_path):
    """0600, as for every secret."""
    key = tmp_path / "client.key"
    key.write_text("x")
    key.chmod(0o644)

    with pytest.raises(ConfigurationError, match="chmod 600"):
        refusals.check(KafkaSettings(security_protocol="SSL", ssl_keyfile=str(key)))


@pytest.mark.parametrize("where", ["file", "environment", "environment-file"])
def test_the_password_is_in_no_repr(tmp_path, where):
    """Wherever it came from: settings, a copy of them, and the whole table."""
    (tmp_path / "password").touch(0o600)
    (tmp_path / "password").write_text(PASSWORD)
    config = tmp_path / "why401.toml"
    config.write_text('[kafka]\nsasl_password_file = "password"\n' if where == "file" else "")
    environ = {
        "environment": {"WHY401_KAFKA_SASL_PASSWORD": PASSWORD},
        "environment-file": {"WHY401_KAFKA_SASL_PASSWORD_FILE": "password"},
    }.get(where, {})

    settings = load(config, environ)

    assert PASSWORD == settings.kafka.sasl_password
    assert PASSWORD not in repr(settings) + str(settings) + repr(replace(settings.kafka, group="x"))


def test_check_shows_who_and_not_the_password(tmp_path, monkeypatch):
    """Protocol, mechanism, user."""
    monkeypatch.chdir(tmp_path)
    Path("why401.toml").write_text(
        f'[kafka]\nbootstrap = ["b:9093"]\nsecurity_protocol = "SASL_SSL"\nsasl_mechanism = "SCRAM-SHA-512"\n'
        f'sasl_username = "{USER}"\nsasl_password = "{PASSWORD}"\n'
    )

    result = CliRunner().invoke(main, ["check"])

    assert "b:9093: SASL_SSL, SCRAM-SHA-512 as why401" in result.output
    assert PASSWORD not in result.output
