"""The settings: one table, from which validation, `why401 init`, `why401 check` and the docs derive.

A setting is a dataclass field declared with `_s(default, help)`; a section is a dataclass; the table is `Settings`.
Sources, weakest first: the defaults here, `why401.toml`, environment (`WHY401_STORE_CATALOG` for `[store] catalog`),
flags. The environment is read here and nowhere else, once, at start.
"""

from __future__ import annotations

import os
import tomllib
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, Union, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit

from collector.errors import ConfigurationError

ENV_PREFIX: Final = "WHY401_"
ALGORITHMS: Final = (
    "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
    "ES256", "ES384", "ES512", "ES256K", "EdDSA",
)  # fmt: skip
Check = Callable[[Any], str]  # "" when the value is right, else what would be right


def _s(default: Any, help: str, check: Check | None = None, *, secret: bool = False) -> Any:
    meta = {"help": help, "check": check, "secret": secret}
    if isinstance(default, (list, dict)):
        return field(default_factory=lambda: type(default)(default), metadata=meta)
    if default is MISSING:
        return field(metadata=meta)
    return field(default=default, metadata=meta)


def _between(low: float, high: float) -> Check:
    return lambda v: "" if low <= v <= high else f"a number from {low:g} to {high:g}"


def _one_of(*words: str) -> Check:
    return lambda v: "" if v in words else "one of " + ", ".join(words)


def _address(value: str) -> str:
    host, _, port = value.rpartition(":")
    ok = value == "" or (host != "" and port.isdigit() and int(port) < 65536)
    return "" if ok else '"host:port", or "" to switch it off'


def _algorithms(value: tuple[str, ...]) -> str:
    wrong = [alg for alg in value if alg not in ALGORITHMS]
    if not wrong:
        return ""
    close = get_close_matches(wrong[0], ALGORITHMS, n=1)
    return f"{wrong[0]!r} is no JWS algorithm" + (f"; did you mean {close[0]}?" if close else "")


def _jwks(value: str) -> str:
    scheme = urlsplit(value).scheme
    if value in ("", "discovery") or scheme in ("https", "") or _is_loopback_url(value):
        return ""
    return 'a file, an https URL, or "discovery" (plain http is accepted for loopback only)'


def _is_loopback_url(value: str) -> bool:
    return (urlsplit(value).hostname or "") in ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerSettings:
    """`[[issuers]]`: what the verifiers behind the gateways expect of one issuer."""

    issuer: str = _s(MISSING, "The exact `iss` value.", lambda v: "" if v else "the issuer's exact iss value")
    audiences: tuple[str, ...] = _s((), "Accepted `aud` values; empty accepts any.")
    algorithms: tuple[str, ...] = _s(("RS256",), "Accepted `alg` values.", _algorithms)
    jwks: str = _s("", 'Key set: a file, an https URL, or "discovery"; empty: signatures are not checked.', _jwks)
    user_claim: str = _s("sub", "The claim that the verifier reads the user from; dots reach into objects.")
    required_claims: tuple[str, ...] = _s(("exp",), "Claims that must be there.")
    clock_skew_seconds: int = _s(60, "Leeway that the verifier grants to exp, nbf and iat.", _between(0, 3600))
    gateways: tuple[str, ...] = _s((), "Gateway kinds or instances this holds for; empty: all.")


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatSettings:
    """`[[formats]]`: a JSON log format of your own. Values are dotted paths into the record ("req.headers.authorization")."""

    name: str = _s(MISSING, "The gateway's name in events and on the page.", lambda v: "" if v else "a name")
    match: dict[str, str] = _s({}, 'Paths and the value they must have ("*": any) for a record to be of this format.')
    time: str = _s("", "RFC 3339 text, or Unix seconds, milliseconds, microseconds or nanoseconds.")
    status: str = _s(MISSING, "HTTP status.", lambda v: "" if v else "the path of the HTTP status")
    method: str = _s("", "HTTP method.")
    path: str = _s("", "Path or URL, query included.")
    host: str = _s("", "Host or authority.")
    client: str = _s("", "Client address.")
    user_agent: str = _s("", "User-Agent.")
    request_id: str = _s("", "Request id.")
    trace_id: str = _s("", "Trace id, or a traceparent.")
    authorization: str = _s("", "The Authorization header's value.")
    headers: str = _s("", "An object of request headers.")
    reason: str = _s("", "The gateway's machine-readable reason.")
    message: str = _s("", "The gateway's or library's sentence.")
    challenge: str = _s("", "The response's WWW-Authenticate.")
    upstream_status: str = _s("", "Status of the upstream, when it was asked.")
    instance: str = _s("", "The gateway's instance.")


