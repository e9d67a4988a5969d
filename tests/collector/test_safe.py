"""Every text of an event is `Safe`, and mypy refuses any other there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from collector import events
from collector.events import Event
from collector.redaction import fixed, member_of, request_facts

ROOT = Path(__file__).parent.parent.parent
HEAD = """
from collector.events import Gateway, Origin, Request, TokenFacts, Words
from collector.redaction import fixed, member_of, safe_text
from collector.records import Parsed

PLACES = ("header:jwt",)

def made(parsed: Parsed) -> object:
    return """
SAFE = (
    "Words(message=safe_text(parsed.message, 80))",
    "Origin(kind=fixed('file'))",
    "TokenFacts(location=member_of(parsed.path, PLACES))",
)
UNSAFE = (
    "Words(message=parsed.message)",
    "Request(route=parsed.path)",
    "Gateway(kind=parsed.gateway)",
    "Origin(kind='file')",
    "TokenFacts(aud=(parsed.host,))",
    "TokenFacts(claims=((parsed.host, 'string'),))",
    "Words(message=safe_text(parsed.message, 80) + parsed.path)",
)


def test_every_text_of_an_event_is_safe() -> None:
    """No field, and no item of a tuple, is annotated with plain str."""
    plain = [
        f"{cls.__name__}.{name}"
        for cls in (Event, *events._TYPES.values())
        for name, hint in get_type_hints(cls).items()
        if str in leaves(hint)
    ]

    assert [] == plain


def leaves(hint: object) -> list[object]:
    """The types that a type is made of."""
    inner = get_args(hint)
    return [leaf for each in inner for leaf in leaves(each)] if inner else [hint]


def test_mypy_refuses_plain_text_in_an_event(tmp_path: Path) -> None:
    """Each field that gets a record's own text is a type error; what redaction made is none."""
    for number, expression in enumerate((*SAFE, *UNSAFE)):
        (tmp_path / f"case_{number}.py").write_text(HEAD.strip() + f" {expression}\n", encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--config-file",
        str(ROOT / "pyproject.toml"),
        "--cache-dir",
        str(tmp_path / "cache"),
    ]
    done = subprocess.run(
        [*command, *map(str, sorted(tmp_path.glob("case_*.py")))], cwd=ROOT, capture_output=True, text=True, check=False
    )

    refused = {line.partition(".py:")[0].rpartition("_")[2] for line in done.stdout.splitlines() if "error:" in line}
    assert {str(number) for number in range(len(SAFE), len(SAFE) + len(UNSAFE))} == refused, done.stdout + done.stderr


def test_one_of_refuses_what_is_not_in_the_set() -> None:
    """Membership is checked at run time, and the text is not quoted."""
    assert "a" == member_of("a", ("a", "b"))
    with pytest.raises(ValueError, match="closed set") as raised:
        member_of("secret", ("a", "b"))
    assert "secret" not in str(raised.value)


def test_constants_are_plain_text_at_run_time() -> None:
    """A `Safe` costs nothing and is written as any str."""
    assert type(fixed("file")) is str


@pytest.mark.parametrize(
    ("peer", "shown"),
    [("10.1.2.3", "10.1.2.3"), ("2001:db8::1", "2001:db8::1"), ("", ""), ("unix:/a\x1b", "unix:/a\\x1b")],
)
def test_a_peer_is_an_address_or_redacted(peer: str, shown: str) -> None:
    """Addresses of senders stay whole; whatever else a server calls a peer is redacted."""
    assert shown == request_facts.peer(peer)
