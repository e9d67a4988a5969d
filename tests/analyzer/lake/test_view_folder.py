"""The folder views/ is the list: a new file is known to everything that reads, without another change."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
VIEW = """-- Gateways that refused something, for the test of the folder.
-- gateway: Kind of the gateway.
SELECT DISTINCT gateway FROM failures
"""
ASKED = """
import json, sys
from click.testing import CliRunner
from analyzer.lake import Access, connect_reader, run_query
from analyzer.lake.adhoc import first_rows
from analyzer.lake.document import reference
from analyzer.lake.allow_list import refusal
from analyzer.lake.reader import Reader
from analyzer.store import open_memory_store
from dashboard.queries import text
from why401.cli import main
from why401.sql_server.authorization import macros

store = open_memory_store()
page = Reader(store.settings, Access(memory_mib=256), timeout_s=60)
print(json.dumps({
    "the lake": "refusing_gateways" in page.table("SELECT view_name AS name FROM dictionary")["name"].to_pylist(),
    "the page's SQL": first_rows(page, "SELECT * FROM refusing_gateways").column_names == ["gateway"],
    "the page's list of columns": "refusing_gateways" in page.table(text("columns"))["view"].to_pylist(),
    "remote SQL": macros(()).count("'refusing_gateways'") == 2,
    "why401 sql --help": "refusing_gateways" in CliRunner().invoke(main, ["sql", "--help"]).output,
    "the documentation": "### `refusing_gateways`" in reference(),
}))
"""


def test_a_new_view_is_known_everywhere(tmp_path: Path) -> None:
    """In a copy of the source with one more file in views/."""
    for package in ("collector", "analyzer", "dashboard", "why401"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "analyzer" / "lake" / "views" / "refusing_gateways.sql").write_text(VIEW, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", ASKED], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300
    )

    assert 0 == done.returncode, done.stderr
    assert [] == [place for place, knows in json.loads(done.stdout.splitlines()[-1]).items() if not knows]
