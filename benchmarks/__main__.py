"""`python -m benchmarks [NAME …]`: every scenario in a process of its own; `soak`, `load --minutes N`, `chaos`, `growth`, `page` and `peers` only when named."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Final

from benchmarks.harness import HANG_SECONDS, as_json, in_own_process, report
from benchmarks.scenarios import SCENARIOS, SLOW

WITH_OPTIONS: Final = ("load", "chaos", "growth", "page", "peers")  # modules with options of their own


def main(arguments: list[str]) -> int:
    """Run the named scenarios, or all but the slow ones."""
    if arguments[:1] == ["--one"]:
        print(as_json(SCENARIOS[arguments[1]]()))
        return 0
    if arguments and arguments[0] in WITH_OPTIONS:
        return int(import_module(f"benchmarks.{arguments[0]}").main(arguments[1:]))
    unknown = [name for name in arguments if name not in SCENARIOS]
    if unknown:
        print(f"no scenario {unknown[0]}; there are: {', '.join((*SCENARIOS, *WITH_OPTIONS))}")
        return 2
    return run_all(arguments or [name for name in SCENARIOS if name not in SLOW])


def run_all(names: list[str]) -> int:
    """A line per scenario; exit status 1 when one did not run."""
    print(f"{'scenario':<22} {'events':>12} {'CPU/event':>12} {'peak':>11}   slowest/fastest round")
    failed = 0
    for name in names:
        result = in_own_process(name, timeout_s=None if name in SLOW else HANG_SECONDS)
        print(report(result) if result else f"{name:<22} did not run", flush=True)
        failed += result is None
    return 1 if failed else 0


sys.exit(main(sys.argv[1:]))
