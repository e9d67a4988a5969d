"""A real Apache Kafka with three doors: plain for the tests' own hands, SASL_SSL (SCRAM, PLAIN), and SSL with mTLS."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import trustme
from cryptography.hazmat.primitives import serialization

from tests.brokers import Broker, More, free_ports, start_with

USER, PASSWORD = "why401", "pa55-of-the-broker-73f1"
_MODULE = "org.apache.kafka.common.security"
_PROPERTIES = """
ssl.keystore.type=PEM
ssl.keystore.location={folder}/broker.pem
ssl.truststore.type=PEM
ssl.truststore.location={folder}/ca.pem
listener.name.ssl.ssl.client.auth=required
sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config={module}.scram.ScramLoginModule required;
listener.name.sasl_ssl.plain.sasl.jaas.config={module}.plain.PlainLoginModule required user_{user}="{password}";
"""


@dataclass(frozen=True)
class Secured:
    """The broker, its two guarded doors, and the certificates in `folder`."""

    broker: Broker
    folder: Path
    sasl: str
    mtls: str

    @property
    def sasl_by_address(self) -> str:
        """The same door under a name that the certificate does not hold."""
        return self.sasl.replace("localhost", "127.0.0.1")

    def file(self, name: str) -> str:
        """The path of ca.pem, stranger.pem, client.pem or client.key."""
        return str(self.folder / name)


def start(folder: Path) -> Secured:
    """A new broker whose certificate is for localhost only. Raises BrokerUnavailable."""
    ca = trustme.CA(key_type=trustme.KeyType.ECDSA)
    _write_certificates(ca, folder)
    sasl, mtls = free_ports(2)
    doors = {
        bind: f",SASL_SSL://{host}:{sasl},SSL://{host}:{mtls}"
        for bind, host in (("listeners", "127.0.0.1"), ("advertised", "localhost"))
    }
    properties = _PROPERTIES.format(folder=folder, module=_MODULE, user=USER, password=PASSWORD)
    scram = (f"SCRAM-SHA-512=[name={USER},password={PASSWORD}]",)
    broker = start_with(More(doors["listeners"], doors["advertised"], properties, scram))
    return Secured(broker, folder, f"localhost:{sasl}", f"localhost:{mtls}")


def _write_certificates(ca: trustme.CA, folder: Path) -> None:
    ca.cert_pem.write_to_path(folder / "ca.pem")
    trustme.CA().cert_pem.write_to_path(folder / "stranger.pem")
    server = ca.issue_cert("localhost", key_type=trustme.KeyType.ECDSA)
    chain = server.cert_chain_pems[0].bytes()
    (folder / "broker.pem").write_bytes(_pkcs8(server.private_key_pem.bytes()) + chain)
    client = ca.issue_cert("client", key_type=trustme.KeyType.ECDSA)
    client.cert_chain_pems[0].write_to_path(folder / "client.pem")
    (folder / "client.key").touch(0o600)
    client.private_key_pem.write_to_path(folder / "client.key")


def _pkcs8(key: bytes) -> bytes:
    """Kafka reads no other encoding."""
    loaded = serialization.load_pem_private_key(key, None)
    return loaded.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
