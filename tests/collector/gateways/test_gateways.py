"""Choosing the parser, configured formats, and the small readers beneath."""

from __future__ import annotations

import pytest

from collector.errors import UnreadableRecord
from collector.events import Origin, Responder
from collector.gateways import PARSERS, PRODUCTS, names, parse, with_formats
from collector.gateways.generic import dig
from collector.gateways.reading.json_fields import canonical_name, fill, flatten, plan
from collector.gateways.reading.scan import balanced, request_line, unescape, without_port
from collector.records import Parsed, RawRecord
from collector.settings import FormatSettings, Settings
from why401.explainer import Explainer

COMBINED = '192.0.2.81 - - [11/May/2026:06:07:08 +0000] "GET /carts HTTP/1.1" 401 620 "-" "curl/8.9"'
ACME = FormatSettings(name="acme", status="code", authorization="auth", match={"kind": "acme"})


def _record(text: str = "", **more: object) -> RawRecord:
    return RawRecord(Origin("file"), 1, text, **more)


@pytest.mark.parametrize("gateway", ["", "nginx", "apache"])
def test_the_operators_word_decides_over_detection(gateway: str) -> None:
    """Many servers write the combined format: whose it is, only the operator can say."""
    parsed = parse(_record(COMBINED, gateway=gateway))

    assert parsed is not None
    assert (gateway or "generic") == parsed.gateway


def test_a_named_gateway_does_not_fall_back() -> None:
    """A line of another format at a source named HAProxy is unread, not guessed."""
    assert parse(_record(COMBINED, gateway="haproxy")) is None


def test_an_unknown_name_reads_nothing() -> None:
    """`names` is what the settings are checked against; at run time an unknown one only leaves records unread."""
    assert parse(_record(COMBINED, gateway="ngnix")) is None
    assert ("acme", *(known.name for known in (*PARSERS, *PRODUCTS))) == names([ACME])


def test_text_of_no_gateway_is_unread() -> None:
    """None says: no parser knows it."""
    assert parse(_record("the quick brown fox")) is None
    assert parse(_record()) is None


def test_a_configured_format_comes_before_detection() -> None:
    """Even a record that Envoy's parser would take."""
    fields = {"kind": "acme", "code": 401, "response_code": 200, "response_code_details": "via_upstream"}

    parsed = with_formats([ACME])(_record(fields=fields))

    assert parsed is not None
    assert (parsed.gateway, parsed.status, parsed.responder) == ("acme", 401, Responder.UNKNOWN)


def test_a_configured_credential_that_is_absent_was_still_logged() -> None:
    """`authorization` names the place, so that an empty one means: no credential came."""
    parsed = with_formats([ACME])(_record(fields={"kind": "acme", "code": 401}))

    assert parsed is not None
    assert (parsed.credential_logged, parsed.headers) == (True, {"authorization": ""})


def test_a_named_format_needs_no_match() -> None:
    """The operator's word replaces `match`; a record without a status is then unreadable."""
    with pytest.raises(UnreadableRecord) as error:
        with_formats([ACME])(_record(fields={"kind": "other"}, gateway="acme"))

    assert error.value.gateway == "acme"


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("%REQ(:METHOD)%", "method"),
        ("%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%", "x_envoy_original_path"),
        ("%RESP(WWW-AUTHENTICATE)%", "resp_www_authenticate"),
        (":authority", "authority"),
        ("responseCodeDetails", "response_code_details"),
        ("http.response.status_code", "http_response_status_code"),
        ("@timestamp", "timestamp"),
        ("X-Forwarded-For", "x_forwarded_for"),
    ],
)
def test_keys_are_compared_by_their_canonical_name(key: str, expected: str) -> None:
    """Case, separators, command operators and colons do not matter."""
    assert expected == canonical_name(key)


def test_the_best_key_of_a_role_wins_whatever_the_order() -> None:
    """A record may carry several statuses; OpenTelemetry's and Envoy's names are the surest."""
    fields = {"code": 7, "status": "error", "response_code": 401}

    assert plan(fields).status == "response_code"
    assert plan(fields).status == plan(dict(reversed(fields.items()))).status


