"""docs/python.md and its notebook: every block runs, in order, on a lake."""

from __future__ import annotations

import json
import re
from pathlib import Path

import nbformat
import pyarrow.parquet
import pytest

from analyzer.store import open_store
from collector.settings import load
from collector.telemetry import Telemetry
from docs.generate import notebook
from tests.analyzer.verdict_samples import failing, passing

DOCS = Path(__file__).parents[2] / "docs"
BLOCKS = re.findall(r"(?ms)^```python\n(.*?)^```$", (DOCS / "python.md").read_text(encoding="utf-8"))


def test_every_block_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """In a folder with a why401.toml and a lake, as the page says."""
    (tmp_path / "why401.toml").write_text(f'data_dir = "{tmp_path}/data"\n')
    store = open_store(load(tmp_path / "why401.toml", {}), Telemetry())
    store.append([*(failing(n) for n in range(20)), *(passing(n) for n in range(60))], [], {})
    store.close()
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in BLOCKS:
        exec(compile(block, "docs/python.md", "exec"), names)

    assert 20 == pyarrow.parquet.read_table("failures.parquet").num_rows
    assert [0.25] == names["refused"]["share"].to_list()
    shown = capsys.readouterr().out
    assert [True] * 3 == [word in shown for word in ("token_expired policy", "[secret]", "audience_mismatch")]


def test_the_notebook_is_the_page() -> None:
    """`python -m docs.generate` writes it; it is valid, and its cells are the page's blocks."""
    text = (DOCS / "notebook.ipynb").read_text(encoding="utf-8")
    made = nbformat.reads(text, as_version=4)
    nbformat.validate(made)

    assert notebook() == text
    assert [block.strip() for block in BLOCKS] == [cell.source for cell in made.cells if cell.cell_type == "code"]
    assert [] == [cell for cell in json.loads(text)["cells"] if cell.get("outputs")]
