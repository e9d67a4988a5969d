"""Why a broker does not let us in, in one sentence: kafka-python keeps the cause of a failed handshake to itself.

After a failed connection the brokers are asked once more, by a bare TLS handshake with the same settings; what OpenSSL
then says names the setting. No sentence holds a password.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from kafka.errors import KafkaError, SaslAuthenticationFailedError, UnsupportedSaslMechanismError

from collector.errors import ConfigurationError
from collector.settings import KafkaSettings
from collector.settings.private import check_private

PROBE_SECONDS: Final = 3.0
ALERT_SECONDS: Final = 1.0  # TLS 1.3: a server judges our certificate after our side of the handshake is done
_FILES: Final = ("ssl_cafile", "ssl_certfile", "ssl_keyfile")
_NAME_MISMATCH: Final = (62, 64)  # X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH
_EXPIRED: Final = (9, 10)  # X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_CERT_HAS_EXPIRED


class AccessRefused(KafkaError):  # type: ignore[misc]  # kafka-python is untyped
    """The broker is there and refuses us, or we refuse it. Carries what a ConfigurationError does."""

    def __init__(self, key: str, value: object, expected: str) -> None:
        super().__init__(f"{key} = {value!r}: {expected}")
        self.key = key
        self.value = value
        self.expected = expected

    def as_configuration_error(self) -> ConfigurationError:
        """For the start, which a wrong setting stops."""
        return ConfigurationError(self.key, self.value, self.expected)


def check(settings: KafkaSettings) -> None:
    """Raises ConfigurationError for settings that no broker can accept."""
    protocol, mechanism = settings.security_protocol, settings.sasl_mechanism
    if protocol.startswith("SASL") != bool(mechanism):
        right = "SASL_SSL (or SASL_PLAINTEXT) goes with a sasl_mechanism, the other protocols with none"
        raise ConfigurationError("kafka.security_protocol", protocol, right)
    for name in ("sasl_username", "sasl_password"):
        if mechanism and not getattr(settings, name):
            shown = "" if name == "sasl_username" else "…"
            raise ConfigurationError(f"kafka.{name}", shown, f"is required with {mechanism}")
    for name in _FILES:
        path = getattr(settings, name)
        if path and not Path(path).is_file():
            raise ConfigurationError(f"kafka.{name}", path, "no such file")
    if settings.ssl_keyfile:
        check_private(Path(settings.ssl_keyfile), "kafka.ssl_keyfile")


def refusal(settings: KafkaSettings, errors: Sequence[BaseException]) -> AccessRefused | None:
    """The sentence for a failed connection with these errors; None when the broker is only away."""
    at = ", ".join(settings.bootstrap)
    for error in errors:
        if isinstance(error, SaslAuthenticationFailedError):
            right = f"{at} refused this user or its password ({settings.sasl_mechanism}): expected a user that it knows"
            return AccessRefused("kafka.sasl_username", settings.sasl_username, right)
        if isinstance(error, UnsupportedSaslMechanismError):
            right = f"{at} does not offer it: expected one of the listener's sasl.enabled.mechanisms"
            return AccessRefused("kafka.sasl_mechanism", settings.sasl_mechanism, right)
    for address in settings.bootstrap:
        found = _probe(settings, address)
        if found is not None:
            return found
    return None


def _probe(settings: KafkaSettings, address: str) -> AccessRefused | None:
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    if settings.security_protocol not in ("SSL", "SASL_SSL"):
        return _speaks_tls(settings, address) if _handshake(_trusting(), host, port) is None else None
    try:
        context = _context(settings)
    except (OSError, ValueError) as error:
        return AccessRefused("kafka.ssl_cafile", settings.ssl_cafile, f"expected PEM in the kafka.ssl_* files: {error}")
    trouble = _handshake(context, host, port)
    return _said(settings, address, trouble) if isinstance(trouble, ssl.SSLError) else None


def _handshake(context: ssl.SSLContext, host: str, port: str) -> OSError | None:
    try:
        with (
            socket.create_connection((host, int(port)), PROBE_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=host) as secure,
        ):
            secure.settimeout(ALERT_SECONDS)
            secure.recv(1)
    except TimeoutError:
        return None
    except OSError as error:
        return error
    return None


def _said(settings: KafkaSettings, address: str, error: ssl.SSLError) -> AccessRefused:
    if isinstance(error, ssl.SSLCertVerificationError):
        return _unverified(settings, address, error)
    reason = (error.reason or "").lower().replace("_", " ")
    if "alert" in reason and ("certificate" in reason or "unknown ca" in reason):
        right = f"{address} asks for a client certificate of a CA that it trusts ({reason}): set ssl_certfile and ssl_keyfile"
        return AccessRefused("kafka.ssl_certfile", settings.ssl_certfile, right)
    right = f"{address} does not answer in TLS ({reason or 'connection closed'}): expected the port of an SSL or SASL_SSL listener"
    return AccessRefused("kafka.security_protocol", settings.security_protocol, right)


def _unverified(settings: KafkaSettings, address: str, error: ssl.SSLCertVerificationError) -> AccessRefused:
    if error.verify_code in _NAME_MISMATCH:
        right = f"{error.verify_message.rstrip('.')}: expected a name that the broker's certificate holds"
        return AccessRefused("kafka.bootstrap", address, right)
    if error.verify_code in _EXPIRED:
        return AccessRefused("kafka.bootstrap", address, f"the broker's {error.verify_message}: it has to be renewed")
    right = f"the certificate of {address} is not of this CA ({error.verify_message}): expected the CA that signed it"
    return AccessRefused("kafka.ssl_cafile", settings.ssl_cafile or "(the system's)", right)


def _speaks_tls(settings: KafkaSettings, address: str) -> AccessRefused:
    right = "SASL_SSL" if settings.sasl_mechanism else "SSL"
    return AccessRefused(
        "kafka.security_protocol", settings.security_protocol, f"{address} speaks TLS: expected {right}"
    )


def _context(settings: KafkaSettings) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=settings.ssl_cafile or None)
    if settings.ssl_certfile:
        context.load_cert_chain(settings.ssl_certfile, settings.ssl_keyfile or None)
    return context


def _trusting() -> Any:
    """Only to learn whether TLS is spoken: nothing is sent."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
