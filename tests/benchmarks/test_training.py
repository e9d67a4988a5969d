import numpy as np
import pytest

from analyzer.knowledge.learned import Learned
from benchmarks.labelled import Labelled
from benchmarks.training.array import Trained, train
from benchmarks.training.messages import everything, invented

SAID = {
    "one": [("token has expired", "token_expired"), ("wrong audience in token", "audience_mismatch")],
    "two": [("expired token was sent", "token_expired"), ("audience does not match", "audience_mismatch")],
    "three": [("this one expired long ago", "token_expired"), ("not our audience", "audience_mismatch")],
}


def messages(*families: str) -> list[Labelled]:
    return [Labelled(family, text, (code,), "test") for family in families for text, code in SAID[family]]


@pytest.fixture(scope="module")
def trained() -> Trained:
    return train(messages("one", "two", "three"))


def test_what_is_learned_without_a_family_is_what_the_others_alone_teach(trained: Trained) -> None:
    """The shortcut over one inverse gives the same bytes' scores as training again without the family."""
    short, again = Learned(trained.without("two")), Learned(train(messages("one", "three")).packed())

    for text, _ in SAID["two"]:
        assert again.scores(text) == pytest.approx(short.scores(text), abs=0.02)


def test_the_scores_that_are_reported_are_of_left_out_families(trained: Trained) -> None:
    """Each row of the held-out scores is what the array without that row's family says."""
    held = trained.held_out()
    for row, message in enumerate(trained.messages):
        assert np.allclose(Learned(trained.without(message.family)).scores(message.text), held[row], atol=0.05)


def test_training_is_deterministic(trained: Trained) -> None:
    """The same messages give the same file."""
    assert train(messages("one", "two", "three")).packed() == trained.packed()


def test_names_of_products_are_silent(trained: Trained) -> None:
    """A product's name is no word, though its messages all begin with it."""
    learned = Learned(trained.packed())

    assert {"keycloak", "kafka", "pyjwt"} <= trained.silent
    assert not {"token", "signature", "audience", "key"} & trained.silent
    assert learned.scores("keycloak token has expired") == learned.scores("token has expired")


def test_every_message_has_codes_and_vague_ones_are_among_them() -> None:
    """Knowledge files, libraries without signatures and invented sentences; nothing without a code."""
    texts = list(invented())

    assert len(everything()) > 4000
    assert sum(message.codes == ("unclassified",) for message in texts) > 500
    assert not [message for message in everything() if not message.codes]
