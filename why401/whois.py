"""Which failure groups affect a user: the value is hashed, looked up, audited, and never written anywhere."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import duckdb
import orjson

from analyzer.lake import connect_reader, run_query
from collector.errors import Why401Error
from collector.redaction.pseudonyms import Pseudonyms
from collector.settings import Settings
from collector.settings.private import exposure, os_user
from collector.token.issuer_names import IssuerNames

AUDIT_FILE: Final = "whois-audit.jsonl"
MAX_AUDIT_BYTES: Final = 64 << 20  # about 200,000 questions; then somebody should look at it and move it away
MAX_ISSUERS: Final = 10_000  # the busiest ones
TIMEOUT_S: Final = 60.0
_ISSUERS: Final = "SELECT issuer FROM issuers GROUP BY issuer ORDER BY sum(passing + failing) DESC LIMIT ?"


class NotAudited(Why401Error):
    """The question could not be recorded, so it is not answered."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"not answered, because the question cannot be recorded: {path}: {why}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """One group that affects the user; `failures` and `since` are None when its events are past their retention."""

    group_id: str
    failures: int | None
    since: datetime | None
    pseudonyms: tuple[str, ...]
    title: str = ""
    state: str = ""  # set by a person, else new, ongoing, quiet …


class Whois:
    """Answers questions about users of one lake. Each is on disk in the audit log before it is answered."""

    def __init__(
        self, con: duckdb.DuckDBPyConnection, keys: Sequence[Pseudonyms], issuers: Sequence[str], log: Path
    ) -> None:
        self._con, self._keys, self._issuers, self._log = con, keys, issuers, log
        self._query = files("why401").joinpath("queries", "whois.sql").read_text(encoding="utf-8")

    def groups(self, kind: str, value: str) -> tuple[Membership, ...]:
        """The groups with failures of this value, those with the most first. Raises NotAudited, LakeError."""
        pseudonyms = [key.of(kind, f"{issuer} {value}") for key in self._keys for issuer in self._issuers]
        found = run_query(self._con, self._query, (pseudonyms,), timeout_s=TIMEOUT_S).dicts()
        answer = tuple(_membership(row) for row in found)
        append(self._log, _entry(self._keys[-1], kind, value, answer))
        return answer


@contextmanager
def opened(settings: Settings, keys: Sequence[Pseudonyms], issuers: Sequence[str]) -> Iterator[Whois]:
    """Over the lake of the settings; `issuers` are tried beside those configured and seen. Raises NoStore."""
    con = connect_reader(settings, memory_mib=settings.dashboard.memory_mib)
    try:
        yield Whois(con, keys, _issuers(con, settings, issuers), settings.data_path / AUDIT_FILE)
    finally:
        con.close()


def append(path: Path, entry: dict[str, Any]) -> None:
    """Append one line to the audit log, on disk when this returns. Raises NotAudited."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise NotAudited(path, str(error.strerror)) from None
    try:
        _refuse(path, os.fstat(handle))
        line = orjson.dumps(entry) + b"\n"
        if os.write(handle, line) != len(line):
            raise NotAudited(path, "the disk is full")
        os.fsync(handle)
    except OSError as error:
        raise NotAudited(path, str(error.strerror)) from None
    finally:
        os.close(handle)


def _issuers(con: duckdb.DuckDBPyConnection, settings: Settings, given: Sequence[str]) -> list[str]:
    """Every issuer that a token of the user may have named; "" is a token without.

    As pseudonyms name them, and as tokens spelled them: older stores have a pseudonym per spelling.
    """
    seen = [row[0] for row in run_query(con, _ISSUERS, (MAX_ISSUERS,), timeout_s=TIMEOUT_S).rows]
    spelled = ["", *given, *(issuer.issuer for issuer in settings.issuers), *seen]
    names = IssuerNames(issuer.issuer for issuer in settings.issuers)
    return list(dict.fromkeys([*map(names.of, spelled), *spelled]))


def _membership(row: dict[str, Any]) -> Membership:
    return Membership(
        group_id=row["group_id"],
        failures=row["failures"],
        since=row["since"],
        pseudonyms=tuple(row["pseudonyms"]),
        title=row["title"],
        state=row["state"],
    )


def _entry(newest: Pseudonyms, kind: str, value: str, answer: Sequence[Membership]) -> dict[str, Any]:
    """What the audit log keeps: `asked` is a pseudonym of the value alone, so that questions about one can be counted."""
    found = sorted({pseudonym for membership in answer for pseudonym in membership.pseudonyms})
    return {
        "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "os_user": os_user(),
        "kind": kind,
        "epoch": newest.epoch,
        "asked": newest.of(f"whois {kind}", value),
        "found": found,
    }


def _refuse(path: Path, status: os.stat_result) -> None:
    wrong = exposure(status, is_ours=True)
    if wrong:
        raise NotAudited(path, wrong)
    if status.st_size > MAX_AUDIT_BYTES:
        raise NotAudited(path, f"it is larger than {MAX_AUDIT_BYTES >> 20} MiB; move it away")
