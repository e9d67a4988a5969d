"""Prints the page; `--write` keeps it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import benchmarks.accuracy
from benchmarks.accuracy import fitting, live, tables
from benchmarks.accuracy.answers import Answer, of_corpus
from benchmarks.accuracy.held_out import of_held_out
from benchmarks.accuracy.public import of_public
from benchmarks.accuracy.services import of_services
from benchmarks.labelled import CORPUS, HERE, Labelled, corpus, examples, unlisted
from benchmarks.training.array import train
from benchmarks.training.messages import everything

# What the confidence is fitted to, beside what is live: never the sample, never the public cases.
FITTED: Final = ("Leave one product out", "services")


def page(folder: Path, summary: list[str], sources: live.Sources, *, quick: bool) -> Iterator[str]:
    """All tables, from the cases that the rules were written with to those that nobody had seen.

    `summary` gets the rows of the head, `sources` the answers that the confidence is fitted to.
    """
    for title, answers in cases(folder):
        summary.append(tables.summary(title, answers))
        if title.startswith(FITTED):
            sources[title] = answers
        yield from tables.section(title, answers)
    if not quick:
        yield from live.sections(summary, sources)
        yield from tables.unseen(fitting.left_out(sources))


def cases(folder: Path) -> Iterator[tuple[str, list[Answer]]]:
    """What is on this machine, by title."""
    for name, title in (("gateways", "Sample: gateways' records"), ("libraries", "Sample: libraries' messages")):
        file = folder / f"{name}.jsonl"
        yield title, list(of_corpus(file)) if file.is_file() else []
    trained = train(everything(folder))
    for title, messages in held_out(folder):
        yield f"Leave one product out: {title}", list(of_held_out(messages, trained))
    for with_words, with_token in ((True, True), (False, True), (True, False), (False, False)):
        told = f"services' {'words' if with_words else 'challenges'}, {'with' if with_token else 'without'} the token"
        yield told, list(of_services(with_words=with_words, with_token=with_token))
    yield "Public cases", list(of_public(folder / "public.jsonl"))


def held_out(folder: Path) -> Iterator[tuple[str, list[Labelled]]]:
    """What is answered without its product, by origin."""
    yield "libraries' messages", list(corpus(folder))
    yield "libraries without signatures", list(unlisted())
    yield "messages of the knowledge files", list(examples())


def main(arguments: list[str]) -> None:
    """Print every part as soon as it is known, and the summary at the end; on the kept page it is at the head."""
    folders = [Path(argument) for argument in arguments if not argument.startswith("-")]
    said, summary, sources = list[str](), [tables.SUMMARY], live.Sources()
    for part in page(folders[0] if folders else CORPUS, summary, sources, quick="--quick" in arguments):
        print(part, end="", flush=True)
        said.append(part)
    print("".join(summary))
    if "--fit" in arguments:
        fitting.write(fitting.fit(sources))
    if "--write" in arguments:
        head = f"# How often is the answer right?\n\n{(benchmarks.accuracy.__doc__ or '').partition(chr(10))[2].strip()}\n\n"
        kept = "".join([head, *summary, "\n", *said]).rstrip() + "\n"
        (HERE / "docs" / "accuracy.md").write_text(kept, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
