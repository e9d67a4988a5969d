"""One request as ten gateways log it: what `benchmarks.traffic.mixed` mixes. All of it is invented."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

AGENT: Final = "okhttp/4.12.0"
HOST: Final = "api.example.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request, with what became of it."""

    at: float  # Unix seconds
    path: str
    token: str
    number: int
    status: int  # 200 or 401

    @property
    def client(self) -> str:
        """An address."""
        return f"203.0.113.{self.number % 250}"

    @property
    def utc(self) -> str:
        """RFC 3339 with milliseconds."""
        return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(self.at)) + f".{self.number % 1000:03}Z"

    @property
    def clf(self) -> str:
        """As the common log format has it."""
        return time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(self.at))

    @property
    def trace_id(self) -> str:
        """32 hexadecimal digits."""
        return f"{0x0F0F0F0F << 96 | self.number:032x}"


def _envoy(one: Asked) -> str:
    details = "via_upstream" if one.status == 200 else "jwt_authn_access_denied{Jwt_is_expired}"
    return json.dumps(
        {
            "start_time": one.utc, "method": "GET", "path": one.path, "protocol": "HTTP/1.1", "response_code": one.status,
            "response_code_details": details, "response_flags": "-", "bytes_sent": 22, "authorization": f"Bearer {one.token}",
            "authority": HOST, "user_agent": AGENT, "x_forwarded_for": one.client, "upstream_host": "10.0.0.9:8080",
            "request_id": f"0f0f0f0f-0000-4000-8000-{one.number:012d}",
        }
    )  # fmt: skip


def _istio(one: Asked) -> str:
    flags, details, upstream = ("-", "via_upstream", "10.0.0.9:8080") if one.status == 200 else ("-", "jwt_authn_access_denied{Jwt_is_expired}", "-")  # fmt: skip
    return (
        f'[{one.utc}] "GET {one.path} HTTP/1.1" {one.status} {flags} {details} - "-" 0 22 3 - "{one.client}" "{AGENT}"'
        f' "0f0f0f0f-0000-4000-8000-{one.number:012d}" "{HOST}" "{upstream}" outbound|8080||orders.shop.svc.cluster.local - 10.0.0.2:8080 {one.client}:40022 - default'
    )


def _nginx(one: Asked) -> str:
    return f'{one.client} - - [{one.clf}] "GET {one.path} HTTP/1.1" {one.status} 179 "-" "{AGENT}" "-" "Bearer {one.token}" request_id={one.trace_id} upstream_status=- rt=0.002'


def _apache(one: Asked) -> str:
    return f'{HOST}:443 {one.client} - - [{one.clf}] "GET {one.path} HTTP/1.1" {one.status} 620 "-" "{AGENT}" "Bearer {one.token}"'


def _haproxy(one: Asked) -> str:
    at = time.strftime("%d/%b/%Y:%H:%M:%S", time.gmtime(one.at)) + f".{one.number % 1000:03}"
    server, times, flags = ("orders/o1", "0/0/1/3/4", "----") if one.status == 200 else ("fe_api/<NOSRV>", "0/0/-1/-1/0", "PR--")  # fmt: skip
    return f'{one.client}:41822 [{at}] fe_api~ {server} {times} {one.status} 231 - - {flags} 3/3/1/1/0 0/0 {{Bearer {one.token}|{HOST}|{AGENT}}} "GET {one.path} HTTP/1.1"'


def _traefik(one: Asked) -> str:
    upstream = one.status if one.status == 200 else 0
    return json.dumps(
        {
            "ClientAddr": f"{one.client}:40022", "ClientHost": one.client, "ClientPort": "40022", "DownstreamContentSize": 17,
            "DownstreamStatus": one.status, "Duration": 51234, "OriginStatus": upstream, "Overhead": 51234, "RequestAddr": HOST,
            "RequestHost": HOST, "RequestMethod": "GET", "RequestPath": one.path, "RequestProtocol": "HTTP/2.0", "RouterName": "orders@docker",
            "StartUTC": one.utc, "entryPointName": "websecure", "level": "info", "msg": "", "time": one.utc,
            "request_Authorization": f"Bearer {one.token}", "request_User-Agent": AGENT,
        }
    )  # fmt: skip


def _kong(one: Asked) -> str:
    headers = {"host": HOST, "user-agent": AGENT, "authorization": f"Bearer {one.token}"}
    return json.dumps(
        {
            "request": {"id": one.trace_id, "uri": one.path, "url": f"https://{HOST}:8443{one.path}", "method": "GET", "headers": headers, "size": 512},
            "response": {"status": one.status, "headers": {"content-type": "application/json", "server": "kong/3.8.1"}, "size": 388},
            "latencies": {"kong": 2, "proxy": 1 if one.status == 200 else -1, "request": 2}, "route": {"id": "5c7d", "name": "orders"},
            "service": {"id": "91aa", "name": "orders", "host": "orders.internal"}, "client_ip": one.client, "started_at": int(one.at * 1000),
        }
    )  # fmt: skip


def _caddy(one: Asked) -> str:
    headers = {"User-Agent": [AGENT], "Authorization": [f"Bearer {one.token}"]}
    return json.dumps(
        {
            "level": "info", "ts": one.at, "logger": "http.log.access.log0", "msg": "handled request",
            "request": {"remote_ip": one.client, "client_ip": one.client, "proto": "HTTP/2.0", "method": "GET", "host": HOST, "uri": one.path, "headers": headers},
            "bytes_read": 0, "user_id": "", "duration": 0.001, "size": 12, "status": one.status, "resp_headers": {"Server": ["Caddy"]},
        }
    )  # fmt: skip


def _apisix(one: Asked) -> str:
    headers = {"host": HOST, "user-agent": AGENT, "authorization": f"Bearer {one.token}"}
    return json.dumps(
        {
            "apisix_latency": 2.1, "latency": 2.4, "client_ip": one.client, "route_id": "orders", "service_id": "", "start_time": one.at * 1000,
            "server": {"hostname": "apisix-7f", "version": "3.13.0"},
            "request": {"headers": headers, "method": "GET", "size": 302, "uri": one.path, "url": f"http://{HOST}:9080{one.path}"},
            "response": {"headers": {"server": "APISIX/3.13.0"}, "size": 290, "status": one.status}, "upstream": "10.2.0.7:8080",
        }
    )  # fmt: skip


def _aws(one: Asked) -> str:
    return json.dumps(
        {
            "requestId": f"{one.number:015d}=", "ip": one.client, "requestTime": one.clf, "httpMethod": "GET", "routeKey": "$default", "path": one.path,
            "domainName": HOST, "status": str(one.status), "protocol": "HTTP/1.1", "responseLength": "26", "integrationStatus": "200" if one.status == 200 else "-",
            "authorizerError": "-" if one.status == 200 else "The incoming token has expired", "userAgent": AGENT,
        }
    )  # fmt: skip


FORMATS: Final[dict[str, Callable[[Asked], str]]] = {
    "envoy": _envoy,
    "istio": _istio,
    "nginx": _nginx,
    "apache": _apache,
    "haproxy": _haproxy,
    "traefik": _traefik,
    "kong": _kong,
    "caddy": _caddy,
    "apisix": _apisix,
    "aws-api-gateway": _aws,
}
