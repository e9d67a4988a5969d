"""Rules and dashboard as shipped, against a real Prometheus that scrapes real counters.

Grafana comes in no package registry: its published schema (grafana-foundation-sdk) says whether the dashboard has a key that it does
not know, and every query of the dashboard is asked of Prometheus.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec.structs import replace

from collector.settings import Settings, TelemetrySettings
from collector.telemetry import Telemetry
from tests.analyzer.alerts.sinks import free_port
from tests.analyzer.verdict_samples import failing, passing
from tests.waiting import HANG_S, eventually
from why401.outputs.counts import Counts

COMPOSE = Path(__file__).parents[3] / "compose"
RULES = COMPOSE / "prometheus" / "why401-rules.yaml"
DASHBOARD: dict[str, Any] = json.loads((COMPOSE / "grafana" / "why401-dashboard.json").read_text())
UNIT_TESTS = Path(__file__).parents[2] / "fixtures" / "prometheus" / "alerts.yaml"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
VARIABLES = {"$gateway": ".*", "$__rate_interval": "4s", "$__range": "1m"}

needs_promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (prometheus) is not installed")
needs_prometheus = pytest.mark.skipif(shutil.which("prometheus") is None, reason="prometheus is not installed")


def queries() -> list[str]:
    """Every query of the dashboard, as Grafana asks it."""
    found = [target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", ())]
    found += [each["expr"] for each in DASHBOARD["annotations"]["list"]]
    for name, value in VARIABLES.items():
        found = [expr.replace(name, value) for expr in found]
    return found


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["promtool", *arguments], capture_output=True, text=True, timeout=HANG_S, check=False)


@needs_promtool
def test_rules_and_configuration_are_valid() -> None:
    """As promtool reads them, lint included; the configuration names the rules beside it."""
    for checked in (promtool("check", "rules", "--lint=all", "--lint-fatal", str(RULES)), promtool("check", "config", str(COMPOSE / "prometheus" / "prometheus.yaml"))):  # fmt: skip
        assert 0 == checked.returncode, checked.stdout + checked.stderr


@needs_promtool
def test_alerts_fire_and_end_as_they_should() -> None:
    """promtool's unit tests: burn rates of three window pairs, their end, the causes in the text, and why401 itself."""
    checked = promtool("test", "rules", str(UNIT_TESTS))

    assert 0 == checked.returncode, checked.stdout + checked.stderr


def test_every_key_of_the_dashboard_is_one_of_grafanas() -> None:
    """What Grafana's schema does not know is lost on the way through its models; a planted key is noticed."""
    sdk = pytest.importorskip("grafana_foundation_sdk.models.dashboard")
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.cog.plugins import register_default_plugins

    register_default_plugins()

    def unknown(dashboard: dict[str, Any]) -> list[str]:
        return list(lost(dashboard, json.loads(JSONEncoder().encode(sdk.Dashboard.from_json(dashboard)))))

    assert [] == unknown(DASHBOARD)
    planted = json.loads(json.dumps(DASHBOARD))
    planted["panels"][0]["options"]["colour"] = "red"
    assert ["/panels/0/options/colour"] == unknown(planted)


def lost(before: Any, after: Any, path: str = "") -> Iterator[str]:
    if isinstance(before, dict):
        for key, value in before.items():
            known = isinstance(after, dict) and key in after
            yield from lost(value, after[key], f"{path}/{key}") if known else [f"{path}/{key}"]
    elif isinstance(before, list):
        for n, value in enumerate(before):
            yield from lost(value, after[n], f"{path}/{n}")
    elif before != after:
        yield path


def test_panels_do_not_overlap() -> None:
    """Each has its own place and number."""
    cells = [
        (x, y)
        for panel in DASHBOARD["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]

    assert len(cells) == len(set(cells))
    assert len(DASHBOARD["panels"]) == len({panel["id"] for panel in DASHBOARD["panels"]})


@needs_prometheus
def test_a_real_prometheus_answers_every_query(tmp_path: Path) -> None:
    """It scrapes the counters with their exemplars, evaluates the rules, and no panel of the dashboard is empty."""
    telemetry, metrics, port = Telemetry(), free_port(), free_port()
    provider = telemetry.start(TelemetrySettings(prometheus=f"127.0.0.1:{metrics}"))
    counts = Counts(Settings(), telemetry)
    telemetry.gauge("why401.queue.records", lambda: 3)
    telemetry.gauge("why401.kafka.lag", lambda: 5, topic="logs")
    process = subprocess.Popen(
        ["prometheus", f"--config.file={configured(tmp_path, metrics)}", f"--web.listen-address=127.0.0.1:{port}",
         f"--storage.tsdb.path={tmp_path}/data", "--enable-feature=exemplar-storage", "--log.level=error"]
    )  # fmt: skip
    try:

        def ask(path: str, **parameters: str) -> list[Any]:
            happen(telemetry, counts)
            try:
                with urllib.request.urlopen(
                    f"http://127.0.0.1:{port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
                ) as answer:
                    data = json.load(answer)["data"]
            except urllib.error.HTTPError as error:
                if error.code != 503:  # not up yet; 400 is a wrong query
                    raise
                return []
            except OSError:
                return []
            found = data["result"] if isinstance(data, dict) else data
            return [] if found and str(found[0].get("value", ["", ""])[1]) == "NaN" else found

        for query in queries():
            eventually(lambda expr=query: ask("query", query=expr), query)
        (exemplar,) = eventually(
            lambda: ask("query_exemplars", query='why401_auth_failures_total{code="audience_mismatch"}', start="0", end="9999999999"),
            "exemplars",
        )  # fmt: skip
        (firing,) = ask("query", query='ALERTS{alertname="Why401BudgetBurn",window="1h"}')
    finally:
        process.terminate()
        process.wait(HANG_S)
        provider.shutdown()
    assert {TRACE} == {each["labels"]["trace_id"] for each in exemplar["exemplars"]}
    assert ("envoy", "edge-1") == (exemplar["seriesLabels"]["gateway"], exemplar["seriesLabels"]["exported_instance"])
    assert ("envoy", "critical") == (firing["metric"]["gateway"], firing["metric"]["severity"])


def happen(telemetry: Telemetry, counts: Counts) -> None:
    """A moment of traffic; half of it is refused."""
    failed = failing(trace_id=TRACE)
    counts.add(failed, 50)
    counts.add(replace(failed, diagnosis=replace(failed.diagnosis, code="unclassified", cause="unknown")), 1)
    counts.add(passing(), 50)
    for name, attributes in (
        ("why401.records.received", {"source": "file"}),
        ("why401.events.stored", {}),
        ("why401.records.dropped", {"reason": "not_auth"}),
        ("why401.errors", {"stage": "store", "kind": "unavailable"}),
    ):
        telemetry.count(name, **attributes)
    for name in ("why401.event.delay", "why401.store.commit.duration"):
        telemetry.observe(name, 0.2)


def configured(folder: Path, metrics: int) -> Path:
    """The shipped files, with one target, and every second."""
    config = yaml.safe_load((COMPOSE / "prometheus" / "prometheus.yaml").read_text())
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["scrape_configs"][0]["static_configs"] = [{"targets": [f"127.0.0.1:{metrics}"]}]
    (folder / RULES.name).write_text(RULES.read_text())
    path = folder / "prometheus.yaml"
    path.write_text(yaml.safe_dump(config))
    return path
