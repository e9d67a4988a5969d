"""Every library, and where to add one."""

from __future__ import annotations

from typing import Final

from benchmarks.live.libraries.authlib import Authlib
from benchmarks.live.libraries.contract import Library
from benchmarks.live.libraries.cryptojwt import Cryptojwt
from benchmarks.live.libraries.fast_jwt import FAST_JWT
from benchmarks.live.libraries.google_auth import GoogleAuth
from benchmarks.live.libraries.hapi_jwt import HAPI_JWT
from benchmarks.live.libraries.jose import JOSE
from benchmarks.live.libraries.joserfc import Joserfc
from benchmarks.live.libraries.jsonwebtoken import JSONWEBTOKEN
from benchmarks.live.libraries.jwcrypto import Jwcrypto
from benchmarks.live.libraries.jwskate import Jwskate
from benchmarks.live.libraries.jwt_simple import JWT_SIMPLE
from benchmarks.live.libraries.njwt import NJWT
from benchmarks.live.libraries.pyjwt import PyJwt
from benchmarks.live.libraries.python_jose import PythonJose

LIBRARIES: Final[tuple[Library, ...]] = (
    PyJwt(), Joserfc(), Authlib(), PythonJose(), Jwcrypto(), JOSE, JSONWEBTOKEN, FAST_JWT,
    GoogleAuth(), Cryptojwt(), Jwskate(), HAPI_JWT, NJWT, JWT_SIMPLE,
)  # fmt: skip
