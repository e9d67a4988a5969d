"""The search for the worst text: `python -m fuzz.cost [SECONDS] [SEED]`.

A fuzzer that counts branches finds what breaks, not what is slow. This one is guided by cost: of a few hundred texts it keeps
those that cost redaction most for their length, and changes, repeats and joins them. It prints the worst found, each with
its CPU time per character at three lengths, and fails when one costs ten times what docs/redaction.md promises.
"""

from __future__ import annotations

import random
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from collector.redaction import redact

PROMISE_US: Final = 0.3  # a character
PATIENCE: Final = 10  # how much slower a busy machine may be
SIZE: Final = 16_384
KEPT: Final = 40
SHOWN: Final = 10
MAX_UNIT: Final = 400
_RULES: Final = Path(__file__).parents[1] / "collector" / "redaction" / "rules"
# What rules wait for, and what makes them look far: quotes, escapes, separators, beginnings without ends.
PIECES: Final = (
    "\\", '\\"', '"', "'", "`", "=", ":", " ", "\n", "\r\n", "\t", "\0", "%25", "%2525", "%3D", "%22", "&#65;", "&quot;", "\\u0041", "\\x41",
    "::", "1:", "1.2.3.4", "f::1", "/24", "@", "a@b.cc", ".", "-", "_", "~", "+", "/", "//", "://", "[", "]", "{", "}", "(", ")", "<", ">", "</",
    "token", "password=", 'key="', "k=", "cookie: a=", "Set-Cookie:", "authorization: ", "Bearer ", "Basic ", "user '", "CN=", "sub=", "code=",
    '"name":"', '"value":"', "eyJ", "eyJhbGciOiJIUzI1NiJ9.", "A1b2C3d4", "0f", "4111 1111 1111 1111", "+49 30 1234567", "DE89", "-----BEGIN ",
    "-----END A-----", "--token a ", "[token]", "[secret]", "[-]", "é", "\u200b", "Ａ", "\ud800", "\x1b[31m", ", ", "; ", "&", "?", "#", "a", "Z", "9",
)  # fmt: skip


class Found(NamedTuple):
    """A unit, and what a character of its repetition costs."""

    us: float
    unit: str


def cost(unit: str, size: int = SIZE) -> float:
    """Microseconds of CPU time a character, of the unit repeated; the smaller of two."""
    text = (unit * (size // len(unit) + 1))[:size]
    return min(_seconds(text) for _ in range(2)) * 1e6 / size


def _seconds(text: str) -> float:
    started = time.process_time()
    redact(text)
    return time.process_time() - started


def search(seconds: float, seed: int) -> list[Found]:
    """The worst units found, the worst first."""
    rng = random.Random(seed)  # noqa: S311  # the same texts for the same seed
    pieces = [*PIECES, *_examples()]
    best = sorted((Found(cost(piece), piece) for piece in PIECES), reverse=True)[:KEPT]
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        unit = _changed(rng.choice(best).unit, best, pieces, rng)
        if unit and unit not in {found.unit for found in best}:
            best = sorted([*best, Found(cost(unit), unit)], reverse=True)[:KEPT]
    return best


def _examples() -> Iterator[str]:
    """The rules' own examples, cut short: whatever a rule is for, it does."""
    for path in sorted(_RULES.glob("*.toml")):
        for case in tomllib.loads(path.read_text(encoding="utf-8")).get("positive", ()):
            yield case["raw"][:MAX_UNIT]


def _changed(unit: str, best: list[Found], pieces: list[str], rng: random.Random) -> str:
    at, to = sorted(rng.choices(range(len(unit) + 1), k=2))
    change = rng.randrange(5)
    if change == 0:
        return unit[:at] + unit[to:]
    if change == 1:
        return (unit[:at] + unit[at:to] * 2 + unit[to:])[:MAX_UNIT]
    if change == 2:
        return (unit + rng.choice(best).unit)[:MAX_UNIT]
    return (unit[:at] + rng.choice(pieces) + unit[at if change == 3 else to :])[:MAX_UNIT]


def main(arguments: list[str]) -> int:
    """0 when the worst text found keeps the promise on a busy machine, 1 when not."""
    seconds, seed = (*map(int, arguments), *(60, 1)[len(arguments) :])
    worst = search(seconds, seed)[:SHOWN]
    for _, unit in worst:
        figures = ", ".join(f"{cost(unit, size):.2f} µs at {size >> 10} KiB" for size in (4_096, SIZE, 65_536))
        print(f"{unit!a}: {figures}")
    return int(any(cost(found.unit, 65_536) > PATIENCE * PROMISE_US for found in worst))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
