"""`python -m benchmarks.coverage PRODUCT TREE [--revision REV] [--version NAME] [--list BUCKET] [--write]`

TREE is a folder, or a git directory (also a bare one) when `--revision` is given. `--list own|meaning|unclassified|other|all`
prints the messages of a bucket with their places; `--write` keeps the row in results.toml, from which docs/coverage.md is
generated (`python -m docs.generate`).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.coverage.asking import Asked, Asker, auth_messages
from benchmarks.coverage.products import products
from benchmarks.coverage.results import Row, keep, row_of


def main(arguments: list[str]) -> int:
    """Print a product's row, and the messages that were asked for."""
    options = _options(arguments)
    product = products()[options.product]
    found, ignored = auth_messages(product, options.tree, options.revision)
    asked = Asker(product).ask(found)
    for one in asked:
        if options.list in ("all", one.bucket):
            print(_line(one))
    row = row_of(product.name, options.version or options.revision or options.tree.name, asked, ignored)
    print(_summary(row))
    if options.write:
        keep(row)
    return 0


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.coverage")
    parser.add_argument("product", choices=sorted(products()))
    parser.add_argument("tree", type=Path)
    parser.add_argument("--revision", default="")
    parser.add_argument("--version", default="")
    parser.add_argument("--list", default="")
    parser.add_argument("--write", action="store_true")
    return parser.parse_args(arguments)


def _line(one: Asked) -> str:
    return f"{one.bucket:<12} {one.code:<22} {one.confidence:.2f} {one.place}  [{one.call[:60]}]\n    {one.text}"


def _summary(row: Row) -> str:
    return (
        f"{row.product} {row.version}: {row.messages} messages: {row.own} by an own signature ({row.share:.1%}), "
        f"{row.meaning} by meaning, {row.unclassified} unclassified, {row.other} by another's signature; {row.ignored} ignored; "
        f"without own signatures {row.blind_right} right, {row.blind_wrong} wrong"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
