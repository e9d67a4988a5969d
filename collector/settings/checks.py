"""How a setting is declared, and the checks that say which value is expected."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field
from difflib import get_close_matches
from typing import Any, Final
from urllib.parse import urlsplit

ALGORITHMS: Final = (
    "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
    "ES256", "ES384", "ES512", "ES256K", "EdDSA",
)  # fmt: skip
_PRIVATE: Final = frozenset(("d", "p", "q", "dp", "dq", "qi", "k", "oth"))  # RFC 7518, section 6
Check = Callable[[Any], str]  # "" when the value is valid, else what is expected


@dataclass(frozen=True, slots=True)
class Bounds:
    """A check that JSON Schema can say as well."""

    test: Check
    schema: Mapping[str, Any]

    def __call__(self, value: Any) -> str:
        """As every check."""
        return self.test(value)


def setting(default: Any, help: str, check: Check | None = None, *, secret: bool = False, apart: bool = False) -> Any:
    """A field of the table. A secret is left out of every `repr` and may be read from a file: `NAME_file`.

    `apart`: a secret that the configuration file may hold only if nobody but its owner can read it.
    """
    meta = {"help": help, "check": check, "secret": secret, "apart": apart}
    if isinstance(default, (list, dict)):
        return field(default_factory=lambda: type(default)(default), metadata=meta)
    if default is MISSING:
        return field(metadata=meta)
    return field(default=default, metadata=meta, repr=not secret)


def between(low: float, high: float) -> Check:
    """A number in a closed range."""
    says = f"a number from {low:g} to {high:g}"
    return Bounds(lambda v: "" if low <= v <= high else says, {"minimum": low, "maximum": high})


def one_of(*words: str) -> Check:
    """One of a few values."""
    return Bounds(lambda v: "" if v in words else "one of " + ", ".join(words), {"enum": list(words)})


def some_of(*words: str) -> Check:
    """Some of a few values, in a list."""
    says = "some of " + ", ".join(words)
    return Bounds(lambda v: "" if set(v) <= set(words) else says, {"items": {"type": "string", "enum": list(words)}})


def objective(value: float) -> str:
    """Per cent of requests that are to pass. Below 94 %, not even an outage would use up the budget 14.4 times too fast."""
    return "" if value == 0 or 94 <= value < 100 else "a number from 94 to 99.999, or 0 for none"


def page(value: str) -> str:
    """Where the dashboard is found."""
    ok = value == "" or (urlsplit(value).scheme in ("http", "https") and bool(urlsplit(value).hostname))
    return "" if ok else "an http or https URL"


def endpoint(value: str) -> str:
    """Where something is sent over HTTP. A password in it would be shown with it."""
    ok = value == "" or (page(value) == "" and "@" not in urlsplit(value).netloc)
    return "" if ok else "an http or https URL without user and password"


def destination(value: str) -> str:
    """A file, a topic of the brokers in [kafka], or an HTTP endpoint."""
    scheme, _, rest = value.partition(":")
    ok = (
        value == ""
        or (scheme in ("file", "kafka") and bool(rest))
        or (scheme not in ("file", "kafka") and endpoint(value) == "")
    )
    return "" if ok else '"file:PATH", "kafka:TOPIC", or an http or https URL without user and password'


def buckets(value: tuple[str, ...]) -> str:
    """Where objects are, in S3."""
    ok = all(each.startswith("s3://") and each.removeprefix("s3://").partition("/")[0] for each in value)
    return "" if ok else '"s3://bucket" or "s3://bucket/prefix" in each place'


def queues(value: tuple[str, ...]) -> str:
    """Queues of SQS."""
    ok = all(each and endpoint(each) == "" for each in value)
    return "" if ok else "URLs of queues, such as https://sqs.eu-central-1.amazonaws.com/123456789012/NAME"


def subscriptions(value: tuple[str, ...]) -> str:
    """Subscriptions of Google Cloud Pub/Sub, by their whole name."""
    parts = [each.split("/") for each in value]
    ok = all(len(each) == 4 and all(each) and each[::2] == ["projects", "subscriptions"] for each in parts)
    return "" if ok else '"projects/PROJECT/subscriptions/NAME" in each place'


def address(value: str) -> str:
    """Where to listen."""
    host, _, port = value.rpartition(":")
    ok = value == "" or (host != "" and port.isdigit() and int(port) < 65536)
    return "" if ok else '"host:port", or "" to disable it'


def networks(value: tuple[str, ...]) -> str:
    """IP networks, or single addresses."""
    for each in value:
        try:
            ipaddress.ip_network(each)
        except ValueError:
            return f'networks, such as "10.1.0.0/16"; {each!r} is none'
    return ""


def algorithms(value: tuple[str, ...]) -> str:
    """JWS algorithms (RFC 7518, RFC 8037)."""
    wrong = [alg for alg in value if alg not in ALGORITHMS]
    if not wrong:
        return ""
    close = get_close_matches(wrong[0], ALGORITHMS, n=1)
    return f"JWS algorithms; {wrong[0]!r} is not one" + (f"; did you mean {close[0]}?" if close else "")


def jwks(value: str) -> str:
    """Where a key set comes from, or the key set itself."""
    if is_document(value):
        return "" if _is_public(value) else 'a JWKS document with a list "keys" of public keys'
    scheme = urlsplit(value).scheme
    if value in ("", "discovery") or scheme in ("https", "") or _is_loopback_url(value):
        return ""
    return 'a file, an https URL, a JWKS document, or "discovery" (plain http is accepted for loopback only)'


def is_document(value: str) -> bool:
    """Whether a `jwks` setting is the key set itself."""
    return value.startswith("{")


def _is_public(value: str) -> bool:
    try:
        keys = json.loads(value).get("keys")
    except (ValueError, RecursionError):
        return False
    return isinstance(keys, list) and all(isinstance(key, dict) and not _PRIVATE & key.keys() for key in keys)


def _is_loopback_url(value: str) -> bool:
    return is_loopback(urlsplit(value).hostname or "")


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a bound host."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def signature_algorithms(value: tuple[str, ...]) -> str:
    """Algorithms with a public key: with HS256, whoever can verify a token can also create one."""
    shared = [alg for alg in value if alg.startswith("HS")]
    if shared or not value:
        return "asymmetric algorithms, such as RS256, PS256, ES256 or EdDSA"
    return algorithms(value)


def issuer_url(value: str) -> str:
    """An OpenID provider."""
    ok = value == "" or urlsplit(value).scheme == "https" or _is_loopback_url(value)
    return "" if ok else "an https URL (plain http is accepted for loopback only)"


def return_address(value: str) -> str:
    """Where the provider sends a browser back to."""
    ok = value == "" or (issuer_url(value) == "" and value.endswith("/oauth2callback"))
    return "" if ok else '"https://HOST/oauth2callback" (plain http is accepted for loopback only)'
