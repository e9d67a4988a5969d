"""The table of settings: a setting is a field declared with `setting(default, help)`, a section is a dataclass."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, field
from pathlib import Path
from typing import Final

from collector.settings.access import LoginSettings, OidcSettings
from collector.settings.checks import address, algorithms, between, jwks, one_of, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerSettings:
    """`[[issuers]]`: what the verifiers behind the gateways expect of one issuer."""

    issuer: str = setting(MISSING, "The exact `iss` value.", lambda v: "" if v else "the issuer's exact iss value")
    audiences: tuple[str, ...] = setting((), "Accepted `aud` values; empty accepts any.")
    algorithms: tuple[str, ...] = setting(("RS256",), "Accepted `alg` values.", algorithms)
    jwks: str = setting("", 'Key set: a file, an https URL, or "discovery"; empty: signatures are not checked.', jwks)
    user_claim: str = setting("sub", "The claim that the verifier reads the user from; dots reach into objects.")
    required_claims: tuple[str, ...] = setting(("exp",), "Claims that must be there.")
    clock_skew_seconds: int = setting(60, "Leeway that the verifier grants to exp, nbf and iat.", between(0, 3600))
    gateways: tuple[str, ...] = setting((), "Gateway kinds or instances this holds for; empty: all.")
    routes: tuple[str, ...] = setting((), 'Routes this holds for, as shown on the page ("/orders/*"); empty: all.')
    required_scopes: tuple[str, ...] = setting((), "Scopes that a token needs there.")


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatSettings:
    """`[[formats]]`: a JSON log format of your own. Values are dotted paths into the record ("req.headers.authorization")."""

    name: str = setting(MISSING, "The gateway's name in events and on the page.", lambda v: "" if v else "a name")
    match: dict[str, str] = setting(
        {}, 'Paths and the value they must have ("*": any) for a record to be of this format.'
    )
    time: str = setting("", "RFC 3339 text, or Unix seconds, milliseconds, microseconds or nanoseconds.")
    status: str = setting(MISSING, "HTTP status.", lambda v: "" if v else "the path of the HTTP status")
    method: str = setting("", "HTTP method.")
    path: str = setting("", "Path or URL, query included.")
    host: str = setting("", "Host or authority.")
    client: str = setting("", "Client address.")
    user_agent: str = setting("", "User-Agent.")
    request_id: str = setting("", "Request id.")
    trace_id: str = setting("", "Trace id, or a traceparent.")
    authorization: str = setting("", "The Authorization header's value.")
    headers: str = setting("", "An object of request headers.")
    reason: str = setting("", "The gateway's machine-readable reason.")
    message: str = setting("", "The gateway's or library's sentence.")
    challenge: str = setting("", "The response's WWW-Authenticate.")
    upstream_status: str = setting("", "Status of the upstream, when it was asked.")
    instance: str = setting("", "The gateway's instance.")


@dataclass(frozen=True, slots=True, kw_only=True)
class OtlpSettings:
    """`[otlp]`: OTLP logs in."""

    grpc: str = setting("127.0.0.1:4317", 'gRPC receiver; "" switches it off.', address)
    http: str = setting("127.0.0.1:4318", 'HTTP receiver (protobuf and JSON); "" switches it off.', address)
    max_body_mib: int = setting(
        64, "Largest request after decompression: what the OTLP specification recommends.", between(1, 512)
    )
    ack_timeout_seconds: float = setting(8.0, "SDKs give up after about 10 s; answer before they do.", between(0.1, 60))
    gateway: str = setting("", "Format of the records; empty: detected per record.")
    tls_cert: str = setting("", "Certificate chain of both receivers, PEM; read again when the file changes.")
    tls_key: str = setting("", "Its private key, PEM; the file's mode must be 0600.")
    tls_client_ca: str = setting("", "CA of senders, PEM: only senders with a certificate of it come in (mTLS).")
    token_file: str = setting("", 'Bearer tokens of senders, a line each: "name token"; read again when it changes.')
    oidc: OidcSettings = field(default_factory=OidcSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaSettings:
    """`[kafka]`: raw records in, and the event topic between collector and analyzer."""

    bootstrap: tuple[str, ...] = setting((), '"host:port" of brokers; empty: Kafka is not used.')
    topics: tuple[str, ...] = setting((), "Topics with raw gateway logs.")
    group: str = setting("why401", "Consumer group; its analyzers use GROUP-analyze.")
    events_topic: str = setting("why401.events", "The topic between `why401 collect` and `why401 analyze`.")
    session_timeout_seconds: int = setting(
        20, "How long a group waits for a member that died before another one takes over its partitions.",
        between(1, 300),
    )  # fmt: skip
    start: str = setting("earliest", "Where to begin in a partition never read before.", one_of("earliest", "latest"))
    security_protocol: str = setting(
        "PLAINTEXT", "As Kafka names it.", one_of("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
    )
    ssl_cafile: str = setting("", "CA that signed the brokers' certificates, PEM; empty: the system's.")
    ssl_certfile: str = setting("", "Client certificate, PEM.")
    ssl_keyfile: str = setting("", "Client key, PEM.")
    sasl_mechanism: str = setting(
        "", "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512.", one_of("", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
    )
    sasl_username: str = setting("", "SASL user.")
    sasl_password: str = setting(
        "", "SASL password; better in sasl_password_file or WHY401_KAFKA_SASL_PASSWORD.", secret=True
    )
    gateway: str = setting("", "Format of the records; empty: detected per record.")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSettings:
    """`[files]`: log files in."""

    paths: tuple[str, ...] = setting((), 'Files or globs, .gz too; "-" is standard input.')
    follow: bool = setting(True, "Keep reading as a file grows or is rotated.")
    gateway: str = setting("", "Format of the records; empty: detected per record.")


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSettings:
    """`[queue]`: the bounded door between sources and the pipeline."""

    max_records: int = setting(
        50_000,
        "About 100 MB of raw records; beyond it sources are told to wait. One source alone fills three quarters.",
        between(100, 10_000_000),
    )
    max_mib: int = setting(256, "The same bound in bytes of raw text, for few and large records.", between(1, 65_536))


@dataclass(frozen=True, slots=True, kw_only=True)
class JoiningSettings:
    """`[joining]`: error log and access log lines about one request become one event."""

    window_ms: int = setting(
        1000,
        "How long a line waits for the other line about its request; 0: only within one batch.",
        between(0, 60_000),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class KnowledgeSettings:
    """`[knowledge]`: what your own programs' words mean."""

    files: tuple[str, ...] = setting(
        (), "Signatures of your own (TOML), beside those of the package; `why401 propose` writes their entries."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """`[store]`: the lake. PostgreSQL and S3 by these settings alone."""

    catalog: str = setting("", 'Empty: SQLite in data_dir. Else "postgres:dbname=… host=…" (libpq words).', secret=True)
    data_path: str = setting("", 'Empty: a folder in data_dir. Else a folder or "s3://bucket/prefix/".')
    commit_rows: int = setting(
        5_000, "Rows that force a commit: large batches are what makes DuckLake fast.", between(1, 1_000_000)
    )
    commit_interval_ms: int = setting(
        500, "Age of the oldest row that forces a commit; an event is visible within 2 s.", between(10, 60_000)
    )
    inline_rows: int = setting(
        1_000, "Commits up to this many rows go into the catalog instead of a file each.", between(0, 100_000)
    )
    maintenance_seconds: int = setting(
        300, "How often inlined rows are flushed, files merged, old snapshots expired.", between(5, 86_400)
    )
    keep_events_days: int = setting(30, "Single events (redacted) older than this are deleted.", between(1, 3650))
    keep_rollups_days: int = setting(400, "Per-minute counts and groups older than this are deleted.", between(1, 3650))
    max_size_mib: int = setting(
        20_480, "The lake's size cap: beyond it the oldest events go first.", between(64, 10_485_760)
    )
    sample_allowed: int = setting(
        200, "One of this many passing requests keeps its token facts, for comparison.", between(1, 1_000_000)
    )
    memory_mib: int = setting(1_024, "DuckDB's memory limit in the writer.", between(128, 1_048_576))
    s3_endpoint: str = setting("", '"host:port" of an S3-compatible service; empty: AWS.')
    s3_region: str = setting("us-east-1", "S3 region.")
    s3_key_id: str = setting("", "S3 access key id; empty: the AWS credential chain.")
    s3_secret: str = setting("", "S3 secret; better in s3_secret_file or WHY401_STORE_S3_SECRET.", secret=True)
    s3_use_ssl: bool = setting(True, "TLS to the S3 service.")


@dataclass(frozen=True, slots=True, kw_only=True)
class TelemetrySettings:
    """`[telemetry]`: what why401 says of itself."""

    prometheus: str = setting("127.0.0.1:9464", 'Prometheus endpoint; "" switches it off.', address)
    otlp_endpoint: str = setting("", "Base URL of an OTLP/HTTP receiver for metrics; empty: none.")
    interval_seconds: int = setting(30, "How often metrics are pushed over OTLP.", between(1, 3600))
    log_level: str = setting("info", "debug, info, warning or error.", one_of("debug", "info", "warning", "error"))


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardSettings:
    """`[dashboard]`: the page."""

    address: str = setting("127.0.0.1:8501", "Where the page is served.", address)
    query_timeout_seconds: float = setting(10.0, "A query that takes longer is interrupted.", between(0.1, 600))
    memory_mib: int = setting(512, "DuckDB's memory limit per reader process.", between(64, 1_048_576))
    login: LoginSettings = field(default_factory=LoginSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The whole table."""

    data_dir: str = setting("why401-data", "Catalog, data, pseudonym key. Created 0700.")
    pseudonym_key: str = setting("", "Key file for pseudonyms; empty: pseudonym.key in data_dir, created 0600.")
    insecure: bool = setting(
        False, "Allow receivers and the page on addresses other than loopback without TLS and without authentication."
    )
    otlp: OtlpSettings = field(default_factory=OtlpSettings)
    kafka: KafkaSettings = field(default_factory=KafkaSettings)
    files: FileSettings = field(default_factory=FileSettings)
    queue: QueueSettings = field(default_factory=QueueSettings)
    joining: JoiningSettings = field(default_factory=JoiningSettings)
    knowledge: KnowledgeSettings = field(default_factory=KnowledgeSettings)
    store: StoreSettings = field(default_factory=StoreSettings)
    telemetry: TelemetrySettings = field(default_factory=TelemetrySettings)
    dashboard: DashboardSettings = field(default_factory=DashboardSettings)
    issuers: tuple[IssuerSettings, ...] = ()
    formats: tuple[FormatSettings, ...] = ()
    file: str = ""  # where this was read from, for messages

    @property
    def data_path(self) -> Path:
        """The data directory as a path."""
        return Path(self.data_dir)

    @property
    def base(self) -> Path:
        """The folder that relative paths of the file are meant from."""
        return Path(self.file).parent if self.file else Path()

    @property
    def knowledge_files(self) -> tuple[Path, ...]:
        """The files of `[knowledge]`, as paths."""
        return tuple(self.base / name for name in self.knowledge.files)


TABLES: Final[dict[str, type]] = {"issuers": IssuerSettings, "formats": FormatSettings}
