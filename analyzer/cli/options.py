"""Options that several commands share, and reading the settings they lead to."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from collector.settings import Settings, load

F = TypeVar("F", bound=Callable[..., Any])
config: Callable[[F], F] = click.option(
    "--config", "config_file", type=click.Path(), envvar="WHY401_CONFIG", help="Configuration file [why401.toml]."
)
data_dir: Callable[[F], F] = click.option(
    "--data-dir", type=click.Path(), help="Where the lake is [data_dir of the configuration]."
)


def settings(config_file: str | None, **flags: Any) -> Settings:
    """The settings of file, environment and flags. Raises ConfigurationError, which the command group words."""
    return load(config_file, flags={key.replace("__", "."): value for key, value in flags.items()})


def start_process(chosen: Settings) -> None:
    """What every long-running command does first: logs to stderr, no core dumps, private files."""
    logging.basicConfig(
        level=chosen.telemetry.log_level.upper(),
        format="%(asctime)s %(levelname)-7s %(name)s  %(message)s",
        stream=sys.stderr,
        force=True,
    )
    logging.getLogger("kafka").setLevel(logging.ERROR)  # kafka-python logs every reconnect; ours says it once
    os.umask(0o077)
    _no_core_dumps()


def _no_core_dumps() -> None:
    """A dump would hold raw tokens."""
    try:
        import resource
    except ImportError:  # not on this platform
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
