"""Runs the pipeline: sources → intake → worker → sink, started, watched and stopped in order."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from collector.counted import Sampling
from collector.errors import ConfigurationError, Why401Error
from collector.events import Event, Outcome
from collector.gateways import names
from collector.intake import BoundedIntake
from collector.joining.stage import Joining
from collector.pipeline import UNREAD_REASONS, Collector
from collector.redaction import safe_text
from collector.redaction.pseudonyms import Pseudonyms
from collector.settings import Settings
from collector.sinks import Sink
from collector.sources import Source
from collector.telemetry import Telemetry
from collector.token.verification import KeysChanged, KeySets, Verifier
from collector.worker import Each, Stage, Worker
from why401.credential_warnings import Warner
from why401.extras import need
from why401.outputs.leaving import leaving
from why401.process import settle_memory
from why401.restarting import report

if TYPE_CHECKING:
    from analyzer.store import Store
    from analyzer.verdicts import Verdict
    from why401.expectations.reloading import Changed, Expect

MAX_KIDS: Final = 5  # that a change of a key set names

log = logging.getLogger("why401")
STOP_SECONDS: Final = 30.0


def raw_sources(settings: Settings, telemetry: Telemetry) -> list[Source]:
    """Every configured source. Raises ConfigurationError when there is none, or a gateway format is unknown."""
    _check_formats(settings)
    sources = [source for of_kind in SOURCES for source in of_kind(settings, telemetry)]
    if not sources:
        raise ConfigurationError(
            "otlp.grpc, otlp.http, kafka.topics, files.paths, syslog, aws.s3, aws.sqs, aws.log_groups, pubsub.subscriptions",
            "",
            "expected at least one source",
            file=settings.file,
        )
    return sources


def _check_formats(settings: Settings) -> None:
    known = names(settings.formats)
    for section in ("otlp", "kafka", "files", "syslog", "aws", "pubsub"):
        value = getattr(settings, section).gateway
        if value and value not in known:
            raise ConfigurationError(
                f"{section}.gateway", value, "expected one of " + ", ".join(known), file=settings.file
            )


def _otlp(settings: Settings, telemetry: Telemetry) -> Iterator[Source]:
    if not settings.otlp.grpc and not settings.otlp.http:
        return
    from collector.sources.otlp.door import Door

    door = Door(settings.otlp, telemetry, base=settings.base, insecure=settings.insecure)
    is_shared = not settings.share.is_all
    if settings.otlp.grpc:
        from collector.sources.otlp.grpc_source import OtlpGrpcSource

        yield OtlpGrpcSource(settings.otlp, telemetry, door, is_shared=is_shared)
    if settings.otlp.http:
        from collector.sources.otlp.http_source import OtlpHttpSource

        yield OtlpHttpSource(settings.otlp, telemetry, door, is_shared=is_shared)


def _kafka(settings: Settings, telemetry: Telemetry) -> Iterator[Source]:
    kafka = settings.kafka
    if kafka.bootstrap and kafka.topics:
        need("kafka.topics", "kafka")
        from collector.sources.kafka.source import KafkaSource, decode_raw

        yield KafkaSource(kafka, telemetry, topics=kafka.topics, group=kafka.group, decode=decode_raw(kafka.gateway))


def _files(settings: Settings, telemetry: Telemetry) -> Iterator[Source]:
    if settings.files.paths and settings.share.is_first:
        from collector.sources.file import FileSource

        yield FileSource(settings.files, telemetry)


def _syslog(settings: Settings, telemetry: Telemetry) -> Iterator[Source]:
    if settings.syslog.is_on:
        from collector.sources.syslog.syslog_source import SyslogSource

        yield SyslogSource(
            settings.syslog,
            telemetry,
            base=settings.base,
            insecure=settings.insecure,
            is_shared=not settings.share.is_all,
        )


def _aws(settings: Settings, telemetry: Telemetry) -> Iterator[Source]:
    aws = settings.aws
    if not (aws.s3 or aws.sqs or aws.log_groups):
        return
    need("aws.s3, aws.sqs, aws.log_groups", "aws")
    if not settings.share.is_first:
        return
    if aws.s3 or aws.sqs:
        from collector.sources.aws.object_source import ObjectSource

        yield ObjectSource(aws, telemetry, settings.data_path)
    if aws.log_groups:
        from collector.sources.aws.log_group_source import LogGroupSource

        yield LogGroupSource(aws, telemetry, settings.data_path)


def _pubsub(settings: Settings, telemetry: Telemetry) -> Iterator[Source]:
    if settings.pubsub.subscriptions:
        need("pubsub.subscriptions", "google")
        from collector.sources.pubsub import PubsubSource

        yield PubsubSource(settings.pubsub, telemetry)


# Every kind of source, in the order in which they are started. A new one: its function here, its section in the settings.
SOURCES: Final[tuple[Callable[[Settings, Telemetry], Iterator[Source]], ...]] = (
    _otlp, _aws, _pubsub, _kafka, _files, _syslog)  # fmt: skip


def need_brokers(settings: Settings, what_for: str) -> None:
    """For commands that require Kafka. Raises ConfigurationError when no broker is configured, ExtraMissing."""
    need("Kafka", "kafka")
    if not settings.kafka.bootstrap:
        raise ConfigurationError("kafka.bootstrap", (), what_for, file=settings.file)


def event_source(settings: Settings, telemetry: Telemetry) -> Source:
    """The source of the analyzer: redacted events from the event topic."""
    from collector.sources.kafka.source import KafkaSource, decode_event

    kafka = settings.kafka
    return KafkaSource(
        kafka, telemetry, topics=(kafka.events_topic,), group=f"{kafka.group}-analyze", decode=decode_event
    )


@contextmanager
def collector_of(settings: Settings, telemetry: Telemetry, changed: KeysChanged | None = None) -> Iterator[Collector]:
    """The collector's stages with fresh key sets and the pseudonym key."""
    try:
        settings.data_path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        why = f"cannot be made a folder: {error.strerror}"
        raise ConfigurationError("data_dir", settings.data_dir, why, file=settings.file) from None
    key_sets = KeySets(settings.issuers, settings.base, telemetry, changed=changed)
    key_sets.load()
    key_sets.start()
    try:
        pseudonyms = Pseudonyms.open(settings.pseudonym_key_path, used=_stored_epoch(settings))
        yield Collector(settings, Verifier(settings, key_sets), pseudonyms, telemetry)
    finally:
        key_sets.close()


