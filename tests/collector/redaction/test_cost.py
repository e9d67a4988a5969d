"""What redaction may cost: an outsider writes the text, and everybody else waits."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.redaction.__main__ import ordinary
from collector import redaction
from collector.redaction import FAILED_TEXT, engine, meter, redact, safe_text
from collector.redaction.views import fold
from fuzz.cost import PROMISE_US
from fuzz.stages import collector, fixtures, raw
from tests.collector.redaction import generated, samples

WORST = json.loads(Path(__file__).with_name("worst.json").read_text(encoding="utf-8"))
UNITS = [*WORST["named"], *WORST["found"]]
BUSY = 20  # how much slower than the promise a loaded machine may be: a hang limit
MIB = 1 << 20


def repeated(unit, size):
    return (unit * (size // len(unit) + 1))[:size]


def seconds(work):
    started = time.process_time()
    work()
    return time.process_time() - started


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: ascii(unit)[1:30])
@pytest.mark.parametrize("size", [65_536, MIB])
def test_the_worst_texts_known_are_quick(unit, size):
    """Named ones, and the ten worst that the search guided by cost has found."""
    text = repeated(unit, size)
    assert seconds(lambda: redact(text)) < size * PROMISE_US * 1e-6 * BUSY


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: ascii(unit)[1:30])
def test_no_text_costs_more_steps_than_its_length_allows(monkeypatch, unit):
    """What is given up is given up at once: no rule goes on when the steps are spent."""
    spent = []
    stop = meter.stop
    monkeypatch.setattr(meter, "stop", lambda: spent.append(stop()))
    redact(repeated(unit, 65_536))
    assert (
        max(spent, default=0)
        <= meter.BASE_STEPS + 65_536 // meter.CHARACTERS_A_STEP + 65_536 * len(engine.RULES) // engine.SEARCHED_A_STEP
    )


@pytest.mark.parametrize("unit", WORST["named"], ids=lambda unit: ascii(unit)[1:30])
def test_the_texts_of_one_record_share_what_one_may_cost(monkeypatch, unit):
    """Reason, message and challenge of a record together, not each."""
    spent = []
    stop = meter.stop
    monkeypatch.setattr(meter, "stop", lambda: spent.append(stop()))
    line = repeated(unit, 60_000)
    with redaction.shared_cost():
        for _ in range(3):
            safe_text(line, 2_000)
    assert sum(spent) <= redaction.RECORD_STEPS + len(spent) * 1_000


@pytest.mark.parametrize("unit", WORST["named"], ids=lambda unit: ascii(unit)[1:30])
def test_a_hostile_path_is_a_record_like_others(unit):
    """A path of 60,000 characters costs a collector no more than a short one, about."""
    line = {"method": "GET", "path": "/" + repeated(unit, 60_000), "response_code": 401, "response_flags": "-"}
    record = raw(json.dumps(line | {"response_code_details": "jwt_authn_access_denied{Jwt_is_expired}"}))
    assert seconds(lambda: collector().collect(record)) < 0.005 * BUSY


def test_ordinary_lines_wake_no_rule_but_that_of_addresses():
    """Every rule that an access log's line or a route wakes costs it ten times what it costs now."""
    lines = [line for lines in ordinary(40).values() for line in lines]
    rules = [rule.name for rule in engine.RULES] + ["escapes"]
    woken = {rules[index] for line in lines for index in engine._triggered(fold(line))}
    assert woken <= {"ipv4", "jose"}


def test_real_texts_are_not_given_up():
    """Hard lines of every kind, and 16 KiB of gateways' records in one JSON line."""
    for kind in generated.KINDS:
        assert [line for line, _, _ in generated.lines(kind, 3) if redact(line).text == FAILED_TEXT] == []
    records = json.dumps([record.get("text") or json.dumps(record.get("fields")) for record in fixtures()])
    for start in range(0, len(records) - 8_192, 8_192):
        assert redact(records[start : start + 8_192]).text != FAILED_TEXT


def test_what_is_given_up_is_counted():
    """A text that costs too much is gone, and `failed` says so."""
    redacted = redact(repeated("sub=x ", MIB))
    assert redacted == (FAILED_TEXT, (("failed", 1),))


TEXTS = st.lists(
    st.sampled_from([text for text, _ in samples.make(4).values()] + ["token=", " ", '"', ": ", "kid=", "\\", "%22", "Bearer "]),
    max_size=9,
).map("".join)  # fmt: skip


@given(TEXTS)
@settings(max_examples=300, deadline=None)
def test_the_prefilter_hides_nothing(text):
    """Asking every rule gives the text that asking those gives which can match, tokens read whole or as a short one."""
    everything = list(range(len(engine.RULES) + 1))
    chosen, short = engine._triggered, engine.shortened
    fast = redact(text)
    try:
        engine._triggered = lambda data: everything
        engine.shortened = engine.View
        slow = engine.Redacted(text)
        hits = engine._hits(engine.fold(text), everything)
        if hits:
            slow = engine._until_clean(text, hits)
    finally:
        engine._triggered, engine.shortened = chosen, short
    assert slow.text == fast.text
