"""The configuration that the demo's Envoy is started with tells what the demo's operator wrote by hand."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from collector.settings import IssuerSettings, load
from why401.cli import main
from why401.demo.bootstrap import Ports, bootstrap
from why401.demo.mint import Mint
from why401.demo.settings_file import FETCHED, write_config

Issuers = dict[str, IssuerSettings]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Issuers, Issuers, Mint]:
    """By issuer: what a person wrote, and what the bootstrap tells."""
    folder, mint = tmp_path_factory.mktemp("demo"), Mint()
    by_hand = load(write_config(folder, mint, services=4000, otlp=9), {}).issuers
    ports = Ports(services=4000, otlp=9, nothing=4001)
    (folder / "envoy").write_text(json.dumps(bootstrap(mint, ports, "/tmp/log", instance="e", jwks_cache_s=5)))
    CliRunner().invoke(
        main, ["init", str(folder / "out.toml"), "--from", str(folder / "envoy")], catch_exceptions=False
    )
    read = load(folder / "out.toml", {}).issuers
    return {one.issuer: one for one in by_hand}, {one.issuer: one for one in read}, mint


def test_issuers_audiences_and_times_are_the_same(both: tuple[Issuers, Issuers, Mint]) -> None:
    """All eight issuers."""
    by_hand, read, _ = both

    def told(issuers: Issuers) -> dict[str, object]:
        return {
            name: (one.audiences, one.required_claims, one.clock_skew_seconds, one.user_claim, one.routes)
            for name, one in issuers.items()
        }

    assert 8 == len(by_hand)
    assert told(by_hand) == told(read)


def test_key_sets_by_url_are_where_envoy_fetches_them(both: tuple[Issuers, Issuers, Mint]) -> None:
    """The URI's host is a header only: the cluster's address counts. `staff` is the demo's dead cluster."""
    by_hand, read, mint = both
    names = {mint.issuers[name].url for name in FETCHED if name != "staff"}

    assert {name: by_hand[name].jwks for name in names} == {name: read[name].jwks for name in names}
    assert "http://127.0.0.1:4001/jwks/staff.json" == read[mint.issuers["staff"].url].jwks


def test_algorithms_are_those_of_inline_keys_or_all_that_envoy_knows(both: tuple[Issuers, Issuers, Mint]) -> None:
    """An expectation that is too narrow would blame tokens that pass."""
    by_hand, read, mint = both
    inline = {issuer.url for name, issuer in mint.issuers.items() if name not in FETCHED}

    assert {name: set(by_hand[name].algorithms) for name in inline} == {
        name: set(read[name].algorithms) for name in inline
    }
    assert [] == [name for name, one in by_hand.items() if not set(one.algorithms) <= set(read[name].algorithms)]
