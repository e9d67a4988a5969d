"""Makes collector/redaction/rules/learned.bin: the words that programs write, and the names that people have.

    pip install faker && python -m benchmarks.redaction.vocabulary FOLDER…

Words: lower-case words of the texts below the folders (site-packages, /usr/share/doc, this repository) that occur six
times in three packages. Words of other languages: from the translations (`.mo`) of packages below the folders; learned from django, django-allauth,
django-axes, django-two-factor-auth, flask-security-too and wtforms (BSD, MIT), as unpacked wheels. Names: Faker's lists of all locales that are spelt in Latin letters (MIT). What is a name and a frequent word (`grant`,
`mark`) counts as a word.
"""

from __future__ import annotations

import gettext
import importlib
import os
import pkgutil
import re
import sys
import unicodedata
import zlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from collector.redaction.views import fold
from collector.redaction.vocabulary import MAX_WORD, MIN_NAME, PATH, bits, is_first_name, is_known

BITS_A_WORD = 11
LEAST_COUNT, LEAST_PACKAGES = 6, 3
MOSTLY_A_WORD = 40  # occurrences that make a name a word
ALWAYS_A_WORD = 400
MAX_BYTES = 1_500_000
SUFFIXES = (".py", ".md", ".rst", ".txt", ".toml", ".js", "METADATA", "README", "copyright")
# Languages that are written in Latin letters.
LANGUAGES = frozenset(
    (
        "de", "fr", "es", "es_MX", "es_AR", "es_CO", "it", "nl", "pt", "pt_BR", "pl", "cs", "sk", "hu", "ro", "fi", "sv", "da", "nb", "nn", "id",
        "ms", "tr", "hr", "sl", "sr_Latn", "lt", "lv", "et", "ca", "vi", "sq", "is", "eu", "gl",
    )
)  # fmt: skip
_FOREIGN = re.compile(r"[^\W\d_]{3,24}")
_PLACEHOLDER = re.compile(r"%\([a-z_]+\)s|\{[^}]*\}|<[^>]*>")
_WORD = re.compile(r"(?<![A-Za-z_])[a-z]{2,20}(?![A-Za-z_])")


def words(folders: Collection[str]) -> Counter[str]:
    """Words that are common in the texts below the folders, with how often they occur."""
    counts: Counter[str] = Counter()
    packages: dict[str, set[str]] = defaultdict(set)
    for package, path in _files(folders):
        found = Counter(_WORD.findall(path.read_text(encoding="utf-8", errors="ignore")))
        counts.update(found)
        for word in found:
            packages[word].add(package)
    common = {w: n for w, n in counts.items() if n >= LEAST_COUNT and len(packages[w]) >= LEAST_PACKAGES}
    return Counter(common)


def _files(folders: Collection[str]) -> Iterator[tuple[str, Path]]:
    for root in folders:
        for folder, _, names in os.walk(root):
            if "/.git" in folder or "faker" in folder:
                continue
            package = folder.removeprefix(root).rpartition("site-packages")[2].strip("/").partition("/")[0]
            for name in names:
                path = Path(folder) / name
                if name.endswith(SUFFIXES) and path.is_file() and path.stat().st_size < MAX_BYTES:
                    yield package, path


def translated(folders: Collection[str]) -> set[bytes]:
    """Words of translations into languages with Latin letters, as redaction reads them."""
    found: set[str] = set()
    for message in _messages(folders):
        found.update(_FOREIGN.findall(_PLACEHOLDER.sub(" ", message).lower()))
    folded = {fold(word).lower() for word in found}
    return {word for word in folded if 0x80 not in word and not is_first_name(word) and not is_known(word)}


def _messages(folders: Collection[str]) -> Iterator[str]:
    for path in (path for root in folders for path in Path(root).rglob("*.mo")):
        if not LANGUAGES.isdisjoint(path.parts):
            with path.open("rb") as file:
                yield from gettext.GNUTranslations(file)._catalog.values()  # type: ignore[attr-defined]  # noqa: SLF001


def people() -> tuple[set[str], set[str]]:
    """Given names and family names."""
    from faker.providers import person  # type: ignore[import-not-found,unused-ignore]

    first: set[str] = set()
    last: set[str] = set()
    for module in pkgutil.iter_modules(person.__path__):
        provider = importlib.import_module(f"{person.__name__}.{module.name}").Provider
        for attribute in dir(provider):
            if attribute.startswith(("first_names", "last_names")):
                target = first if attribute.startswith("first") else last
                target.update(filter(None, map(_plain, _listed(getattr(provider, attribute)))))
    return first, last


def _listed(value: Any) -> list[str]:
    return [name for name in value if isinstance(name, str)] if hasattr(value, "__iter__") else []


def _plain(name: str) -> str:
    """In lower-case ASCII, or "" when that loses letters."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    fits = plain.isalpha() and MIN_NAME <= len(plain) <= MAX_WORD and len(plain) >= len(name) - 1
    return plain if fits else ""


def bloom(members: Collection[bytes]) -> bytes:
    """A filter of the members, its size before it."""
    data = bytearray((len(members) * BITS_A_WORD + 7) // 8)
    for member in sorted(members):
        for bit in bits(member, len(data) * 8):
            data[bit >> 3] |= 1 << (bit & 7)
    return len(data).to_bytes(4, "big") + bytes(data)


def main(folders: Collection[str]) -> None:
    """Write the file."""
    counts = words(folders)
    first, last = people()
    known = {word for word, n in counts.items() if n >= MOSTLY_A_WORD or word not in first | last}
    first = {name for name in first if counts[name] < ALWAYS_A_WORD}
    foreign = translated(folders)
    filters = (map(str.encode, known), map(str.encode, first), foreign)
    PATH.write_bytes(zlib.compress(b"".join(bloom(set(members)) for members in filters), 9))
    print(
        f"{len(known):,} words, {len(first):,} given names, {len(foreign):,} foreign words, {PATH.stat().st_size:,} bytes"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
