"""Writes the generated pages, and the output of every example in the other pages: `python -m docs.generate`.

tests/test_docs.py fails when a page is out of date. In a page, the output below a command of a `console` block is generated when
every command of the block is one of these, with files of docs/examples:

    $ cat docs/examples/access.jsonl                 (tokens are shortened)
    $ why401 explain docs/examples/access.jsonl

Between `<!-- recipes -->` and `<!-- end -->` stands the table of gateways, configuration readers and recipes; between `<!-- coverage -->` and `<!-- end -->` stands the table of benchmarks/coverage/results.toml; between
`<!-- records: FILE -->` and `<!-- end -->` stands a generated table of the records in FILE, with the answer to each.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import chdir
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import orjson
from click.testing import CliRunner

from analyzer.lake.document import reference
from analyzer.taxonomy import CAUSES, CODES
from benchmarks.coverage.results import table
from benchmarks.live.registry import NEWCOMERS
from collector import events
from collector.event_schema import event_schema
from collector.settings import entries
from collector.settings.schema import config_schema
from collector.telemetry import INSTRUMENTS
from docs.man_pages import pages as manual
from why401.cli import main
from why401.expectations.readers import READERS

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parent
EXAMPLES: Final = "docs/examples/"
REFERENCE: Final = "<!-- What follows is written by `python -m docs.generate`; edit the views' comments. -->"
NOTE: Final = "<!-- Written by `python -m docs.generate`; edit the table in the code. -->\n"


def telemetry() -> Iterator[str]:
    """docs/telemetry.md."""
    yield "# Telemetry\n\n"
    yield "why401 exports its own metrics on a Prometheus endpoint (`[telemetry] prometheus`; dots become underscores) and over OTLP\n"
    yield "(`[telemetry] otlp_endpoint`). Attribute values come from closed sets in the code, never from records; gateways, instances and\n"
    yield 'issuers are bounded, and "(other)" beyond that. Rules, a dashboard and what to scrape: [Prometheus and Grafana](prometheus.md).\n\n'
    yield "| instrument | kind | unit | attributes | meaning |\n|---|---|---|---|---|\n"
    for i in INSTRUMENTS:
        yield f"| `{i.name}` | {i.kind} | {i.unit} | {', '.join(i.attributes)} | {i.description} |\n"


def configuration() -> Iterator[str]:
    """docs/configuration.md."""
    yield "# Configuration\n\nSettings are read from `why401.toml`, then from the environment, then from flags; later sources override earlier ones.\n"
    yield "`why401 init` creates a commented file, `why401 check` validates it and reports all mistakes at once. `why401 schema config` prints its JSON Schema: with\n"
    yield "the line `#:schema why401.schema.json` on top of the file, editors that know TOML complete names and mark mistakes.\n"
    yield "A setting marked *secret* can also be read from a file that only its owner can read: `NAME_file`, or the environment variable with `_FILE` appended.\n"
    for section, rows in groupby(entries(), key=lambda entry: entry.section):
        title = f"`[[{section[:-2]}]]`" if section.endswith("[]") else f"`[{section}]`" if section else "Top level"
        yield f"\n## {title}\n\n| setting | default | environment | meaning |\n|---|---|---|---|\n"
        for row in rows:
            default = "required" if row.default is None else f"`{row.default!r}`"
            env = "" if section.endswith("[]") else f"`{row.env}`"
            secret = " *Secret.*" if row.secret else ""
            yield f"| `{row.key}` | {default} | {env} | {row.help}{secret} |\n"


def event() -> Iterator[str]:
    """docs/event.md."""
    yield "# The event\n\nOne line of JSON per request on the topic `why401.events`; fields with their default value are omitted. "
    yield f"`why401.schema` is {events.SCHEMA_VERSION}: within a schema version, fields may be added but are never renamed.\n"
    yield "Names follow the OpenTelemetry semantic conventions where one exists. `why401 schema event` prints its JSON Schema.\n\n| key | field |\n|---|---|\n"
    for name, key in events._TOP.items():  # noqa: SLF001  # the wire table is the contract's own
        yield f"| `{key}` | `Event.{name}` |\n"
    for group, keys in events._WIRE.items():  # noqa: SLF001
        for name, key in keys.items():
            yield f"| `{key}` | `Event.{group}.{name}` |\n"


def codes() -> Iterator[str]:
    """docs/codes.md."""
    yield "# Codes\n\nEvery refusal has exactly one code, and every code has exactly one cause. Codes are public API: new ones may be added, existing ones are never renamed.\n"
    for cause in CAUSES:
        yield f"\n## {cause}\n\n| code | definition | decided by, strongest evidence first |\n|---|---|---|\n"
        for code in CODES.values():
            if code.cause == cause:
                yield f"| `{code.name}` | {code.when} | {'; '.join(code.settles)} |\n"


PAGES: Final[dict[str, Callable[[], Iterator[str]]]] = {
    "telemetry.md": telemetry,
    "configuration.md": configuration,
    "event.md": event,
    "codes.md": codes,
}


def page(name: str) -> str:
    """The text of a generated page."""
    return NOTE + "".join(PAGES[name]())


def with_reference(text: str) -> str:
    """docs/sql.md with the reference of the views, which is the end of the page."""
    return text[: text.index(REFERENCE)] + f"{REFERENCE}\n\n{reference()}"


def with_examples(text: str) -> str:
    """A page with the present output of its examples."""
    text = re.sub(r"(?ms)^```console\n(.*?)^```$", lambda block: f"```console\n{_console(block[1])}```", text)
    text = re.sub(
        r"(?s)(<!-- coverage -->\n).*?(<!-- end -->)", lambda found: found[1] + "".join(table()) + found[2], text
    )
    text = re.sub(
        r"(?s)(<!-- recipes -->\n).*?(<!-- end -->)", lambda found: found[1] + "".join(_recipes()) + found[2], text
    )
    return re.sub(
        r"(?s)(<!-- records: (\S+) -->\n).*?(<!-- end -->)",
        lambda found: found[1] + _records(found[2]) + found[3],
        text,
    )


def _recipes() -> Iterator[str]:
    """Gateway, whether its configuration is read, its recipe, and what proves that."""
    titles = {reader.gateway: reader.title for reader in READERS}
    pages = {path.stem for path in (HERE / "gateways").glob("*.md")}
    live = {"envoy": ("Envoy",)} | {page_: tuple(one.name for one in some) for page_, some in NEWCOMERS.items()}
    yield "| gateway | configuration is read | recipe | proof |\n|---|---|---|---|\n"
    for name in sorted(titles.keys() | pages):
        link = f"[{name}](gateways/{name}.md)" if name in pages else ""
        proof = f"live: {', '.join(live[name])}" if name in live else "by fixtures"
        yield f"| `{name}` | {titles.get(name, '')} | {link} | {proof} |\n"


def _console(block: str) -> str:
    commands = [line for line in block.splitlines() if line.startswith("$ ")]
    if not commands or not all(map(_is_example, commands)):
        return block
    return "".join(f"{command}\n{_output(command)}" for command in commands)


def _is_example(command: str) -> bool:
    return command.startswith(("$ cat ", "$ why401 explain ")) and EXAMPLES in command


def _output(command: str) -> str:
    program, *arguments = shlex.split(command.removeprefix("$ "))
    if program == "cat":
        return "".join(_shortened((ROOT / name).read_text(encoding="utf-8")) for name in arguments)
    return _why401(*arguments).rstrip("\n") + "\n"


def _why401(*arguments: str) -> str:
    """What the command prints in a folder that holds docs/ alone: no why401.toml and no environment of ours changes it."""
    unset = {name: None for name in os.environ if name.startswith("WHY401_")}
    with TemporaryDirectory() as folder:
        (Path(folder) / "docs").symlink_to(HERE)
        with chdir(folder):
            result = CliRunner().invoke(main, list(arguments), env=unset, catch_exceptions=False)
    if result.exit_code:
        raise RuntimeError(f"why401 {' '.join(arguments)}: {result.output}")
    return result.stdout


def _shortened(text: str) -> str:
    """Tokens are long, and say nothing to a reader."""
    return re.sub(r"(eyJ[\w-]{9})[\w-]{8,}\.[\w.-]+", r"\1…", text)


def _records(name: str) -> str:
    """A table of records: the gateway, the answer, the record."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    answers: list[dict[str, Any]] = [orjson.loads(line) for line in _why401("explain", "--json", name).splitlines()]
    rows = (
        f"| {answer['gateway']} | `{answer['code']}` | `{_shortened(line).replace('|', chr(92) + '|')}` |\n"
        for line, answer in zip(lines, answers, strict=True)
    )
    return "| gateway | code | record |\n|---|---|---|\n" + "".join(rows)


