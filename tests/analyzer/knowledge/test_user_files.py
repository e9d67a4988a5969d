"""A user's own signatures: loaded after those of the package, held to the same rules, named when they are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from analyzer.diagnosis import Diagnoser
from analyzer.knowledge import KnowledgeError, read_words, user_files
from analyzer.knowledge.match import shipped
from analyzer.knowledge.user_files import knowledge
from tests.analyzer.knowledge.test_meaning import refused

GOOD = """
[[signature]]
id = "own.gizmo"
pattern = "gizmo {gizmo:word} dozes off"
code = "caller_blocked"
certainty = 0.8
source = "gizmo.py"
examples = ["gizmo acme dozes off"]
near_misses = ["gizmo acme wakes up"]
"""


def written(folder: Path, text: str = GOOD, name: str = "mine.toml") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def test_without_files_the_package_s_knowledge_is_used_as_it_is() -> None:
    """Nothing is built twice."""
    assert knowledge() is shipped()


def test_own_signatures_stand_beside_the_package_s(tmp_path: Path) -> None:
    """Both are read; the package's own knowledge does not change."""
    known = knowledge([written(tmp_path)])

    assert "caller_blocked" == known.read("refused: gizmo bolt dozes off")[0].code
    assert read_words("Jwt is expired", "envoy") == known.read("Jwt is expired", "envoy") != ()
    assert () == read_words("refused: gizmo bolt dozes off")


def test_a_diagnosis_rests_on_them(tmp_path: Path) -> None:
    """What was unclassified is explained."""
    event = refused(message="gizmo bolt dozes off")
    known = knowledge([written(tmp_path)])

    assert "unclassified" == Diagnoser().diagnose(event).code
    assert "caller_blocked" == Diagnoser(read=known.read).diagnose(event).code


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('"caller_blocked"', '"?"', "write the code"),
        ('"caller_blocked"', '"token_exploded"', "not in the taxonomy"),
        ('dozes off"\ncode', 'sleeps on"\ncode', "does not read its example"),
        ("acme wakes up", "bolt dozes off", "reads its near miss"),
        ("own.gizmo", "pyjwt.token_is_missing_the_claim", "this id is taken"),
        ('"gizmo.py"', "17", "source is str, not int"),
        ("0.8", '"high"', "certainty is int or float, not str"),
        ("0.8", "true", "certainty is int or float, not bool"),
        ('["gizmo acme dozes off"]', '"gizmo acme dozes off"', "examples is a list of texts"),
        ("{gizmo:word}", "{gizmo", "pattern: "),
        ("certainty", 'by = "nothing"\ncertainty', "by is one of"),
        ("[[signature]]", "[signature]", r"\[\[signature\]\]"),
        ("[[signature]]", "[[signature", "is not TOML"),
        ('"gizmo.py"', '"gizmo.py"\ncolour = "red"', "unexpected keyword argument 'colour'"),
    ],
)
def test_a_wrong_file_is_refused_by_name(tmp_path: Path, old: str, new: str, expected: str) -> None:
    """Each fault names the file and what would be right."""
    path = written(tmp_path, GOOD.replace(old, new, 1))

    with pytest.raises(KnowledgeError, match=expected) as raised:
        knowledge([path])
    assert str(path) == raised.value.file


def test_a_text_that_the_package_reads_otherwise_is_refused(tmp_path: Path) -> None:
    """An entry that something else would overrule says by what."""
    text = GOOD.replace("gizmo {gizmo:word} dozes off", "dozes").replace('"gizmo acme', '"Jwt is expired, gizmo')

    with pytest.raises(KnowledgeError, match=r"reads the example .* first, as token_expired"):
        knowledge([written(tmp_path, text)])


def test_a_file_that_is_not_there_or_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither starts the process half-knowing."""
    with pytest.raises(KnowledgeError, match="cannot be read"):
        knowledge([tmp_path / "none.toml"])
    monkeypatch.setattr(user_files, "MAX_FILE", 10)
    with pytest.raises(KnowledgeError, match="is larger than"):
        knowledge([written(tmp_path)])


def test_one_id_in_two_files_is_refused(tmp_path: Path) -> None:
    """Which of them holds would depend on the order."""
    with pytest.raises(KnowledgeError, match="this id is taken"):
        knowledge([written(tmp_path), written(tmp_path, name="yours.toml")])
