"""The recipes of docs/gateways: live gateways are started with what they say to paste, and followed by what they say to run.

In a page, the second word behind a fence names the block: "```nginx log" is the block `log`. A block `run` holds the commands of a
newcomer. Folders of the page (`/etc/…`, `/var/log/…`) are replaced by the one in which the gateway runs; nothing else is changed.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

PAGES: Final = Path(__file__).parents[2] / "docs" / "gateways"
_BLOCK: Final = re.compile(r"(?ms)^```\w+ (\S+)\n(.*?)^```$")
_FOLDER: Final = re.compile(r"(?<![\w./])/(?:etc|var/log|opt)/(?:[\w.-]+/)*(?=[\w-]|\s)")


@dataclass(frozen=True, slots=True)
class Recipe:
    """One page, and the block of it that has the commands."""

    page: str
    run: str = "run"

    def block(self, label: str, folder: Path) -> str:
        """What the page says to paste, with its folders replaced.

        >>> Recipe("nginx").block("log", Path("/tmp")).strip().splitlines()[-1]
        'error_log /tmp/error.log info;'
        """
        blocks = dict(_BLOCK.findall((PAGES / f"{self.page}.md").read_text(encoding="utf-8")))
        return _FOLDER.sub(lambda _: f"{folder}/", blocks[label])

    def configurations(self, folder: Path) -> list[str]:
        """What `why401 init` reads.

        >>> Recipe("nginx").configurations(Path("/tmp"))
        ['/tmp/nginx.conf']
        """
        return self._values("init", "--from", folder)

    def logs(self, folder: Path) -> list[str]:
        """What `why401 up` reads.

        >>> Recipe("nginx").logs(Path("/tmp"))
        ['/tmp/error.log', '/tmp/why401.log']
        """
        return self._values("up", "--file", folder)

    def _values(self, command: str, option: str, folder: Path) -> list[str]:
        """The values of an option in the command of that name; a command may go on behind a backslash."""
        for line in self.block(self.run, folder).replace("\\\n", " ").splitlines():
            words = shlex.split(line.removeprefix("$ "), comments=True)
            if words[:2] == ["why401", command]:
                return [value for name, value in pairwise(words) if name == option]
        raise LookupError(f"{self.page}.md, block {self.run}: no command why401 {command}")