@dataclass(frozen=True, slots=True, kw_only=True)
class OtlpSettings:
    """`[otlp]`: OTLP logs in."""

    grpc: str = _s("127.0.0.1:4317", 'gRPC receiver; "" switches it off.', _address)
    http: str = _s("127.0.0.1:4318", 'HTTP receiver (protobuf and JSON); "" switches it off.', _address)
    max_body_mib: int = _s(
        64, "Largest request after decompression: what the OTLP specification recommends.", _between(1, 512)
    )
    ack_timeout_seconds: float = _s(8.0, "SDKs give up after about 10 s; answer before they do.", _between(0.1, 60))
    gateway: str = _s("", "Format of the records; empty: detected per record.")


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaSettings:
    """`[kafka]`: raw records in, and the event topic between collector and analyzer."""

    bootstrap: tuple[str, ...] = _s((), '"host:port" of brokers; empty: Kafka is not used.')
    topics: tuple[str, ...] = _s((), "Topics with raw gateway logs.")
    group: str = _s("why401", "Consumer group; its analyzers use GROUP-analyze.")
    events_topic: str = _s("why401.events", "The topic between `why401 collect` and `why401 analyze`.")
    start: str = _s("earliest", "Where to begin in a partition never read before.", _one_of("earliest", "latest"))
    security_protocol: str = _s(
        "PLAINTEXT", "As Kafka names it.", _one_of("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
    )
    ssl_cafile: str = _s("", "CA certificates, PEM.")
    ssl_certfile: str = _s("", "Client certificate, PEM.")
    ssl_keyfile: str = _s("", "Client key, PEM.")
    sasl_mechanism: str = _s(
        "", "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512.", _one_of("", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
    )
    sasl_username: str = _s("", "SASL user.")
    sasl_password: str = _s("", "SASL password; better in WHY401_KAFKA_SASL_PASSWORD.", secret=True)
    gateway: str = _s("", "Format of the records; empty: detected per record.")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSettings:
    """`[files]`: log files in."""

    paths: tuple[str, ...] = _s((), 'Files or globs, .gz too; "-" is standard input.')
    follow: bool = _s(True, "Keep reading as a file grows or is rotated.")
    gateway: str = _s("", "Format of the records; empty: detected per record.")


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSettings:
    """`[queue]`: the bounded door between sources and the pipeline."""

    max_records: int = _s(
        50_000, "About 100 MB of raw records; beyond it sources are told to wait.", _between(100, 10_000_000)
    )
    max_mib: int = _s(256, "The same bound in bytes of raw text, for few and large records.", _between(1, 65_536))


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """`[store]`: the lake. PostgreSQL and S3 by these settings alone."""

    catalog: str = _s("", 'Empty: SQLite in data_dir. Else "postgres:dbname=… host=…" (libpq words).', secret=True)
    data_path: str = _s("", 'Empty: a folder in data_dir. Else a folder or "s3://bucket/prefix/".')
    commit_rows: int = _s(
        5_000, "Rows that force a commit: large batches are what makes DuckLake fast.", _between(1, 1_000_000)
    )
    commit_interval_ms: int = _s(
        500, "Age of the oldest row that forces a commit; an event is visible within 2 s.", _between(10, 60_000)
    )
    inline_rows: int = _s(
        1_000, "Commits up to this many rows go into the catalog instead of a file each.", _between(0, 100_000)
    )
    maintenance_seconds: int = _s(
        300, "How often inlined rows are flushed, files merged, old snapshots expired.", _between(5, 86_400)
    )
    keep_events_days: int = _s(30, "Single events (redacted) older than this are deleted.", _between(1, 3650))
    keep_rollups_days: int = _s(400, "Per-minute counts and groups older than this are deleted.", _between(1, 3650))
    max_size_mib: int = _s(
        20_480, "The lake's size cap: beyond it the oldest events go first.", _between(64, 10_485_760)
    )
    sample_allowed: int = _s(
        200, "One of this many passing requests keeps its token facts, for comparison.", _between(1, 1_000_000)
    )
    memory_mib: int = _s(1_024, "DuckDB's memory limit in the writer.", _between(128, 1_048_576))
    s3_endpoint: str = _s("", '"host:port" of an S3-compatible service; empty: AWS.')
    s3_region: str = _s("us-east-1", "S3 region.")
    s3_key_id: str = _s("", "S3 access key id; empty: the AWS credential chain.")
    s3_secret: str = _s("", "S3 secret; better in WHY401_STORE_S3_SECRET.", secret=True)
    s3_use_ssl: bool = _s(True, "TLS to the S3 service.")


@dataclass(frozen=True, slots=True, kw_only=True)
class TelemetrySettings:
    """`[telemetry]`: what why401 says of itself."""

    prometheus: str = _s("127.0.0.1:9464", 'Prometheus endpoint; "" switches it off.', _address)
    otlp_endpoint: str = _s("", "Base URL of an OTLP/HTTP receiver for metrics; empty: none.")
    interval_seconds: int = _s(30, "How often metrics are pushed over OTLP.", _between(1, 3600))
    log_level: str = _s("info", "debug, info, warning or error.", _one_of("debug", "info", "warning", "error"))


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardSettings:
    """`[dashboard]`: the page."""

    address: str = _s("127.0.0.1:8501", "Where the page is served.", _address)
    query_timeout_seconds: float = _s(10.0, "A query that takes longer is interrupted.", _between(0.1, 600))
    memory_mib: int = _s(512, "DuckDB's memory limit per reader process.", _between(64, 1_048_576))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The whole table."""

    data_dir: str = _s("why401-data", "Catalog, data, pseudonym key. Created 0700.")
    pseudonym_key: str = _s("", "Key file for pseudonyms; empty: pseudonym.key in data_dir, created 0600.")
    insecure: bool = _s(False, "Allow a receiver on an address other than loopback.")
    otlp: OtlpSettings = field(default_factory=OtlpSettings)
    kafka: KafkaSettings = field(default_factory=KafkaSettings)
    files: FileSettings = field(default_factory=FileSettings)
    queue: QueueSettings = field(default_factory=QueueSettings)
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


_NOT_SETTINGS: Final = frozenset({"file"})
TABLES: Final[dict[str, type]] = {"issuers": IssuerSettings, "formats": FormatSettings}


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the table, for docs, `why401 init` and the environment."""

    section: str  # "" at the top, "[]" behind the name for a table that repeats
    name: str
    default: Any
    help: str
    secret: bool

    @property
    def key(self) -> str:
        """`store.catalog`"""
        return f"{self.section}.{self.name}" if self.section else self.name

    @property
    def env(self) -> str:
        """`WHY401_STORE_CATALOG`"""
        return ENV_PREFIX + self.key.replace(".", "_").upper()


def entries() -> Iterator[Entry]:
    """Every setting, in the order of the file."""
    sections = {f.name: f for f in fields(Settings) if f.name not in _NOT_SETTINGS}
    yield from (_entry("", f) for f in sections.values() if f.metadata)
    for name, f in sections.items():
        if name not in TABLES and not f.metadata:
            yield from (_entry(name, inner) for inner in fields(_hints(Settings)[name]))
    for name, cls in TABLES.items():
        yield from (_entry(name + "[]", inner) for inner in fields(cls))


def _entry(section: str, f: Any) -> Entry:
    default = f.default_factory() if f.default_factory is not MISSING else f.default
    return Entry(section, f.name, None if default is MISSING else default, f.metadata["help"], f.metadata["secret"])


def load(
    file: str | Path | None = None,
    environ: Mapping[str, str] | None = None,
    flags: Mapping[str, Any] | None = None,
) -> Settings:
    """Read the settings. `file` None: `why401.toml` here when there is one. `flags`: dotted key to value.

    Raises ConfigurationError with file, key, value and what would be right.
    """
    path = _file(file)
    raw = _read(path) if path else {}
    environ = os.environ if environ is None else environ
    for entry in entries():
        if not entry.section.endswith("[]") and entry.env in environ:
            _put(raw, entry.key, environ[entry.env])
    for key, value in (flags or {}).items():
        if value is not None:
            _put(raw, key, value)
    name = str(path) if path else ""
    settings: Settings = _build(Settings, raw, "", name)
    return replace(settings, file=name)


def _file(file: str | Path | None) -> Path | None:
    if file is None:
        return Path("why401.toml") if Path("why401.toml").is_file() else None
    if not Path(file).is_file():
        raise ConfigurationError("--config", str(file), "no such file; `why401 init` writes one")
    return Path(file)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError("(syntax)", path.name, f"not TOML: {error}", file=str(path)) from None


def _put(raw: dict[str, Any], key: str, value: Any) -> None:
    *sections, name = key.split(".")
    for section in sections:
        raw = raw.setdefault(section, {})
    raw[name] = value


def _build(cls: type, raw: Mapping[str, Any], prefix: str, file: str) -> Any:
    known = {f.name: f for f in fields(cls) if f.name not in _NOT_SETTINGS}
    _refuse_unknown(raw, known, prefix, file)
    values = {name: _value(cls, known[name], raw[name], prefix + name, file) for name in raw}
    for name, f in known.items():
        if name not in raw and f.default is MISSING and f.default_factory is MISSING:
            raise ConfigurationError(prefix + name, None, f"is required: {f.metadata['help']}", file=file)
    return cls(**values)


def _refuse_unknown(raw: Mapping[str, Any], known: Mapping[str, Any], prefix: str, file: str) -> None:
    for name in raw:
        if name not in known:
            close = get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]}?" if close else "known here: " + ", ".join(known)
            raise ConfigurationError(prefix + name, raw[name], f"no such setting; {hint}", file=file)


