"""Every fact of analyzer/knowledge proves itself: examples match, near misses do not, codes and sources exist."""

import pytest

from analyzer.knowledge import fix_files
from analyzer.knowledge import signatures as signature_files
from analyzer.knowledge.fix_files import fix_entries
from analyzer.knowledge.fixes import FIXES, fixes_for
from analyzer.knowledge.match import read_words
from analyzer.knowledge.signatures import KnowledgeError, signatures, title, titles
from analyzer.taxonomy import CODES
from tests.cases import failing

SIGNATURES = {signature.id: signature for signature in signatures()}
FILES = sorted({signature.gateway or signature.library for signature in SIGNATURES.values()})


def _id(file):
    return file or "of nobody"


def _of(file):
    return [(name, one) for name, one in SIGNATURES.items() if file == (one.gateway or one.library)]


def test_no_signature_is_lost():
    """The passes below are over at least as many cases as there were, in as many files."""
    rows = SIGNATURES.values()
    counts = (len(FILES), len(rows), sum(len(row.examples) for row in rows), sum(len(row.near_misses) for row in rows))
    assert all(now >= then for now, then in zip(counts, (71, 2074, 2081, 2074), strict=True)), counts
    assert sum(len(row.by) for row in rows) >= 686


@pytest.mark.parametrize("file", FILES, ids=_id)
def test_examples_are_read_with_the_code_of_their_signature(file):
    """Each example of a signature gives its code as the best reading, and the signature is among the readings."""
    assert failing(_of(file), _check_examples) == {}


def _check_examples(signature):
    for example in signature.examples:
        readings = read_words(example, signature.gateway)
        assert signature.id in [reading.signature_id for reading in readings], example
        assert readings[0].code == signature.code, (example, readings[0])


@pytest.mark.parametrize("file", FILES, ids=_id)
def test_near_misses_are_not_read_by_their_signature(file):
    """Each near miss of a signature is left alone by it."""
    assert failing(_of(file), _check_near_misses) == {}


def _check_near_misses(signature):
    for near in signature.near_misses:
        read = [reading.signature_id for reading in read_words(near, signature.gateway)]
        assert signature.id not in read, near


@pytest.mark.parametrize("file", [file for file in FILES if any(signature.by for _, signature in _of(file))], ids=_id)
def test_a_value_in_a_hole_chooses_the_codes(file):
    """A text with that value in its hole is read with that code, by its own signature or by a more particular one."""
    rows = [(f"{name} {row[0]}={row[1]}", (signature, row)) for name, signature in _of(file) for row in signature.by]
    assert failing(rows, _check_value) == {}


def _check_value(case):
    signature, (hole, value, codes) = case
    text = _filled(signature.templates[0], {hole: value})
    if signature.exception:
        text = f"{signature.exception}: {text}"
    best = read_words(text, signature.gateway)[0]
    assert best.code == codes[0], (text, best)


def _filled(template, values):
    samples = {"int": "7", "word": "acme", "": "acme", "long": "acme"}
    filled = [values.get(name, samples[kind]) for name, kind in template.holes]
    pieces = [piece for pair in zip(template.texts, [*filled, ""], strict=True) for piece in pair]
    return "".join(pieces)


def test_every_code_has_a_title():
    """Titles and taxonomy hold the same codes, and each title is one sentence."""
    assert titles().keys() == CODES.keys()
    assert [code for code in CODES if not title(code).endswith(".")] == []


def test_every_code_has_a_general_fix():
    """A code alone, without gateway and library, has at least one fix with a source."""
    fixes = {code: fixes_for(code) for code in CODES}
    assert [code for code, found in fixes.items() if not 1 <= len(found) <= FIXES] == []
    assert [fix for found in fixes.values() for fix in found if not fix.source or not fix.says] == []


def test_every_fix_names_a_source():
    """No fix comes without the place where it is documented."""
    assert [entry for entry in fix_entries() if not entry.source.strip()] == []


def test_signature_examples_hold_no_hole():
    """Examples are whole texts, not templates."""
    holes = [
        (signature.id, example)
        for signature in SIGNATURES.values()
        for example in signature.examples
        if any(f"{{{name}}}" in example for name, _ in signature.templates[0].holes)
    ]
    assert holes == []


GOOD = {
    "id": "acme.expired",
    "pattern": "token of {user} is over",
    "code": "token_expired",
    "certainty": 0.9,
    "source": "acme/acme auth.c",
    "examples": ["token of ann is over"],
    "near_misses": ["token of ann is new"],
}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"code": "token_exploded"}, "not in the taxonomy"),
        ({"also": ["token_expired"]}, "repeats the code"),
        ({"certainty": 1.5}, "certainty lies in"),
        ({"pattern": "{a}{b} is over"}, "two holes need a literal"),
        ({"pattern": "{a:verse} is over now"}, "kinds of holes"),
        ({"pattern": "{a} is {b}"}, "a literal of at least"),
        ({"anchored": "left"}, "anchored is one of"),
        ({"examples": []}, "needs a source, an example and a near miss"),
        ({"colour": "red"}, "unexpected keyword argument 'colour'"),
        ({"by": {"claim=aud": ["audience_missing"]}}, "needs that hole"),
    ],
)
def test_a_wrong_signature_is_refused_by_name(change, expected):
    """A fault in a knowledge file names the file, the entry and what would be right."""
    with pytest.raises(KnowledgeError, match=expected) as raised:
        signature_files._signature("gateways/acme.toml", GOOD | change)
    assert (raised.value.file, raised.value.entry) == ("gateways/acme.toml", "acme.expired")


def test_a_signature_without_a_needed_key_is_refused():
    """The message lists what is missing."""
    short = {name: value for name, value in GOOD.items() if name != "near_misses"}
    with pytest.raises(KnowledgeError, match="near_misses"):
        signature_files._signature("gateways/acme.toml", short)


def test_a_fix_with_an_unknown_placeholder_is_refused():
    """Placeholders are a closed set, so that none is left unfilled."""
    with pytest.raises(KnowledgeError, match="placeholders are"):
        fix_files.read("gateways/acme/fixes.toml", {"code": "token_expired", "says": "Ask {boss}.", "source": "acme"})


def test_patterns_are_parsed_like_format_strings():
    """Doubled braces are literal, which is how gateways' own braces are written."""
    template = signature_files._template("file", "entry", "denied{{{reason}}} here")
    assert (template.texts, template.holes) == (("denied{", "} here"), (("reason", ""),))
