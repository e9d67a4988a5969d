"""Request facts made safe."""

from __future__ import annotations

import random
import uuid

import pytest

from collector.redaction import request_facts


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/orders", "/orders"),
        ("/orders/81723/items?access_token=x", "/orders/{id}/items"),
        ("/v1/users/6f1c2b7e-0c1d-4a53-9b2e-0d7a0f6b3c11", "/v1/users/{id}"),
        ("/a/eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abcdefgh", "/a/{id}"),
        ("https://api.example.com/orders/7", "/orders/{id}"),
        ("/u/jane%40example.com", "/u/{id}"),
        ("/a/b/c/d/e/f/g/h/i/j", "/a/b/c/d/e/f/g/h/…"),
        (
            "/hooks.slack.com/services/TbiAqQVHs/BcOsPHMRt/ayyxxWgttBytThJjDdHNkkQw",
            "/{id}/{id}/{id}/{id}/{id}",
        ),
        ("/", "/"),
        ("", ""),
    ],
)
def test_a_route_holds_no_ids(path: str, route: str) -> None:
    """Numbers, UUIDs, tokens and addresses in a path become {id}; the query is gone."""
    assert route == request_facts.route(path)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("203.0.113.77:4711", "203.0.113.0/24"),
        ("203.0.113.77, 10.0.0.1", "203.0.113.0/24"),
        ("[2001:db8:1:2::3]:443", "2001:db8:1::/48"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("-", ""),
        ("unix:", ""),
        ("evil\r\n", ""),
    ],
)
def test_an_address_becomes_its_network(address: str, network: str) -> None:
    """A /24 or a /48; what is no address is nothing."""
    assert network == request_facts.network(address)


@pytest.mark.parametrize(
    ("raw", "family"),
    [
        ("curl/8.7.1", "curl"),
        ("Mozilla/5.0 (X11) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36", "Chrome"),
        ("okhttp/4.12.0", "okhttp"),
        ("-", ""),
        ("<script>alert(1)</script>", "other"),
    ],
)
def test_a_user_agent_becomes_its_family(raw: str, family: str) -> None:
    """Product without version; anything odd is other."""
    assert family == request_facts.user_agent(raw)


@pytest.mark.parametrize(
    ("raw", "headers", "agent", "client"),
    [
        ("curl/8.7.1", {}, "8.7.1", ""),
        ("Mozilla/5.0 (X11) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.7444.60 Safari/537.36", {}, "142", ""),
        ("Mozilla/5.0 (compatible; thing)", {}, "", ""),
        ("ShopApp/v7.1.0-rc1+4f9a (iOS 18.1) CFNetwork/1568.200", {}, "7.1.0", "7.1.0"),
        ("okhttp/4.12.0", {"x-app-version": "7.2"}, "4.12.0", "7.2"),
        ("okhttp/4.12.0", {"x-client-version": "Bearer abc"}, "4.12.0", ""),  # said, and no version
        ("ShopApp/10.20.30.40", {}, "10.20.30", "10.20.30"),  # no address
        ("ShopApp/4915112345678", {}, "", ""),  # no telephone number
        ("ShopApp/7.20261130", {}, "7", "7"),
        ("ShopApp/hunter2", {}, "", ""),
        ("ShopApp/٣.١", {}, "", ""),
        ("<b>/1.2", {}, "", ""),
        ("ShopApp", {}, "", ""),
        ("-", {}, "", ""),
    ],
)
def test_versions_are_numbers(raw: str, headers: dict[str, str], agent: str, client: str) -> None:
    """At most three short ones: an address, a serial number and a secret have no place in them."""
    found = (request_facts.user_agent_version(raw), request_facts.client_version(headers, raw))

    assert (agent, client) == found


def test_methods_are_a_closed_set() -> None:
    """Attackers send any word as a method."""
    assert ["GET", "other", ""] == [request_facts.method(raw) for raw in ("GET", "GET\r\nX: y", "")]


@pytest.mark.parametrize("kind", ["decimal", "uuid", "hex"])
def test_a_route_does_not_depend_on_the_id_in_it(kind: str) -> None:
    """Paths that differ in an id are one template, also where the id beside a word looks like part of a secret."""
    random_ = random.Random(kind)
    made = {
        "decimal": lambda: f"{random_.randrange(10**15, 10**16)}",
        "uuid": lambda: str(uuid.UUID(int=random_.getrandbits(128))),
        "hex": lambda: random_.randbytes(16).hex(),
    }[kind]

    assert {"/orders/{id}/items/{id}/paid"} == {
        request_facts.route(f"/orders/{made()}/items/{made()}/paid") for _ in range(200)
    }
    words = {"decimal": "orders Qx9Zk v2beta", "uuid": "TrackingK3y session TrackingK3y", "hex": "abcD1234 orders file"}
    first, second, third = words[kind].split()
    assert 1 == len({request_facts.route(f"/{first}/{made()}/{second}/{made()}/{third}") for _ in range(300)})
