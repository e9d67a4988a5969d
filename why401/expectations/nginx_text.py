"""nginx's configuration → directives with line numbers, by crossplane. Included files are not opened."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from why401.expectations.formats import Unreadable


def directives(text: str, file: str) -> list[dict[str, Any]]:
    """Crossplane's directives: `directive`, `line`, `args`, `block`. Raises Unreadable."""
    import crossplane

    with _as_file(text) as name:
        payload = crossplane.parse(name, single=True, catch_errors=True, check_ctx=False, check_args=False)
    for error in payload["errors"]:
        says = str(error["error"]).replace(name, file)
        raise Unreadable(
            file, f"no valid nginx configuration: {says.rpartition(' in ')[0] or says}", error["line"] or 0
        )
    parsed: list[dict[str, Any]] = payload["config"][0]["parsed"]
    return parsed


@contextmanager
def _as_file(text: str) -> Iterator[str]:
    """Crossplane reads files only, and a text may come from standard input: one in memory where the system has them."""
    if hasattr(os, "memfd_create"):
        handle = os.memfd_create("nginx.conf")
        name = f"/proc/self/fd/{handle}"
    else:
        handle, name = tempfile.mkstemp(prefix="why401-")
    with os.fdopen(handle, "w", encoding="utf-8") as copy:
        copy.write(text)
        copy.flush()
        try:
            yield name
        finally:
            if not name.startswith("/proc/"):
                Path(name).unlink()
