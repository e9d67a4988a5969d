"""PyArrow told that there is no pandas: to look for its types among our values it imports pandas, which takes a second and 60 MiB.

No setting of PyArrow's prevents that. It looks once, and remembers; who asks it for a frame later gets one all the same.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from types import ModuleType

import pyarrow as pa


class _NoPandas(MetaPathFinder):
    def find_spec(self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None) -> None:
        if fullname == "pandas":
            raise ModuleNotFoundError(fullname, name=fullname)


def settle() -> None:
    """Let PyArrow look for pandas while it is not to be found. Nothing to do when it is imported already."""
    if "pandas" in sys.modules:
        return
    finder = _NoPandas()
    sys.meta_path.insert(0, finder)
    try:
        pa.array([])
    finally:
        sys.meta_path.remove(finder)
