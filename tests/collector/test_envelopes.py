"""A line is found in whatever shippers, clouds and tools put around it, with the time, level and program that they know of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from collector.events import Event, Origin, Outcome
from collector.pipeline import Collector
from collector.records import RawRecord
from collector.redaction.pseudonyms import Pseudonyms
from collector.settings import Settings
from collector.shippers import peel
from collector.shippers.batches import unbatched
from collector.telemetry import Telemetry
from collector.token.verification import KeySets, Verifier
from tests.cases import failing

LINE = '192.0.2.9 - - [03/Mar/2026:10:00:00 +0000] "GET /carts HTTP/1.1" 401 179 "-" "curl/8"'
ENVOY = (
    '{"response_code":401,"response_code_details":"jwt_authn_access_denied{Jwt_is_expired}","method":"GET","path":"/c"}'
)
SENTENCE = "token rejected: signature verification failed"
AT = "2026-03-03T10:00:00.000Z"
NS = 1_772_532_000_000_000_000
POD = "carts-7d9f8b6c5-x2x9k"


def text_envelopes(line: str) -> dict[str, str]:
    """The prefixes of runtimes, agents and command-line tools."""
    return {
        "docker compose": f"carts-1  | {line}",
        "docker compose, underscores": f"shop_carts_1 | {line}",
        "docker service": f"shop_carts.1.x2x9k@node-1    | {line}",
        "pm2": f"0|carts  | {line}",
        "foreman": f"10:00:00 web.1   | {line}",
        "compose around foreman": f"api-1  | 10:00:00 web.1   | {line}",
        "kubectl --prefix": f"[pod/{POD}/carts] {line}",
        "kubectl --prefix --timestamps": f"[pod/{POD}/carts] 2026-03-03T10:00:00.000000000Z {line}",
        "kubectl --timestamps": f"2026-03-03T10:00:00.000000000Z {line}",
        "pod in brackets": f"[{POD}] {line}",
        "skaffold": f"[carts] {line}",
        "stern": f"{POD} carts {line}",
        "CRI": f"2026-03-03T10:00:00.000000000Z stdout F {line}",
        "Heroku": f"2026-03-03T10:00:00.000000+00:00 app[web.1]: {line}",
        "Heroku drain": f"<190>1 2026-03-03T10:00:00.000000+00:00 host app web.1 - {line}",
        "fly": f"2026-03-03T10:00:00Z app[17816e2] ams {line}",
        "journald short": f"Mar 03 10:00:00 host-1 carts[77]: {line}",
        "journald short-iso": f"2026-03-03T10:00:00+0000 host-1 carts[77]: {line}",
        "RFC 3164": f"<134>Mar  3 10:00:00 host-1 carts: {line}",
        "RFC 5424": f'<165>1 {AT} host-1 carts 77 ID47 [a@1 b="c"] {line}',
        "logcli": f'{AT} {{app="carts", pod="{POD}"}} {line}',
    }


def json_envelopes(line: str) -> dict[str, dict[str, Any]]:
    """The objects of agents, clouds and log stores."""
    return {
        "docker json-file": {"log": line + "\n", "stream": "stderr", "time": AT},
        "Fluent Bit": {"log": line, "stream": "stderr", "kubernetes": {"container_name": "carts", "labels": {"app": "x"}}, "date": 1772532000.0},
        "Fluent Bit, merged": {"time": AT, "stream": "stdout", "_p": "F", "log": line},
        "Filebeat": {"@timestamp": AT, "message": line, "log": {"offset": 1, "file": {"path": "/x"}}, "agent": {"type": "filebeat"}, "ecs": {}},
        "Vector": {"message": line, "source_type": "file", "timestamp": AT, "host": "h", "file": "/x"},
        "Logstash": {"@version": "1", "@timestamp": AT, "message": line, "host": {"name": "h"}, "tags": ["x"]},
        "journald json": {"MESSAGE": line, "__REALTIME_TIMESTAMP": "1772532000000000", "PRIORITY": "3", "_SYSTEMD_UNIT": "carts.service",
                          "_PID": "7", "__CURSOR": "s=1"},
        "Cloud Logging text": {"textPayload": line, "severity": "ERROR", "logName": "projects/a/logs/stderr", "timestamp": AT, "insertId": "1",
                               "resource": {"type": "k8s_container"}},
        "Cloud Logging json": {"jsonPayload": {"message": line}, "severity": "ERROR", "logName": "projects/a/logs/x", "timestamp": AT},
        "CloudWatch event": {"timestamp": 1772532000000, "message": line, "ingestionTime": 1772532001000, "eventId": "1"},
        "CloudWatch subscription of one": {"messageType": "DATA_MESSAGE", "owner": "1", "logGroup": "/carts", "logStream": "s",
                                           "logEvents": [{"id": "1", "timestamp": 1772532000000, "message": line}]},
        "Container Apps": {"TimeStamp": AT, "Log": line},
        "Container Apps table": {"TimeGenerated": AT, "Log_s": line, "ContainerName_s": "carts", "RevisionName_s": "r"},
        "App Service": {"time": AT, "resultDescription": line, "category": "AppServiceConsoleLogs", "level": "Error", "resourceId": "/x"},
        "Event Hub of one": {"records": [{"time": AT, "category": "ContainerAppConsoleLogs", "properties": {"Log": line}}]},
        "Datadog": {"message": line, "ddsource": "python", "ddtags": "env:x", "service": "carts", "hostname": "h", "status": "error",
                    "timestamp": 1772532000000},
        "Datadog archive": {"_id": "1", "date": AT, "source": "x", "attributes": {"a": 1}, "message": line},
        "Splunk HEC": {"time": 1772532000.0, "host": "h", "source": "carts", "sourcetype": "_json", "event": line},
        "Splunk HEC, object": {"time": 1772532000.0, "sourcetype": "_json", "event": {"line": line, "tag": "x"}},
        "Splunk export": {"preview": False, "result": {"_raw": line, "_time": AT, "source": "x"}},
        "GELF": {"version": "1.1", "host": "h", "short_message": line, "timestamp": 1772532000.0, "level": 3, "_app": "carts"},
        "Loki push of one": {"streams": [{"stream": {"app": "carts"}, "values": [["1772532000000000000", line]]}]},
        "Elastic hit": {"_index": "x", "_id": "1", "_source": {"@timestamp": AT, "message": line}},
        "nobody known": {"when": AT, "where": "cluster-7", "payload": line if line[:1] == "{" else json.dumps({"log": line})},
        "Docker around Filebeat": {"log": json.dumps({"@timestamp": AT, "message": line, "agent": {}}), "stream": "stdout"},
    }  # fmt: skip


def collected(text: str) -> Event:
    telemetry, settings = Telemetry(), Settings()
    verifier = Verifier(settings, KeySets(settings.issuers, settings.base, telemetry))
    collector = Collector(settings, verifier, Pseudonyms(b"k" * 32, 0), telemetry)
    return collector.collect(RawRecord(Origin("file"), NS + 5_000_000_000, text=text))


def check_access(text: str) -> None:
    event = collected(text)

    assert (401, "GET") == (event.request.status, event.request.method)


@pytest.mark.parametrize("line", [LINE, ENVOY], ids=["access line", "Envoy's JSON"])
def test_a_gateways_record_is_found(line: str) -> None:
    """The record is read as if nothing were around it."""
    wrapped = text_envelopes(line) | {name: json.dumps(each) for name, each in json_envelopes(line).items()}

    assert {} == failing(wrapped.items(), check_access, at_least=45)


def check_sentence(text: str) -> None:
    event = collected(text)

    assert (Outcome.DENIED, SENTENCE) == (event.outcome, event.words.message)
    assert event.time_ns // 10**9 == NS // 10**9


def test_a_programs_line_is_found() -> None:
    """Level and time are the line's own."""
    line = f"2026-03-03 10:00:00,000 - carts - ERROR - {SENTENCE}"
    wrapped = text_envelopes(line) | {name: json.dumps(each) for name, each in json_envelopes(line).items()}

    assert {} == failing(wrapped.items(), check_sentence, at_least=45)


