"""Redaction in numbers, beside common tools on the same lines: MB/s, ms a hard line, recall, lines that lose a keep.

    python -m benchmarks.redaction [labelled.jsonl]

The file holds one JSON object a line with `raw`, `secrets` and `keep`; without one, the lines of the project's own
generator are measured. CPU time of this process, best of five. The tools: `Bearer` and JWT by regular expression, which
is what projects ship, and detect-secrets with all its plugins where it is installed (pip install detect-secrets==1.5.0).
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from benchmarks.traffic import envoy_json
from collector.redaction import redact, redact_lines
from tests.collector.redaction import generated

ROUNDS = 5
SEEDS = range(3)
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
)
_OPEN = ExitStack()
# The baseline backtracks; it is measured on these lines only.
_BEARER = re.compile(r"(?i)(bearer\s+)\S+")
_JWT = re.compile(r"eyJ[\w-]+\.eyJ[\w-]+\.[\w-]*")


Redactor = Callable[[str], str]
Tools = dict[str, Redactor]


class Labelled(NamedTuple):
    """A line, what must not survive and what must."""

    raw: str
    secrets: Sequence[str]
    keep: Sequence[str]


def ours(text: str) -> str:
    """The product."""
    return redact(text).text


def baseline(text: str) -> str:
    """Bearer and JWT by regular expression."""
    return _JWT.sub("[token]", _BEARER.sub(r"\1[token]", text))


def detect_secrets() -> Redactor | None:
    """Every plugin of detect-secrets, what it finds replaced; None when it is not installed."""
    try:
        from detect_secrets.core.scan import scan_line
        from detect_secrets.settings import default_settings
    except ImportError:
        return None

    _OPEN.enter_context(default_settings())  # until the process ends: entering it for every line costs more

    def replaced(text: str) -> str:
        for found in scan_line(text):
            text = text.replace(found.secret_value or "\0", "[secret]")
        return text

    return replaced


FAST = (ours, baseline)


def speed(name: str, lines: list[str], tools: Tools) -> None:
    """Prints one row: µs a line and MB/s of every tool; slow ones are measured on fewer lines."""
    mean = sum(map(len, lines)) / len(lines)
    cells = []
    for tool in tools.values():
        sample = lines if tool in FAST else lines[:: max(1, len(lines) // 300)]
        us = _best(tool, sample) / len(sample) * 1e6
        cells.append(f"{us:9.1f} µs {sum(map(len, sample)) / len(sample) / us:8.2f} MB/s")
    print(f"{name:<28} {mean:5.0f} B  {'  '.join(cells)}")


def filtered(name: str, lines: list[str]) -> None:
    """Prints one row: whole blocks, as `why401 redact` reads them."""
    blocks = ["\n".join(lines[at : at + 2000]).encode() + b"\n" for at in range(0, len(lines), 2000)]
    seconds = min(_seconds(lambda: [redact_lines(block) for block in blocks]) for _ in range(ROUNDS))
    size = sum(map(len, blocks))
    print(
        f"{name:<28} {size / len(lines):5.0f} B  {seconds / len(lines) * 1e6:9.1f} µs {size / seconds / 1e6:8.2f} MB/s"
    )


def _best(run: Redactor, lines: list[str]) -> float:
    rounds = ROUNDS if run in FAST else 1
    return min(_seconds(lambda: [run(line) for line in lines]) for _ in range(rounds))


def _seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def recall(name: str, lines: list[Labelled], tools: Tools) -> None:
    """Prints one row: leaking lines, recall and lines that lose a word to keep, of every tool."""
    print(f"{name:<28} {len(lines):5d}    {'  '.join(_recall(tool, lines) for tool in tools.values())}")


def _recall(run: Redactor, lines: list[Labelled]) -> str:
    pairs = [(run(line.raw), line) for line in lines]
    secret = sum(bool(line.secrets) for line in lines)
    leaks = sum(any(part in text for part in line.secrets) for text, line in pairs)
    losses = sum(any(part not in text for part in line.keep) for text, line in pairs)
    percent = f"{100 * (1 - leaks / secret):5.1f} %" if secret else "      –"
    return f"leak {leaks:4d} {percent} lost {losses:4d}"


def ordinary(count: int) -> dict[str, list[str]]:
    """Lines without a secret but the caller's address."""
    begin = [f"203.0.{n % 113}.{n % 250} - - [03/Mar/2026:10:00:{n % 60:02} +0000]" for n in range(count)]
    return {
        "access log, browser": [
            f'{b} "GET /v1/orders/{n}/items HTTP/1.1" 200 {n} "-" "{CHROME}"' for n, b in enumerate(begin)
        ],
        "access log, curl": [f'{b} "GET /orders/{n} HTTP/1.1" 200 512 "-" "curl/8.7.1"' for n, b in enumerate(begin)],
        "route": [f"/v1/orders/{n}/items" for n in range(count)],
        "reason": [f"Jwt issuer is not configured ({n})" for n in range(count)],
    }


def main(arguments: list[str]) -> None:
    """Both tables."""
    kinds = labelled(arguments)
    slow = detect_secrets()
    tools: Tools = {"why401": ours, "Bearer and JWT regex": baseline} | ({"detect-secrets": slow} if slow else {})
    head = "  ".join(f"{tool:<26}" for tool in tools)
    everything = [line for lines in kinds.values() for line in lines]
    speeds(tools, head, everything)
    print(f"\n{'recall by kind':<28} lines    {head}")
    for kind, lines in kinds.items():
        recall(kind, lines, tools)
    recall("all", everything, tools)


def labelled(files: list[str]) -> dict[str, list[Labelled]]:
    """Generated lines by kind, and those of a labelled file."""
    kinds = {
        kind: [Labelled(*line) for seed in SEEDS for line in generated.lines(kind, seed)] for kind in generated.KINDS
    }
    if files:
        raws = map(json.loads, Path(files[0]).read_text(encoding="utf-8").splitlines())
        kinds["labelled file"] = [Labelled(raw["raw"], raw["secrets"], raw["keep"]) for raw in raws]
    return kinds


def speeds(tools: Tools, head: str, hard: list[Labelled]) -> None:
    """Time per line by tool, then in blocks as `why401 redact` reads them."""
    print(f"{'lines':<28} {'mean':>7}  {head}")
    for name, lines in ordinary(20_000).items():
        speed(name, lines, tools)
    speed("Envoy JSON with a token", envoy_json(500, tokens=500), tools)
    speed("hard", [line.raw for line in hard], tools)
    print(f"\n{'why401 redact, in blocks':<28} {'mean':>7}")
    for name, lines in ordinary(20_000).items():
        filtered(name, lines)


if __name__ == "__main__":
    with _OPEN:
        main(sys.argv[1:])
