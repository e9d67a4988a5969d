"""TLS of the receivers from files that may be renewed: each handshake uses what is on disk, when it can be used."""

from __future__ import annotations

import logging
import ssl
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import grpc
from cryptography import x509

from collector.errors import ConfigurationError
from collector.settings.private import check_private
from collector.telemetry import Telemetry

log = logging.getLogger("why401.tls")
Stamp = tuple[tuple[int, int, int], ...]
_GONE: Final = (0, 0, 0)


@dataclass(frozen=True, slots=True, repr=False)
class _Loaded:
    """What the files held at `stamp`."""

    stamp: Stamp
    context: ssl.SSLContext
    chain: bytes
    key: bytes
    client_ca: bytes | None


class Certificates:
    """Certificate chain, key and, for mTLS, the senders' CA. Thread-safe.

    Files that changed are read before the next handshake. When they do not fit (half of a renewal is written), the
    pair in use stays, and the failure is counted once. Raises ConfigurationError when the first reading fails.
    """

    def __init__(
        self, chain: Path, key: Path, client_ca: Path | None, telemetry: Telemetry, *, section: str = "otlp"
    ) -> None:
        """`section`: of the settings whose files they are, for messages."""
        self._section = section
        self._chain = chain
        self._key = key
        self._client_ca = client_ca
        self._telemetry = telemetry
        self._lock = threading.Lock()
        self._seen = self._stamp()
        self._loaded = self._load(self._seen)

    @property
    def expires(self) -> datetime:
        """When the certificate in use ends."""
        return x509.load_pem_x509_certificate(self._loaded.chain).not_valid_after_utc

    def fresh(self) -> _Loaded:
        """What is on disk, or what was in use before when that cannot be used."""
        with self._lock:
            stamp = self._stamp()
            if stamp == self._seen:
                return self._loaded
            self._seen = stamp
            try:
                self._loaded = self._load(stamp)
            except ConfigurationError as error:
                self._telemetry.count("why401.errors", stage=f"{self._section}_tls", kind=type(error).__name__)
                log.warning("%s; the certificate in use stays", error)
            else:
                log.info("%s was read again; valid until %s", self._chain, f"{self.expires:%F %T} UTC")
            return self._loaded

    def for_http(self) -> ssl.SSLContext:
        """A context that hands every handshake to the newest one."""
        context = self._context()

        def newest(connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
            connection.context = self.fresh().context

        context.sni_callback = newest
        return context

    def for_grpc(self) -> Any:
        """Server credentials that are asked for at every handshake."""
        given = [self._loaded]

        def changed() -> Any:
            newest = self.fresh()
            if newest is given[0]:
                return None
            given[0] = newest
            return _configuration(newest)

        return grpc.dynamic_ssl_server_credentials(_configuration(given[0]), changed, self._client_ca is not None)

    def _load(self, stamp: Stamp) -> _Loaded:
        check_private(self._key, f"{self._section}.tls_key")
        context = self._context()
        try:
            chain, key = self._chain.read_bytes(), self._key.read_bytes()
            client_ca = self._client_ca.read_bytes() if self._client_ca else None
            if not _is_valid(chain):
                raise ConfigurationError(f"{self._section}.tls_cert", str(self._chain), "has expired; renew it")
        except (OSError, ValueError) as error:
            right = f"expected a certificate in PEM: {getattr(error, 'strerror', '') or 'it holds none'}"
            raise ConfigurationError(f"{self._section}.tls_cert", str(self._chain), right) from None
        return _Loaded(stamp, context, chain, key, client_ca)

    def _context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(self._chain, self._key, password=_no_password)
        except (OSError, ValueError) as error:
            right = f"expected a certificate chain and, in tls_key, its unencrypted key, both PEM: {_why(error)}"
            raise ConfigurationError(f"{self._section}.tls_cert", str(self._chain), right) from None
        if self._client_ca is not None:
            _require_certificates(context, self._client_ca, f"{self._section}.tls_client_ca")
        return context

    def _stamp(self) -> Stamp:
        return tuple(_one(path) for path in (self._chain, self._key, self._client_ca) if path is not None)


def _require_certificates(context: ssl.SSLContext, client_ca: Path, setting: str) -> None:
    try:
        context.load_verify_locations(client_ca)
    except (OSError, ValueError) as error:
        right = f"expected CA certificates, PEM: {_why(error)}"
        raise ConfigurationError(setting, str(client_ca), right) from None
    context.verify_mode = ssl.CERT_REQUIRED
    # A resumed session skips the check of the certificate, and would outlive its CA here.
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0


def _configuration(loaded: _Loaded) -> Any:
    return grpc.ssl_server_certificate_configuration([(loaded.key, loaded.chain)], loaded.client_ca)


def _is_valid(chain: bytes) -> bool:
    return x509.load_pem_x509_certificate(chain).not_valid_after_utc > datetime.now(UTC)


def _one(path: Path) -> tuple[int, int, int]:
    try:
        status = path.stat()
    except OSError:
        return _GONE
    return (status.st_mtime_ns, status.st_size, status.st_ino)


def _no_password() -> str:
    """Without this OpenSSL would ask on the terminal."""
    return ""


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or "unreadable").lower().replace("_", " ")
    return getattr(error, "strerror", None) or "unreadable"
