import time
from importlib.resources import files

import pytest

from analyzer.knowledge import compiled
from analyzer.knowledge.learned import FILE, MAX_FILE, Learned, pieces, shipped
from analyzer.knowledge.opinion import Opinion, closest, is_opinion, probabilities, read_unlisted, threshold, weights
from analyzer.taxonomy import CODES

# Sentences of no product, in words that the grammar alone does not read or reads wrongly.
SAYS = {
    "JWT not in audience": "audience_mismatch",
    "the bearer credential has passed its expiry date": "token_expired",
    "Insufficient scope": "scope_insufficient",
    "Permission denied": "access_denied",
    "your credit for this month is used up, quota exhausted": "caller_blocked",
    "signature check of the assertion was unsuccessful": "signature_invalid",
    "the provider's discovery document could not be downloaded": "jwks_unreachable",
    "no verification key with this identifier has been published": "key_not_found",
}
VAGUE = (
    "invalid token", "Unauthorized", "authentication failed", "access was refused", "token validation failed", "Bearer",
    "server started on port 8080", "GET /orders 401", "hello world", "Requester IP Address: 192.0.2.7", "issuer: https://idp.example.com/",
    "config reloaded", "request completed in 12 ms",
)  # fmt: skip


@pytest.mark.parametrize("text", SAYS)
def test_other_words_for_a_code_are_read(text: str) -> None:
    """The most likely code is the one that the sentence means, likely enough to decide."""
    best = read_unlisted(text)[0]

    assert (SAYS[text], True) == (best.code, best.certainty >= threshold())


@pytest.mark.parametrize("text", VAGUE)
def test_vague_stays_vague(text: str) -> None:
    """What is true of every refusal, or of none, decides nothing."""
    assert not [reading for reading in read_unlisted(text) if reading.certainty >= threshold()]


def test_probabilities_are_probabilities() -> None:
    """Every code of the taxonomy has one; together they are 1."""
    found = probabilities("token has expired", shipped(), weights())

    assert found.keys() == CODES.keys()
    assert pytest.approx(1) == sum(found.values())


def test_no_code_is_decided_by_a_products_name() -> None:
    """A name alone decides nothing, and before a sentence it changes nothing."""
    names = sorted({path.split("/")[1] for path in compiled.tables() if path.startswith(("libraries/", "gateways/"))})
    decided = {
        name: reading.code
        for name in names
        for text in (name, f"{name}: error", f"{name} authentication failed")
        for reading in read_unlisted(text)
        if reading.certainty >= threshold()
    }

    assert len(names) > 60
    assert {} == decided


def test_the_array_is_small_and_quickly_loaded() -> None:
    """At most 2 MB, in a few milliseconds."""
    data = files("analyzer.knowledge").joinpath(FILE).read_bytes()
    start = time.process_time()
    Learned(data)

    assert len(data) <= MAX_FILE
    assert time.process_time() - start < 0.05


def test_a_sentence_that_was_never_met_costs_less_than_a_millisecond() -> None:
    """With empty memories, the mean of fifty sentences of usual length."""
    opinion, texts = Opinion(Learned(files("analyzer.knowledge").joinpath(FILE).read_bytes())), [*SAYS, *VAGUE]
    start = time.process_time()
    for number in range(50):
        opinion.read(f"{texts[number % len(texts)]} x{number}y, seen by the {number}th of our validators")

    assert (time.process_time() - start) / 50 < 0.001


def test_a_long_text_costs_no_more_than_its_bound() -> None:
    """A megabyte of distinct words is looked at for 2,048 characters."""
    text = " ".join(f"word{number}" for number in range(100_000))

    assert len(pieces(text)) <= 512
    assert shipped().scores(text) == shipped().scores(text[:2048])


def test_what_is_no_array_is_refused() -> None:
    """A file that was cut is no reader."""
    data = files("analyzer.knowledge").joinpath(FILE).read_bytes()
    with pytest.raises(ValueError, match=FILE):
        Learned(data[:-1])


def test_the_closest_known_message_is_named() -> None:
    """With its product; a text that shares no words has none."""
    assert "audience" in closest("the audience is invalid", "audience_mismatch").lower()
    assert "" == closest("zzz", "audience_mismatch")


def test_an_opinion_is_known_by_its_id() -> None:
    """No signature's id begins so, and every reading of an unlisted text's does."""
    assert all(is_opinion(reading) for text in SAYS for reading in read_unlisted(text))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (
            "Invalid gizmo token signature. The gizmo may be configured with another secret than the cart.",
            "signature_invalid",
        ),
        ("exp must be in the future", "token_expired"),
        ("the nbf claim should be a time in the past", "clock_skew"),
    ],
)
def test_what_happened_counts(text: str, code: str) -> None:
    """Advice behind a verdict speaks of other causes, and what has to be is what is not."""
    assert code == read_unlisted(text)[0].code


def test_a_heading_has_no_meaning() -> None:
    """What a few words announce stands on the lines below them."""
    assert () == read_unlisted("Code: 500. Errors:")
