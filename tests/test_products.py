"""The lines of the products of collector/gateways/products.toml: each is read, by its product's name, with its code."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from analyzer.knowledge.products import facts
from collector.gateways.reading.marks import products
from collector.settings import Settings
from tests.cases import failing
from why401.explainer import Explainer

FOLDER = Path(__file__).parent / "fixtures" / "products"
FILES = sorted(FOLDER.glob("*.jsonl"))


def _cases(file: Path) -> list[tuple[str, dict[str, str]]]:
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    return [(f"{number} {row['code']}", row) for number, row in enumerate(rows, 1)]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_each_line_has_its_code_and_its_product(file: Path) -> None:
    """A line each: `raw` is what the product writes, `code` what it means."""
    assert {} == failing([(name, (file.stem, row)) for name, row in _cases(file)], _check)


def _check(case: tuple[str, dict[str, str]]) -> None:
    product, row = case
    found = Explainer(Settings()).explain(row["raw"])

    assert (product, row["code"], False) == (
        found.event.gateway.kind,
        found.diagnosis.code if found.diagnosis else "unread",
        found.is_assumed,
    )


FRAMEWORKS = [json.loads(line) for line in (FOLDER.parent / "frameworks.jsonl").read_text("utf-8").splitlines()]


@pytest.mark.parametrize("row", FRAMEWORKS, ids=lambda row: f"{row['library']} {row['code']}")
def test_each_line_of_a_framework_has_its_code_and_its_library(row: dict[str, str]) -> None:
    """Symfony, Laravel, Phoenix, Rails, Django, Gin, Echo and Nest: the library is named by words that are its own."""
    found = Explainer(Settings()).explain(row["raw"]).diagnosis

    assert found
    assert (row["code"], row["library"]) == (found.code, found.library)


ENVELOPES: dict[str, Callable[[str], str]] = {
    "docker compose": lambda line: f"api-1  | {line}",
    "kubectl --prefix": lambda line: f"[pod/shop-5d9/api] {line}",
    "Cloud Logging": lambda line: json.dumps(
        {"insertId": "1", "textPayload": line, "timestamp": "2026-05-04T10:00:00Z"}
    ),
    "Fluent Bit": lambda line: json.dumps(
        {"log": line, "kubernetes": {"pod_name": "shop-5d9"}, "time": "2026-05-04T10:00:00Z"}
    ),
}


@pytest.mark.parametrize("name", ENVELOPES)
def test_an_envelope_changes_nothing(name: str) -> None:
    """The first line of each product, as it arrives through what ships it."""
    rows = [(file.stem, _cases(file)[0][1]) for file in FILES if "httpRequest" not in _cases(file)[0][1]["raw"]]
    lines = [(product, {**row, "raw": ENVELOPES[name](row["raw"])}) for product, row in rows if "\n" not in row["raw"]]

    assert len(lines) > 30
    assert {} == failing([(product, (product, row)) for product, row in lines], _check)


def test_every_product_has_lines_words_and_fixes() -> None:
    """A row of the table without a proof is not supported."""
    named = {each.name for each in products()}

    assert named == {file.stem for file in FILES}
    for what in ("words", "fixes", "logging"):
        assert named <= {content["gateway"] for _, content in facts("gateway", what)}, what


def test_no_line_is_lost() -> None:
    """The pass above is over as many lines as there were, or more."""
    assert sum(len(_cases(file)) for file in FILES) >= 320
