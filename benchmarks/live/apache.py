"""Apache httpd with Debian's mod_auth_openidc as an OAuth 2.0 resource server that verifies JWTs itself."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from benchmarks.live.contract import Running
from benchmarks.live.process import running, said
from benchmarks.live.recipe import Recipe
from tests.brokers import free_ports
from why401.demo.mint import Mint

_MODULES: Final = Path("/usr/lib/apache2/modules")
_LOADED: Final = (
    "mpm_event", "authn_core", "authz_core", "authz_user", "proxy", "proxy_http", "ssl", "unique_id", "auth_openidc",
)  # fmt: skip
RECIPE: Final = Recipe("apache")
# OpenIDC/mod_auth_openidc auth_openidc.conf 2.4.12 (OAuth 2.0 Resource Server).
_CONFIG: Final = """\
ServerRoot "{folder}"
ServerName api.example.com
Listen 127.0.0.1:{port}
Listen 127.0.0.1:{tls}
PidFile "{folder}/apache.pid"
User www-data
Group www-data
{modules}
{log}
# The module takes key sets from https alone.
<VirtualHost 127.0.0.1:{tls}>
  SSLEngine on
  SSLCertificateFile "{folder}/tls.pem"
  SSLCertificateKeyFile "{folder}/tls.key"
  ProxyPass / http://{services}/
</VirtualHost>

<VirtualHost 127.0.0.1:{port}>
{access}  OIDCOAuthVerifyJwksUri https://127.0.0.1:{tls}{jwks_path}
  OIDCOAuthSSLValidateServer Off
  OIDCOAuthRemoteUserClaim sub

  <Location "/">
    AuthType oauth20
    <RequireAll>
      Require valid-user
      Require claim iss:{issuer}
      Require claim aud:{audience}
    </RequireAll>
    ProxyPass http://{services}/
  </Location>
</VirtualHost>
"""


@dataclass(frozen=True, slots=True)
class Apache:
    """One key set; issuer and audience are Require lines, because the module checks neither in an access token."""

    name: str = "Apache (mod_auth_openidc)"
    kind: str = "apache"
    without_token: bool = False
    relabelled: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)

    def missing(self) -> str:
        """What this machine lacks."""
        if not shutil.which("apache2"):
            return "apache2 is not installed"
        module = _MODULES / "mod_auth_openidc.so"
        return "" if module.exists() else "libapache2-mod-auth-openidc is not installed"

    @contextmanager
    def run(self, folder: Path, mint: Mint, jwks_url: str) -> Iterator[Running]:
        """Start it in front of the services that also answer `jwks_url`."""
        port, tls = free_ports(2)
        certificate(folder)
        services = urlsplit(jwks_url)
        shop, config = mint.issuers["shop"], folder / "apache.conf"
        modules = "\n".join(f"LoadModule {name}_module {_MODULES}/mod_{name}.so" for name in _LOADED)
        values: dict[str, object] = {"folder": folder, "port": port, "tls": tls, "modules": modules}
        values |= {name: RECIPE.block(name, folder) for name in ("log", "access")}
        keys = {"services": services.netloc, "jwks_path": services.path}
        config.write_text(_CONFIG.format(issuer=shop.url, audience=shop.audience, **values, **keys))
        command = ["apache2", "-D", "FOREGROUND", "-f", str(config)]
        with running(command, port, folder / "printed.log"):
            said(folder / "error.log", "AH00094")
            yield Running(port, (folder / "error.log", folder / "why401.log"), config=config, recipe=RECIPE)


def certificate(folder: Path) -> None:
    """Write tls.pem and tls.key, self-signed for this machine and an hour."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    made = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(hours=1)
    )
    (folder / "tls.pem").write_bytes(made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    (folder / "tls.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


GATEWAY: Final = Apache()
