"""Every fixture is read as its file says, by its own gateway's parser and by no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.errors import UnreadableRecord
from collector.gateways import PARSERS, NotAuth, with_formats
from tests.cases import failing
from tests.collector.gateways.cases import FILES, IDS, facts, formats, load, raw_record

# Formats that two gateways share; PARSERS' order decides, and the particular one stands first.
SHARED = {("istio/json_short_with_mesh_cluster", "envoy")}
# They read what no gateway's own parser claimed, and PARSERS asks them last.
GENERAL = ("application", "generic")
# What a gateway is built on reads its error log too; the fixtures hold no other overlap with it.
BUILT_ON = {
    "higress": ("istio", "envoy"),
    "openresty": ("nginx",),
    "kong": ("openresty", "nginx"),
    "apisix": ("openresty", "nginx"),
}


@pytest.mark.parametrize("gateway", sorted({path.parent.name for path in FILES}))
def test_a_record_is_read_as_its_fixture_says(gateway: str) -> None:
    """One file, one record, one expected reading."""
    own = [(name, path) for name, path in zip(IDS, FILES, strict=True) if path.parent.name == gateway]

    assert {} == failing(own, _check_fixture)


def test_no_fixture_is_lost() -> None:
    """The pass above is over as many files as there were, or more."""
    assert len(FILES) >= 328


def _check_fixture(path: Path) -> None:
    case = load(path)
    parse = with_formats(formats(case))

    if "not_auth" in case:
        with pytest.raises(NotAuth) as not_auth:
            parse(raw_record(case))
        assert (case["gateway"], case["not_auth"]) == (not_auth.value.gateway, not_auth.value.why)
    elif "unreadable" in case:
        with pytest.raises(UnreadableRecord) as unreadable:
            parse(raw_record(case))
        assert (case["gateway"], case["unreadable"]) == (unreadable.value.gateway, unreadable.value.why)
    else:
        assert case["parsed"] == facts(parse(raw_record(case)))


def test_no_gateway_claims_another_ones_records() -> None:
    """Each record goes to every built-in parser; only its own, and the ones of SHARED, answer."""
    claimed = set()
    for path, name in zip(FILES, IDS, strict=True):
        own = path.parent.name
        if own in (*GENERAL, "formats"):
            continue
        record, kin = raw_record(load(path)), (own, *GENERAL, *BUILT_ON.get(own, ()))
        claimed |= {
            (name, other) for known in PARSERS if (other := known.name) not in kin and _claims(known.parse, record)
        }

    assert claimed == SHARED


def test_the_guess_claims_only_what_no_gateway_knows() -> None:
    """Records of the generic fixtures are refused by every named gateway."""
    generic = [raw_record(load(path)) for path in FILES if path.parent.name == "generic"]

    assert generic
    assert [
        known.name
        for record in generic
        for known in PARSERS
        if known.name not in GENERAL and _claims(known.parse, record)
    ] == []


def test_every_gateway_has_fixtures() -> None:
    """A parser without a fixture is not supported."""
    assert {known.name for known in PARSERS} <= {path.parent.name for path in FILES}


def _claims(known, record) -> bool:
    try:
        return known(record) is not None
    except (NotAuth, UnreadableRecord):
        return True
