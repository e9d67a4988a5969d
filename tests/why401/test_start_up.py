"""What a command may import: a second of imports that a command never uses is a second that everybody waits."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import HANG_S

LINE = '{"response_code": 401, "response_code_details": "jwt_authn_access_denied{Jwt_is_expired}"}\n'
# Each takes thirty milliseconds or ten megabytes, and most a tenth of a second.
HEAVY = frozenset({
    "analyzer", "collector.redaction", "cryptography", "duckdb", "grpc", "jwt", "kafka", "numpy", "opentelemetry",
    "pandas", "pyarrow", "starlette", "streamlit", "urllib.request", "uvicorn",
})  # fmt: skip
# Command -> what of HEAVY it may import. The knowledge files are in the cache after the first call.
ALLOWED = {
    ("--help",): set(),
    ("--version",): set(),
    ("explain", "--help"): set(),
    ("up", "--help"): set(),
    ("redact",): {"collector.redaction"},
    ("explain",): {"analyzer", "collector.redaction"},
    ("check", "--offline"): {
        "analyzer",
        "collector.redaction",
        "cryptography",
        "grpc",
        "jwt",
        "opentelemetry",
        "urllib.request",
    },
}
PROBE = """
import sys
sys.argv = ["why401", *sys.argv[1:]]
from why401.cli import main
try:
    main(standalone_mode=False)
except SystemExit:
    pass
print("\\nimported:", *sorted(sys.modules), file=sys.stderr)
"""


def imported(words: tuple[str, ...], folder: Path) -> set[str]:
    """The modules of a process that ran the command."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *words], input=LINE, capture_output=True, text=True, cwd=folder, check=False,
        timeout=HANG_S,
    )  # fmt: skip
    assert "imported:" in done.stderr, done.stderr
    return set(done.stderr.rpartition("imported:")[2].split())


@pytest.mark.parametrize("words", ALLOWED, ids=" ".join)
def test_a_command_imports_what_it_needs(words: tuple[str, ...], tmp_path: Path) -> None:
    """Nothing heavy beyond the row of the table; `why401` itself is found wherever it is started."""
    imported(words, tmp_path)  # fills the cache of the knowledge files

    assert set() == (imported(words, tmp_path) & HEAVY) - ALLOWED[words]


def test_what_stores_does_without_pandas(tmp_path: Path) -> None:
    """PyArrow would import it for nothing, which takes a second of every start."""
    loaded = imported(("up", "--no-follow", "--file", "-", "--data-dir", "data"), tmp_path)

    assert {"duckdb", "pyarrow"} <= loaded
    assert set() == loaded & {"pandas", "streamlit"}


def test_the_package_itself_is_light(tmp_path: Path) -> None:
    """`import why401` and naming its functions loads nothing that works."""
    code = "import sys, why401; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)

    assert set() == set(done.stdout.split()) & (HEAVY | {"click", "orjson", "re2"})