def _stored_epoch(settings: Settings) -> int:
    """The highest epoch of a pseudonym in the lake, when the key is gone and a lake is configured or here; else 0."""
    from analyzer.lake.attach import catalog_file

    catalog = catalog_file(settings)
    if settings.pseudonym_key_path.exists() or (catalog is not None and not catalog.exists()):
        return 0
    import duckdb

    from analyzer.lake import LakeError, NoStore, connect_reader, run_query

    try:
        with connect_reader(settings, memory_mib=settings.dashboard.memory_mib) as con:
            rows = run_query(con, "SELECT coalesce(max(key_epoch), 0) FROM store.events", timeout_s=60).rows
    except (NoStore, duckdb.CatalogException):  # a lake in which nothing was ever stored
        return 0
    except (duckdb.Error, LakeError) as error:
        why = f"is gone, and the lake, which knows its epoch, cannot be read ({type(error).__name__})"
        raise ConfigurationError("pseudonym_key", str(settings.pseudonym_key_path), why, file=settings.file) from None
    return int(rows[0][0])


def event_stage(telemetry: Telemetry) -> Stage:
    """The analyzer's stage: events pass; one that stands for a dropped record is counted, as the collector counted it."""

    def pass_on(event: Event) -> Event:
        if event.outcome is Outcome.UNREAD:
            reason = event.words.reason if event.words.reason in UNREAD_REASONS else "other"
            telemetry.count("why401.records.dropped", reason=reason)
        return event

    return Each(pass_on)


def up(
    settings: Settings,
    *,
    ready: Callable[[], None] = lambda: None,
    committed: Callable[[Verdict, int], None] | None = None,
) -> None:
    """Collector and analyzer in this process, until a signal, or the end of files that are not followed.

    `ready` is called when every source listens, `committed` with every verdict once it is stored, and how many records
    it is about. Raises ConfigurationError, SinkUnavailable, ThreadDied.
    """
    from analyzer.store import open_store
    from analyzer.store.sink import StoreSink

    telemetry = Telemetry()
    sources = raw_sources(settings, telemetry)
    _take_marks(settings, sources)
    with (
        collector_of(
            settings, telemetry, _keep_key_changes(settings) if settings.share.is_first else None
        ) as collector,
        _alerting(settings, telemetry, is_past=_is_read_once(settings)),
        leaving(settings, telemetry, committed) as tell,
    ):
        store = open_store(settings, telemetry)
        _keep_places(settings, sources, store)
        sink = StoreSink(settings, store, telemetry, tell)
        sampling = Sampling(settings.store.sample_allowed)
        stage = Joining(collector, settings.joining, telemetry, sampling=sampling)
        with _watched(settings, telemetry, [collector.expect, sink.expect], _keep_expected(settings)):
            run(settings, telemetry, sources, stage, sink, ready=ready)


