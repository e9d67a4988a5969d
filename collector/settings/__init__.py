"""The settings: one table, from which validation, `why401 init`, `why401 check` and the docs derive.

Later sources override earlier ones: the defaults of the table, `why401.toml`, the environment
(`WHY401_STORE_CATALOG` for `[store] catalog`), flags. The environment is read once, at start, and only here.
"""

from collector.settings.checks import ALGORITHMS
from collector.settings.oidc import LoginSettings, OidcSettings
from collector.settings.reading import ENV_PREFIX, Entry, entries, load
from collector.settings.table import (
    ALERT_RULES,
    AlertSettings,
    AwsSettings,
    DashboardSettings,
    ExportSettings,
    FileSettings,
    FormatSettings,
    IssuerSettings,
    JoiningSettings,
    KafkaSettings,
    KnowledgeSettings,
    OtlpSettings,
    PubsubSettings,
    QueueSettings,
    Settings,
    Share,
    StoreSettings,
    SyslogSettings,
    TelemetrySettings,
)

__all__ = [
    "ALERT_RULES",
    "ALGORITHMS",
    "ENV_PREFIX",
    "AlertSettings",
    "AwsSettings",
    "DashboardSettings",
    "Entry",
    "ExportSettings",
    "FileSettings",
    "FormatSettings",
    "IssuerSettings",
    "JoiningSettings",
    "KafkaSettings",
    "KnowledgeSettings",
    "LoginSettings",
    "OidcSettings",
    "OtlpSettings",
    "PubsubSettings",
    "QueueSettings",
    "Settings",
    "Share",
    "StoreSettings",
    "SyslogSettings",
    "TelemetrySettings",
    "entries",
    "load",
]
