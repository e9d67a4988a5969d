"""The scenarios. Each is a function without arguments that returns a Result."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from analyzer.pipeline import Analyzer
from benchmarks.harness import Result, measure
from benchmarks.hostile import HOSTILE
from benchmarks.traffic import application_lines, envoy_json, mixed, records, token
from collector.counted import Sampling
from collector.gateways import parse
from collector.joining.stage import Joining
from collector.pipeline import Collector
from collector.records import Batch, Position, RawRecord
from collector.redaction import redact
from collector.redaction.pseudonyms import Pseudonyms
from collector.safe import Safe
from collector.settings import JoiningSettings, Settings, StoreSettings
from collector.shippers import peel
from collector.telemetry import Telemetry
from collector.token.credentials import unwrap
from collector.token.facts import read_token
from collector.token.verification import KeySets, Verifier

COUNT: Final = 20_000


def collector(settings: Settings | None = None) -> Collector:
    """The collector's stages without configured issuers."""
    chosen = settings or Settings()
    telemetry = Telemetry()
    return Collector(chosen, Verifier(chosen, KeySets((), Path(), telemetry)), Pseudonyms(b"k" * 32, 1), telemetry)


def _fresh(lines: list[str]) -> list[RawRecord]:
    return records(lines)


def scenario_parse() -> Result:
    """Peel and parse Envoy's JSON."""
    lines = envoy_json(COUNT, tokens=200)

    def run() -> int:
        return sum(parse(peel(record)) is not None for record in _fresh(lines))

    return measure("parse", run, note="Envoy JSON, decode included")


def scenario_facts() -> Result:
    """Token facts without a cache: every token is new."""
    credentials = [unwrap(f"Bearer {token(number)}") for number in range(2_000)]

    def run() -> int:
        return len([read_token(credential) for credential in credentials])

    return measure("facts", run, note="2,000 distinct tokens, no cache")


def scenario_redact() -> Result:
    """Ordinary access log lines through every rule."""
    lines = [
        f'203.0.113.{n % 250} - - [03/Mar/2026:10:00:00 +0000] "GET /orders/{n} HTTP/1.1" 200 512 "-" "curl/8.7.1"'
        for n in range(COUNT)
    ]
    size = sum(map(len, lines)) / 1e6

    def run() -> int:
        for line in lines:
            redact(line)
        return len(lines)

    result = measure("redact", run)
    return replace(result, note=f"{size * result.per_second / len(lines):.1f} MB/s of ordinary lines")


def scenario_redact_hard() -> Result:
    """Whole records with a token in them."""
    lines = envoy_json(5_000, tokens=5_000)

    def run() -> int:
        for line in lines:
            redact(line)
        return len(lines)

    return measure("redact-hard", run, note="Envoy JSON with a token each")


def scenario_redact_varied() -> Result:
    """Lines as applications write them, each with words and identifiers of its own."""
    lines = application_lines(5_000)

    def run() -> int:
        for line in lines:
            redact(line)
        return len(lines)

    return measure("redact-varied", run, note="application logs, no two lines alike")


def scenario_diagnose() -> Result:
    """Diagnosis and grouping of events that repeat."""
    stages, analyzer = collector(), Analyzer(Settings())
    events = [stages.collect(record) for record in _fresh(envoy_json(COUNT, tokens=200))]

    def run() -> int:
        for event in events:
            analyzer.judge(event)
        return len(events)

    return measure("diagnose", run, note="200 tokens × 5 reasons, cached")


def scenario_diagnose_distinct() -> Result:
    """Every token is another user's: the evidence is equal, and the token's facts are read anew."""
    stages = collector()
    events = [stages.collect(record) for record in _fresh(envoy_json(4_000, tokens=4_000))]

    def run() -> int:
        analyzer = Analyzer(Settings())
        for event in events:
            analyzer.judge(event)
        return len(events)

    return measure("diagnose-distinct", run, note="every token is new")


def scenario_diagnose_new() -> Result:
    """The worst case: every event's evidence is new, and nothing remembered helps."""
    stages = collector()
    collected = [stages.collect(record) for record in _fresh(envoy_json(4_000, tokens=4_000))]
    events = [replace(each, token=replace(each.token, kid=Safe(f"k{n}"))) for n, each in enumerate(collected)]

    def run() -> int:
        analyzer = Analyzer(Settings())
        for event in events:
            analyzer.judge(event)
        return len(events)

    return measure("diagnose-new", run, note="every event's evidence is new")


def scenario_pipeline() -> Result:
    """The issue's aim: parse → facts → redact → diagnose → group on repeating traffic, one core."""
    lines = envoy_json(COUNT, tokens=200)
    stages, analyzer = collector(), Analyzer(Settings())

    def run() -> int:
        for record in _fresh(lines):
            analyzer.judge(stages.collect(record))
        return COUNT

    return measure("pipeline", run, note="raw line → verdict, repeating traffic")


def scenario_pipeline_distinct() -> Result:
    """The same with a new token in every record."""
    lines = envoy_json(5_000, tokens=5_000)

    def run() -> int:
        stages, analyzer = collector(), Analyzer(Settings())
        for record in _fresh(lines):
            analyzer.judge(stages.collect(record))
        return len(lines)

    return measure("pipeline-distinct", run, note="every token is new")


