"""`python -m tests.analyzer.knowledge.score [FOLDER]`: how many labelled corpus lines the words alone read rightly.

FOLDER (default: the environment's WHY401_CORPUS) holds gateways.jsonl and libraries.jsonl, one object a line with
`raw`, `codes` (best first) and `gateway` or `library`.
"""

import json
import os
import sys
from collections import Counter
from pathlib import Path

from analyzer.knowledge import read_words


def score(path, verbose=False):
    """(lines, best, accepted, unread, misses by code) of one labelled file."""
    lines, best, accepted, unread = 0, 0, 0, 0
    misses = Counter()
    for line in path.read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        readings = read_words(case["raw"], case.get("gateway", ""))
        code = readings[0].code if readings else ""
        lines += 1
        best += code == case["codes"][0]
        accepted += code in case["codes"]
        unread += not code
        if code not in case["codes"]:
            misses[(case.get("gateway") or case["library"], code, case["codes"][0])] += 1
            if verbose:
                print(f"{case['id']} {case.get('gateway') or case['library']}: {code!r} not in {case['codes']}")
                print(f"    {case['raw'][:300]!r} {[reading.signature_id for reading in readings[:3]]}")
    return lines, best, accepted, unread, misses


def main(arguments):
    verbose = "-v" in arguments
    folder = next((word for word in arguments if not word.startswith("-")), os.environ.get("WHY401_CORPUS", ""))
    for name in ("gateways.jsonl", "libraries.jsonl"):
        path = Path(folder, name)
        if not folder or not path.is_file():
            print(f"{name}: no corpus in {folder!r}, nothing to score")
            continue
        lines, best, accepted, unread, _ = score(path, verbose)
        print(f"{name}: {accepted} of {lines} read with an accepted code, {best} with the best one, {unread} unread")


if __name__ == "__main__":
    main(sys.argv[1:])
