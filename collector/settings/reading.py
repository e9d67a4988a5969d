"""Reads the settings: file, environment and flags into the table, with errors that say what is expected."""

from __future__ import annotations

import os
import tomllib
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from collector.errors import ConfigurationError, SeveralMistakes
from collector.settings.private import exposure, read_private
from collector.settings.table import TABLES, Settings

ENV_PREFIX: Final = "WHY401_"
MAX_MISTAKES: Final = 50
NOT_SETTINGS: Final = frozenset({"file", "share"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the table, for docs, `why401 init` and the environment."""

    section: str  # "" at the top, "[]" behind the name for a table that repeats
    name: str
    default: Any
    help: str
    secret: bool
    apart: bool

    @property
    def key(self) -> str:
        """`store.catalog`"""
        return f"{self.section}.{self.name}" if self.section else self.name

    @property
    def env(self) -> str:
        """`WHY401_STORE_CATALOG`"""
        return ENV_PREFIX + self.key.replace(".", "_").upper()


def entries() -> Iterator[Entry]:
    """Every setting, in the order of the file."""
    yield from _section(Settings, "")
    for name, cls in TABLES.items():
        yield from (_entry(name + "[]", inner) for inner in fields(cls))


def _section(cls: type, name: str) -> Iterator[Entry]:
    """A section's own settings, then those of the sections inside it."""
    known = [f for f in fields(cls) if f.name not in NOT_SETTINGS | set(TABLES)]
    yield from (_entry(name, f) for f in known if f.metadata)
    for f in known:
        if not f.metadata:
            yield from _section(_hints(cls)[f.name], f"{name}.{f.name}" if name else f.name)


def _entry(section: str, f: Any) -> Entry:
    default = f.default_factory() if f.default_factory is not MISSING else f.default
    value, meta = None if default is MISSING else default, f.metadata
    return Entry(section, f.name, value, meta["help"], meta["secret"], meta["apart"])


def load(
    file: str | Path | None = None,
    environ: Mapping[str, str] | None = None,
    flags: Mapping[str, Any] | None = None,
) -> Settings:
    """Read the settings. `file` None: `why401.toml` here when there is one. `flags`: dotted key to value.

    Raises ConfigurationError with file, key, value and what is expected; SeveralMistakes when several settings are wrong.
    """
    path = _file(file)
    raw = _read(path) if path else {}
    _expect_closed(raw, path)
    environ = os.environ if environ is None else environ
    _override(raw, environ, flags or {})
    name, wrong = str(path) if path else "", list[ConfigurationError]()
    _read_secrets(raw, environ, path, wrong)
    settings: Settings = _build(Settings, raw, "", name, wrong)
    if wrong:
        raise wrong[0] if len(wrong) == 1 else SeveralMistakes(wrong[:MAX_MISTAKES])
    return replace(settings, file=name)


def _override(raw: dict[str, Any], environ: Mapping[str, str], flags: Mapping[str, Any]) -> None:
    """What the environment says instead of the file, and flags instead of both."""
    for entry in entries():
        if not entry.section.endswith("[]") and entry.env in environ:
            _put(raw, entry.key, environ[entry.env])
    for key, value in flags.items():
        if value is not None:
            _put(raw, key, value)


def _file(file: str | Path | None) -> Path | None:
    if file is None:
        return Path("why401.toml") if Path("why401.toml").is_file() else None
    if not Path(file).is_file():
        raise ConfigurationError("--config", str(file), "no such file; create one with `why401 init`")
    return Path(file)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError("(syntax)", path.name, f"invalid TOML: {error}", file=str(path)) from None


def _expect_closed(raw: Mapping[str, Any], path: Path | None) -> None:
    for entry in (entry for entry in entries() if entry.apart and path):
        if _get(raw, entry.key) and path and exposure(path.stat()):
            right = f"others can read this file: use {entry.name}_file (mode 0600) or {entry.env}, or run chmod 600"
            raise ConfigurationError(entry.key, "…", right, file=str(path))


def _get(raw: Mapping[str, Any], key: str) -> Any:
    section, _, name = key.rpartition(".")
    table = raw.get(section)
    return table.get(name) if isinstance(table, dict) else None


def _read_secrets(
    raw: dict[str, Any], environ: Mapping[str, str], path: Path | None, wrong: list[ConfigurationError]
) -> None:
    """`KEY_file` in the file, `WHY401_KEY_FILE` in the environment: the secret is the content of a private file."""
    for entry in (entry for entry in entries() if entry.secret):
        named = _pop(raw, entry.key + "_file")
        where = environ.get(entry.env + "_FILE", named)
        if where is None:
            continue
        try:
            _read_secret(raw, entry, str(where), path)
        except ConfigurationError as error:
            wrong.append(error)


def _read_secret(raw: dict[str, Any], entry: Entry, where: str, path: Path | None) -> None:
    if _pop(raw, entry.key) not in (None, ""):
        right = f"set either {entry.name} or {entry.name}_file, not both"
        raise ConfigurationError(entry.key, "…", right, file=str(path or ""))
    folder = path.parent if path else Path()
    _put(raw, entry.key, read_private(folder / where, entry.key + "_file", file=str(path or "")))


def _pop(raw: Mapping[str, Any], key: str) -> Any:
    *sections, name = key.split(".")
    table: Any = raw
    for section in sections:
        table = table.get(section) if isinstance(table, dict) else None
    return table.pop(name, None) if isinstance(table, dict) else None


def _put(raw: dict[str, Any], key: str, value: Any) -> None:
    *sections, name = key.split(".")
    for section in sections:
        raw = raw.setdefault(section, {})
    raw[name] = value


def _build(cls: type, raw: Mapping[str, Any], prefix: str, file: str, wrong: list[ConfigurationError]) -> Any:
    """The section, None where a setting that it needs is missing; what cannot be used is added to `wrong`."""
    known = {f.name: f for f in fields(cls) if f.name not in NOT_SETTINGS}
    values, missing = {}, []
    for name, value in raw.items():
        try:
            values[name] = _value(cls, _known(known, name, value, prefix, file), value, prefix + name, file, wrong)
        except ConfigurationError as error:
            wrong.append(error)
    for name, f in known.items():
        if name not in raw and f.default is MISSING and f.default_factory is MISSING:
            missing.append(ConfigurationError(prefix + name, None, f"required: {f.metadata['help']}", file=file))
    wrong += missing
    return None if wrong else cls(**values)


def _known(known: Mapping[str, Any], name: str, value: Any, prefix: str, file: str) -> Any:
    if name in known:
        return known[name]
    close = get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]}?" if close else "valid names: " + ", ".join(known)
    # Text is not shown: it may be a secret under a misspelled name.
    may_be_secret = not isinstance(value, (int, float)) or any(_is_secret(known[near]) for near in close)
    raise ConfigurationError(prefix + name, "…" if may_be_secret else value, f"unknown setting; {hint}", file=file)