def scenario_passing() -> Result:
    """The real mix, of which 98 of 100 requests pass and are counted: peel → parse → token → count, without a store."""
    lines = mixed("real", COUNT)
    stage = Joining(collector(), JoiningSettings(), Telemetry(), sampling=Sampling(StoreSettings().sample_allowed))

    def run() -> int:
        taken = _fresh(lines)
        for start in range(0, COUNT, 2_000):  # what a poll of Kafka gives
            stage(Batch(taken[start : start + 2_000]))
        stage.rest()
        return COUNT

    return measure("passing", run, note="ten gateways' formats, 2 % refused, each token used 50 times")


def scenario_commit() -> Result:
    """Transactions of 5,000 verdicts into the lake."""
    from analyzer.store import open_store

    stages, analyzer = collector(), Analyzer(Settings())
    verdicts = [analyzer.judge(stages.collect(record)) for record in _fresh(envoy_json(5_000, tokens=200))]
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Settings(data_dir=folder, store=StoreSettings()), Telemetry())
        offset = 0

        def run() -> int:
            nonlocal offset
            for _ in range(4):
                position = Position("raw", 0, offset, offset + len(verdicts))
                store.append(verdicts, [position], {("received", ""): len(verdicts)})
                offset += len(verdicts)
            return 4 * len(verdicts)

        result = measure("commit", run, note="4 transactions of 5,000 rows")
        store.close()
    return result


def _explained(lines: list[str]) -> int:
    """`why401 explain --json`, with nothing remembered from the round before."""
    from why401.explainer import Explainer, Writer
    from why401.process import settle_memory

    explainer, writer = Explainer(Settings()), Writer()
    settle_memory()
    for start in range(0, len(lines), 1_000):  # about what one read of a file brings
        b"".join(map(writer.line, explainer.explain_all(lines[start : start + 1_000])))
    return len(lines)


def scenario_explain() -> Result:
    """`why401 explain` on 100,000 mixed records whose messages and tokens repeat, JSON out."""
    lines = [line for pair in zip(envoy_json(50_000, tokens=100), _messages(50_000, 50), strict=True) for line in pair]
    note = "half Envoy JSON with 100 tokens, half application lines with 50 messages"
    return measure("explain", lambda: _explained(lines), rounds=3, note=note)


def scenario_explain_distinct() -> Result:
    """The same where every message and every token differs."""
    lines = [
        line for pair in zip(envoy_json(5_000, tokens=5_000), _messages(5_000, 5_000), strict=True) for line in pair
    ]
    return measure(
        "explain-distinct", lambda: _explained(lines), rounds=3, note="the same, every message and token new"
    )


def _messages(count: int, distinct: int) -> list[str]:
    return [f"error: jwt of session {1000 + n % distinct} expired {n % distinct} seconds ago" for n in range(count)]


def scenario_explain_slowest() -> Result:
    """One record at a time: the slowest percent of distinct records, and hostile ones of a mebibyte."""
    from why401.explainer import Explainer

    lines = [*envoy_json(2_000, tokens=2_000), *_messages(2_000, 2_000)]
    explainer = Explainer(Settings())
    explainer.explain(lines[0])
    seconds = sorted(_seconds(explainer.explain, line) for line in lines)
    hostile = {name: _seconds(explainer.explain, make()) for name, make in HOSTILE.items()}
    worst = max(hostile, key=lambda name: hostile[name])
    p99 = seconds[len(seconds) * 99 // 100] * 1000
    note = f"p99 {p99:.2f} ms; of 1 MiB the slowest is {worst}: {hostile[worst] * 1000:.0f} ms"
    return replace(
        measure("explain-slowest", lambda: len([explainer.explain(line) for line in lines]), rounds=3), note=note
    )


def _seconds(function: Callable[[str], object], text: str) -> float:
    start = time.perf_counter()
    function(text)
    return time.perf_counter() - start


def scenario_otlp() -> Result:
    """OTLP/HTTP protobuf in, through parse → store, acknowledged: a real exporter's requests from a second process."""
    from benchmarks.services import otlp_in

    return otlp_in()


def scenario_kafka() -> Result:
    """End to end from a real Kafka: raw topic → events → diagnosed, committed rows."""
    from benchmarks.services import kafka_to_store

    return kafka_to_store()


def scenario_soak() -> Result:
    """Ten million events through the pipeline with ever new tokens, issuers and routes: memory must stay flat."""
    from benchmarks.services import soak

    return soak()


def scenario_soak_store() -> Result:
    """Thousands of small commits with upkeep between them: memory must stay flat."""
    from benchmarks.commits import small_commits

    return small_commits()


def scenario_flood() -> Result:
    """A million names, each met once: names, groups and memory bounded, a real new cause seen."""
    from benchmarks.flood import million

    return million()


SCENARIOS: Final[dict[str, Callable[[], Result]]] = {
    "parse": scenario_parse,
    "facts": scenario_facts,
    "redact": scenario_redact,
    "redact-hard": scenario_redact_hard,
    "redact-varied": scenario_redact_varied,
    "diagnose": scenario_diagnose,
    "diagnose-distinct": scenario_diagnose_distinct,
    "diagnose-new": scenario_diagnose_new,
    "pipeline": scenario_pipeline,
    "pipeline-distinct": scenario_pipeline_distinct,
    "explain": scenario_explain,
    "explain-distinct": scenario_explain_distinct,
    "explain-slowest": scenario_explain_slowest,
    "passing": scenario_passing,
    "commit": scenario_commit,
    "otlp": scenario_otlp,
    "kafka": scenario_kafka,
    "soak": scenario_soak,
    "soak-store": scenario_soak_store,
    "flood": scenario_flood,
}
SLOW: Final = ("soak", "soak-store", "flood")
