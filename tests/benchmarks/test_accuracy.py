import pytest

from analyzer.knowledge.opinion import read_unlisted
from analyzer.knowledge.signatures import signatures
from benchmarks.accuracy import calibration
from benchmarks.accuracy.answers import Answer
from benchmarks.accuracy.held_out import ignorant
from benchmarks.labelled import examples, family, remaining, unlisted, without


def said(confidence: float, *, right: bool, code: str = "token_expired") -> Answer:
    return Answer("of", "name", (code,) if right else ("alg_none",), code, confidence)


def test_a_true_confidence_has_no_error() -> None:
    """Of ten answers that are 80 % sure, eight are right: nothing is apart."""
    answers = [said(0.8, right=at < 8) for at in range(10)]

    assert pytest.approx(0) == calibration.expected_calibration_error(answers)


def test_a_boast_is_its_distance() -> None:
    """Four answers of ten are right at 90 %: half the promise is missing, and six were surely wrong."""
    answers = [said(0.9, right=at < 4) for at in range(10)]

    assert pytest.approx(0.5) == calibration.expected_calibration_error(answers)
    assert 6 == calibration.surely_wrong(answers)


def test_what_is_not_decided_promises_nothing() -> None:
    """`unclassified` at 0.2 is no answer with a confidence."""
    undecided = [said(0.2, right=False, code="unclassified")] * 5

    assert pytest.approx(0) == calibration.expected_calibration_error([*undecided, said(1.0, right=True)])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("PyJWT", "flask-jwt-extended"),
        ("google/jwt_verify_lib (Envoy jwt_authn, Istio)", "istio"),
        (".NET Microsoft.IdentityModel.Tokens", "dotnet-identitymodel"),
        ("jose (panva)", "jose"),
        ("square/go-jose v2", "go-jose"),
    ],
)
def test_products_with_the_same_words_are_left_out_together(one: str, other: str) -> None:
    """A corpus and the folders name a product differently; who wraps or quotes it is no stranger."""
    assert family(one) == family(other)


def test_products_of_like_names_stay_apart() -> None:
    """jose4j is not jose, python-jose neither."""
    assert 3 == len({family("jose"), family("jose4j"), family("python-jose")})


def test_nothing_of_a_product_that_is_left_out_is_known() -> None:
    """No signature of its own, and no other product's with the same words."""
    own = {signature.id for signature in signatures()} - {s.id for s in remaining(signatures(), "pyjwt")}

    assert {"pyjwt.signature_has_expired", "pyjwt.invalid_issuer"} <= own
    assert not any(signature.library in ("PyJWT", "flask-jwt-extended") for signature in without("pyjwt").signatures)
    assert "pyjwt" not in [reading.library.lower() for reading in without("pyjwt").read("Signature has expired")]


def test_the_explainer_without_a_product_answers_all_the_same() -> None:
    """It is an explainer like any other, which knows one family less."""
    diagnosis = (
        ignorant("pyjwt", read_unlisted)
        .explain("jwt.exceptions.ExpiredSignatureError: Signature has expired")
        .diagnosis
    )

    assert diagnosis is not None
    assert ("token_expired", "") == (diagnosis.code, diagnosis.library)


def test_labelled_messages_have_a_family_and_codes() -> None:
    """Two thousand examples and the messages of libraries without signatures, each with what it may mean."""
    messages = [*examples(), *unlisted()]

    assert len(messages) > 2000
    assert not [message for message in messages if not message.family or not message.codes]
