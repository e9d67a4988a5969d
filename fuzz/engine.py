"""One target in this process under atheris (libFuzzer): `python -m fuzz.engine TARGET CORPUS SECONDS`."""

from __future__ import annotations

import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
MAX_INPUT: Final = 4096
HANG_SECONDS: Final = 10  # for one input of at most 4 KiB
MEMORY_MIB: Final = 3072


def main(name: str, corpus: str, seconds: str) -> None:
    """Fuzz until the time is over or an input breaks a promise; that input is saved in crashes/TARGET."""
    import atheris

    # Strings compared in Python become hints for the mutator; everything of ours counts branches.
    atheris.enabled_hooks.add("str")
    with atheris.instrument_imports(include=["collector", "analyzer"], enable_loader_override=False):
        target = import_module(f"fuzz.targets.{name}")
    crashes = FOLDER / "crashes" / name
    crashes.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as seeds:
        for n, seed in enumerate(target.seeds()):
            (Path(seeds) / f"{n:04}").write_bytes(seed[:MAX_INPUT])
        options = [
            f"-max_total_time={seconds}", f"-max_len={MAX_INPUT}", f"-timeout={HANG_SECONDS}", f"-rss_limit_mb={MEMORY_MIB}",
            f"-artifact_prefix={crashes}/", "-print_final_stats=1", "-verbosity=1",
        ]  # fmt: skip
        places = [corpus, str(FOLDER / "corpus" / name), str(crashes), seeds]
        atheris.Setup([sys.argv[0], *options, *(place for place in places if Path(place).is_dir())], target.check)
        atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:4])
