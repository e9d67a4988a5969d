"""Every rule file's positives and negatives, filled with fresh values for several seeds."""

import tomllib

import re2

from collector.redaction import NAMES, redact
from collector.redaction.vendors import VENDORS
from tests.cases import failing
from tests.collector.redaction import samples

FILES = sorted(path for path in samples.RULES.glob("*.toml") if path.stem not in ("keys", "vendors"))


def _cases(kind):
    for path in FILES:
        for number, case in enumerate(tomllib.loads(path.read_text(encoding="utf-8"))[kind]):
            for seed in samples.SEEDS:
                yield f"{path.stem}-{number}-{seed}", (case, seed)


def test_removes_the_value_and_keeps_the_rest():
    """No value in braces survives redaction, and every `keep` does."""
    assert failing(_cases("positive"), _check_positive, at_least=615) == {}


def _check_positive(case_and_seed):
    case, seed = case_and_seed
    raw, gone = samples.fill(case["raw"], samples.make(seed))
    gone += case.get("gone", [])
    assert gone, "a positive names what must go"
    text = redact(raw).text
    assert [part for part in gone if part in text] == []
    assert [part for part in case["keep"] if part not in text] == []


def test_leaves_harmless_text_alone():
    """A negative comes back exactly as it went in, with nothing counted."""
    assert failing(_cases("negative"), _check_negative, at_least=320) == {}


def _check_negative(case_and_seed):
    case, seed = case_and_seed
    raw, _ = samples.fill(case["raw"], samples.make(seed))
    assert redact(raw).text == raw
    assert redact(raw).found == ()


def _vendor_cases(field, seeds):
    for vendor in VENDORS:
        for text in vendor[field]:
            for seed in seeds:
                yield f"{vendor['name']}-{text}-{seed}", (vendor, text, seed)


def test_a_vendors_credential_goes():
    """Each example matches its own rule whole and leaves nothing behind in a sentence."""
    assert failing(_vendor_cases("examples", samples.SEEDS), _check_example, at_least=425) == {}


def _check_example(case):
    vendor, example, seed = case
    secret = samples.vendor_example(example, seed)
    assert re2.fullmatch(vendor["pattern"], secret)
    assert redact(f"outbound 401 for {secret} svc=notifier").text.endswith("svc=notifier")
    assert secret not in redact(f"outbound 401 for {secret} svc=notifier").text


def test_a_vendors_near_miss_stays():
    """What only resembles a vendor's prefix does not match its rule."""
    assert failing(_vendor_cases("near_misses", (0,)), _check_near_miss, at_least=64) == {}


def _check_near_miss(case):
    vendor, near_miss, seed = case
    assert re2.search(vendor["pattern"], samples.vendor_example(near_miss, seed)) is None


def test_every_rule_is_documented():
    """docs/redaction.md names each rule that a counter can show."""
    page = (samples.RULES.parents[2] / "docs" / "redaction.md").read_text(encoding="utf-8")
    assert [name for name in NAMES if f"`{name}`" not in page] == []


def test_no_regular_expression_backtracks():
    """Untrusted text meets RE2 only: the standard library's `re` is imported nowhere in the package."""
    sources = [path.read_text(encoding="utf-8") for path in samples.RULES.parent.glob("*.py")]
    assert len(sources) > 10
    assert [
        line for text in sources for line in text.splitlines() if line.split()[:2] in (["import", "re"], ["from", "re"])
    ] == []
