"""Programs that write to syslog, as their manuals have it, into why401's receiver: the right codes are in the store."""

from __future__ import annotations

import base64
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

import pytest

from benchmarks.live.process import running
from collector.gateways.reading.places import LEARNED
from collector.sources.syslog.syslog_source import SyslogSource
from tests import tokens
from tests.brokers import free_ports
from tests.collector.sources.access_rig import Pki
from tests.live.storing import Store, storing
from tests.waiting import HANG_S, eventually

ANY_PORT: Final = "127.0.0.1:0"
EXAMPLES: Final = Path(__file__).parents[2] / "docs" / "examples" / "gateways"
NGINX: Final = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log syslog:server={udp},tag=nginx info;
events {{ worker_connections 128; }}
http {{
  log_format why401 '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" '
                    '"$http_user_agent" request_id=$request_id upstream_status=$upstream_status '
                    'www_authenticate="$sent_http_www_authenticate" authorization="$http_authorization"';
  access_log syslog:server={udp},tag=nginx why401;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location / {{ auth_basic "orders"; auth_basic_user_file {folder}/users; empty_gif; }}
  }}
}}
"""
HAPROXY: Final = """\
global
  log {log} local0
{ring}
defaults
  mode http
  log global
  timeout connect 5s
  timeout client 10s
  timeout server 10s
frontend api
  bind 127.0.0.1:{port}
  log-format "%ci:%cp [%trl] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{{+Q}}r"
  capture request header Host len 64
  capture request header User-Agent len 128
  capture request header Authorization len 8192
  http-request deny deny_status 401
"""
RING: Final = """\
ring why401
  format {format}
  maxlen 16384
  size 262144
  timeout connect 5s
  timeout server 10s
  server why401 {tcp}{counted}
