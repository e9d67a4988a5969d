"""A mask is no word of the sentence that it stands in."""

from __future__ import annotations

import pytest

from analyzer.knowledge import read_meaning
from analyzer.knowledge.masks import unmasked

MASKS = ("[secret]", "[token]", "[key]", "[user]", "<redacted>", "[FILTERED]", "***", "xxxxxx", "(hidden)", "REDACTED")


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize(
    "sentence", ["Cannot verify JWT {}", "the signature of {} does not verify", "audience of token {} is not accepted"]
)
def test_a_sentence_means_the_same_with_and_without_a_mask(sentence: str, mask: str) -> None:
    """The same things and states are read, with the same certainty."""
    assert read_meaning(sentence.format(mask)) == read_meaning(sentence.format(""))


@pytest.mark.parametrize("mask", MASKS)
def test_a_secret_that_is_named_and_masked_speaks_of_no_key(mask: str) -> None:
    """`secret=` is a field, not the sentence's subject."""
    codes = {reading.code for reading in read_meaning(f"could not verify the request, secret={mask}")}

    assert codes.isdisjoint({"key_type_mismatch", "jwks_invalid", "key_not_found"})


def test_words_stay() -> None:
    """Brackets and stars around words are no mask."""
    text = "[error] token *must* be <signed>, key (kid) removed"
    assert unmasked(text) == text
