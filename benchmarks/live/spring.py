"""A Spring Boot resource server: issuer, audience and key set by Boot's properties.

Spring Security tells of a refusal at DEBUG only, and never shows the token. Tomcat's access log has the token and the
challenge, reason and all, where its pattern names these headers. Each log is driven for itself.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.live.contract import Running
from benchmarks.live.golang import SOURCES, BuildFailed, cached
from benchmarks.live.process import running
from benchmarks.live.recipe import Recipe
from tests.brokers import free_ports
from why401.demo.mint import Mint

VERSION: Final = "3.5.9"  # the parent in spring/pom.xml
BUILD_S: Final = 300.0  # a hang limit; 13 s with an empty Maven cache
_SOURCE: Final = SOURCES / "spring"
RECIPE: Final = Recipe("spring")
_LEFT_OUT: Final = {
    "headers-too-large": "Tomcat answers 400 and has read no header by then: the line is that of any bad request",
}


def jar() -> Path:
    """The application, built by Maven when it is not there. Raises BuildFailed."""
    built = cached("spring", VERSION, _SOURCE) / "orders.jar"
    if built.exists():
        return built
    built.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=built.parent) as name:
        folder = Path(name) / "source"
        shutil.copytree(_SOURCE, folder)
        command = ["nice", "mvn", "-q", "-B", "package"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=BUILD_S, check=False)
        if done.returncode != 0:
            raise BuildFailed(f"Maven could not build it: {done.stdout[-500:]}")
        (folder / "target" / "orders.jar").replace(built)
    return built


class Spring:
    """One application, told by its own log or by its Tomcat's."""

    def __init__(self, *, access_log: bool) -> None:
        self.name = f"Spring Boot ({'access log with headers' if access_log else 'DEBUG log'})"
        self.kind = "apache" if access_log else "spring"  # Tomcat's log is Apache's common format
        self.without_token = not access_log
        self.relabelled: Mapping[str, str] = {}
        self.left_out: Mapping[str, str] = _LEFT_OUT if access_log else {}
        self._has_access_log = access_log

    def missing(self) -> str:
        """What this machine lacks, found by building it."""
        lacking = [tool for tool in ("java", "javac", "mvn") if shutil.which(tool) is None]
        if lacking:
            return f"{' and '.join(lacking)} not installed"
        try:
            jar()
        except (BuildFailed, OSError, subprocess.SubprocessError) as error:
            return str(error)
        return ""

    @contextmanager
    def run(self, folder: Path, mint: Mint, jwks_url: str) -> Iterator[Running]:
        """Start it; it answers by itself."""
        (port,) = free_ports(1)
        settings = _settings(port, mint, jwks_url)
        log, access = folder / "spring.log", folder / "access.log"
        command = ["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx256m", "-jar", str(jar())]
        config = folder / "application.properties"
        pasted = RECIPE.block("access" if self._has_access_log else "debug", folder)
        config.write_text("".join(f"{name}={value}\n" for name, value in settings.items()) + pasted)
        with running([*command, f"--spring.config.location={config.as_uri()}"], port, log):
            if self._has_access_log:
                yield Running(port, (access,), config=config, recipe=RECIPE)
            else:
                yield Running(port, (log,), config=config)


def _settings(port: int, mint: Mint, jwks_url: str) -> dict[str, str]:
    shop, token = mint.issuers["shop"], "spring.security.oauth2.resourceserver.jwt"
    return {
        "server.address": "127.0.0.1",
        "server.port": str(port),
        "spring.main.banner-mode": "off",
        f"{token}.jwk-set-uri": jwks_url,
        f"{token}.issuer-uri": shop.url,
        f"{token}.audiences": shop.audience,
    }


GATEWAY: Final = Spring(access_log=False)
WITH_ACCESS_LOG: Final = Spring(access_log=True)
