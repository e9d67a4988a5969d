"""The recipes that no live gateway proves: their lines can be pasted, their example is a record that those lines write."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click
import pytest
import yaml
from click.testing import CliRunner

from benchmarks.live.recipe import PAGES
from benchmarks.live.registry import NEWCOMERS
from collector.settings import entries
from why401 import redact
from why401.cli import main
from why401.cli.recipe import recipes
from why401.expectations.inputs import Found, read_text
from why401.expectations.toml_text import issuers_text

BY_FIXTURE: Final = sorted(set(recipes()) - set(NEWCOMERS) - {"envoy"})
EXAMPLES: Final = PAGES.parent / "examples" / "gateways"
CONFIGS: Final = Path(__file__).parents[1] / "fixtures" / "configs"
BLOCK: Final = re.compile(r"(?ms)^```(\w+) ?(\S*)\n(.*?)^```$")


class Loader(yaml.SafeLoader):
    """YAML with CloudFormation's tags, whose values stay what they are."""


Loader.add_multi_constructor("!", lambda loader, _, node: loader.construct_scalar(node))


def blocks(page: str) -> list[tuple[str, str, str]]:
    """Language, name and text of each."""
    return BLOCK.findall((PAGES / f"{page}.md").read_text(encoding="utf-8"))


def block(page: str, name: str) -> Any:
    return next(yaml.load(text, Loader) for _, label, text in blocks(page) if label == name)


def example(page: str) -> Any:
    return json.loads((EXAMPLES / f"{page}.log").read_text(encoding="utf-8"))


def pasted(into: Any, what: Any) -> Any:
    """A configuration with the page's lines in it."""
    if isinstance(into, Mapping):
        both = {key: pasted(into[key], what[key]) for key in into.keys() & what.keys()}
        return {**into, **what, **both}
    return [*into, *what] if isinstance(into, list) else what


def settings(config: Any, name: str) -> str:
    """What `why401 init` writes, without the places of the values."""
    found = Found(documents=tuple(read_text(json.dumps(config), name)))
    return re.sub(r"(?m)\s+#.*$|^#.*$", "", issuers_text(found, redact))


@pytest.mark.parametrize("page", BY_FIXTURE)
def test_the_example_is_the_gateways_own_and_explained(page: str) -> None:
    """What it prints stands in the page (tests/test_docs.py); here, that it is an answer."""
    result = CliRunner().invoke(main, ["explain", "--json", str(EXAMPLES / f"{page}.log")])
    answer = json.loads(result.stdout)

    assert page == answer["gateway"]
    assert answer["code"] != "unclassified"


@pytest.mark.parametrize("page", BY_FIXTURE)
def test_what_to_paste_is_well_formed(page: str) -> None:
    """YAML and JSON as the gateway's own parser reads them."""
    loaded = [yaml.load(text, Loader) for language, _, text in blocks(page) if language in ("yaml", "json")]

    assert loaded
    assert all(isinstance(one, dict | list) for one in loaded)


@pytest.mark.parametrize("page", BY_FIXTURE)
def test_the_commands_have_the_options_that_the_page_gives_them(page: str) -> None:
    """A pipe may stand in front of why401."""
    texts = [text for _, label, text in blocks(page) if label.startswith("run")]
    lines = [part.strip().removeprefix("$ ") for text in texts for part in re.split(r"\n| \| ", text)]
    commands = [shlex.split(line)[1:] for line in lines if line.startswith("why401 ")]

    for name, *arguments in commands:
        command = main.get_command(click.Context(main), name)
        assert command is not None
        command.make_parser(click.Context(command)).parse_args(arguments)
    assert {"init", "up"} <= {name for name, *_ in commands}


@pytest.mark.parametrize(
    ("page", "config", "label"),
    [
        ("kong", "kong/kong.yaml", "log"),
        ("apisix", "apisix/apisix.yaml", "log"),
        ("aws-api-gateway", "aws/template.yaml", "log"),
    ],
)
def test_a_configuration_with_the_lines_is_read_as_without(page: str, config: str, label: str) -> None:
    """They change what is logged, not what is expected of a token."""
    usual = yaml.load((CONFIGS / config).read_text(encoding="utf-8"), Loader)

    assert "[[issuers]]" in settings(usual, config)
    assert settings(usual, config) == settings(pasted(usual, block(page, label)), config)


def test_the_api_server_with_the_flags_is_read_as_without() -> None:
    """The flags of the audit log stand among those of OIDC."""
    usual = yaml.safe_load((CONFIGS / "kubernetes/kube-apiserver.yaml").read_text(encoding="utf-8"))
    without = settings(usual, "kube-apiserver.yaml")
    usual["spec"]["containers"][0]["command"] += block("kubernetes", "flags")

    assert "[[issuers]]" in without == settings(usual, "kube-apiserver.yaml")


@pytest.mark.parametrize("page", BY_FIXTURE)
def test_the_lines_for_why401_are_settings(page: str) -> None:
    """A key that why401 does not know would stop it at the start."""
    tables = [tomllib.loads(text) for language, _, text in blocks(page) if language == "toml"]
    known = {name for entry in entries() for name in (entry.key, f"{entry.key}_file")}
    keys = {f"{name}.{key}" for table in tables for name, section in table.items() for key in section}

    assert keys <= known


def formats() -> Mapping[str, Mapping[str, str]]:
    """The formats whose keys the pages name."""
    proxy = block("envoy-gateway", "log")["spec"]["telemetry"]["accessLog"]["settings"][0]
    api = block("aws-api-gateway", "log")["Resources"]["Api"]["Properties"]["AccessLogSettings"]
    return {
        "istio": json.loads(block("istio", "log")["meshConfig"]["accessLogFormat"]),
        "envoy-gateway": proxy["format"]["json"],
        "aws-api-gateway": json.loads(api["Format"]),
        "apinto": {one.rpartition(" as ")[2].lstrip("$"): one for one in block("apinto", "log")["formatter"]["fields"]},
    }


@pytest.mark.parametrize("page", ["istio", "envoy-gateway", "aws-api-gateway", "apinto"])
def test_the_example_has_the_keys_of_the_format(page: str) -> None:
    """No key more, none less."""
    assert list(formats()[page]) == list(example(page))


def test_the_otlp_attributes_are_keys_of_the_format() -> None:
    """Istio's page shows some of them."""
    shown = block("istio", "otlp")["meshConfig"]["extensionProviders"][0]["envoyOtelAls"]["logFormat"]["labels"]

    assert shown.items() <= formats()["istio"].items()


@pytest.mark.parametrize("page", ["kong", "apisix"])
def test_the_example_has_what_the_lines_add(page: str) -> None:
    """The body and the token; without the lines, Kong has neither."""
    record = example(page)

    assert record["response"]["body"]
    assert record["request"]["headers"]["authorization"].startswith("Bearer eyJ")
