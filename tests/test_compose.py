"""compose.yaml, its demo gateway and the Dockerfile against the code that they start."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.live.deploy_tools import DOCKERFILE_LINT
from collector.settings import ENV_PREFIX, entries, load
from tests.waiting import HANG_S
from why401.cli import main

ROOT = Path(__file__).parents[1]
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service.get("build")}
LAKE = {"LAKE_PASSWORD": "secret-of-the-test"}


def _expand(text: str, environ: dict[str, str]) -> str:
    """Compose's `${NAME:-default}` and `${NAME}`, without nesting."""
    out = ""
    while "${" in text:
        before, _, rest = text.partition("${")
        word, _, text = rest.partition("}")
        name, _, default = word.partition(":-")
        out += before + (environ.get(name) or default)
    return out + text


def _environment(service: str, environ: dict[str, str]) -> dict[str, str]:
    declared = SERVICES[service].get("environment", {})
    return {key: _expand(str(value), environ) for key, value in declared.items() if key.startswith(ENV_PREFIX)}


def _lake_environ() -> dict[str, str]:
    lines = (ROOT / "compose" / "lake.env").read_text().splitlines()
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return LAKE | {key: _expand(value, LAKE) for key, _, value in pairs}


def test_the_services_are_the_distributed_mode():
    """PostgreSQL and S3 come with the profile `lake` only, Prometheus and Grafana with `metrics`."""
    always = {name for name, service in SERVICES.items() if "profiles" not in service}
    lake = {name for name, service in SERVICES.items() if service.get("profiles") == ["lake"]}
    assert always == {"kafka", "collector", "analyzer", "dashboard", "gateway"}
    assert lake == {"postgres", "s3", "bucket"}
    metrics = {name for name, service in SERVICES.items() if service.get("profiles") == ["metrics"]}
    assert metrics == {"prometheus", "grafana"}
    assert set(OURS) == {"collector", "analyzer", "dashboard"}


@pytest.mark.parametrize("service", OURS)
def test_a_command_is_one_of_ours(service: str):
    """The entry point of the image is `why401`."""
    (command,) = SERVICES[service]["command"]
    assert command in main.commands or command in main.list_commands(None)


@pytest.mark.parametrize("service", OURS)
@pytest.mark.parametrize("profile", ["default", "lake"])
def test_the_environment_makes_valid_settings(service: str, profile: str):
    """Every WHY401_ name is a setting, and the settings load with the values that compose fills in."""
    environ = _environment(service, _lake_environ() if profile == "lake" else {})
    known = {entry.env for entry in entries()} | {"WHY401_CONFIG"}
    assert set(environ) <= known
    settings = load(ROOT / "compose" / "why401.toml", environ)
    assert [issuer.issuer for issuer in settings.issuers] == ["https://idp.example.com"]
    has_store = service != "collector"
    assert settings.store.catalog.startswith("postgres:") == (has_store and profile == "lake")
    assert settings.store.data_path.startswith("s3://") == (has_store and profile == "lake")


def test_the_lake_profile_is_wired_by_the_environment_alone():
    """Catalog, bucket and credentials agree with the services that provide them."""
    settings = load(ROOT / "compose" / "why401.toml", _environment("analyzer", _lake_environ())).store
    words = dict(word.split("=") for word in settings.catalog.removeprefix("postgres:").split())
    postgres, s3 = (SERVICES[name]["environment"] for name in ("postgres", "s3"))
    assert words == {
        "dbname": postgres["POSTGRES_DB"],
        "host": "postgres",
        "user": "why401",
        "password": LAKE["LAKE_PASSWORD"],
    }
    assert (settings.s3_key_id, settings.s3_secret) == (s3["MINIO_ROOT_USER"], LAKE["LAKE_PASSWORD"])
    assert (settings.s3_endpoint, settings.s3_use_ssl) == ("s3:9000", False)


@pytest.mark.parametrize("service", [name for name, service in SERVICES.items() if "ports" in service])
def test_ports_are_published_on_loopback_only(service: str):
    """Raw logs hold tokens; a laptop's network must not reach them."""
    assert [port for port in SERVICES[service]["ports"] if not port.startswith("127.0.0.1:")] == []