@pytest.mark.parametrize(
    ("path", "expected"),
    [("a.b", 1), ("a.c.d", 2), ("x.y", 3), ("x.z.w", 4), ("a.nothing", None), ("", None), ("a.b.c", None)],
)
def test_a_dotted_path_reaches_nested_and_dotted_keys(path: str, expected: int | None) -> None:
    """OTLP attribute names contain dots; JSON objects nest; both may mix."""
    assert expected == dig({"a": {"b": 1, "c": {"d": 2}}, "x.y": 3, "x.z": {"w": 4}}, path)


def test_flattening_keeps_header_objects_and_claims_whole() -> None:
    """A header's dot would otherwise become a level."""
    nested = {"request": {"headers": {"x.y": "1"}, "method": "GET"}, "jwt_claims": {"sub": "u"}}

    assert flatten(nested) == {"request.headers": {"x.y": "1"}, "request.method": "GET", "jwt_claims": {"sub": "u"}}


@pytest.mark.parametrize(
    ("escaped", "expected"),
    [(r"a\x22b", 'a"b'), (r"a\"b", 'a"b'), (r"a\\x22", r"a\x22"), (r"a\\\"b", 'a\\"b'), (r"\q", r"\q"), ("\\", "\\")],
)
def test_escapes_of_nginx_and_apache_are_undone(escaped: str, expected: str) -> None:
    """A token with an escaped character would otherwise look malformed."""
    assert expected == unescape(escaped)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("GET /a HTTP/1.1", ("GET", "/a")),
        ("GET /a b HTTP/2", ("GET", "/a b")),
        ("M-SEARCH * HTTP/1.1", ("M-SEARCH", "*")),
        ("GET /old", ("GET", "/old")),
        ("<BADREQ>", ("", "")),
        ("\x16\x03 x", ("", "")),
        ("-", ("", "")),
    ],
)
def test_a_request_line_is_split(line: str, expected: tuple[str, str]) -> None:
    """Targets may hold spaces in old servers; binary junk is no request."""
    assert expected == request_line(line)


@pytest.mark.parametrize(
    ("address", "expected"),
    [("192.0.2.1:80", "192.0.2.1"), ("[2001:db8::1]:80", "2001:db8::1"), ("2001:db8::1", "2001:db8::1"), ("", "")],
)
def test_a_port_is_taken_off(address: str, expected: str) -> None:
    """IPv6 without brackets has no port."""
    assert expected == without_port(address)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a{b c} d", "a{b c}"),
        ("rbac[ns[a b]-x[c]] rest", "rbac[ns[a b]-x[c]]"),
        ("plain rest", "plain"),
        ("open{a b", "open{a b"),
    ],
)
def test_details_end_outside_of_their_brackets(text: str, expected: str) -> None:
    """Old releases of Envoy kept spaces inside."""
    assert expected == text[: balanced(text)]


def test_a_key_without_a_name_plays_no_role() -> None:
    """Roles that no key plays are looked up as "": that key's value must not fill them."""
    fields = {"": "x", "status": 401, "message": "token expired"}

    parsed = fill(Parsed("x"), fields, plan(fields))

    assert (401, "token expired", "", "", "") == (
        parsed.status,
        parsed.message,
        parsed.method,
        parsed.path,
        parsed.host,
    )


@pytest.mark.parametrize(
    ("side", "is_refusal"), [("while SSL handshaking to upstream", True), ("while SSL handshaking", False)]
)
def test_nginx_tells_a_certificate_refused_by_the_upstream_from_its_own(side: str, *, is_refusal: bool) -> None:
    """A client that does not trust the server's certificate has shown no credential that anyone refused."""
    alert = "SSL_do_handshake() failed (SSL: error:0A000418:SSL routines::tlsv1 alert unknown ca:SSL alert number 48)"
    line = f'2026/03/03 10:00:00 [error] 7#7: *3 {alert} {side}, client: 192.0.2.7, server: shop.example.org, request: "GET / HTTP/1.1"'
    found = Explainer(Settings()).explain(line)

    assert found.is_read is is_refusal
    assert (found.diagnosis.code if found.diagnosis else "") == ("sender_constraint_failed" if is_refusal else "")
