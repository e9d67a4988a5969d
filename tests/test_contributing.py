"""CONTRIBUTING.md lists every file to touch: one of each kind is added in a copy of the repository, in the listed files alone."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

ROOT = Path(__file__).parent.parent
LEFT_OUT: Final = shutil.ignore_patterns(
    ".git",
    ".venv",
    ".cache",
    "*.egg-info",
    "__pycache__",
    ".*_cache",
    ".hypothesis",
    "corpus",
    "crashes",
    "why401-data",
)
Change = Callable[[str], str]  # a file's text before, "" when it is new; and after


def new(text: str) -> Change:
    return lambda _: text


def before(mark: str, text: str) -> Change:
    """Put the text before the first place that the pattern matches; a line's indentation is the text's own."""

    def change(old: str) -> str:
        found = re.search(mark, old, flags=re.MULTILINE)
        assert found, f"no place for {text!r}: {mark}"
        return old[: found.start()] + text + old[found.start() :]

    return change


def both(*changes: Change) -> Change:
    def change(old: str) -> str:
        for one in changes:
            old = one(old)
        return old

    return change


def at_the_end(text: str) -> Change:
    return lambda old: old + text


GATEWAY_SOURCE = '''"""Acme: `ACME 401 GET /path: reason`."""

from __future__ import annotations

from typing import Final

from collector.events import Outcome
from collector.records import Parsed, RawRecord

NAME: Final = "acme"


def parse(record: RawRecord) -> Parsed | None:
    """A refusal."""
    if not record.text.startswith("ACME 401 "):
        return None
    request, _, reason = record.text.partition(": ")
    _, _, method, path = request.split(" ", 3)
    return Parsed(NAME, method=method, path=path, status=401, message=reason, outcome=Outcome.DENIED)
'''
FIXTURE = {
    "record": {"text": "ACME 401 GET /orders: the badge is upside down"},
    "parsed": {
        "gateway": "acme", "method": "GET", "path": "/orders", "status": 401,
        "message": "the badge is upside down", "outcome": "denied",
    },
}  # fmt: skip
WORDS = """gateway = "acme"

[[signature]]
id = "acme.the_badge_is_upside_down"
pattern = "the badge is upside down"
code = "token_malformed"
certainty = 0.9
source = "acme/gateway src/badge.c"
examples = ["the badge is upside down"]
near_misses = ["the badge is downside up"]
"""
FIXES = """gateway = "acme"

[[fix]]
code = "token_malformed"
says = "Set acme_badge_side to either."
snippet = "acme_badge_side either;"
format = "nginx"
source = "acme/gateway docs/badge.md"
"""
RULE = '''"""A token that is issued for a Wednesday: claim_not_allowed."""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.diagnosis.findings import Case, Finding, Strength


def rule(case: Case) -> Iterator[Finding]:
    """By the claim's name alone."""
    if case.event.token.claim_type("wednesday"):
        yield Finding("claim_not_allowed", Strength.STRONG, "token", "the token is for Wednesdays", discriminant="wednesday")
'''
SOURCE = '''"""Acme: records of a list."""

from __future__ import annotations

import threading
import time

from collector.events import Origin
from collector.records import Batch, RawRecord
from collector.sources import Intake


class WeekdaySource:
    """Offers each line once."""

    def __init__(self, lines: tuple[str, ...]) -> None:
        self._lines = lines

    def run(self, intake: Intake, stop: threading.Event) -> None:
        """One batch, then nothing."""
        if not stop.is_set():
            records = [RawRecord(Origin("weekday"), time.time_ns(), text=line) for line in self._lines]
            intake.offer(Batch(records), timeout_s=1)
'''
SECTION = '''@dataclass(frozen=True, slots=True, kw_only=True)
class WeekdaySettings:
    """`[weekday]`: lines in."""

    lines: tuple[str, ...] = setting((), "Lines to read.")


'''
SOURCE_TEST = '''"""The added source is started when its settings name it."""

from collector.settings import load
from collector.telemetry import Telemetry
from why401.run import raw_sources


