"""`why401 recipe`: the pages of docs/gateways, as they are read in a terminal."""

from __future__ import annotations

import re

from click.testing import CliRunner, Result

from collector.gateways import names
from why401.cli import main
from why401.cli.recipe import recipes


def recipe(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["recipe", *arguments])


def test_every_page_is_listed_and_printed() -> None:
    """Under the gateway's own name; the tests' names of blocks do not show."""
    listed = [line.split()[0] for line in recipe().stdout.splitlines()]

    assert listed == list(recipes())
    assert set(listed) <= set(names())
    assert all(re.search(r"\n```console\n\$ (.* \| )?why401 init", recipe(name).stdout) for name in listed)


def test_another_name_of_a_gateway_leads_to_its_page() -> None:
    """httpd is Apache's."""
    assert recipe("httpd").stdout == recipe("apache").stdout != ""


def test_a_gateway_without_a_page_is_an_error_that_names_those_with_one() -> None:
    """Google's configuration is read all the same, and the message says so."""
    result = recipe("gcp-api-gateway")

    assert result.exit_code == 1
    assert "init --from" in result.output
    assert "nginx" in result.output
    assert "no recipe for '../gateways'" in recipe("../gateways").output
