"""Redaction in numbers: speed on ordinary and hard lines, recall and words lost, beside the regex that projects ship.

    python -m benchmarks.redaction [labelled.jsonl]

The file holds one JSON object a line with `raw`, `secrets` and `keep`; without one, the lines of the project's own
generator are measured. CPU time of this process, best of five.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.traffic import envoy_json
from collector.redaction import redact
from tests.collector.redaction import generated

ROUNDS = 5
SEEDS = range(3)
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
)
# The baseline backtracks; it is measured on these lines only.
_BEARER = re.compile(r"(?i)(bearer\s+)\S+")
_JWT = re.compile(r"eyJ[\w-]+\.eyJ[\w-]+\.[\w-]*")


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


def speed(name: str, lines: list[str]) -> None:
    """Prints one row: µs a line and MB/s of both."""
    mean, size = sum(map(len, lines)) / len(lines), len(lines)
    cells = (
        f"{us:9.1f} µs {mean / us:8.1f} MB/s" for us in (_best(run, lines) / size * 1e6 for run in (ours, baseline))
    )
    print(f"{name:<28} {mean:5.0f} B  {'  '.join(cells)}")


def _best(run: Callable[[str], str], lines: list[str]) -> float:
    return min(_once(run, lines) for _ in range(ROUNDS))


def _once(run: Callable[[str], str], lines: list[str]) -> float:
    started = time.process_time()
    for line in lines:
        run(line)
    return time.process_time() - started


def recall(name: str, lines: list[Labelled]) -> None:
    """Prints one row: leaking lines, recall and lines that lose a word to keep, of both."""
    cells = (_recall(run, lines) for run in (ours, baseline))
    print(f"{name:<28} {len(lines):5d}    {'  '.join(cells)}")


def _recall(run: Callable[[str], str], lines: list[Labelled]) -> str:
    pairs = [(run(line.raw), line) for line in lines]
    secret = sum(bool(line.secrets) for line in lines)
    leaks = sum(any(part in text for part in line.secrets) for text, line in pairs)
    losses = sum(any(part not in text for part in line.keep) for text, line in pairs)
    percent = f"{100 * (1 - leaks / secret):5.1f} %" if secret else "      –"
    return f"leak {leaks:4d} {percent} lost {losses:3d}"


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
    kinds = {
        kind: [Labelled(*line) for seed in SEEDS for line in generated.lines(kind, seed)] for kind in generated.KINDS
    }
    if arguments:
        raws = map(json.loads, Path(arguments[0]).read_text(encoding="utf-8").splitlines())
        kinds["labelled file"] = [Labelled(raw["raw"], raw["secrets"], raw["keep"]) for raw in raws]
    print(f"{'lines':<28} {'mean':>7}  {'why401':<26} Bearer and JWT regex")
    for name, lines in ordinary(20_000).items():
        speed(name, lines)
    speed("Envoy JSON with a token", envoy_json(500, tokens=500))
    speed("generated, hard", [line.raw for lines in kinds.values() for line in lines])
    if arguments:
        speed("labelled file", [line.raw for line in kinds["labelled file"]])
    print(f"\n{'recall by kind':<28} lines    {'why401':<26} Bearer and JWT regex")
    for kind, labelled in kinds.items():
        recall(kind, labelled)


if __name__ == "__main__":
    main(sys.argv[1:])
