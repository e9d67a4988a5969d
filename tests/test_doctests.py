"""Examples in docstrings are true: every module that has one runs as a doctest."""

from __future__ import annotations

import doctest
from importlib import import_module

import pytest

from tests.test_layout import modules

WITH_EXAMPLES = sorted(name for name, path in modules() if ">>> " in path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples_are_true(name: str) -> None:
    """Each example prints what it says."""
    result = doctest.testmod(import_module(name))

    assert 0 < result.attempted
    assert 0 == result.failed


def test_the_python_api_has_examples() -> None:
    """What `from why401 import` gives is documented by use."""
    api = import_module("why401")
    finder = doctest.DocTestFinder()
    shown = {test.name.removeprefix("why401.") for test in finder.find(api, "why401") if test.examples}

    assert {"explain", "explain_all", "redact"} <= shown
    assert {"why401", "why401.explainer"} <= set(WITH_EXAMPLES)