def test_a_sentence_in_an_envelope_has_its_time() -> None:
    """An application that leaves time and level to its platform."""
    assert {} == failing(
        ((name, json.dumps(each)) for name, each in json_envelopes(SENTENCE).items() if name in TIMED), check_sentence
    )


TIMED = (
    "docker json-file", "Fluent Bit", "Filebeat", "journald json", "Cloud Logging text", "CloudWatch event", "Container Apps",
    "Container Apps table", "App Service", "Datadog", "Splunk HEC", "GELF",
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "level", "program"),
    [
        (f"<131>Mar  3 10:00:00 h carts[7]: {SENTENCE}", "ERROR", "carts"),
        (f"<14>1 {AT} h carts 7 - - {SENTENCE}", "INFO", "carts"),
        (f"nginx-1  | {LINE}", "DEFAULT", "nginx-1"),
        (
            json.dumps(
                {"MESSAGE": SENTENCE, "__REALTIME_TIMESTAMP": "1", "PRIORITY": "4", "SYSLOG_IDENTIFIER": "carts"}
            ),
            "WARNING",
            "carts",
        ),
        (json.dumps({"log": LINE, "kubernetes": {"container_name": "httpd"}, "stream": "stdout"}), "DEFAULT", "httpd"),
        (LINE, "", ""),
    ],
)
def test_level_and_program_stay_with_the_record(text: str, level: str, program: str) -> None:
    """What a wrapping says is not lost with it."""
    record = peel(RawRecord(Origin("file"), 1, text=text))

    assert (level, program) == (record.level, record.program)


