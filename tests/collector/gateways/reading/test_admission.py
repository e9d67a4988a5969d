"""What is admitted as a refusal: the knowledge base's sentences are, the log lines of programs about something else are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from analyzer.knowledge.products import facts
from collector.gateways.reading.admission import AT_INFO, AT_WARN, is_admitted, probability

LINES = (Path(__file__).parents[3] / "fixtures" / "harmless.txt").read_text(encoding="utf-8").splitlines()
HARMLESS = [line for line in LINES if line and not line.startswith("#")]


def examples() -> list[str]:
    """Every example that is a sentence; up to three words are a gateway's own fragment, which its parser reads."""
    contents = (content for kind in ("gateway", "library") for _, content in facts(kind, "words"))
    texts = [
        text for content in contents for signature in content["signature"] for text in signature.get("examples", ())
    ]
    return [text for text in texts if len(text.split()) > 3]


def test_what_the_knowledge_base_reads_is_admitted() -> None:
    """At WARN, 99.5 % of all; `python -m benchmarks.admission --write` learns what is new."""
    known = examples()
    left_out = [text for text in known if not is_admitted(text)]

    assert len(known) > 1_800
    assert len(left_out) <= len(known) * 0.005, left_out


def test_harmless_lines_stay_out() -> None:
    """At most 1 % of some three hundred lines of public products, even at ERROR; these lines train nothing."""
    admitted = [line for line in HARMLESS if is_admitted(line)]

    assert len(HARMLESS) > 300
    assert len(admitted) <= len(HARMLESS) * 0.01, admitted


def test_progress_at_info_stays_out() -> None:
    """At INFO the bar is higher: hardly any of them passes."""
    assert len([line for line in HARMLESS if is_admitted(line, is_calm=True)]) <= len(HARMLESS) * 0.005


@pytest.mark.parametrize(
    "text",
    [
        "the caller's pass was refused: token made by an unknown signer",
        "JWT is meant for another audience",
        "Not enough scope for this operation",
        "Caller may not do this: permission denied",
        "upstream says 401 for the bearer token",
        "kid of the token is not in the key set",
        "could not reach the issuer's JWKS endpoint",
        "Token lifetime exceeded",
        "the session's credential was revoked",
    ],
)
def test_a_sentence_of_nobody_is_admitted(text: str) -> None:
    """The vocabulary carries over to sentences that no product has written."""
    assert probability(text) >= AT_WARN


def test_of_several_lines_the_likeliest_counts() -> None:
    """An exception below a sentence that says nothing."""
    assert probability("request failed\ncom.example.Refused: JWT signature is not valid") >= AT_INFO


@pytest.mark.parametrize("text", ["", " ", "\n\n", "…", "=" * 100_000, "aB" * 100_000, "token " * 100_000])
def test_any_text_has_a_probability(text: str) -> None:
    """Bounded in what it reads, and between 0 and 1."""
    assert 0 <= probability(text) <= 1
