"""The Python API: `from why401 import explain, explain_all, redact`."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

import why401
from analyzer.verdicts import Verdict
from collector.errors import ConfigurationError
from collector.settings import IssuerSettings, Settings
from tests.tokens import token

EXPIRED = (
    '{"response_code":401,"response_code_details":"jwt_authn_access_denied{Jwt_is_expired}","method":"GET","path":"/"}'
)
TRACE = 'ERROR no\nTraceback (most recent call last):\n  File "a.py", line 1\njwt.exceptions.DecodeError: Not enough segments'


def test_a_record_and_a_token_are_explained() -> None:
    """One text in, one verdict out."""
    verdict = why401.explain(EXPIRED)

    assert isinstance(verdict, Verdict)
    assert ("token_expired", "envoy", 401) == (
        verdict.diagnosis.code, verdict.event.gateway.kind, verdict.event.request.status,
    )  # fmt: skip
    assert "token_malformed" == why401.explain(TRACE).diagnosis.code
    assert "ok" == why401.explain(token()).diagnosis.code


def test_a_text_is_split_and_an_iterable_is_not() -> None:
    """A string's records are found as any source finds them; a list's items are its records."""
    assert ["token_expired", "token_malformed"] == [
        each.diagnosis.code for each in why401.explain_all(f"{EXPIRED}\n{TRACE}\n")
    ]
    assert 1 == len(why401.explain_all([f"{EXPIRED}\n{TRACE}"]))
    assert [] == why401.explain_all("")


def test_settings_and_gateway_reach_the_verdict() -> None:
    """Configured issuers settle what a token alone cannot."""
    settings = Settings(issuers=(IssuerSettings(issuer="https://idp.example.com", audiences=("orders-api",)),))

    assert "issuer_not_trusted" == why401.explain(token(), settings=settings).diagnosis.code
    line = '127.0.0.1 - - [03/Mar/2026:10:00:00 +0000] "GET / HTTP/1.1" 401 5 "-" "curl/8.7.1"'
    assert ("generic", "apache") == (
        why401.explain(line).event.gateway.kind, why401.explain(line, gateway="apache").event.gateway.kind,
    )  # fmt: skip


def test_an_unknown_gateway_is_refused_with_the_names_that_are_known() -> None:
    """A misspelt format would read nothing and say nothing."""
    with pytest.raises(ConfigurationError, match=r"expected one of .*envoy"):
        why401.explain(EXPIRED, gateway="envoi")


def test_a_text_is_redacted() -> None:
    """Lines stay, secrets go."""
    secret = token()
    shown = why401.redact(f"a\nAuthorization: Bearer {secret}\nb")

    assert ["a", "b"] == [shown.split("\n")[0], shown.split("\n")[2]]
    assert [] == [part for part in secret.split(".") if part in shown]


def test_no_submodule_takes_a_functions_name() -> None:
    """`import why401.explain` would replace the function by a module (decision 0020)."""
    for name in ("explain", "explain_all", "redact"):
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module(f"why401.{name}")
        assert callable(getattr(why401, name))


def test_the_api_loads_no_store_and_no_network() -> None:
    """A library that explains a line opens no lake, exports no telemetry and receives nothing."""
    code = f"import sys, why401; why401.explain({EXPIRED!r}); print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    heavy = {
        "duckdb",
        "grpc",
        "kafka",
        "numpy",
        "opentelemetry",
        "pandas",
        "pyarrow",
        "starlette",
        "streamlit",
        "click",
    }
    assert set() == heavy & set(done.stdout.split())
