"""Writes the pages that are tables of the code: `python -m docs.generate`. tests/test_docs.py fails when they fall behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Final

from analyzer.lake.document import reference
from analyzer.taxonomy import CAUSES, CODES
from collector import events
from collector.settings import entries
from collector.telemetry import INSTRUMENTS

HERE: Final = Path(__file__).parent
REFERENCE: Final = "<!-- What follows is written by `python -m docs.generate`; edit the views' comments. -->"
NOTE: Final = "<!-- Written by `python -m docs.generate`; edit the table in the code. -->\n"


def telemetry() -> Iterator[str]:
    """docs/telemetry.md."""
    yield "# What why401 says of itself\n\n"
    yield "On the Prometheus endpoint (`[telemetry] prometheus`, dots become underscores) and over OTLP (`[telemetry] otlp_endpoint`).\n"
    yield "Attribute values come from closed sets in the code, never from records.\n\n"
    yield "| instrument | kind | unit | attributes | meaning |\n|---|---|---|---|---|\n"
    for i in INSTRUMENTS:
        yield f"| `{i.name}` | {i.kind} | {i.unit} | {', '.join(i.attributes)} | {i.description} |\n"


def configuration() -> Iterator[str]:
    """docs/configuration.md."""
    yield "# Configuration\n\n`why401.toml`, then the environment, then flags. `why401 init` writes a commented file, `why401 check` validates one.\n"
    yield "A setting marked *secret* may also come from a file that only its owner can read: `NAME_file`, or the environment's name with `_FILE`.\n"
    for section, rows in groupby(entries(), key=lambda entry: entry.section):
        title = f"`[[{section[:-2]}]]`" if section.endswith("[]") else f"`[{section}]`" if section else "At the top"
        yield f"\n## {title}\n\n| setting | default | environment | meaning |\n|---|---|---|---|\n"
        for row in rows:
            default = "required" if row.default is None else f"`{row.default!r}`"
            env = "" if section.endswith("[]") else f"`{row.env}`"
            secret = " *Secret.*" if row.secret else ""
            yield f"| `{row.key}` | {default} | {env} | {row.help}{secret} |\n"


def event() -> Iterator[str]:
    """docs/event.md."""
    yield "# The event\n\nOne line of JSON per request on the topic `why401.events`; fields at their default are left out. "
    yield f"`why401.schema` is {events.SCHEMA_VERSION}: within a schema fields are added, never renamed.\n"
    yield "Names are those of the OpenTelemetry semantic conventions where they exist.\n\n| key | field |\n|---|---|\n"
    for name, key in events._TOP.items():  # noqa: SLF001  # the wire table is the contract's own
        yield f"| `{key}` | `Event.{name}` |\n"
    for group, keys in events._WIRE.items():  # noqa: SLF001
        for name, key in keys.items():
            yield f"| `{key}` | `Event.{group}.{name}` |\n"


def codes() -> Iterator[str]:
    """docs/codes.md."""
    yield "# The codes\n\nEvery refusal gets exactly one code, every code has exactly one cause. They are public API: added to, never renamed.\n"
    for cause in CAUSES:
        yield f"\n## {cause}\n\n| code | true when | settled by, strongest first |\n|---|---|---|\n"
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
    """docs/sql.md with the views' reference, which ends the page, as the store documents it."""
    return text[: text.index(REFERENCE)] + f"{REFERENCE}\n\n{reference()}"


if __name__ == "__main__":
    (HERE / "sql.md").write_text(with_reference((HERE / "sql.md").read_text(encoding="utf-8")), encoding="utf-8")
    for each in PAGES:
        (HERE / each).write_text(page(each), encoding="utf-8")
