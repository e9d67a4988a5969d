"""nginx with lua-resty-openidc as a bearer token verifier: Debian's nginx and Lua module, the library from LuaRocks.

`luarocks --lua-version 5.1 --tree TREE install lua-resty-openidc 1.8.0` puts the library where `missing()` says.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from benchmarks.live.contract import Running
from benchmarks.live.nginx import lacking, serve
from why401.demo.mint import Mint

VERSION: Final = "1.8.0"
# zmartzone/lua-resty-openidc README.md, "Sample Configuration for OAuth 2.0 JWT Token Validation"; the library returns
# its reasons to this code, so the code logs them.
_CONFIG: Final = """\
  lua_package_path "{library}/share/lua/5.1/?.lua;{library}/share/lua/5.1/?/init.lua;;";
  lua_shared_dict discovery 1m;
  lua_shared_dict jwks 1m;

  server {{
    listen 127.0.0.1:{port};
    server_name api.example.com;
    location / {{
      access_by_lua_block {{
        local validators = require("resty.jwt-validators")
        validators.set_system_leeway(60)
        local audience = {{"{audience}"}}
        local res, err = require("resty.openidc").bearer_jwt_verify({{
          discovery = {{ issuer = "{issuer}", jwks_uri = "{jwks_url}" }},
          token_signing_alg_values_expected = {{ "RS256" }},
          iat_slack = 60,
        }}, {{
          iss = validators.equals("{issuer}"),
          aud = function(value, claim, jwt)
            local check = type(value) == "table" and validators.contains_any_of(audience) or validators.equals_any_of(audience)
            return check(value, claim, jwt)
          end,
          exp = validators.is_not_expired(),
          nbf = validators.opt_is_not_before(),
        }})
        if err or not res then
          ngx.log(ngx.WARN, err)
          ngx.header["WWW-Authenticate"] = 'Bearer error="invalid_token"'
          return ngx.exit(ngx.HTTP_UNAUTHORIZED)
        end
      }}
      proxy_pass http://{upstream};
    }}
  }}
"""


def library() -> Path:
    """Where the library and what it needs are: a tree as LuaRocks makes it."""
    cache = Path(os.environ.get("WHY401_CACHE", Path.home() / ".cache" / "why401"))
    return cache / f"lua-resty-openidc-{VERSION}"


@dataclass(frozen=True, slots=True)
class OpenResty:
    """One issuer, its key set by URL, validators for iss, aud, exp and nbf."""

    name: str = "nginx (lua-resty-openidc)"
    kind: str = "openresty"
    without_token: bool = False
    relabelled: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)

    def missing(self) -> str:
        """What this machine lacks."""
        if there := lacking("ngx_http_lua_module.so", "libnginx-mod-http-lua"):
            return there
        is_there = (library() / "share/lua/5.1/resty/openidc.lua").exists()
        return "" if is_there else f"lua-resty-openidc {VERSION} is not in {library()}"

    @contextmanager
    def run(self, folder: Path, mint: Mint, jwks_url: str) -> Iterator[Running]:
        """Start it in front of the services that also answer `jwks_url`."""
        shop = mint.issuers["shop"]
        values = {"issuer": shop.url, "audience": shop.audience, "jwks_url": jwks_url, "library": library()}
        modules = ("ndk_http_module.so", "ngx_http_lua_module.so")
        with serve(folder, _CONFIG, modules, upstream=urlsplit(jwks_url).netloc, **values) as running:
            yield replace(running, config=folder / "nginx.conf")


GATEWAY: Final = OpenResty()