@pytest.mark.parametrize(
    "line",
    [
        "2026-03-03 10:00:00.123 | ERROR    | carts.auth:check:44 - token refused",
        "ERROR | token refused",
        "2026-03-03 10:00:00 | WARN | token refused",
        "a sentence with a | bar in it",
        "well-known endpoint missing",
        "[carts] a sentence behind a word in brackets",
        "2026-03-03T10:00:00Z token refused",
        "2026-03-03T10:00:00.123Z ERROR carts::auth: token refused",
        "[10:00:00 ERR] token refused",
    ],
)
def test_a_line_of_its_own_keeps_its_beginning(line: str) -> None:
    """What looks like a prefix is none where nothing better stands behind it."""
    assert line == peel(RawRecord(Origin("file"), 1, text=line)).text


@pytest.mark.parametrize(
    ("batch", "records"),
    [
        ({"messageType": "DATA_MESSAGE", "logGroup": "g", "logEvents": [{"message": "a"}, {"message": "b"}]},
         [{"logGroup": "g", "message": "a"}, {"logGroup": "g", "message": "b"}]),
        ({"records": [{"a": 1}, {"b": 2}, 3]}, [{"a": 1}, {"b": 2}]),
        ({"streams": [{"stream": {"app": "x"}, "values": [["1", "a"], ["2", "b"]]}]},
         [{"timestamp": "1", "line": "a", "labels": {"app": "x"}}, {"timestamp": "2", "line": "b", "labels": {"app": "x"}}]),
        ([{"log": "a"}, {"log": "b"}], [{"log": "a"}, {"log": "b"}]),
        ({"hits": {"hits": [{"_source": {"message": "a"}}]}}, [{"message": "a"}]),
        ({"records": "none"}, [{"records": "none"}]),
        ([1, 2], [[1, 2]]),
    ],
)  # fmt: skip
def test_a_batch_is_several_records(batch: Any, records: list[Any]) -> None:
    """Each with what the batch says of all of them; what is no batch stays one record."""
    assert records == [json.loads(each) for each in unbatched(json.dumps(batch))]


@pytest.mark.parametrize(
    "text", ["", "[", '{"records":', "x", '{"records":[' * 10_000, "[{" * 10_000, '{"log":"' * 5_000]
)
def test_any_text_is_a_record(text: str) -> None:
    """Never raises, and loses nothing."""
    assert [text] == unbatched(text)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"note": "hello world, here we are", "log": "Server started on port 8080", "stream": "stdout"}),
        json.dumps({"a": {"b": {"c": {"d": SENTENCE}}}}),
        json.dumps({f"k{n}": "x" * 20 for n in range(100)}),
    ],
)
def test_an_object_without_a_record_stays_unread(text: str) -> None:
    """Nothing in it is a refusal."""
    assert Outcome.UNREAD is collected(text).outcome