@pytest.mark.parametrize("service", [name for name in SERVICES if name != "bucket"])
def test_a_service_says_whether_it_is_well(service: str):
    """`depends_on` waits for that; the one that creates the bucket ends by itself."""
    assert SERVICES[service]["healthcheck"]["test"]


def test_images_are_pinned_and_volumes_declared():
    """No `latest` alone, and nothing that matters is kept in a container."""
    images = {service["image"] for service in SERVICES.values()}
    assert [image for image in images if ":" not in image or image.endswith(":latest")] == []
    mounts = {mount.partition(":")[0] for service in SERVICES.values() for mount in service.get("volumes", ())}
    assert {mount for mount in mounts if not mount.startswith("./")} == set(COMPOSE["volumes"])
    assert [mount for mount in mounts if mount.startswith("./") and not (ROOT / mount).is_file()] == []


def test_the_raw_topic_of_the_collector_is_not_the_event_topic():
    """Else the collector would read what it writes."""
    settings = load(ROOT / "compose" / "why401.toml", _environment("collector", {})).kafka
    assert settings.topics
    assert settings.events_topic not in settings.topics


@pytest.mark.parametrize("service", ["analyzer", "dashboard"])
def test_analyzer_and_dashboard_see_one_lake(service: str):
    """Without the profile the lake is a folder, and both must have it."""
    assert "lake:/var/lib/why401" in SERVICES[service]["volumes"]


def test_the_image_runs_as_nobody_special_with_hashed_requirements():
    """Not root, nothing unverified from an index, and no secret in a layer."""
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert "USER why401" in lines
    assert any("--require-hashes" in line and "requirements/run.txt" in line for line in lines)
    assert [line for line in lines if line.startswith(("ARG", "ADD"))] == []


@pytest.mark.skipif(bool(DOCKERFILE_LINT.missing()), reason=DOCKERFILE_LINT.missing())
def test_buildkit_finds_nothing_to_warn_about(tmp_path: Path) -> None:
    """The checks of `docker build --check`; they find what was planted."""
    wrong = tmp_path / "Dockerfile"
    wrong.write_text(
        (ROOT / "Dockerfile").read_text().replace('ENTRYPOINT ["why401"]', "ENV API_TOKEN x\nENTRYPOINT why401")
    )
    right, planted = (
        subprocess.run([DOCKERFILE_LINT.binary, path], capture_output=True, text=True, timeout=HANG_S, check=False)
        for path in (ROOT / "Dockerfile", wrong)
    )

    assert (0, "", "") == (right.returncode, right.stdout, right.stderr)
    assert {"JSONArgsRecommended", "LegacyKeyValueFormat", "SecretsUsedInArgOrEnv"} == {
        line.partition(":")[0] for line in planted.stdout.splitlines()
    }


def test_what_the_image_copies_is_not_ignored():
    """.dockerignore lets in what the Dockerfile copies, and nothing else."""
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copies = [line.split()[1:-1] for line in (ROOT / "Dockerfile").read_text().splitlines() if line.startswith("COPY ")]
    copied = {name for names in copies for name in names if not names[0].startswith("--from")}
    assert copied == allowed
    assert [name for name in allowed if not (ROOT / name).exists()] == []


@pytest.mark.envoy
def test_envoy_accepts_the_demo_gateways_configuration():
    """The real Envoy validates it."""
    envoy = pytest.importorskip("why401.demo.envoy")
    try:
        binary = envoy.envoy_binary()
    except envoy.EnvoyFailed as error:
        pytest.skip(str(error))
    command = [str(binary), "--mode", "validate", "--config-path", str(ROOT / "compose" / "envoy.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=HANG_S, check=False)
    assert done.returncode == 0, done.stderr[-1000:]


def test_prometheus_scrapes_what_the_services_serve():
    """The targets of the shipped configuration are the containers and ports of this file."""
    scraped = yaml.safe_load((ROOT / "compose" / "prometheus" / "prometheus.yaml").read_text())["scrape_configs"][0]
    addresses = {name: _environment(name, {})["WHY401_TELEMETRY_PROMETHEUS"] for name in ("analyzer", "collector")}
    served = {address.replace("0.0.0.0", name) for name, address in addresses.items()}
    assert set(scraped["static_configs"][0]["targets"]) == served
