"""What manifests hold: objects, the containers of ours, and the settings that one starts with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson
import trustme
import yaml

CONFIG_AT: Final = "/etc/why401/"
SECRETS_AT: Final = f"{CONFIG_AT}secrets/"
TOKEN: Final = "t" * 32
Object = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Container:
    """A container that runs why401, with the pod that it is in."""

    args: tuple[str, ...]
    env: Mapping[str, str]  # from a Secret: its key
    spec: Object = field(repr=False)
    pod: Object = field(repr=False)

    @property
    def mounts(self) -> Mapping[str, str]:
        """Where each volume is."""
        return {one["mountPath"]: one["name"] for one in self.spec["volumeMounts"]}


def objects(text: str) -> list[Object]:
    """Every document of a file that is not empty."""
    return [one for one in yaml.safe_load_all(text) if one]


def containers(found: list[Object]) -> Iterator[Container]:
    """Those of pods in the objects whose image is ours."""
    for one in found:
        pod = one.get("spec", {}).get("template", {}).get("spec", {})
        for spec in (*pod.get("initContainers", ()), *pod.get("containers", ())):
            if spec["image"].split("@")[0].split(":")[0].split("/")[-1] == "why401":
                env = {each["name"]: each.get("value", "from-a-secret") for each in spec["env"]}
                yield Container(args=tuple(spec["args"]), env=env, spec=spec, pod=pod)


def config(found: list[Object]) -> str:
    """why401.toml of the ConfigMap."""
    return next(
        one["data"]["why401.toml"] for one in found if one["kind"] == "ConfigMap" and "why401.toml" in one["data"]
    )


def laid_out(container: Container, toml: str, folder: Path) -> dict[str, str]:
    """The container's environment, with its files below `folder` instead of /etc/why401, each with content of its kind."""
    (folder / "why401.toml").write_text(toml, encoding="utf-8")
    made = _Made()
    environ = {"HOME": str(folder)}
    for name, value in container.env.items():
        if value.startswith(SECRETS_AT):
            path = folder / value.removeprefix(CONFIG_AT)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(made.content(name))
            path.chmod(0o440)
            environ[name] = str(path)
        else:
            environ[name] = value.replace(CONFIG_AT, f"{folder}/").replace("/var/lib/why401", str(folder / "lib"))
    return environ


class _Made:
    """Contents of Secrets: one authority for all certificates."""

    def __init__(self) -> None:
        self._ca = trustme.CA()
        self._leaf = self._ca.issue_cert("why401.why401.svc")

    def content(self, setting: str) -> bytes:
        """Of the file that a variable names."""
        known = {
            "WHY401_PSEUDONYM_KEY": orjson.dumps({"epoch": 1, "key": "ab" * 32, "created": "2026-11-30T00:00:00+00:00"}),
            "WHY401_OTLP_TOKEN_FILE": f"edge {TOKEN}\n".encode(),
            "WHY401_ALERTS_URLS_FILE": b"hook jsons://alerts.example.com/hook\n",
            "WHY401_STORE_CATALOG_FILE": b"postgres:dbname=why401 host=postgres user=why401 password=p",
        }  # fmt: skip
        if setting in known:
            return known[setting]
        if setting.endswith(("_TLS_CERT", "_SSL_CERTFILE")):
            return b"".join(blob.bytes() for blob in self._leaf.cert_chain_pems)
        if setting.endswith(("_TLS_KEY", "_SSL_KEYFILE")):
            return self._leaf.private_key_pem.bytes()
        if setting.endswith(("_CA", "_CAFILE")):
            return self._ca.cert_pem.bytes()
        return b"secret-of-the-test"
