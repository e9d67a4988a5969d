"""Cloudflare: security events of API Shield, custom rules, rate limits and address rules, and http_requests.

Fields after the Logpush datasets firewall_events and http_requests, and GraphQL's firewallEventsAdaptive, whose names
differ in case. No event names the reason of API Shield; it says only that its token validation matched.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from collector.events import Outcome, Responder
from collector.gateways.reading.contract import NO_TEXTS, NotAuth
from collector.gateways.reading.json_fields import finish, mapping
from collector.gateways.reading.times import any_ns
from collector.gateways.reading.values import MAX_KEYS, as_text, client, header_map, http_status
from collector.records import Parsed, RawRecord

NAME: Final = "cloudflare"
_OWN: Final = frozenset(
    ("rayname", "rayid", "clientasn", "clientcountryname", "clientcountry", "clientipclass", "ruleid")
)
# Products that judge who calls. WAF, DDoS and bot rules judge what is called.
_SOURCES: Final = frozenset(
    ("apishieldtokenvalidation", "apishield", "apishieldsessionidentifier", "firewallrules", "firewallcustom",
     "ratelimit",
     "accessrules", "ip", "iprange", "country", "asn", "zonelockdown", "uablock", "mtls", "access")
)  # fmt: skip
_REFUSED: Final = frozenset(
    ("block", "challenge", "jschallenge", "managedchallenge", "challengefailed", "jschallengefailed", "drop",
     "connectionclose", "connection_close", "managed_challenge", "js_challenge")
)  # fmt: skip
TEXTS: Final = NO_TEXTS


def parse(record: RawRecord) -> Parsed | None:
    """An event of the firewall, or a request at the edge."""
    fields = mapping(record)
    if not 0 < len(fields) <= MAX_KEYS:
        return None
    if not any(name in fields for name in ("source", "Source", "EdgeResponseStatus", "edgeResponseStatus")):
        return None
    values = {name.lower(): value for name, value in fields.items()}
    if _OWN.isdisjoint(values):
        return None
    if "action" in values and "source" in values:
        return _event(values, record)
    return _request(values, record) if "edgeresponsestatus" in values else None


def _event(values: Mapping[str, Any], record: RawRecord) -> Parsed:
    source, action = as_text(values["source"]), as_text(values["action"]).lower()
    if source.lower() not in _SOURCES:
        raise NotAuth(NAME, "an event of a product that does not judge callers")
    parsed = _common(values, record)
    parsed.reason, parsed.message = source, as_text(values.get("description"))
    parsed.outcome = Outcome.DENIED if action in _REFUSED else Outcome.ALLOWED
    parsed.responder = Responder.EDGE if parsed.outcome is Outcome.DENIED else Responder.UNKNOWN
    return finish(parsed, record)


def _request(values: Mapping[str, Any], record: RawRecord) -> Parsed:
    """The edge answered itself when it has an action for it, or when no origin answered."""
    parsed = _common(values, record)
    if not parsed.status:
        raise NotAuth(NAME, "no answer was sent")
    parsed.upstream_status = http_status(values.get("originresponsestatus"))
    action = as_text(values.get("securityaction")).lower()
    if action in _REFUSED:
        sources = values.get("securitysources")
        parsed.reason = as_text(sources[-1] if isinstance(sources, list) and sources else sources)
        parsed.message = as_text(values.get("securityruledescription"))
        parsed.responder = Responder.EDGE
    elif parsed.upstream_status:
        parsed.responder = Responder.UPSTREAM
    return finish(parsed, record)


def _common(values: Mapping[str, Any], record: RawRecord) -> Parsed:
    parsed = Parsed(NAME, status=http_status(values.get("edgeresponsestatus")))
    when = values.get("datetime") or values.get("occurredat") or values.get("edgestarttimestamp")
    parsed.time_ns = any_ns(when, record.time_ns)
    parsed.method = as_text(values.get("clientrequestmethod") or values.get("clientrequesthttpmethodname"))
    parsed.path = _path(values)
    parsed.host = as_text(values.get("clientrequesthost") or values.get("clientrequesthttphost"))
    parsed.client = client(as_text(values.get("clientip")))
    parsed.user_agent = as_text(values.get("useragent") or values.get("clientrequestuseragent"))
    parsed.request_id = as_text(values.get("rayname") or values.get("rayid"))
    parsed.headers = header_map(values.get("requestheaders"))
    parsed.credential_logged = "authorization" in parsed.headers
    return parsed


def _path(values: Mapping[str, Any]) -> str:
    whole = as_text(values.get("clientrequesturi"))
    query = as_text(values.get("clientrequestquery"))
    return whole or as_text(values.get("clientrequestpath")) + (query if query[:1] in ("?", "") else f"?{query}")