def _is_secret(f: Any) -> bool:
    return bool(f.metadata.get("secret"))


def _value(cls: type, f: Any, value: Any, key: str, file: str, wrong: list[ConfigurationError]) -> Any:
    if f.name in TABLES and cls is Settings:
        return _table(TABLES[f.name], value, key, file, wrong)
    hint = _hints(cls)[f.name]
    if is_dataclass(hint):
        if not isinstance(value, Mapping):
            raise ConfigurationError(key, "…", f"expected a table: [{key}]", file=file)
        return _build(hint, value, key + ".", file, wrong)  # type: ignore[arg-type]  # is_dataclass leaves instance | type
    shown = "…" if f.metadata["secret"] or _has_userinfo(value) else value
    converted = _convert(hint, value, key, file, shown)
    expected = f.metadata["check"](converted) if f.metadata.get("check") else ""
    if expected:
        raise ConfigurationError(key, shown, f"expected {expected}", file=file)
    return converted


def _has_userinfo(value: Any) -> bool:
    """Whether a URL may have a password in it, which no message repeats."""
    return isinstance(value, str) and "://" in value and "@" in value


def _table(cls: type, value: Any, key: str, file: str, wrong: list[ConfigurationError]) -> tuple[Any, ...]:
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        raise ConfigurationError(key, value, f"expected a list of tables: [[{key}]]", file=file)
    return tuple(_build(cls, item, f"{key}[{n}].", file, wrong) for n, item in enumerate(value))


def _convert(hint: Any, value: Any, key: str, file: str, shown: Any) -> Any:
    kind = get_origin(hint) or hint
    if kind in (Union, types.UnionType):
        kind = get_args(hint)[0]
    converter = _CONVERTERS[kind]
    try:
        return converter(value)
    except (TypeError, ValueError):
        raise ConfigurationError(key, shown, f"expected {_NAMES[kind]}", file=file) from None


def _to_bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    words = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
    if not isinstance(value, str) or value.lower() not in words:
        raise ValueError
    return words[value.lower()]


def _to_number(kind: type) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        if isinstance(value, bool) or (isinstance(value, float) and kind is int):
            raise ValueError
        return kind(value)

    return convert


def _to_text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _to_list(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):  # environment and flags: comma separated
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return tuple(_to_text(item) for item in value)


def _to_words(value: Any) -> dict[str, str]:
    return {_to_text(k): _to_text(v) for k, v in dict(value).items()}


_CONVERTERS: Final[dict[Any, Callable[[Any], Any]]] = {
    bool: _to_bool,
    int: _to_number(int),
    float: _to_number(float),
    str: _to_text,
    tuple: _to_list,
    dict: _to_words,
}
_NAMES: Final[dict[Any, str]] = {
    bool: "true or false",
    int: "an integer",
    float: "a number",
    str: "a string",
    tuple: "a list of strings",
    dict: "a table of strings",
}


def _hints(cls: type) -> dict[str, Any]:
    return get_type_hints(cls)
