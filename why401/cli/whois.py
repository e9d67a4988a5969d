"""`why401 whois`: which groups of failures met this user? The value is hashed, looked up, and never written anywhere."""

from __future__ import annotations

import os
import pwd
import stat
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import orjson

from collector.errors import Why401Error
from collector.redaction import key_file
from collector.redaction.pseudonyms import Pseudonyms
from collector.settings import Settings
from why401.cli import options

if TYPE_CHECKING:
    import duckdb

AUDIT_FILE: Final = "whois-audit.jsonl"
MAX_AUDIT_BYTES: Final = 64 << 20  # about 200,000 questions; then somebody should look at it and move it away
MAX_ISSUERS: Final = 10_000  # the busiest ones
_ISSUERS: Final = "SELECT issuer FROM issuers GROUP BY issuer ORDER BY sum(passing + failing) DESC LIMIT ?"


class NotAudited(Why401Error):
    """The question could not be written down, so it is not answered."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"no answer, because it cannot be written down: {path}: {why}")


@click.command("whois")
@click.argument("kind", type=click.Choice(["user"]), default="user")
@click.argument("value", required=False)
@options.config
@options.data_dir
@click.option("--stdin", "from_stdin", is_flag=True, help="Values from standard input, one a line.")
@click.option(
    "--issuer", "issuers", multiple=True, help="An issuer to try besides those configured and seen (repeatable)."
)
def command(
    kind: str,
    value: str | None,
    config_file: str | None,
    data_dir: str | None,
    from_stdin: bool,
    issuers: tuple[str, ...],
) -> None:
    """In which groups of failures is a user, how often, since when? Nothing else is told.

    The value is what the token's user claim holds (`sub`, unless configured otherwise). It is asked for; other users
    of this machine can read a VALUE on the command line. It is hashed under every epoch of the pseudonym key with every
    issuer, and each question is appended to whois-audit.jsonl in the data directory before it is answered.
    """
    if value is not None and from_stdin:
        raise click.UsageError("either VALUE or --stdin")
    settings = options.settings(config_file, data_dir=data_dir)
    epochs, _ = key_file.read(options.key_file(settings))
    keys = [Pseudonyms(epoch.key, epoch.number) for epoch in epochs]
    from analyzer.lake import connect_reader

    con = connect_reader(settings, memory_mib=settings.dashboard.memory_mib)
    known = _issuers(con, settings, issuers)
    for number, asked in enumerate(_values(value, from_stdin=from_stdin), 1):
        answer = _look_up(con, keys, kind, asked, known)
        _write_down(settings.data_path / AUDIT_FILE, _entry(keys[-1], kind, asked, answer))
        _tell(answer, f"{number}: " if from_stdin else "")


def _values(value: str | None, *, from_stdin: bool) -> Iterable[str]:
    if from_stdin:
        return (line.rstrip("\r\n") for line in sys.stdin if line.strip())
    return [value if value is not None else click.prompt("Value of the user claim", hide_input=True, err=True)]


def _issuers(con: duckdb.DuckDBPyConnection, settings: Settings, given: Sequence[str]) -> list[str]:
    """Every issuer that a token of the user may have named; "" is a token without."""
    from analyzer.lake import run_query

    seen = [row[0] for row in run_query(con, _ISSUERS, (MAX_ISSUERS,), timeout_s=60).rows]
    return list(dict.fromkeys(["", *given, *(issuer.issuer for issuer in settings.issuers), *seen]))


def _look_up(
    con: duckdb.DuckDBPyConnection, keys: Sequence[Pseudonyms], kind: str, value: str, issuers: Sequence[str]
) -> list[dict[str, Any]]:
    from analyzer.lake import run_query

    query = files("why401").joinpath("queries", "whois.sql").read_text(encoding="utf-8")
    pseudonyms = [key.of(kind, f"{issuer} {value}") for key in keys for issuer in issuers]
    return run_query(con, query, (pseudonyms,), timeout_s=60).dicts()


def _entry(newest: Pseudonyms, kind: str, value: str, answer: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What the audit log keeps: `asked` is a pseudonym of the value alone, so that questions about one can be counted."""
    found = sorted({pseudonym for row in answer for pseudonym in row["pseudonyms"]})
    return {
        "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "os_user": _os_user(),
        "kind": kind,
        "epoch": newest.epoch,
        "asked": newest.of(f"whois {kind}", value),
        "found": found,
    }


def _os_user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user has no name
        return str(os.getuid())


def _write_down(path: Path, entry: dict[str, Any]) -> None:
    """Append one line, on disk when this returns. Raises NotAudited."""
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


def _refuse(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode) or status.st_mode & 0o077:
        raise NotAudited(path, f"mode {stat.S_IMODE(status.st_mode):04o}; expected a regular file, chmod 600")
    if status.st_size > MAX_AUDIT_BYTES:
        raise NotAudited(path, f"it is larger than {MAX_AUDIT_BYTES >> 20} MiB; move it away")


def _tell(answer: Sequence[dict[str, Any]], prefix: str) -> None:
    if not answer:
        click.echo(f"{prefix}in no group")
    for row in answer:
        if row["failures"] is None:
            click.echo(f"{prefix}{row['group_id']}  before the events that are kept")
        else:
            times = "once" if row["failures"] == 1 else f"{row['failures']:,} times"
            click.echo(f"{prefix}{row['group_id']}  {times} since {row['since']:%Y-%m-%d %H:%M:%S %Z}")