def collect(settings: Settings) -> None:
    """Raw records in, safe events out to the event topic, until a signal. Raises as `up`, and ExtraMissing."""
    need_brokers(settings, "expected the brokers to send events to")
    from collector.sinks.kafka import KafkaSink

    telemetry = Telemetry()
    with collector_of(settings, telemetry) as collector:
        sources, sink = raw_sources(settings, telemetry), KafkaSink(settings.kafka, telemetry)
        with _watched(settings, telemetry, [collector.expect]):
            run(settings, telemetry, sources, Joining(collector, settings.joining, telemetry), sink)


def analyze(settings: Settings) -> None:
    """Events in from the event topic, diagnosed and grouped into the lake, until a signal. Raises as `collect`."""
    need_brokers(settings, "expected the brokers to read events from")
    from analyzer.store import open_store
    from analyzer.store.sink import StoreSink

    telemetry = Telemetry()
    with _alerting(settings, telemetry), leaving(settings, telemetry) as tell:
        sink = StoreSink(settings, open_store(settings, telemetry), telemetry, tell)
        with _watched(settings, telemetry, [sink.expect], _keep_expected(settings)):
            run(settings, telemetry, [event_source(settings, telemetry)], event_stage(telemetry), sink)


def _take_marks(settings: Settings, sources: Sequence[Source]) -> None:
    """What pipelines post to the OTLP receivers is kept as `why401 mark` keeps it."""
    if not (settings.otlp.http or settings.otlp.grpc):
        return
    from analyzer.store import deciding
    from analyzer.store.changes import Change, ChangeKind
    from collector.sources.otlp.grpc_source import OtlpGrpcSource
    from collector.sources.otlp.http_source import OtlpHttpSource
    from collector.sources.otlp.posted_marks import Mark

    def keep(mark: Mark) -> None:
        change = Change(at=mark.at, kind=ChangeKind.MARKED, subject=mark.text, gateway=mark.gateway, detail=mark.detail)
        deciding.mark(settings, change)

    for source in sources:
        if isinstance(source, OtlpGrpcSource | OtlpHttpSource):
            source.keep_mark = keep


def _keep_places(settings: Settings, sources: Sequence[Source], store: Store) -> None:
    """Files that are followed are read on where the lake says; those that are read once, from their beginning."""
    if not settings.files.paths or not settings.share.is_first:
        return
    from collector.redaction import key_file
    from collector.sources.file import FileSource
    from collector.sources.kept_places import KeptPlaces

    path = settings.place_key_path
    is_lost = not path.exists() and bool(store.files())
    key_file.create(path)
    if is_lost:
        log.error("%s is gone: it is not known how far files were read, so they are read from their beginnings", path)
    key = key_file.read(path)[0][-1].key

    def kept() -> KeptPlaces:
        return KeptPlaces(key, store.files() if settings.files.follow else ())

    for source in sources:
        if isinstance(source, FileSource):
            source.kept = kept


def _keep_key_changes(settings: Settings) -> KeysChanged:
    """A key set that has other keys than before is a change."""

    def keep(issuer: str, came: Sequence[str], went: Sequence[str]) -> None:
        from analyzer.store import deciding
        from analyzer.store.changes import Change, ChangeKind

        parts = [f"{what} {', '.join(kids[:MAX_KIDS])}" for what, kids in (("new", came), ("gone", went)) if kids]
        change = Change(
            at=datetime.now(UTC),
            kind=ChangeKind.JWKS_REFRESHED,
            subject=issuer,
            detail=safe_text("; ".join(parts), 200),
        )
        deciding.mark(settings, change)

    return keep


def _keep_expected(settings: Settings) -> Changed | None:
    """A gateway's configuration that expects something else than before is a change; of several workers, one keeps it."""
    if not settings.share.is_first:
        return None

    def keep(files: str, says: str, at_ns: int) -> None:
        from analyzer.store import deciding
        from analyzer.store.changes import Change, ChangeKind

        change = Change(
            at=datetime.fromtimestamp(at_ns / 1e9, UTC),
            kind=ChangeKind.CONFIG_LOADED,
            subject=safe_text(files, 200),
            detail=safe_text(says, 200),
        )
        deciding.mark(settings, change)

    return keep


