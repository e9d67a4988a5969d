"""The thin layer over RE2 agrees with its wrapper."""

import subprocess
import sys

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from collector.redaction import vendors
from collector.redaction.engine import RULES, _triggered
from collector.redaction.patterns import compiled
from tests.collector.redaction import samples

PATTERN = rb"[a-c]+(x)?"
COMPILE_ALL = """
import gc, importlib, pkgutil, collector
from collector.redaction.patterns import Pattern
for module in pkgutil.walk_packages(collector.__path__, "collector."):
    importlib.import_module(module.name)
patterns = [thing for thing in gc.get_objects() if isinstance(thing, Pattern)]
for pattern in patterns:
    pattern.find(b"")
print(len(patterns))
"""
DATA = st.text("abcxyz ", max_size=30).map(str.encode)


def _wrapper():
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    return re2.compile(PATTERN, options)


@given(DATA, st.integers(0, 40), st.integers(0, 40))
def test_searches_agree(data, start, end):
    """Same spans for every range, also those that lie outside the data."""
    ours, theirs = compiled(PATTERN), _wrapper()
    found = theirs.search(data, start, end) if start <= min(end, len(data)) else None
    assert ours.find(data, start, end) == (found.span() if found else (-1, -1))
    match = theirs.match(data, start, end) if start <= min(end, len(data)) else None
    assert ours.end_at(data, start, end) == (match.end() if match else -1)
    mine = ours.match(data, start, end)
    assert (mine.group(), mine.group(1)) == (match.group(), match.group(1) or b"") if match else mine is None


@given(DATA)
def test_all_matches_agree(data):
    """Same spans from left to right; `fits` is a match of the whole."""
    ours, theirs = compiled(PATTERN), _wrapper()
    expected = [match.span() for match in theirs.finditer(data)]
    assert list(ours.spans(data)) == expected
    assert [match.span() for match in ours.finditer(data)] == expected
    assert ours.fits(data) == (theirs.fullmatch(data) is not None)


def test_a_broken_pattern_is_refused():
    """A pattern that RE2 does not take fails on every text; what fails is not passed on."""
    pattern = compiled(rb"a(?=b)")
    for _ in range(2):
        with pytest.raises(ValueError, match="not a pattern"):
            pattern.find(b"ab")


def test_every_pattern_of_the_collector_compiles():
    """Patterns are compiled when they are first asked, so that a broken one must be found here."""
    done = subprocess.run([sys.executable, "-c", COMPILE_ALL], capture_output=True, text=True, check=False)

    assert (0, "") == (done.returncode, done.stderr)
    assert int(done.stdout) > 300


@pytest.mark.parametrize("seed", samples.SEEDS)
def test_the_triggers_wake_the_rules(seed):
    """What a vendor's pattern matches, its shortened trigger does."""
    index = [rule.name for rule in RULES].index("vendors")
    examples = [samples.vendor_example(example, seed) for vendor in vendors.VENDORS for example in vendor["examples"]]
    assert [text for text in examples if index not in _triggered(f"a {text} b".encode())] == []
