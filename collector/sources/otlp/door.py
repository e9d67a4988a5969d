"""Who may come in: the address, TLS and the sender of the OTLP receivers, in one place for both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from collector.errors import ConfigurationError
from collector.settings import OtlpSettings
from collector.settings.checks import is_loopback
from collector.sources.otlp.senders import OidcSenders, SenderRefused, TokenFile, credential
from collector.sources.otlp.tls import Certificates
from collector.telemetry import Telemetry


class Door:
    """Entered by each receiver while it serves. Raises ConfigurationError for settings that cannot be used together."""

    def __init__(
        self, settings: OtlpSettings, telemetry: Telemetry, *, base: Path = Path(), insecure: bool = False
    ) -> None:
        self._settings = settings
        self._telemetry = telemetry
        self._insecure = insecure
        self.certificates = _certificates(settings, base, telemetry)
        self.tokens = TokenFile(base / settings.token_file, telemetry) if settings.token_file else None
        self.oidc = OidcSenders.of(settings.oidc, base, telemetry) if settings.oidc.issuer else None
        self._open = ExitStack()
        self._users = 0

    def __enter__(self) -> Self:
        self._users += 1
        if self._users == 1 and self.oidc is not None:
            self._open.enter_context(self.oidc)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._users -= 1
        if self._users == 0:
            self._open.close()

    @property
    def asks_for_token(self) -> bool:
        """Whether a request must carry one."""
        return self.tokens is not None or self.oidc is not None

    def check(
        self, protocol: str, authorization: Sequence[str], scheme: str = "Bearer", *, takes_basic: bool = False
    ) -> None:
        """Raises Refused when the request's sender may not come in. Called before any of its body is read.

        `scheme` and `takes_basic` are those of `credential`.
        """
        if not self.asks_for_token:
            return
        try:
            sender = self._sender(credential(authorization, scheme, takes_basic=takes_basic))
        except SenderRefused as refused:
            self._telemetry.count("why401.senders.refused", protocol=protocol, reason=refused.reason)
            raise
        self._telemetry.count("why401.senders.accepted", protocol=protocol, sender=sender)

    def _sender(self, token: str) -> str:
        name = self.tokens.sender(token) if self.tokens else ""
        if name:
            return name
        if self.oidc is None:
            raise SenderRefused("unknown_token", "the token is not known here")
        self.oidc.verify(token)
        return "oidc"

    def address(self, key: str, value: str) -> tuple[str, int]:
        """Host and port to bind. Raises ConfigurationError for one that others reach and that is not protected."""
        host, _, port = value.rpartition(":")
        host = host.strip("[]")
        if not port.isdigit() or not host:
            raise ConfigurationError(key, value, 'expected "host:port"')
        missing = "" if self._insecure or is_loopback(host) else self._missing()
        if missing:
            raise ConfigurationError(key, value, f"{missing}, bind 127.0.0.1, or set insecure = true")
        return host, int(port)

    def _missing(self) -> str:
        if self.certificates is None:
            also = "" if self.asks_for_token else " and token_file, oidc or tls_client_ca"
            return f"raw logs hold credentials and would travel in the clear: set [otlp] tls_cert, tls_key{also}"
        if not self.asks_for_token and not self._settings.tls_client_ca:
            return "anybody who reaches it could write into the store: set [otlp] token_file, oidc or tls_client_ca"
        return ""

    def describe(self) -> str:
        """How it is protected, for `why401 check`."""
        return ", ".join(self._words())

    def _words(self) -> Iterator[str]:
        if self.certificates is None:
            yield "no TLS"
        else:
            yield f"TLS (certificate valid until {self.certificates.expires:%F})"
        if self._settings.tls_client_ca:
            yield "client certificates required"
        if self.tokens is not None:
            yield f"bearer tokens of {', '.join(self.tokens.names)}"
        if self.oidc is not None:
            yield f"access tokens of {self._settings.oidc.issuer} for {self._settings.oidc.audience}"
        if not self.asks_for_token and not self._settings.tls_client_ca:
            yield "no authentication"


def _certificates(settings: OtlpSettings, base: Path, telemetry: Telemetry) -> Certificates | None:
    if not settings.tls_cert and not settings.tls_key:
        if settings.tls_client_ca:
            raise ConfigurationError("otlp.tls_cert", "", "is required with otlp.tls_client_ca")
        return None
    for name in ("tls_cert", "tls_key"):
        if not getattr(settings, name):
            raise ConfigurationError(f"otlp.{name}", "", "tls_cert and tls_key are given together")
    client_ca = base / settings.tls_client_ca if settings.tls_client_ca else None
    return Certificates(base / settings.tls_cert, base / settings.tls_key, client_ca, telemetry)
