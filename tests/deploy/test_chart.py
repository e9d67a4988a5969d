"""deploy/: Helm renders the chart as it is kept here, Kubernetes' schemas accept the objects, and why401 accepts what they pass it."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import click
import pytest
from click.testing import CliRunner

from benchmarks.live.deploy_tools import HELM, KUBECONFORM
from collector.settings import entries
from tests.deploy.objects import Container, Object, config, containers, laid_out, objects
from tests.deploy.render import CHART, MANIFESTS, RENDERED, ROOT, helm, rendered, text
from tests.waiting import HANG_S
from why401.cli import main

EXAMPLES: Final = sorted((MANIFESTS / "examples").glob("*.yaml"))
KEPT: Final = [*RENDERED, *EXAMPLES]
VERSIONS: Final = ("1.29.0", "1.37.0")  # the first that knows sidecars, and the newest with a schema here
CUSTOM: Final = "ScaledObject,PodMonitor,PrometheusRule"  # of operators, whose schemas are not Kubernetes'
needs_helm = pytest.mark.skipif(bool(HELM.missing()), reason=HELM.missing())


def name(path: Path) -> str:
    """Of a kept file, for the test's."""
    return str(path.relative_to(ROOT))


def read(path: Path) -> list[Object]:
    """The objects of a kept file."""
    return objects(path.read_text(encoding="utf-8"))


def started(path: Path) -> list[Container]:
    """Containers of ours in a file."""
    return list(containers(read(path)))


def toml(path: Path) -> str:
    """The configuration in the file; the DaemonSet has that of the distributed mode."""
    return config(read(MANIFESTS / "distributed.yaml" if path.stem == "daemonset" else path))


@needs_helm
@pytest.mark.parametrize("path", RENDERED, ids=name)
def test_helm_renders_what_is_kept_here(path: Path) -> None:
    """`python -m tests.deploy.render` renews it."""
    assert path.read_text(encoding="utf-8") == text(RENDERED[path])


@needs_helm
@pytest.mark.parametrize("values", RENDERED.values(), ids=lambda values: values.stem if values else "defaults")
def test_helm_lints_the_chart(values: Path | None) -> None:
    """Strictly: a warning is a failure."""
    done = helm("lint", "--strict", CHART, *(("--values", values) if values else ()))

    assert 0 == done.returncode, done.stdout + done.stderr


@needs_helm
def test_the_package_is_whole(tmp_path: Path) -> None:
    """A chart that somebody downloads has the rules and the dashboard, which are links here."""
    done = helm("package", CHART, "--destination", tmp_path)
    assert 0 == done.returncode, done.stderr
    (package,) = tmp_path.glob("*.tgz")
    maps = objects(helm("template", "why401", package, "--set", "monitoring.grafanaDashboard=true").stdout)
    boards = [one["data"]["why401-dashboard.json"] for one in maps if one["metadata"]["name"] == "why401-grafana"]

    assert [(ROOT / "compose" / "grafana" / "why401-dashboard.json").read_text().rstrip("\n")] == boards


@needs_helm
@pytest.mark.parametrize("path", RENDERED, ids=name)
def test_the_notes_name_what_is_there(path: Path) -> None:
    """The next commands are about workloads, containers and a Service that the chart made."""
    values = RENDERED[path]
    shown = helm(
        "install",
        "why401",
        CHART,
        "--namespace",
        "why401",
        "--dry-run=client",
        *(("--values", values) if values else ()),
    )
    notes = shown.stdout.partition("\nNOTES:\n")[2]
    there = {f"{one['kind'].lower()}/{one['metadata']['name']}" for one in read(path)} | {"deployment/GATEWAY"}
    named = set(re.findall(r"(?:statefulset|deployment)/[\w-]+", notes))
    named |= {f"service/{host}" for host in re.findall(r"https?://([\w-]+)\.why401\.svc", notes)}

    assert "why401 explain --failed -" in notes
    assert set() == named - there
    assert set(re.findall(r"-c (\w+) ", notes)) <= {one.spec["name"] for one in started(path)}