def test_it_is_started():
    """One of the sources."""
    settings = load(flags={"weekday.lines": ["a"]}, environ={})

    assert "WeekdaySource" in [type(source).__name__ for source in raw_sources(settings, Telemetry())]
'''
YIELDS = """def _weekday(settings: Settings, telemetry: Telemetry) -> Iterator[Source]:
    if settings.weekday.lines:
        from collector.sources.weekday import WeekdaySource

        yield WeekdaySource(settings.weekday.lines)


"""
VIEW = """-- Requests per weekday.
-- weekday: Monday is 1.
-- requests: Requests.
SELECT isodow(minute)::INTEGER AS weekday, sum(requests)::BIGINT AS requests
FROM traffic
GROUP BY ALL
"""
PANEL = '    with panel("Weekdays", "by_weekday", seen.params):\n        table(client.query("by_weekday", **seen.params), {})\n'
FAULT = '    "a Wednesday": Fault("claim_not_allowed", "for Wednesdays", bearer(wednesday=True)),\n'
CODE = """[badge_upside_down]
cause = "policy"
when = "The badge is upside down."
settles = ["the badge"]

"""

# Kind (a heading of CONTRIBUTING.md) -> what stands for its placeholders, and the change of each file.
ADDITIONS: Final[dict[str, tuple[dict[str, str], dict[str, Change]]]] = {
    "A gateway": (
        {"NAME": "acme"},
        {
            "collector/gateways/acme.py": new(GATEWAY_SOURCE),
            "collector/gateways/__init__.py": both(
                before(r"^    apache,", "    acme,\n"), before(r"^    GatewayParser\(generic\.NAME", "    GatewayParser(acme.NAME, acme.parse),\n")
            ),
            "tests/fixtures/gateways/acme/refused.json": new(json.dumps(FIXTURE)),
            "analyzer/knowledge/gateways/acme/words.toml": new(WORDS),
            "analyzer/knowledge/gateways/acme/fixes.toml": new(FIXES),
            "analyzer/knowledge/gateways/acme/logging.toml": new('gateway = "acme"\n\ntoken = "log the badge"\nsource = "docs"\n'),
            "docs/gateways-api.md": before(r"^\n## Who answered", "| `acme` | its line | the line | |\n"),
        },
    ),
    "A diagnosis rule": (
        {"NAME": "weekday"},
        {
            "analyzer/diagnosis/weekday.py": new(RULE),
            "analyzer/diagnosis/__init__.py": both(
                before(r"^\)\nfrom analyzer\.diagnosis\.", "    weekday,\n"),
                before(r"^    policy\.rule,", "    weekday.rule,\n"),
            ),
            "tests/analyzer/diagnosis/test_rules.py": before(r"^\}  # fmt: skip\n\n\n@pytest\.fixture", FAULT),
            "docs/architecture.md": before(r"^    near\.py ", "    weekday.py\n"),
        },
    ),
    "A code": (
        {"CAUSE": "policy"},
        {
            "analyzer/taxonomy.toml": before(r"^\[unclassified\]", CODE),
            "analyzer/knowledge/titles.toml": at_the_end('badge_upside_down = "The badge is upside down."\n'),
            "analyzer/knowledge/general_fixes/policy.toml": at_the_end(
                '\n[[fix]]\ncode = "badge_upside_down"\nsays = "Turn the badge."\nsource = "common sense"\n'
            ),
            "analyzer/diagnosis/weigh.py": before(r'"upstream_rejected", "access_denied"', '"badge_upside_down", '),
            "docs/causes/policy.md": at_the_end("\n| `badge_upside_down` | Turn the badge. |\n"),
        },
    ),
    "A view": (
        {"NAME": "weekdays"},
        {
            "analyzer/lake/views/weekdays.sql": new(VIEW),
            "tests/analyzer/lake/test_views.py": before(r'^    "notes": ', '    "weekdays": "weekday requests",\n'),
        },
    ),
    "A panel": (
        {"NAME": "by_weekday"},
        {
            "dashboard/queries/by_weekday.sql": new(
                "SELECT isodow(minute)::INTEGER AS weekday, sum(requests)::BIGINT AS requests\nFROM traffic\n"
                "WHERE minute >= $since AND minute < $until AND ($gateway = '' OR gateway = $gateway)\nGROUP BY ALL\n"
            ),
            "dashboard/screens/overview.py": before(r'^    with panel\("Gateways"', PANEL),
        },
    ),
    "A source": (
        {"NAME": "weekday"},
        {
            "collector/sources/weekday.py": new(SOURCE),
            "collector/settings/table.py": both(
                before(r"^@dataclass[^\n]*\nclass QueueSettings", SECTION),
                before(r"^    queue: QueueSettings", "    weekday: WeekdaySettings = field(default_factory=WeekdaySettings)\n"),
            ),
            "why401/run.py": both(before(r"^# Every kind of source", YIELDS), lambda old: old.replace("_files, _syslog)", "_files, _syslog, _weekday)")),
            "tests/collector/sources/test_weekday.py": new(SOURCE_TEST),
            "docs/architecture.md": before(r"^    file\.py ", "    weekday.py             lines\n"),
        },
    ),
}  # fmt: skip

CHECKS: Final = (
    "tests/test_docs.py", "tests/test_layout.py", "tests/collector/gateways/test_fixtures.py", "tests/collector/sources/test_weekday.py",
    "tests/analyzer/diagnosis/test_rules.py", "tests/analyzer/diagnosis/test_root_causes.py", "tests/analyzer/knowledge/test_knowledge.py", "tests/analyzer/lake/test_views.py",
    "tests/dashboard/test_client.py", "tests/why401/cli/test_explain.py",
)  # fmt: skip
QUICK: Final = (
    "acme or weekday or Wednesday or badge or contract or generated or reference or every_gateway or every_code or architecture "
    "or imports or causes or page_of_its_cause or no_gateway_claims"
)


def listed(kind: str) -> list[str]:
    """The files that CONTRIBUTING.md names under the kind's heading, as the addition fills them in."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.partition(f"### {kind}\n")[2].partition("\n### ")[0]
    names = re.findall(r"^\| `([^`]+)` \|", section, flags=re.MULTILINE)
    for placeholder, value in ADDITIONS[kind][0].items():
        names = [name.replace(placeholder, value) for name in names]
    return names


@pytest.mark.parametrize("kind", ADDITIONS)
def test_the_list_is_what_the_addition_changes(kind: str) -> None:
    """A file that is not listed, and a listed one that need not change, are both mistakes of the page."""
    assert sorted(ADDITIONS[kind][1]) == sorted(listed(kind))


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository with one of each kind, added in the listed files; the generated pages are written anew."""
    root = tmp_path_factory.mktemp("contributing") / "copy"
    shutil.copytree(ROOT, root, ignore=LEFT_OUT)
    for kind, (_, changes) in ADDITIONS.items():
        for name in listed(kind):
            add(root / name, changes[name])
    done = run(root, "-m", "docs.generate")
    assert 0 == done.returncode, done.stderr
    return root


def add(path: Path, change: Change) -> None:
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = change(old)
    assert text != old, f"the place to change in {path.name} was not found"
    path.write_text(text, encoding="utf-8")


def run(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(root), "WHY401_CACHE_DIR": str(root / "cache")}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=600, check=False)


def test_one_of_each_kind_is_complete(copy: Path) -> None:
    """Parser, rule, code, view, panel and source work, and are documented, when the listed files are changed and no others."""
    done = run(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", *CHECKS, "-k", QUICK)
    lines = ("ACME 401 GET /orders: the badge is upside down", "ACME 401 GET /orders: no")
    explained = run(copy, "-m", "why401", "explain", *lines)

    assert 0 == done.returncode, done.stdout[-4000:]
    assert [] == [
        part
        for part in ("✗ token_malformed", "acme_badge_side either;", "Log the badge")
        if part not in explained.stdout
    ]  # words.toml, fixes.toml, logging.toml
