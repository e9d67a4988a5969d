"""Options that several commands share, and reading the settings they lead to."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from collector.settings import Settings, load

F = TypeVar("F", bound=Callable[..., Any])


class _Positive(click.FloatRange):
    """Above 0, and a number that one can count to: FloatRange lets `nan` and `inf` pass.

    >>> POSITIVE.convert("0.5", None, None)
    0.5
    """

    def __init__(self) -> None:
        super().__init__(min=0, min_open=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return number


POSITIVE: Final = _Positive()
config: Callable[[F], F] = click.option(
    "--config", "config_file", type=click.Path(), envvar="WHY401_CONFIG", help="Configuration file [why401.toml]."
)
data_dir: Callable[[F], F] = click.option(
    "--data-dir", type=click.Path(), help="Folder of the lake [data_dir in the configuration]."
)

workers: Callable[[F], F] = click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Processes side by side: Kafka shares partitions out among them, the kernel OTLP connections.",
)


def settings(config_file: str | None, **flags: Any) -> Settings:
    """The settings of file, environment and flags. Raises ConfigurationError, which the command group words."""
    told = load(config_file, flags={key.replace("__", "."): value for key, value in flags.items()})
    if not told.issuers_from:
        return told
    from why401.expectations.expected import with_issuers_from  # what reads configurations takes a while to import

    return with_issuers_from(told)