@needs_helm
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["otlp.listen=pod"], "requires secrets.otlpTls.name"),
        (["otlp.listen=pod", "secrets.otlpTls.name=tls"], "requires secrets.otlpTokens.name"),
        (["page.listen=pod"], "requires [dashboard.login] in config"),
        (["mode=distributed"], "requires kafka.bootstrap"),
        (["mode=distributed", "kafka.bootstrap={k:1}"], "requires secrets.pseudonymKey.name"),
        (["mode=distributed", "kafka.bootstrap={k:1}", "secrets.pseudonymKey.name=key"], "requires secrets.catalog.name"),
        (["mode=other"], "mode"),
        (["colector.replicas=3"], "colector"),
        (["collector.replicas=0"], "replicas"),
        (["kafka.bootstrap={broker}"], "bootstrap"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_not_rendered(words: list[str], says: str) -> None:
    """In a sentence, before anything reaches the cluster; a misspelled value as well."""
    with pytest.raises(RuntimeError) as caught:
        rendered(*(part for word in words for part in ("--set", word)))

    assert says in str(caught.value)


@pytest.fixture(params=VERSIONS)
def conforms(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """kubeconform with the strict schemas of a version, from the package kubernetes-validate. Its references are to be beside each file."""
    if KUBECONFORM.missing():
        pytest.skip(KUBECONFORM.missing())
    package = pytest.importorskip(
        "kubernetes_validate", reason="kubernetes-validate, which has the schemas, is not installed"
    )
    folder = Path(package.__file__).parent / "kubernetes-json-schema" / f"v{request.param}-local-strict"
    kinds = {one["kind"].lower() for path in KEPT for one in read(path)}
    for file in (folder / "_definitions.json", *(one for kind in kinds for one in folder.glob(f"{kind}-*.json"))):
        schema = json.loads(file.read_text(encoding="utf-8").replace('"/api/_definitions.json', '"_definitions.json'))
        del schema["$id"]  # an address that nobody is to ask
        (tmp_path / file.name).write_text(json.dumps(schema), encoding="utf-8")
    place = f"{tmp_path}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json"
    words = [
        KUBECONFORM.binary,
        "-strict",
        "-summary",
        "-skip",
        CUSTOM,
        "-schema-location",
        place,
        "-kubernetes-version",
        request.param,
    ]
    return lambda *paths: subprocess.run([*words, *paths], capture_output=True, text=True, timeout=HANG_S, check=False)


def test_kubernetes_schemas_accept_the_objects(conforms: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    """Strictly: a field that Kubernetes does not know is a mistake. Only operators' own kinds are left out, by name."""
    done = conforms(*KEPT)

    assert (0, "") == (done.returncode, done.stderr), done.stdout
    assert "Invalid: 0, Errors: 0, Skipped: 3" in done.stdout


def test_a_field_that_kubernetes_does_not_know_is_found(
    conforms: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    """What the test above relies on, deep in a pod."""
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text((MANIFESTS / "embedded.yaml").read_text().replace("runAsNonRoot", "runAsNotRoot", 1))

    assert "runAsNotRoot" in conforms(wrong).stdout


@pytest.mark.parametrize("path", KEPT, ids=name)
def test_why401_accepts_what_it_is_started_with(path: Path, tmp_path: Path) -> None:
    """Each command and option exists, each variable is a setting, and `why401 check` finds no mistake, with Secrets as they are mounted."""
    known = {entry.env for entry in entries()} | {f"{entry.env}_FILE" for entry in entries() if entry.secret}
    for number, container in enumerate(started(path)):
        command = main.get_command(click.Context(main), container.args[0])
        assert command is not None
        command.make_parser(click.Context(command)).parse_args(list(container.args[1:]))
        assert set() == set(container.env) - known - {"WHY401_CONFIG"}
        folder = tmp_path / str(number)
        folder.mkdir()
        environ = laid_out(container, toml(path), folder)
        if (
            container.args[0] != "dashboard"
        ):  # only the page has its client secret, and only `check` looks at everything
            environ["WHY401_DASHBOARD_LOGIN_CLIENT_SECRET"] = "secret-of-the-test"
        checked = CliRunner(env=environ).invoke(main, ["check", "--offline"])
        assert 0 == checked.exit_code, checked.output


@pytest.mark.parametrize("path", KEPT, ids=name)
def test_every_container_is_hardened(path: Path) -> None:
    """No root, no capability, no writable system, no token of the cluster; a limit for memory, and every file is mounted."""
    assert started(path)
    for container in started(path):
        security = container.pod["securityContext"] | container.spec["securityContext"]
        assert {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "readOnlyRootFilesystem": True,
            "allowPrivilegeEscalation": False,
        }.items() <= security.items()
        assert {"drop": ["ALL"]} == security["capabilities"]
        assert {"type": "RuntimeDefault"} == security["seccompProfile"]
        assert container.pod["automountServiceAccountToken"] is False
        assert "memory" in container.spec["resources"]["limits"]
        places = [place for place in container.env.values() if place.startswith(("/etc/", "/var/lib/"))]
        assert [] == [place for place in places if not any(place.startswith(mount) for mount in container.mounts)]
        assert set(container.mounts.values()) - {"data"} <= {volume["name"] for volume in container.pod["volumes"]}


def probes(container: Container) -> Iterator[tuple[str, Any]]:
    """(name, probe) of those that ask over HTTP."""
    for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
        if "httpGet" in container.spec.get(kind, {}):
            yield kind, container.spec[kind]["httpGet"]


@pytest.mark.parametrize("path", KEPT, ids=name)
def test_probes_ask_what_is_served_beyond_loopback(path: Path) -> None:
    """The kubelet asks the pod's address: a listener on loopback would never be ready."""
    served = {
        "metrics": ("WHY401_TELEMETRY_PROMETHEUS", "/metrics"),
        "page": ("WHY401_DASHBOARD_ADDRESS", "/_stcore/health"),
    }
    for container in started(path):
        ports = {port["name"]: port["containerPort"] for port in container.spec.get("ports", ())}
        for _, asked in probes(container):
            variable, where = served[asked["port"]]
            host, _, port = container.env[variable].rpartition(":")
            assert (where, ports[asked["port"]], False) == (asked["path"], int(port), host.startswith("127."))


@pytest.mark.parametrize("path", RENDERED, ids=name)
def test_services_policies_and_budgets_choose_pods(path: Path) -> None:
    """A selector that no pod has would be silent: nothing is reached, or everything."""
    found = read(path)
    labels = [
        one["spec"]["template"]["metadata"]["labels"] for one in found if one["kind"] in ("Deployment", "StatefulSet")
    ]
    chosen = [one["spec"]["selector"] for one in found if one["kind"] == "Service"]
    chosen += [one["spec"]["podSelector"]["matchLabels"] for one in found if one["kind"] == "NetworkPolicy"]
    chosen += [
        one["spec"]["selector"]["matchLabels"]
        for one in found
        if one["kind"] in ("PodDisruptionBudget", "PodMonitor", "Deployment")
    ]
    scaled = [
        one["spec"]["scaleTargetRef"]["name"]
        for one in found
        if one["kind"] in ("HorizontalPodAutoscaler", "ScaledObject")
    ]

    assert chosen
    assert [] == [one for one in chosen if not any(one.items() <= pod.items() for pod in labels)]
    assert set(scaled) <= {one["metadata"]["name"] for one in found if one["kind"] == "Deployment"}


def test_one_pod_writes_the_embedded_lake() -> None:
    """SQLite has one machine: neither a scaler nor a surge makes a second pod."""
    found = read(MANIFESTS / "embedded.yaml")
    kinds = {one["kind"]: one for one in found}

    assert {"StatefulSet"} == kinds.keys() & {"StatefulSet", "Deployment", "HorizontalPodAutoscaler", "ScaledObject"}
    assert 1 == kinds["StatefulSet"]["spec"]["replicas"]


def test_collectors_share_one_pseudonym_key_and_analyzers_one_lake() -> None:
    """Users are joined across collectors; offsets and rows are in one catalog."""
    by_command = {one.args[0]: one for one in started(MANIFESTS / "distributed.yaml")}

    assert {"collect", "analyze", "dashboard"} == set(by_command)
    assert "WHY401_PSEUDONYM_KEY" in by_command["collect"].env
    assert (
        by_command["analyze"].env["WHY401_STORE_CATALOG_FILE"]
        == by_command["dashboard"].env["WHY401_STORE_CATALOG_FILE"]
    )
    assert "WHY401_KAFKA_SASL_PASSWORD_FILE" not in by_command["dashboard"].env


def test_no_secret_is_made_or_held() -> None:
    """Secrets exist already; the objects name them."""
    found = [one for path in KEPT for one in read(path)]

    assert [] == [one for one in found if one["kind"] == "Secret"]
    assert [] == [
        name_
        for path in KEPT
        for container in started(path)
        for name_, value in container.env.items()
        if name_.removeprefix("WHY401_") in {entry.env.removeprefix("WHY401_") for entry in entries() if entry.secret}
        and value
    ]


def test_the_chart_has_the_programs_version() -> None:
    """The image's tag is the chart's appVersion when none is given."""
    import yaml

    from why401 import __version__

    assert __version__ == yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"]
