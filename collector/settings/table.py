"""The table of settings: a setting is a field declared with `setting(default, help)`; a section is a dataclass."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, field
from pathlib import Path
from typing import Final

from collector.settings.checks import (
    address,
    algorithms,
    between,
    buckets,
    destination,
    endpoint,
    jwks,
    networks,
    objective,
    one_of,
    page,
    queues,
    setting,
    some_of,
    subscriptions,
)
from collector.settings.oidc import LoginSettings, OidcSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerSettings:
    """`[[issuers]]`: what your gateways and services expect of one issuer's tokens."""

    issuer: str = setting(MISSING, "Exact `iss` value.", lambda v: "" if v else "the exact iss value of the issuer")
    audiences: tuple[str, ...] = setting((), "Accepted `aud` values; empty: any.")
    algorithms: tuple[str, ...] = setting(("RS256",), "Accepted `alg` values.", algorithms)
    jwks: str = setting(
        "",
        'Key set (JWKS): a file (JWKS, or public keys and certificates in PEM), an https URL, a JWKS document, or "discovery"; empty: signatures are not checked.',
        jwks,
    )
    user_claim: str = setting("sub", "Claim that identifies the user; use dots for nested claims.")
    required_claims: tuple[str, ...] = setting(("exp",), "Claims that every token must have.")
    clock_skew_seconds: int = setting(
        60, "Leeway for exp, nbf and iat, in seconds, as your gateways allow it.", between(0, 3600)
    )
    gateways: tuple[str, ...] = setting((), "Gateway kinds or instances this entry applies to; empty: all.")
    routes: tuple[str, ...] = setting(
        (), 'Routes this entry applies to, as shown on the dashboard ("/orders/*"); empty: all.'
    )
    required_scopes: tuple[str, ...] = setting((), "Scopes that these routes require.")


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatSettings:
    """`[[formats]]`: a JSON log format of your own. Values are dotted paths into the record ("req.headers.authorization")."""

    name: str = setting(MISSING, "Gateway name to use in events and on the dashboard.", lambda v: "" if v else "a name")
    match: dict[str, str] = setting(
        {}, 'Paths and the values they must have ("*": any) for a record to match this format.'
    )
    time: str = setting("", "Time: RFC 3339, or Unix seconds, milliseconds, microseconds or nanoseconds.")
    status: str = setting(MISSING, "HTTP status.", lambda v: "" if v else "the path of the HTTP status")
    method: str = setting("", "HTTP method.")
    path: str = setting("", "Path or URL, including the query.")
    host: str = setting("", "Host or authority.")
    client: str = setting("", "Client address.")
    user_agent: str = setting("", "User-Agent.")
    request_id: str = setting("", "Request ID.")
    trace_id: str = setting("", "Trace ID, or a traceparent.")
    authorization: str = setting("", "Value of the Authorization header.")
    headers: str = setting("", "Object with the request headers.")
    reason: str = setting("", "Machine-readable reason given by the gateway.")
    message: str = setting("", "Message of the gateway or its library.")
    challenge: str = setting("", "WWW-Authenticate header of the response.")
    upstream_status: str = setting("", "HTTP status of the upstream, if the request reached it.")
    instance: str = setting("", "Instance of the gateway.")