"""
RSYSLOG: Final = """\
global(workDirectory="{folder}" maxMessageSize="16k" {tls})
module(load="imfile" PollingInterval="1")
input(type="imfile" File="{log}" Tag="nginx:" Severity="info" Facility="local0")
action(type="omfwd" target="127.0.0.1" port="{port}" {how})
"""


@contextmanager
def syslog(folder: Path, **settings: str) -> Iterator[tuple[Store, Mapping[str, str]]]:
    """why401 with a syslog receiver, and where it listens."""
    wanted = {f"syslog.{name}": value for name, value in settings.items()}
    served = lambda loaded, telemetry: SyslogSource(loaded.syslog, telemetry)  # noqa: E731
    with storing(folder, served, wanted) as store:
        yield store, store.source.addresses


def status(port: int, **headers: str) -> int:
    """Of one request."""
    connection = HTTPConnection("127.0.0.1", port, timeout=HANG_S)
    try:
        connection.request("GET", "/orders/4711", headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


def basic(credential: str) -> str:
    return f"Basic {base64.b64encode(credential.encode()).decode()}"


@pytest.mark.skipif(not shutil.which("nginx"), reason="nginx is not installed")
def test_nginx_logs_to_syslog(tmp_path: Path) -> None:
    """`access_log syslog:` and `error_log syslog:`: the two lines of a request are one refusal, as they are in files."""
    (tmp_path / "users").write_text("kim:{PLAIN}right\n")
    (port,) = free_ports(1)
    with syslog(tmp_path, udp=ANY_PORT) as (store, at):
        config = tmp_path / "nginx.conf"
        config.write_text(NGINX.format(folder=tmp_path, udp=at["udp"], port=port))
        with running(["nginx", "-p", str(tmp_path), "-e", "stderr", "-c", str(config)], port, tmp_path / "printed.log"):
            first = [
                status(port),
                status(port, Authorization=basic("kim:right")),
                status(port, Authorization=basic("kim:wrong")),
            ]
            store.awaited("token_missing", "consumer_not_found")
            for _ in range(5):  # lines wait for their other half once both were seen to come
                assert status(port, Authorization=basic("kim:wrong")) == 401
                eventually(lambda: store.rows("SELECT count(*) FROM failures")[0][0], "the store answers")
        seen = store.codes()

    assert first == [401, 200, 401]
    assert set(seen) == {"token_missing", "consumer_not_found"}
    assert store.rows("SELECT DISTINCT gateway, origin_kind FROM failures") == [("nginx", "syslog")]
    assert store.rows("SELECT count(*) FROM failures WHERE gateway_instance = ''") == [(0,)]


@pytest.mark.skipif(not shutil.which("haproxy"), reason="haproxy is not installed")
@pytest.mark.parametrize("how", ["udp", "tcp counted rfc5424"])
def test_haproxy_logs_to_syslog(tmp_path: Path, how: str) -> None:
    """`log` to a datagram socket, and to TCP by way of a ring, with line breaks or counted octets."""
    (port,) = free_ports(1)
    form = "rfc5424" if "rfc5424" in how else "rfc3164"
    with syslog(tmp_path, udp=ANY_PORT, tcp=ANY_PORT) as (store, at):
        counted = " log-proto octet-count" if "counted" in how else ""
        ring = RING.format(format=form, tcp=at["tcp"], counted=counted) if "tcp" in how else ""
        log = "ring@why401" if ring else f"{at['udp']} len 16384 format {form}"
        config = tmp_path / "haproxy.cfg"
        config.write_text(HAPROXY.format(log=log, ring=ring, port=port))
        with running(["haproxy", "-db", "-f", str(config)], port, tmp_path / "haproxy.log"):
            expired = tokens.token(exp=1_600_000_000, iat=1_599_990_000, nbf=1_599_990_000)
            assert {status(port, Authorization=f"Bearer {expired}") for _ in range(LEARNED)} == {401}
            # From then on it is known which capture holds the credential.
            eventually(lambda: store.codes()["token_expired"] == LEARNED, "what taught it is in the store")
            assert status(port) == 401
            seen = store.awaited("token_missing", "token_expired")

    assert seen == {"token_missing": 1, "token_expired": LEARNED}
    assert store.rows("SELECT DISTINCT gateway FROM failures") == [("haproxy",)]


@pytest.mark.skipif(not shutil.which("rsyslogd"), reason="rsyslog is not installed")
@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("udp", 'protocol="udp"'),
        ("tcp", 'protocol="tcp"'),
        ("tls", 'protocol="tcp" TCP_Framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format" StreamDriver="gtls" StreamDriverMode="1" StreamDriverAuthMode="x509/certvalid"'),
    ],
)  # fmt: skip
def test_rsyslog_forwards_a_file(tmp_path: Path, name: str, how: str) -> None:
    """What rsyslog reads from nginx's log and forwards, as its defaults are, in RFC 5424, and over TLS with a certificate of its own."""
    pki = Pki.make(tmp_path / "pki")
    if name == "tls" and not list(Path("/usr/lib").glob("*/rsyslog/lmnsd_gtls.so")):
        pytest.skip("rsyslog-gnutls is not installed")
    tls = pki.mutual if name == "tls" else {}
    folder = pki.folder
    files = f'DefaultNetstreamDriverCAFile="{folder}/ca.pem" DefaultNetstreamDriverCertFile="{folder}/sender.pem" DefaultNetstreamDriverKeyFile="{folder}/sender.pem"'
    log = tmp_path / "access.log"
    log.write_text((EXAMPLES / "nginx.log").read_text())
    with syslog(tmp_path, **{name: ANY_PORT}, **tls) as (store, at):
        port = at[name].rpartition(":")[2]
        config = tmp_path / "rsyslog.conf"
        config.write_text(RSYSLOG.format(folder=tmp_path, tls=files if tls else "", log=log, port=port, how=how))
        process = subprocess.Popen(["rsyslogd", "-n", "-f", str(config), "-i", str(tmp_path / "pid")])
        try:
            seen = store.awaited("audience_mismatch")
        finally:
            process.terminate()
            process.wait(HANG_S)

    assert seen == {"audience_mismatch": 1}
    assert store.rows("SELECT gateway, origin_kind FROM failures") == [("nginx", "syslog")]