def _value(cls: type, f: Any, value: Any, key: str, file: str) -> Any:
    if f.name in TABLES and cls is Settings:
        return _table(TABLES[f.name], value, key, file)
    hint = _hints(cls)[f.name]
    if is_dataclass(hint):
        if not isinstance(value, Mapping):
            raise ConfigurationError(key, value, f"a table: [{key}]", file=file)
        return _build(hint, value, key + ".", file)  # type: ignore[arg-type]  # is_dataclass leaves instance | type
    converted = _convert(hint, value, key, file)
    wrong = f.metadata["check"](converted) if f.metadata.get("check") else ""
    if wrong:
        raise ConfigurationError(key, "…" if f.metadata["secret"] else value, f"expected {wrong}", file=file)
    return converted


def _table(cls: type, value: Any, key: str, file: str) -> tuple[Any, ...]:
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        raise ConfigurationError(key, value, f"a list of tables: [[{key}]]", file=file)
    return tuple(_build(cls, item, f"{key}[{n}].", file) for n, item in enumerate(value))


def _convert(hint: Any, value: Any, key: str, file: str) -> Any:
    kind = get_origin(hint) or hint
    if kind in (Union, types.UnionType):
        kind = get_args(hint)[0]
    converter = _CONVERTERS[kind]
    try:
        return converter(value)
    except (TypeError, ValueError):
        raise ConfigurationError(key, value, f"expected {_NAMES[kind]}", file=file) from None


def _to_bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    words = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
    if not isinstance(value, str) or value.lower() not in words:
        raise ValueError
    return words[value.lower()]


def _to_number(kind: type) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        if isinstance(value, bool) or (isinstance(value, float) and kind is int):
            raise ValueError
        return kind(value)

    return convert


def _to_text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _to_list(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):  # environment and flags: comma separated
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return tuple(_to_text(item) for item in value)


def _to_words(value: Any) -> dict[str, str]:
    return {_to_text(k): _to_text(v) for k, v in dict(value).items()}


_CONVERTERS: Final[dict[Any, Callable[[Any], Any]]] = {
    bool: _to_bool,
    int: _to_number(int),
    float: _to_number(float),
    str: _to_text,
    tuple: _to_list,
    dict: _to_words,
}
_NAMES: Final[dict[Any, str]] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    tuple: "a list of texts",
    dict: "a table of texts",
}


def _hints(cls: type) -> dict[str, Any]:
    return get_type_hints(cls)
