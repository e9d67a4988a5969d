"""Hard lines that no sample holds: every kind of the generator, with fresh credentials for several seeds."""

import pytest

from collector.redaction import redact
from tests.collector.redaction import fresh, generated

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


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("group", fresh.GROUPS)
def test_what_nobody_listed_goes_and_the_rest_stays(group, seed):
    """Kinds of the second list: no secret of a line survives redaction, every word to keep does, and twice is once."""
    lines = list(fresh.lines(group, seed))
    assert len(lines) > 10
    texts = [redact(line).text for _, line, _, _ in lines]
    pairs = list(zip(texts, lines, strict=True))
    assert [kind for text, (kind, _, gone, _) in pairs if any(part in text for part in gone)] == []
    assert [kind for text, (kind, _, _, keep) in pairs if any(part not in text for part in keep)] == []
    assert [redact(text).text for text in texts] == texts
