"""Every error of a reader or writer of the lake, beside Fenced and SinkUnavailable of the sink's contract.

Why401Error
└── LakeError             the root, so that one place can turn any of them into words
    ├── NoStore           there is no lake at that place yet, or none with views in it
    ├── LostCatalog       there is no catalog, but the files of one; a new one would know none of them
    ├── DamagedCatalog    the catalog is cut or overwritten
    ├── DamagedFile       one data file is missing, cut or overwritten; everything else can be read
    ├── OtherFormat       the catalog has DuckLake's format of an older or newer version
    ├── PositionsBroken   a partition's position in the lake cannot be proved to be the latest; nothing is written
    ├── NewerStore        a later why401 migrated the lake; this one must not write to it
    ├── OlderStore        the lake lacks migrations of this version; the writer must be upgraded first
    ├── NotDecided        what a person decided was not stored
    ├── NotCopied         the lake was not copied: no backup, no file of `snapshot`
    ├── BrokenBackup      what is there is no backup that can be restored
    ├── NotRestored       a backup was not restored, and nothing was changed
    ├── UnfinishedRestore the lake is being restored, or a restore of it was cut
    ├── StoreUnavailable  the lake exists and cannot be read at the moment
    ├── NoExtension       a DuckDB extension is not installed; nothing is downloaded at run time
    ├── NotOneQuery       text that is not exactly one SELECT
    ├── QueryTooLarge     a query needs more memory than its connection may use
    ├── QueryRefused      SQL that is not one SELECT over the views, or that DuckDB rejected
    └── QueryTimeout      a reader's query took too long and was interrupted
"""

from __future__ import annotations

from collections.abc import Sequence

from collector.errors import Why401Error


class LakeError(Why401Error):
    """Something about the lake that a person can act on."""


class NoStore(LakeError):
    """The catalog does not exist, or has no views yet; the first writer creates both."""

    def __init__(self, place: str) -> None:
        super().__init__(f"no store at {place}; `why401 up` creates one")
        self.place = place


class LostCatalog(LakeError):
    """The catalog is gone and its data files are there."""

    def __init__(self, place: str, data: str) -> None:
        super().__init__(
            f"there is no catalog at {place}, but {data} has data files: a new catalog would know none of them, and they would be"
            " deleted after a day. Put the catalog back, or restore a backup; to begin a new lake, move the data files away"
        )
        self.place = place
        self.data = data


class DamagedCatalog(LakeError):
    """The database behind the lake cannot be read as one."""

    def __init__(self, place: str) -> None:
        super().__init__(
            f"the catalog ({place}) is damaged; nothing was written. Stop why401, move the catalog away and put a copy in its"
            " place, or restore a backup"
        )
        self.place = place


class DamagedFile(LakeError):
    """One data file of the lake; `name` is without its folder."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"the data file {name} is missing or damaged; everything else can be read. `why401 doctor --lake` says which"
            " time range is hurt, `why401 repair` detaches the file"
        )
        self.name = name


class OtherFormat(LakeError):
    """The catalog was written by a DuckLake of another version than the one that is installed."""

    def __init__(self, found: str, supported: str) -> None:
        super().__init__(
            f"the catalog has DuckLake's format {found}, and this why401 reads format {supported}; nothing was changed."
            " Use the why401 that wrote it, or `why401 snapshot` there and keep the file"
        )
        self.found = found
        self.supported = supported


class NewerStore(LakeError):
    """The lake has migrations that this version does not know."""

    def __init__(self, migrations: Sequence[str]) -> None:
        super().__init__(f"a newer why401 applied {', '.join(migrations)}; upgrade this one before it writes")
        self.migrations = tuple(migrations)


class OlderStore(LakeError):
    """The lake lacks migrations of this version. Only a writer that runs migrates; whoever writes a row does not."""

    def __init__(self) -> None:
        super().__init__("an older why401 writes this store; upgrade `why401 up` or `why401 analyze` first")


class NotDecided(LakeError):
    """A decision of a person that was not stored. `kind` is the class of DuckDB's error."""

    def __init__(self, place: str, kind: str) -> None:
        super().__init__(f"not stored: the store at {place} refuses the change ({kind}); nothing was changed")
        self.place = place
        self.kind = kind


class NotCopied(LakeError):
    """No copy of the lake was made at `place`; `why` is the rest of the sentence."""

    def __init__(self, place: str, why: str) -> None:
        super().__init__(f"the lake was not copied to {place}: {why}")
        self.place = place


class BrokenBackup(LakeError):
    """What is at `place` cannot be restored; `why` says what is wrong with it."""

    def __init__(self, place: str, why: str) -> None:
        super().__init__(f"the backup in {place} cannot be restored: {why}. Nothing was changed; take another backup")
        self.place = place


class NotRestored(LakeError):
    """A whole backup, and a place that cannot take it."""

    def __init__(self, place: str, why: str) -> None:
        super().__init__(f"nothing was restored to {place}: {why}")
        self.place = place


class UnfinishedRestore(LakeError):
    """A restore began here and has not ended."""

    def __init__(self) -> None:
        super().__init__("this lake is being restored; if the restore was cut, run `why401 restore` again")


class PositionsBroken(LakeError):
    """It cannot be proved how far a partition was read. Going on might store records twice, so the writer ends."""

    def __init__(self, topic: str, partition: int, what: str, remedy: str) -> None:
        super().__init__(f"{topic}[{partition}]: {what}. Nothing was written; {remedy}")
        self.topic = topic
        self.partition = partition


class StoreUnavailable(LakeError):
    """The lake cannot be read. `kind` is the reason, or the class of DuckDB's error: its text may hold a connection string."""

    def __init__(self, place: str, kind: str) -> None:
        super().__init__(f"the store at {place} cannot be read ({kind})")
        self.place = place
        self.kind = kind


class NoExtension(LakeError):
    """The package of a DuckDB extension is not installed in the engine's version."""

    def __init__(self, name: str, version: str) -> None:
        package = f"duckdb-extension-{name.replace('_', '-')}"
        super().__init__(f"DuckDB extension {name} is not installed: pip install {package}=={version}")
        self.name = name


class NotOneQuery(LakeError):
    """A reader runs one SELECT at a time; `found` names the statements' types."""

    def __init__(self, found: Sequence[str]) -> None:
        super().__init__(f"expected one SELECT, found {', '.join(found) or 'nothing'}")
        self.found = tuple(found)


class QueryRefused(LakeError):
    """SQL that is not run. `why` says what is allowed, or what DuckDB says."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class QueryTooLarge(LakeError):
    """A query needed more memory than its connection may use."""

    def __init__(self, memory_mib: int) -> None:
        super().__init__(
            f"the query needs more than {memory_mib} MiB of memory; choose a shorter time range or fewer columns"
        )
        self.memory_mib = memory_mib


class QueryTimeout(LakeError):
    """The query ran, or waited for its turn, for `timeout_s`; the connection is ready for the next one."""

    def __init__(self, timeout_s: float) -> None:
        super().__init__(f"query interrupted after {timeout_s:g} s; narrow its time range or raise the timeout")
        self.timeout_s = timeout_s
