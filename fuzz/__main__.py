"""`python -m fuzz [--seconds N] [--keep] [TARGET …]`: each target in a process of its own, N seconds for all together."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from fuzz import cost
from fuzz.engine import FOLDER, MAX_INPUT
from fuzz.targets import TARGETS

COST: Final = "cost"  # no target of the fuzzer: a search guided by CPU time
KNOWN: Final = (*TARGETS, COST)
SECONDS: Final = 600
MAX_KEPT: Final = 15  # inputs a target keeps in the repository: the smallest of those that reach something new
GRACE_SECONDS: Final = 120  # for imports, seeds and the input that is running at the end


def main(arguments: list[str]) -> int:
    """0 when no target found anything, 1 when one did, 2 when there is no fuzzer."""
    options = _options(arguments)
    try:
        import atheris  # noqa: F401
    except ImportError:
        print(
            "atheris is not installed: `make fuzz` installs the group `fuzz`; it has wheels for CPython on Linux and macOS"
        )
        return 2
    share = max(1, options.seconds // len(options.targets))
    found = [name for name in options.targets if not _run(name, share, keep=options.keep)]
    print(
        f"{len(options.targets)} targets, {share} s each: "
        + (f"broken: {', '.join(found)}" if found else "nothing found")
    )
    return 1 if found else 0


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=SECONDS, help="for all targets together [%(default)s]")
    parser.add_argument(
        "--keep", action="store_true", help="keep the smallest inputs that reach something new in fuzz/corpus"
    )
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(KNOWN)} [all]")
    options = parser.parse_args(arguments)
    unknown = set(options.targets) - set(KNOWN)
    if unknown:
        parser.error(f"no target {', '.join(sorted(unknown))}; there are: {', '.join(KNOWN)}")
    options.targets = options.targets or list(KNOWN)
    return options


def _run(name: str, seconds: int, *, keep: bool) -> bool:
    """Whether the target kept its promises."""
    if name == COST:
        return not cost.main([str(seconds)])
    with tempfile.TemporaryDirectory() as corpus:
        command = [sys.executable, "-m", "fuzz.engine", name, corpus, str(seconds)]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, errors="replace", timeout=seconds + GRACE_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            print(f"{name:<14} did not end", flush=True)
            return False
        print(f"{name:<14} {_figures(done.stderr)}", flush=True)
        if done.returncode:
            print("\n".join(_blame(done.stdout + done.stderr)), flush=True)
        elif keep:
            _keep(name, Path(corpus))
    return done.returncode == 0


def _figures(text: str) -> str:
    """Executions and branches, out of libFuzzer's last status lines."""
    stats = dict(line.removeprefix("stat::").split(":", 1) for line in text.splitlines() if line.startswith("stat::"))
    branches = [line.split("cov: ")[1].split()[0] for line in text.splitlines() if "cov: " in line]
    runs = int(stats.get("number_of_executed_units", "0"))
    return f"{runs:>10,} inputs, {branches[-1] if branches else '?':>6} branches"


def _blame(text: str) -> list[str]:
    """The exception and where the input was saved; else the end of what was said."""
    lines = text.splitlines()
    marks = ("Uncaught Python exception", "Test unit written", "libFuzzer: timeout", "out-of-memory", "Error:")
    start = next((n for n, line in enumerate(lines) if marks[0] in line), len(lines) - 15)
    return ["    " + line for line in lines[max(0, start) : start + 40] if not line.startswith("stat::")]


def _keep(name: str, corpus: Path) -> None:
    folder = FOLDER / "corpus" / name
    folder.mkdir(parents=True, exist_ok=True)
    room = MAX_KEPT - len(list(folder.iterdir()))
    found = sorted(
        (path for path in corpus.iterdir() if path.stat().st_size < MAX_INPUT), key=lambda path: path.stat().st_size
    )
    step = max(1, len(found) // room) if room > 0 else 0
    for path in found[::step][:room] if step else ():
        (folder / path.name[:16]).write_bytes(path.read_bytes())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
