"""The fixture files: one raw record each, with what its parser must make of it."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from collector.events import Origin
from collector.records import Parsed, RawRecord
from collector.settings import FormatSettings

FOLDER = Path(__file__).parents[2] / "fixtures" / "gateways"
FILES = sorted(FOLDER.glob("*/*.json"))
IDS = [f"{path.parent.name}/{path.stem}" for path in FILES]


def load(path: Path) -> dict[str, Any]:
    """A fixture: `record`, perhaps `formats`, and one of `parsed`, `not_auth`, `unreadable`."""
    return json.loads(path.read_text(encoding="utf-8"))


def raw_record(case: dict[str, Any]) -> RawRecord:
    """The record as the pipeline hands it over: a JSON object is decoded and its text is kept."""
    given = dict(case["record"])
    origin = Origin("file", given.pop("source", ""))
    if "fields" in given:
        given["text"] = json.dumps(given["fields"])
    return RawRecord(origin, observed_ns=1, **given)


def formats(case: dict[str, Any]) -> list[FormatSettings]:
    """The configured formats of a case."""
    return [FormatSettings(**settings) for settings in case.get("formats", ())]


def facts(parsed: Parsed | None) -> dict[str, Any] | None:
    """What a parser read, without what stayed at its default."""
    if parsed is None:
        return None
    defaults = {f.name: {} if f.default is MISSING else f.default for f in fields(Parsed)}
    return {name: value for name, d in defaults.items() if (value := getattr(parsed, name)) != d}
