"""The demo's why401.toml: what an operator who knows the issuers would write, and nothing about the faults."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import orjson

from why401.demo.mint import Mint

FETCHED: Final = ("shop", "staff", "acquired", "merged")  # key sets by URL; the others are files


def write_config(folder: Path, mint: Mint, *, services: int, otlp: int, dashboard: int = 0, pager: int = 0) -> Path:
    """Write FOLDER/why401.toml and the key set files, for these loopback ports; the path of the TOML file.

    `pager`: where alerts are posted to, as soon as they are true; 0: there are none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tables: list[tuple[str, dict[str, Any]]] = [
        ("", {"data_dir": str(folder / "data")}),
        ("[otlp]", {"grpc": f"127.0.0.1:{otlp}", "http": ""}),
        ("[telemetry]", {"prometheus": ""}),
        ("[dashboard]", {"address": f"127.0.0.1:{dashboard}" if dashboard else ""}),
        *([("[alerts]", _alerts(pager))] if pager else []),
        *(("[[issuers]]", _issuer(folder, mint, name, services)) for name in mint.issuers),
    ]
    path = folder / "why401.toml"
    path.write_text("\n".join(_table(head, values) for head, values in tables), encoding="utf-8")
    path.chmod(0o600)  # URLs of channels may hold passwords: why401 insists
    return path


def _alerts(pager: int) -> dict[str, Any]:
    # Judged as often as can be, and over as soon as it is: nobody is woken twice by a demo.
    return {
        "urls": f"terminal webhook+http://127.0.0.1:{pager}/", "interval_seconds": 5, "settle_minutes": 0,
    }  # fmt: skip


def _issuer(folder: Path, mint: Mint, name: str, services: int) -> dict[str, Any]:
    issuer = mint.issuers[name]
    return {
        "issuer": issuer.url,
        "audiences": [issuer.audience],
        "algorithms": list(issuer.algs),
        "jwks": _jwks(folder, mint, name, services),
        "user_claim": "sub",
        "required_claims": ["exp"],
        "clock_skew_seconds": 60,
    }


def _jwks(folder: Path, mint: Mint, name: str, services: int) -> str:
    if name in FETCHED:
        return f"http://127.0.0.1:{services}/jwks/{name}.json"
    path = folder / f"{name}.jwks.json"
    path.write_bytes(orjson.dumps(mint.jwks(name)))
    path.chmod(0o600)  # HS256: the key set is the secret
    return str(path)


def _table(head: str, values: dict[str, Any]) -> str:
    # JSON's texts, numbers and lists of texts are TOML's, too.
    lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
    return "\n".join([*([head] if head else []), *lines, ""])
