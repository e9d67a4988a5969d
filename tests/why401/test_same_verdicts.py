"""The same bytes get the same verdicts from a file, from one Kafka message and from `why401 explain`."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analyzer.knowledge.signatures import signatures
from analyzer.pipeline import Analyzer
from analyzer.verdicts import Verdict
from collector.events import Origin, Outcome
from collector.joining.stage import Joining
from collector.records import Batch, RawRecord
from collector.settings import FileSettings, JoiningSettings, Settings
from collector.sources.file import FileSource
from collector.sources.kafka.decoding import Message, decode_raw
from collector.sources.lines import records_of, says_nothing
from collector.telemetry import Telemetry
from tests.collector.gateways.cases import FILES, load, raw_record
from tests.collector.test_pipeline import collector
from tests.intakes import LedgerIntake
from tests.traces import TRACES
from why401.explainer import Explainer, as_mapping

REFUSED = (Outcome.DENIED, Outcome.ERROR)
FOLDERS = sorted({path.parent for path in FILES})


def text_of(path: Path) -> str:
    return raw_record(load(path)).text.strip("\r\n")


TEXTS = [*filter(None, map(text_of, FILES)), *TRACES.values()]
ECHO = "2026/03/03 10:00:00 [error] 1#1: *1 open() failed (2: No such file or directory), client: 192.0.2.1, server: _"
Answers = Counter[tuple[str, str]]


def of_sources(records: Iterable[RawRecord]) -> Answers:
    """What the store would get of these records."""
    stage = Joining(collector(), JoiningSettings(), Telemetry())
    analyzer = Analyzer(Settings())
    batches = [*stage(Batch(list(records))), *stage.rest()]
    return answers(
        analyzer.judge(event)
        for batch in batches
        for event in batch.items
        if event.outcome in (*REFUSED, Outcome.ALLOWED)
    )


def answers(verdicts: Iterable[Verdict]) -> Answers:
    once = {id(verdict): verdict for verdict in verdicts}.values()
    return Counter(
        (each.diagnosis.code, each.event.outcome.value)
        for each in once
        if each.diagnosis and each.event.outcome in REFUSED
    )


def of_file(text: str, folder: Path) -> Answers:
    path, intake = folder / "some.log", LedgerIntake()
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    FileSource(FileSettings(paths=(str(path),), follow=False), Telemetry()).run(intake, threading.Event())
    return of_sources(intake.items)


def of_kafka(text: str) -> Answers:
    return of_sources(
        decode_raw()(
            text.encode("utf-8", "surrogatepass"), Message(Origin("kafka", "raw", 0, 1), observed_ns=time.time_ns())
        )
    )


def of_explain(text: str) -> Answers:
    explained = Explainer(Settings()).explain_all(records_of(text))
    return answers(each for each in explained if not each.is_assumed)


def assert_same(text: str, folder: Path) -> None:
    expected = of_file(text, folder)

    assert expected == of_kafka(text)
    assert expected == of_explain(text)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_gateways_log(folder: Path, tmp_path: Path) -> None:
    """All records of a gateway's fixtures, as one log."""
    text = "\n".join(text_of(path) for path in FILES if path.parent == folder)

    assert_same(text, tmp_path)
    assert of_kafka(text), "a gateway without a refusal proves nothing"


def test_every_message_of_the_knowledge_base(tmp_path: Path) -> None:
    """As an application logs it; the examples hold line breaks, brackets and quotes of every kind."""
    examples = (example for signature in signatures() for example in signature.examples)

    assert_same("\n".join(f"ERROR:app.auth:{example}" for example in examples), tmp_path)


@pytest.mark.parametrize("trace", TRACES.values(), ids=TRACES)
def test_a_trace(trace: str, tmp_path: Path) -> None:
    """One record, one verdict at most, and the same everywhere."""
    assert_same(trace, tmp_path)
    assert 1 >= of_file(trace, tmp_path).total()
    assert 1 == len(Explainer(Settings()).explain_all(records_of(trace)))


@given(st.lists(st.sampled_from(TEXTS), max_size=12).map("\n".join))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_log(tmp_path: Path, text: str) -> None:
    """Any records of any gateways in any order, lines about one request among them."""
    assert_same(text, tmp_path)


def test_a_frame_is_never_a_verdict_of_its_own() -> None:
    """A log that begins within a trace: what has no meaning alone is not taken as somebody's message."""
    lines = {line for trace in TRACES.values() for line in trace.split("\n") if says_nothing(line.encode())}
    explained = Explainer(Settings()).explain_all(sorted(lines))

    assert len(explained) > 30
    assert [] == [each.diagnosis for each in explained if each.diagnosis]


def test_what_nobody_can_read_is_marked_where_it_is_explained() -> None:
    """`why401 explain` assumes a message where `why401 up` stores an unread record, and says so."""
    known, assumed, read = Explainer(Settings()).explain_all(
        ["jwt.exceptions.ExpiredSignatureError: Signature has expired", "Error loading the user bob", ECHO]
    )

    assert (False, True) == (known.is_assumed, assumed.is_assumed)
    assert (False, None) == (read.is_assumed, read.diagnosis), "read, and about no refused request"
    assert Answers() == of_kafka("Error loading the user bob") == of_kafka(ECHO)
    assert [False, True, False] == [as_mapping(each)["assumed"] for each in (known, assumed, read)]
