"""Hard lines that no sample holds: every kind of the generator, with fresh credentials for several seeds."""

import pytest

from collector.redaction import redact
from tests.collector.redaction import generated

SEEDS = range(3)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", generated.KINDS)
def test_nothing_leaks_and_nothing_to_keep_is_lost(kind, seed):
    """No secret of a generated line survives redaction, and every word to keep does."""
    lines = generated.lines(kind, seed)
    assert len(lines) > 10
    texts = [redact(line).text for line, _, _ in lines]
    leaks = [text for text, (_, gone, _) in zip(texts, lines, strict=True) if any(part in text for part in gone)]
    losses = [text for text, (_, _, keep) in zip(texts, lines, strict=True) if any(part not in text for part in keep)]
    assert leaks == []
    assert losses == []


@pytest.mark.parametrize("kind", generated.KINDS)
def test_generated_lines_are_redacted_once(kind):
    """Redacting the result again changes nothing."""
    once = [redact(line).text for line, _, _ in generated.lines(kind, 7)]
    assert [redact(text).text for text in once] == once
