"""The profiles of redaction: what each trades."""

import pytest

from collector.redaction import PROFILES, redact, redact_lines

# The password has no key, the identifier no name.
TEXT = "auth of henrik.castillo Granit1998! failed, job q7Zr2Lw9 password=orchid407"


@pytest.mark.parametrize(
    ("profile", "gone", "kept"),
    [
        ("strict", ["henrik.castillo", "Granit1998!", "q7Zr2Lw9", "orchid407"], ["auth of", "failed, job"]),
        ("standard", ["henrik.castillo", "Granit1998!", "orchid407"], ["q7Zr2Lw9"]),
        ("diagnosis", ["orchid407"], ["q7Zr2Lw9", "Granit1998!"]),
    ],
)
def test_a_profile_trades_identifiers_for_secrets_without_a_key(profile, gone, kept):
    """strict takes every opaque word, standard what looks and forms tell, diagnosis what keys and forms tell."""
    text = redact(TEXT, profile).text
    assert [part for part in gone if part in text] == []
    assert [part for part in kept if part not in text] == []


@pytest.mark.parametrize("profile", PROFILES)
def test_a_block_gives_what_its_lines_give(profile):
    """The filter's blocks and single lines agree in every profile, and twice is once."""
    lines = [TEXT, "203.0.113.7 GET /v1/orders/17 200", "kid=7Fq2Lw9xQ1 alg=RS256"]
    block = redact_lines("\n".join(lines).encode() + b"\n", None, profile).content.decode()
    assert block.splitlines() == [redact(line, profile).text for line in lines]
    assert redact(block, profile).text == block
