"""Certificates, tokens and clients for the tests of who may come in."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import trustme
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse

from tests import tokens
from tests.collector.sources.otlp.rig import HANG_S, PROTOBUF, Answer, Rig, body_of

EXPORT = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
GOOD = "g" * 31 + "1"  # bearer tokens of the token file
NEXT = "n" * 31 + "2"
AUDIENCE = "why401"


@dataclass(frozen=True)
class Pki:
    """One CA, its server certificate for localhost, and a sender's."""

    ca: trustme.CA
    folder: Path

    @classmethod
    def make(cls, folder: Path, ca: trustme.CA | None = None) -> Pki:
        folder.mkdir(exist_ok=True)
        made = cls(ca or trustme.CA(key_type=trustme.KeyType.ECDSA), folder)
        made.renew()
        sender = made.ca.issue_cert("sender", key_type=trustme.KeyType.ECDSA)
        sender.private_key_and_cert_chain_pem.write_to_path(folder / "sender.pem")
        made.ca.cert_pem.write_to_path(folder / "ca.pem")
        return made

    def renew(self, **about: Any) -> None:
        """Another server certificate of the same CA, in the same files."""
        server = self.ca.issue_cert("localhost", "127.0.0.1", key_type=trustme.KeyType.ECDSA, **about)
        key = self.folder / "server.key"
        key.touch(0o600)
        server.private_key_pem.write_to_path(key)
        server.cert_chain_pems[0].write_to_path(self.folder / "server.pem")

    @property
    def settings(self) -> dict[str, str]:
        """TLS for both receivers."""
        return {"tls_cert": str(self.folder / "server.pem"), "tls_key": str(self.folder / "server.key")}

    @property
    def mutual(self) -> dict[str, str]:
        """The same with certificates of senders."""
        return self.settings | {"tls_client_ca": str(self.folder / "ca.pem")}

    def client(self, sender: Pki | None = None) -> ssl.SSLContext:
        """A sender that trusts this CA, with a certificate of `sender`'s CA."""
        context = ssl.create_default_context(cafile=self.folder / "ca.pem")
        if sender is not None:
            context.load_cert_chain(sender.folder / "sender.pem")
        return context

    def channel(self, address: str, sender: Pki | None = None) -> grpc.Channel:
        """The same over gRPC."""
        pem = (sender.folder / "sender.pem").read_bytes() if sender else None
        credentials = grpc.ssl_channel_credentials((self.folder / "ca.pem").read_bytes(), pem, pem)
        return grpc.secure_channel(address, credentials)


def token_file(folder: Path, text: str) -> str:
    """A token file that only its owner reads."""
    path = folder / "tokens"
    path.touch(0o600)
    path.write_text(text)
    return str(path)


def key_file(folder: Path, *names: str) -> str:
    """The provider's key set as a file."""
    path = folder / "jwks.json"
    path.write_text(json.dumps(tokens.jwks(*names)))
    return str(path)


def access_token(**claims: Any) -> str:
    """What the provider issues to a sender."""
    return tokens.token(**({"aud": AUDIENCE} | claims))


def bearer(token: str) -> dict[str, str]:
    """The header."""
    return {"Authorization": f"Bearer {token}"}


def post(rig: Rig, headers: Mapping[str, str], context: ssl.SSLContext | None = None, *, text: str = "x") -> Answer:
    """One request over a new connection, with TLS when there is a context."""
    host, _, port = rig.address.rpartition(":")
    about: dict[str, Any] = {"timeout": HANG_S} | ({"context": context} if context else {})
    kind = http.client.HTTPSConnection if context else http.client.HTTPConnection
    connection = kind(host, int(port), **about)
    try:
        connection.request("POST", "/v1/logs", body_of(text), {"Content-Type": PROTOBUF, **headers})
        response = connection.getresponse()
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
    finally:
        connection.close()


def export(channel: grpc.Channel, token: str = "", *, text: str = "x") -> Any:
    """One call; the response, or the grpc.RpcError."""
    metadata = [("authorization", f"Bearer {token}")] if token else []
    call = channel.unary_unary(EXPORT, response_deserializer=ExportLogsServiceResponse.FromString)
    try:
        return call(body_of(text), timeout=HANG_S, metadata=metadata)
    except grpc.RpcError as error:
        return error