def written() -> list[Path]:
    """The pages that people write: README.md and docs/**."""
    generated = {HERE / name for name in PAGES}
    return [ROOT / "README.md", *sorted(path for path in HERE.rglob("*.md") if path not in generated)]


def notebook() -> str:
    """docs/notebook.ipynb: docs/python.md, each block a cell."""
    parts = re.split(r"(?ms)^```python\n(.*?)^```\n", (HERE / "python.md").read_text(encoding="utf-8"))
    cells = [_cell(number, part.strip("\n")) for number, part in enumerate(parts) if part.strip()]
    about = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    made = {"cells": cells, "metadata": about, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def _cell(number: int, text: str) -> dict[str, Any]:
    """Text and blocks alternate."""
    about = {"id": f"cell-{number}", "metadata": {}, "source": text.splitlines(keepends=True)}
    if number % 2 == 0:
        return {"cell_type": "markdown", **about}
    return {"cell_type": "code", "execution_count": None, "outputs": [], **about}


SCHEMAS: Final[dict[str, Callable[[], dict[str, Any]]]] = {"config": config_schema, "event": event_schema}


def schema(name: str) -> str:
    """The text of a JSON Schema in why401/schemas."""
    return json.dumps(SCHEMAS[name](), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for each, text in manual().items():
        (ROOT / "why401" / "man" / each).write_text(text, encoding="utf-8")
    for each in SCHEMAS:
        (ROOT / "why401" / "schemas" / f"{each}.json").write_text(schema(each), encoding="utf-8")
    (HERE / "sql.md").write_text(with_reference((HERE / "sql.md").read_text(encoding="utf-8")), encoding="utf-8")
    for each in PAGES:
        (HERE / each).write_text(page(each), encoding="utf-8")
    (HERE / "notebook.ipynb").write_text(notebook(), encoding="utf-8")
    for path in written():
        path.write_text(with_examples(path.read_text(encoding="utf-8")), encoding="utf-8")
