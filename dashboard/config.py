"""The dashboard's settings, and the flags that `python -m streamlit run` is started with."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Final

from collector import settings as settings_module
from collector.settings import Settings

CONFIG_ENV: Final = "WHY401_CONFIG"

_OPTIONS: Final = {
    "server.headless": "true",
    "server.fileWatcherType": "none",
    "server.runOnSave": "false",
    "server.enableStaticServing": "false",
    "server.maxUploadSize": "1",  # MB; nothing is uploaded
    "server.maxMessageSize": "50",  # MB; panels are bounded by their LIMIT
    "server.showEmailPrompt": "false",
    "browser.gatherUsageStats": "false",
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",  # a traceback may quote data
    "client.showErrorLinks": "false",
    "client.disableDataExport": "true",  # the grid's own CSV has no guard against formulas; `export` does
    "client.showSidebarNavigation": "true",
    "runner.magicEnabled": "false",  # a bare expression must never become markdown
    "logger.level": "warning",
}
_THEME: Final = {
    "theme.baseFontSize": "15",
    "theme.baseRadius": "medium",
    "theme.headingFontWeights": "[600,600,600]",
    "theme.headingFontSizes": '["1.6rem","1.25rem","1.05rem"]',
    "theme.metricValueFontSize": "1.5rem",
    "theme.paddingTop": "3.5rem",
    "theme.paddingBottom": "2rem",
    "theme.light.primaryColor": "#1F5FA8",
    "theme.light.backgroundColor": "#FFFFFF",
    "theme.light.secondaryBackgroundColor": "#F5F6F8",
    "theme.light.textColor": "#12151A",  # of captions Streamlit takes 60 %: with its own grey too little contrast (WCAG 2.1, 1.4.3)
    "theme.light.borderColor": "#E2E5EA",
    "theme.dark.primaryColor": "#6FB1F2",
    "theme.dark.backgroundColor": "#14171C",
    "theme.dark.secondaryBackgroundColor": "#1D2128",
    "theme.dark.borderColor": "#333943",
}


def streamlit_flags(settings: Settings) -> list[str]:
    """Command-line flags: address, no telemetry, no developer's tools, the theme."""
    host, _, port = settings.dashboard.address.rpartition(":")
    place = {"server.address": host.strip("[]"), "server.port": port, "browser.serverAddress": host.strip("[]")}
    return [f"--{name}={value}" for name, value in {**place, **_OPTIONS, **_THEME}.items()]


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process, read once; `WHY401_CONFIG` names the file, as `why401 dashboard` sets it.

    Raises ConfigurationError, which stops the page before it shows data.
    """
    return settings_module.load(os.environ.get(CONFIG_ENV) or None)