@dataclass(frozen=True, slots=True, kw_only=True)
class OtlpSettings:
    """`[otlp]`: OTLP receivers for logs."""

    grpc: str = setting("127.0.0.1:4317", 'Address of the gRPC receiver; "" disables it.', address)
    http: str = setting(
        "127.0.0.1:4318",
        'Address of the HTTP receiver (OTLP in protobuf and JSON, Loki push, Splunk HEC); "" disables it.',
        address,
    )
    max_body_mib: int = setting(
        64,
        "Largest request after decompression, in MiB; the default is what the OTLP specification recommends.",
        between(1, 512),
    )
    ack_timeout_seconds: float = setting(
        8.0, "Longest time before a request is answered; SDKs give up after about 10 s.", between(0.1, 60)
    )
    gateway: str = setting("", "Gateway format of the records; empty: detected per record.")
    tls_cert: str = setting("", "Certificate chain for both receivers, PEM; reloaded when the file changes.")
    tls_key: str = setting("", "Private key of tls_cert, PEM; requires file mode 0600.")
    tls_client_ca: str = setting(
        "", "CA for client certificates, PEM: only senders with a certificate from this CA are accepted (mTLS)."
    )
    token_file: str = setting(
        "", 'File with the bearer tokens of senders, one "name token" per line; reloaded when it changes.'
    )
    oidc: OidcSettings = field(default_factory=OidcSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaSettings:
    """`[kafka]`: topics with raw records, and the event topic between collector and analyzer."""

    bootstrap: tuple[str, ...] = setting((), 'Brokers as "host:port"; empty: Kafka is not used.')
    topics: tuple[str, ...] = setting((), "Topics with raw gateway logs.")
    group: str = setting("why401", "Consumer group; analyzers use GROUP-analyze.")
    events_topic: str = setting("why401.events", "Topic between `why401 collect` and `why401 analyze`.")
    session_timeout_seconds: int = setting(
        20, "How long the group waits for a member that stopped responding before its partitions are reassigned.",
        between(1, 300),
    )  # fmt: skip
    start: str = setting(
        "earliest", "Where to start in a partition that has not been read before.", one_of("earliest", "latest")
    )
    security_protocol: str = setting(
        "PLAINTEXT", "Security protocol, as Kafka names it.", one_of("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
    )
    ssl_cafile: str = setting("", "CA of the brokers' certificates, PEM; empty: the system's CAs.")
    ssl_certfile: str = setting("", "Client certificate, PEM.")
    ssl_keyfile: str = setting("", "Client key, PEM.")
    sasl_mechanism: str = setting(
        "", "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512.", one_of("", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
    )
    sasl_username: str = setting("", "SASL user name.")
    sasl_password: str = setting(
        "", "SASL password; prefer sasl_password_file or WHY401_KAFKA_SASL_PASSWORD.", secret=True
    )
    gateway: str = setting("", "Gateway format of the records; empty: detected per record.")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSettings:
    """`[files]`: log files to read."""

    paths: tuple[str, ...] = setting((), 'Files or globs, including .gz; "-" is standard input.')
    follow: bool = setting(True, "Keep reading when a file grows or is rotated.")
    gateway: str = setting("", "Gateway format of the records; empty: detected per record.")


@dataclass(frozen=True, slots=True, kw_only=True)
class SyslogSettings:
    """`[syslog]`: a syslog receiver, RFC 5424 and RFC 3164 (docs/shippers.md)."""

    udp: str = setting("", 'Address for datagrams, such as "127.0.0.1:5514"; "" disables it.', address)
    tcp: str = setting("", 'Address for TCP, with counted octets or line breaks (RFC 6587); "" disables it.', address)
    tls: str = setting("", 'Address for TLS (RFC 5425), usually port 6514; "" disables it.', address)
    allow: tuple[str, ...] = setting(
        (), 'Networks from which messages are taken without a client certificate, such as "10.1.0.0/16"; with them, udp and tcp may listen on any address.',
        networks,
    )  # fmt: skip
    tls_cert: str = setting("", "Certificate chain for tls, PEM; reloaded when the file changes.")
    tls_key: str = setting("", "Private key of tls_cert, PEM; requires file mode 0600.")
    tls_client_ca: str = setting(
        "", "CA for client certificates, PEM: only senders with a certificate from this CA are accepted over tls."
    )
    max_message_kib: int = setting(
        64, "Longest message, in KiB; of a longer one the beginning is kept.", between(1, 1024)
    )
    max_connections: int = setting(
        1_024, "Most connections; beyond it, the one that has been silent longest is closed.", between(1, 65_536)
    )
    idle_seconds: int = setting(3_600, "Close a connection that has been silent so long.", between(1, 604_800))
    gateway: str = setting("", "Gateway format of the records; empty: detected per record.")

    @property
    def is_on(self) -> bool:
        """Whether any address is configured."""
        return bool(self.udp or self.tcp or self.tls)


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsSettings:
    """`[aws]`: logs in S3 and CloudWatch Logs. Credentials are those that boto3 finds itself (environment, profile, role), never here."""

    s3: tuple[str, ...] = setting(
        (),
        'Objects to read, as "s3://bucket/prefix", listed every poll_seconds: access logs, exports, Firehose.',
        buckets,
    )
    sqs: tuple[str, ...] = setting(
        (), "URLs of SQS queues with S3's notifications; the objects that they announce are read.", queues
    )
    log_groups: tuple[str, ...] = setting(
        (), "CloudWatch log groups; a name that ends in * stands for all that begin so."
    )
    region: str = setting("", "Region; empty: as boto3 finds it.")
    endpoint: str = setting("", "Base URL of a service that speaks S3, SQS or CloudWatch Logs; empty: AWS.", endpoint)
    since_hours: int = setting(
        24, "How far back to read what has never been read before, in hours.", between(0, 87_600)
    )
    poll_seconds: int = setting(30, "How often objects are listed and log groups are asked.", between(1, 86_400))
    late_seconds: int = setting(
        120, "How long after its time an event may arrive in CloudWatch Logs and still be read.", between(0, 3600)
    )
    max_object_mib: int = setting(
        4096, "Most that is read of an object, after decompression, in MiB.", between(1, 1_048_576)
    )
    gateway: str = setting("", "Gateway format of the records; empty: detected per record.")


@dataclass(frozen=True, slots=True, kw_only=True)
class PubsubSettings:
    """`[pubsub]`: Google Cloud Pub/Sub. Credentials are Google's application default credentials, never here."""

    subscriptions: tuple[str, ...] = setting(
        (), 'Subscriptions as "projects/PROJECT/subscriptions/NAME".', subscriptions
    )
    max_messages: int = setting(
        5_000, "Most messages that are delivered and not yet acknowledged, per subscription.", between(1, 1_000_000)
    )
    max_mib: int = setting(64, "Most of them in MiB, per subscription.", between(1, 65_536))
    gateway: str = setting("", "Gateway format of the records; empty: detected per record.")


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSettings:
    """`[queue]`: the bounded queue between sources and the pipeline."""

    max_records: int = setting(
        50_000,
        "Most raw records in the queue (about 100 MB); when it is full, sources have to wait. A single source can use three quarters.",
        between(100, 10_000_000),
    )
    max_mib: int = setting(
        256, "Most raw text in the queue, in MiB; applies when records are few and large.", between(1, 65_536)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class JoiningSettings:
    """`[joining]`: error log and access log lines about one request become one event."""

    window_ms: int = setting(
        1000,
        "How long a line waits for the other line about the same request; 0: joins only lines of one batch.",
        between(0, 60_000),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class KnowledgeSettings:
    """`[knowledge]`: what the messages of your own programs mean."""

    files: tuple[str, ...] = setting(
        (), "Your own message signatures (TOML), in addition to the built-in ones; `why401 propose` writes entries."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """`[store]`: the lake. These settings alone switch it to PostgreSQL and S3."""

    catalog: str = setting(
        "", 'Empty: SQLite in data_dir. Otherwise "postgres:dbname=… host=…" (libpq keywords).', secret=True
    )
    data_path: str = setting("", 'Empty: a folder in data_dir. Otherwise a folder or "s3://bucket/prefix/".')
    commit_rows: int = setting(
        20_000, "Commit after this many rows; large batches make DuckLake fast.", between(1, 1_000_000)
    )
    commit_interval_ms: int = setting(
        500,
        "Commit when the oldest row is this old, or up to a second old while commits take long; an event is visible within 2 s.",
        between(10, 60_000),
    )
    inline_rows: int = setting(
        1_000,
        "Commits of up to this many rows are stored in the catalog instead of a Parquet file.",
        between(0, 100_000),
    )
    maintenance_seconds: int = setting(
        300, "How often inlined rows are flushed, files merged and old snapshots expired.", between(5, 86_400)
    )
    keep_events_days: int = setting(30, "Delete single (redacted) events after this many days.", between(1, 3650))
    keep_rollups_days: int = setting(400, "Delete per-minute counts and groups after this many days.", between(1, 3650))
    max_size_mib: int = setting(
        20_480, "Size limit of the lake; above it, the oldest events are deleted first.", between(64, 10_485_760)
    )
    sample_allowed: int = setting(
        200, "Keep the token facts of one in this many accepted requests, for comparison.", between(1, 1_000_000)
    )
    memory_mib: int = setting(1_024, "DuckDB memory limit of the writer.", between(128, 1_048_576))
    s3_endpoint: str = setting("", 'S3-compatible service as "host:port"; empty: AWS.')
    s3_region: str = setting("us-east-1", "S3 region.")
    s3_key_id: str = setting("", "S3 access key ID; empty: the AWS credential chain.")
    s3_secret: str = setting("", "S3 secret access key; prefer s3_secret_file or WHY401_STORE_S3_SECRET.", secret=True)
    s3_use_ssl: bool = setting(True, "Use TLS for the S3 service.")


@dataclass(frozen=True, slots=True, kw_only=True)
class TelemetrySettings:
    """`[telemetry]`: metrics and logs of why401 itself."""

    prometheus: str = setting("127.0.0.1:9464", 'Address of the Prometheus endpoint; "" disables it.', address)
    otlp_endpoint: str = setting("", "Base URL of an OTLP/HTTP receiver for metrics; empty: no push.")
    interval_seconds: int = setting(30, "How often metrics are pushed over OTLP.", between(1, 3600))
    log_level: str = setting(
        "info", "Log level: debug, info, warning or error.", one_of("debug", "info", "warning", "error")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardSettings:
    """`[dashboard]`: the dashboard."""

    address: str = setting("127.0.0.1:8501", "Address of the dashboard.", address)
    hosts: tuple[str, ...] = setting(
        (), "Further names of the page, such as a proxy's: `name` or `name:port`, as the browser shows it."
    )
    query_timeout_seconds: float = setting(10.0, "Interrupt a query after this time.", between(0.1, 600))
    memory_mib: int = setting(512, "DuckDB memory limit per reader process.", between(64, 1_048_576))
    queries: str = setting(
        "", "Folder with saved statements of the SQL page, a TOML file each: title, sql, chart (table, line or bar)."
    )
    login: LoginSettings = field(default_factory=LoginSettings)


ALERT_RULES: Final = ("new", "escalating", "regressed", "spike", "objective", "unclassified", "silence", "late")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertSettings:
    """`[alerts]`: messages about what is wrong, to chat, mail, paging, webhooks and Alertmanager (docs/alerts.md)."""

    urls: str = setting(
        "", "Where to: a line `NAME URL` per channel, as docs/alerts.md lists them; empty: no alerts. "
        "Prefer urls_file or WHY401_ALERTS_URLS.", secret=True, apart=True,
    )  # fmt: skip
    rules: tuple[str, ...] = setting(ALERT_RULES, "What to send messages about.", some_of(*ALERT_RULES))
    link: str = setting("", "Address of the dashboard, for links; empty: http:// and [dashboard] address.", page)
    interval_seconds: int = setting(30, "How often the state is judged.", between(5, 3600))
    settle_minutes: int = setting(
        3, "How long a problem must be over before that is said; shorter pauses are the same problem.", between(0, 1440)
    )
    objective_percent: float = setting(
        0.0, "Share of requests that are to pass within 30 days, in per cent; 0: no objective.", objective
    )
    unclassified_percent: float = setting(
        20.0, "Alert when why401 cannot explain more than this share of the refusals of an hour, or cannot read more than this share of the records.",
        between(1, 100),
    )  # fmt: skip
    silence_minutes: int = setting(
        15, "Alert when a gateway that usually sends has sent nothing for so long, and others do.", between(2, 1440)
    )
    late_minutes: int = setting(
        5, "Data older than this is late: other alerts wait, and one message says so.", between(2, 1440)
    )
    max_per_hour: int = setting(
        20, "Most new alerts per hour; one message says that more are held back.", between(1, 1000)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Which of the processes that `--workers` runs side by side this is; `folder` is where they meet."""

    number: int = 1
    of: int = 1
    folder: str = ""

    @property
    def is_first(self) -> bool:
        """One of them does what cannot be shared: it follows files, sends alerts, serves the metrics."""
        return self.number == 1

    @property
    def is_all(self) -> bool:
        """There is no other."""
        return self.of == 1


_AUTHORIZATION: Final = (
    "Authorization header for an HTTP destination; prefer {0}_authorization_file or WHY401_EXPORT_{1}_AUTHORIZATION."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportSettings:
    """`[export]`: each failure, once it is in the lake, to other systems (docs/export.md)."""

    otlp: str = setting(
        "", "Base URL of an OTLP/HTTP receiver that gets each failure as a log record, in JSON; empty: none.", endpoint
    )
    otlp_authorization: str = setting("", _AUTHORIZATION.format("otlp", "OTLP"), secret=True)
    ocsf: str = setting(
        "", 'Where each failure is written as OCSF 1.8 JSON, one per line: "file:PATH", "kafka:TOPIC", or a URL; empty: nowhere.',
        destination,
    )  # fmt: skip
    ocsf_authorization: str = setting("", _AUTHORIZATION.format("ocsf", "OCSF"), secret=True)
    ecs: str = setting("", "The same as ECS 9.4 JSON.", destination)
    ecs_authorization: str = setting("", _AUTHORIZATION.format("ecs", "ECS"), secret=True)
    queue_records: int = setting(
        10_000,
        "Most failures that wait for a destination; beyond it they are dropped and counted.",
        between(100, 1_000_000),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The whole table."""

    data_dir: str = setting("why401-data", "Folder for catalog, data and pseudonym key; created with mode 0700.")
    pseudonym_key: str = setting(
        "", "Key file for pseudonyms; empty: pseudonym.key in data_dir, created with mode 0600."
    )
    issuers_from: tuple[str, ...] = setting(
        (),
        "Configurations of gateways, files or folders, from which [[issuers]] are read as `why401 init --from` does; a change is noticed while why401 runs.",
    )
    insecure: bool = setting(
        False, "Allow receivers and dashboard on non-loopback addresses without TLS and authentication."
    )
    otlp: OtlpSettings = field(default_factory=OtlpSettings)
    kafka: KafkaSettings = field(default_factory=KafkaSettings)
    files: FileSettings = field(default_factory=FileSettings)
    syslog: SyslogSettings = field(default_factory=SyslogSettings)
    aws: AwsSettings = field(default_factory=AwsSettings)
    pubsub: PubsubSettings = field(default_factory=PubsubSettings)
    queue: QueueSettings = field(default_factory=QueueSettings)
    joining: JoiningSettings = field(default_factory=JoiningSettings)
    knowledge: KnowledgeSettings = field(default_factory=KnowledgeSettings)
    store: StoreSettings = field(default_factory=StoreSettings)
    telemetry: TelemetrySettings = field(default_factory=TelemetrySettings)
    dashboard: DashboardSettings = field(default_factory=DashboardSettings)
    alerts: AlertSettings = field(default_factory=AlertSettings)
    export: ExportSettings = field(default_factory=ExportSettings)
    issuers: tuple[IssuerSettings, ...] = ()
    formats: tuple[FormatSettings, ...] = ()
    file: str = ""  # where the settings come from, for messages
    share: Share = Share()  # of this process

    @property
    def data_path(self) -> Path:
        """The data directory as a path."""
        return Path(self.data_dir)

    @property
    def pseudonym_key_path(self) -> Path:
        """The file of the pseudonym keys."""
        return self.base / self.pseudonym_key if self.pseudonym_key else self.data_path / "pseudonym.key"

    @property
    def place_key_path(self) -> Path:
        """The file of the key under which places in files are digested."""
        return self.data_path / "places.key"

    @property
    def base(self) -> Path:
        """The folder that relative paths of the file refer to."""
        return Path(self.file).parent if self.file else Path()

    @property
    def knowledge_files(self) -> tuple[Path, ...]:
        """The files of `[knowledge]`, as paths."""
        return tuple(self.base / name for name in self.knowledge.files)


TABLES: Final[dict[str, type]] = {"issuers": IssuerSettings, "formats": FormatSettings}
