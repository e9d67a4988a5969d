"""Build the gateways that come as Go source, and the tools that check deploy/: `python -m benchmarks.live.build [NAME …]`.

Each is built once and kept (benchmarks/live/golang.py). One that cannot be built is named, and its tests are skipped.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Final

from benchmarks.live import caddy, deploy_tools, krakend, oauth2_proxy, pubsub_server, traefik
from benchmarks.live.golang import BuildFailed, GoProgram

PROGRAMS: Final[tuple[GoProgram, ...]] = (
    caddy.PROGRAM, krakend.PROGRAM, oauth2_proxy.PROGRAM, pubsub_server.PROGRAM, traefik.PROGRAM, deploy_tools.HELM, deploy_tools.KUBECONFORM,
    deploy_tools.DOCKERFILE_LINT,
)  # fmt: skip


def main(names: Sequence[str]) -> int:
    """Build the named ones, or all. Always 0 but for a name that nothing has: a machine without Go is no mistake."""
    known = {program.name: program for program in PROGRAMS}
    if unknown := [name for name in names if name not in known]:
        print(f"no such gateway: {', '.join(unknown)}; there are {', '.join(known)}")
        return 2
    failed = [name for name in names or known if not _build(known[name])]
    if failed:
        print(f"not built, their tests are skipped: {', '.join(failed)}")
    return 0


def _build(program: GoProgram) -> bool:
    is_there, start = not program.missing(), time.monotonic()
    try:
        program.build()
    except (BuildFailed, OSError, subprocess.SubprocessError) as error:
        print(f"{program.name} {program.version}: {error}", flush=True)
        return False
    took = "is built" if is_there else f"built in {time.monotonic() - start:.0f} s"
    print(f"{program.name} {program.version}: {took}", flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
