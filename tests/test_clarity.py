"""Short is not clear: no function folds more than ten decisions into itself, and none is longer than a screen."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from radon.complexity import cc_visit
from radon.visitors import Class, Function

ROOT = Path(__file__).parent.parent
PACKAGES = ("collector", "analyzer", "dashboard", "why401", "benchmarks", "fuzz", "audit", "docs")
MOST_DECISIONS = 10  # McCabe's own limit (1976); radon counts boolean operators and comprehensions, too
MOST_LINES = 45  # of a body without its docstring


def sources() -> Iterator[tuple[str, str]]:
    """Every file of ours and its text."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")


def functions(text: str) -> Iterator[Function]:
    """Functions and methods, nested ones as well; a class counts by its methods."""
    for block in cc_visit(text):
        if not isinstance(block, Class):
            yield block


def test_no_function_decides_too_much() -> None:
    """Named predicates, a table or named steps instead of one dense expression."""
    found = {
        f"{path}:{block.lineno} {block.name}": block.complexity
        for path, text in sources()
        for block in functions(text)
        if block.complexity > MOST_DECISIONS
    }

    assert {} == found


def test_the_rule_counts_what_is_folded() -> None:
    """Eleven decisions in one line are eleven decisions."""
    folded = "def f(a):\n    return " + " or ".join(f"a == {n}" for n in range(11))

    assert [True] == [block.complexity > MOST_DECISIONS for block in functions(folded)]


def test_no_body_is_longer_than_a_screen() -> None:
    """What a reader must scroll for is more than one idea."""
    found = {
        f"{path}:{node.lineno} {node.name}": length
        for path, text in sources()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (length := body_lines(node)) > MOST_LINES
    }

    assert {} == found


def body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from the first statement behind the docstring to the last."""
    first = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
    return (node.end_lineno or node.lineno) - first[0].lineno + 1
