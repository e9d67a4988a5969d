"""The JSON Schema of why401.toml, from the table of settings."""

from __future__ import annotations

from dataclasses import MISSING, fields, is_dataclass
from typing import Any, Final, get_origin, get_type_hints

from collector.settings.checks import Bounds
from collector.settings.reading import NOT_SETTINGS
from collector.settings.table import TABLES, Settings

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
_TYPES: Final[dict[Any, dict[str, Any]]] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    tuple: {"type": "array", "items": {"type": "string"}},
    dict: {"type": "object", "additionalProperties": {"type": "string"}},
}


def config_schema() -> dict[str, Any]:
    """What a file may hold. Checks that JSON Schema cannot say, such as of an address, are those of `why401 check`."""
    return {"$schema": DRAFT, "$id": "urn:why401:config", "title": "why401.toml", **_section(Settings)}


def _section(cls: type) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for f in (f for f in fields(cls) if f.name not in NOT_SETTINGS):
        properties |= _property(cls, f)
    required = [f.name for f in fields(cls) if f.default is MISSING and f.default_factory is MISSING]
    about = {"type": "object", "description": (cls.__doc__ or "").strip(), "properties": properties}
    return about | {"additionalProperties": False} | ({"required": required} if required else {})


def _property(cls: type, f: Any) -> dict[str, Any]:
    hint = get_type_hints(cls)[f.name]
    if f.name in TABLES and cls is Settings:
        return {f.name: {"type": "array", "items": _section(TABLES[f.name])}}
    return {f.name: _section(hint)} if isinstance(hint, type) and is_dataclass(hint) else _setting(f, hint)


def _setting(f: Any, hint: Any) -> dict[str, Any]:
    check, default = f.metadata["check"], f.default_factory() if f.default_factory is not MISSING else f.default
    about = _TYPES[get_origin(hint) or hint] | (dict(check.schema) if isinstance(check, Bounds) else {})
    about |= {"description": f.metadata["help"]}
    if default is not MISSING:
        about["default"] = list(default) if isinstance(default, tuple) else default
    if not f.metadata["secret"]:
        return {f.name: about}
    file = {"type": "string", "description": f"File of mode 0600 with the value of {f.name}."}
    return {f.name: about, f"{f.name}_file": file}