def _watched(
    settings: Settings, telemetry: Telemetry, told: Sequence[Expect], changed: Changed | None = None
) -> AbstractContextManager[None]:
    """`issuers_from`, while the pipeline runs."""
    if not settings.issuers_from:
        return nullcontext()
    from why401.expectations import reloading

    return reloading.watched(settings, telemetry, told, changed)


def _is_read_once(settings: Settings) -> bool:
    """Nothing but files, up to their ends."""
    otlp, aws = settings.otlp, settings.aws
    listens = otlp.grpc or otlp.http or settings.syslog.is_on
    asks = settings.kafka.topics or aws.s3 or aws.sqs or aws.log_groups or settings.pubsub.subscriptions
    return not (settings.files.follow or listens or asks)


def _alerting(settings: Settings, telemetry: Telemetry, *, is_past: bool = False) -> AbstractContextManager[None]:
    """Alerts while the pipeline runs; about the past they wake nobody."""
    if not settings.alerts.urls or is_past or not settings.share.is_first:
        return nullcontext()
    from analyzer.alerts.alerter import alerting
    from analyzer.alerts.channels import APPRISE, targets

    if any(target.kind == APPRISE for target in targets(settings)):
        need("alerts.urls", "alerts")
    return alerting(settings, telemetry)


def run(
    settings: Settings,
    telemetry: Telemetry,
    sources: Sequence[Source],
    stage: Stage,
    sink: Sink,
    *,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Run until SIGINT or SIGTERM. Sources stop first; what they had handed over is committed; then the sink closes.

    `ready` is called when every source listens. Raises ThreadDied when a source or the worker died of an error.
    """
    settle_memory()
    provider = telemetry.start(settings.telemetry, settings.share)
    report(telemetry)
    intake = BoundedIntake(settings.queue, sink, telemetry)
    stop_sources, stop_worker = threading.Event(), threading.Event()
    died: list[BaseException] = []
    run_worker = _guarded(Worker(intake, stage, sink, telemetry).run, stop_sources, died)
    worker = threading.Thread(target=run_worker, args=(stop_worker,), name="worker", daemon=True)
    readers = [_reader(source, intake, stop_sources, died) for source in sources]
    for thread in (worker, *readers):
        thread.start()
    try:
        _wait_until_ready(sources, stop_sources)
        _wait_for_signal(stop_sources, readers, ready, Warner(telemetry).look)
    finally:
        stop_sources.set()
        for thread in readers:
            thread.join(STOP_SECONDS)
        intake.close()
        stop_worker.set()
        worker.join(STOP_SECONDS)
        sink.close()
        provider.shutdown()
    if died:
        raise died[0] if isinstance(died[0], Why401Error) else ThreadDied(died[0])


class ThreadDied(Why401Error):
    """A bug in why401 ended a thread; the traceback is in the log."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(f"stopped because of an unexpected {type(error).__name__}; see the log")


def _reader(
    source: Source, intake: BoundedIntake, stop: threading.Event, died: list[BaseException]
) -> threading.Thread:
    name = type(source).__name__
    return threading.Thread(target=_guarded(source.run, stop, died), args=(intake, stop), name=name, daemon=True)


def _guarded(target: Callable[..., None], stop: threading.Event, died: list[BaseException]) -> Callable[..., None]:
    """A thread that dies takes the process with it in order: a half-dead collector would look healthy."""

    def run_it(*args: Any) -> None:
        try:
            target(*args)
        except Why401Error as error:  # its message says all
            died.append(error)
            stop.set()
        except Exception as error:
            log.exception("%s died", threading.current_thread().name)
            died.append(error)
            stop.set()

    return run_it


def _wait_until_ready(sources: Sequence[Source], stop: threading.Event) -> None:
    """Receivers say when they listen; other sources have nothing to wait for."""
    for listening in (getattr(source, "ready", None) for source in sources):
        while isinstance(listening, threading.Event) and not listening.wait(0.1) and not stop.is_set():
            pass


def _wait_for_signal(
    stop: threading.Event, readers: Sequence[threading.Thread], ready: Callable[[], None], look: Callable[[], None]
) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    if not stop.is_set():
        ready()
    while not stop.wait(0.2):
        look()
        if not any(thread.is_alive() for thread in readers):  # files that are not followed come to an end
            return
