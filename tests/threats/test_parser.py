"""Threats in tokens and records: whom a token makes us ask, what it makes us believe, how long it makes us think."""

from __future__ import annotations

import ast
import base64
import contextlib
import http.server
import json
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from analyzer.diagnosis.near import difference
from analyzer.pipeline import Analyzer
from benchmarks.scenarios import collector
from collector.errors import UnreadableRecord
from collector.events import Verification
from collector.gateways import PARSERS
from collector.gateways.reading.contract import NotAuth
from collector.records import Origin, RawRecord
from collector.redaction import redact, redact_value, template
from collector.settings import IssuerSettings, Settings
from collector.shippers import peel
from collector.telemetry import Telemetry
from collector.token.verification import KeySets, Verifier
from collector.visible import visible
from tests.tokens import ISSUER, b64, jwks, part, raw, rsa_key, token
from tests.waiting import HANG_S

ROOT = Path(__file__).parents[2]
ALG_TWICE = b'{"alg":"none","alg":"RS256","kid":"k1"}'
CPU_LIMIT_S = 15.0  # generous: each takes milliseconds to a few hundred of them
MIB = 1 << 20


# ── server-side request forgery ────────────────────────────────────────────────────────────────────────────────────


class Counted(http.server.BaseHTTPRequestHandler):
    """Counts who asks."""

    hits: list[str]

    def do_GET(self) -> None:
        self.hits.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(jwks("attacker")).encode())

    do_POST = do_HEAD = do_GET  # noqa: N815 - http.server's names

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def trap() -> Iterator[tuple[str, list[str]]]:
    hits: list[str] = []
    handler = type("Handler", (Counted,), {"hits": hits})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", hits
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("configured", [False, True], ids=["no-issuer", "issuer"])
def test_nothing_in_a_token_is_fetched(configured: bool, trap: tuple[str, list[str]], tmp_path: Path) -> None:
    """SSRF by iss, jku, x5u, jwk, kid, aud and typ: the listener sees no connection, and the token does not verify."""
    url, hits = trap
    (tmp_path / "jwks.json").write_text(json.dumps(jwks("k1")))
    issuers = (IssuerSettings(issuer=ISSUER, jwks=str(tmp_path / "jwks.json")),) if configured else ()
    settings = Settings(issuers=issuers, data_dir=str(tmp_path))
    key_sets = KeySets(settings.issuers, tmp_path, Telemetry())
    key_sets.load()
    verifier = Verifier(settings, key_sets)
    stages, analyzer = collector(settings), Analyzer(settings)
    for header in _asking(url):
        for iss in (url, f"{url}/.well-known/openid-configuration", ISSUER):
            text = token(key="attacker", headers=header, iss=iss)
            checked = verifier.verify(text, iss, "RS256", str(header.get("kid", "attacker")))
            assert checked.verification != Verification.VERIFIED
            analyzer.judge(stages.collect(_record(text, url)))
    with urllib.request.urlopen(f"{url}/last", timeout=HANG_S):  # whoever asked before is counted before
        pass

    assert ["/last"] == hits


def _asking(url: str) -> list[dict[str, object]]:
    key = jwks("attacker")["keys"][0]
    return [
        {"jku": f"{url}/jku"},
        {"x5u": f"{url}/x5u"},
        {"kid": f"{url}/kid"},
        {"kid": "../../../../dev/null"},
        {"kid": "' UNION SELECT 'k"},
        {"jwk": key},
        {"jku": f"{url}/jku", "jwk": key, "x5u": f"{url}/x5u", "x5c": ["AAAA"], "crit": ["jku"], "kid": "attacker"},
    ]


def _record(text: str, url: str) -> RawRecord:
    line = {"response_code": 401, "method": "GET", "path": "/", "authorization": f"Bearer {text}", "authority": url}
    line |= {"response_code_details": f"jwt_authn_access_denied{{Jwks_remote_fetch_is_failed}} {url}"}
    return RawRecord(Origin("otlp", "test"), time.time_ns(), text=json.dumps(line))


# ── algorithm confusion ────────────────────────────────────────────────────────────────────────────────────────────


def _confused() -> dict[str, str]:
    public = rsa_key("k1").public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    modulus = jwt.utils.base64url_decode(jwks("k1")["keys"][0]["n"])
    payload = {"iss": ISSUER, "aud": "orders-api", "sub": "admin", "exp": int(time.time()) + 600}
    good = token()
    head, body, signature = good.split(".")
    return {
        **{f"HS256 with the public key as {name}": _hs256(payload, key) for name, key in (("PEM", pem), ("DER", der), ("n", modulus), ("stripped PEM", pem.strip()), ("nothing", b""))},
        **{f"alg {alg}": raw({"alg": alg, "kid": "k1"}, payload, b"") for alg in ("none", "None", "NONE", "nOnE", "", "null")},
        "alg none, old signature": f"{part({'alg': 'none', 'kid': 'k1'})}.{body}.{signature}",
        "alg is a list": raw({"alg": ["RS256", "none"], "kid": "k1"}, payload),
        "alg is absent": raw({"kid": "k1"}, payload),
        "empty third part": f"{head}.{body}.",
        "no third part": f"{head}.{body}",
        "another payload": f"{head}.{part(payload)}.{signature}",
        "all zeros": raw({"alg": "ES256", "kid": "k1"}, payload, bytes(64)),
        "ES256 with an RSA key": raw({"alg": "ES256", "kid": "k1"}, payload, b"\x01" * 64),
        "PS256 for RS256": f"{part({'alg': 'PS256', 'kid': 'k1'})}.{body}.{signature}",
        "alg twice": f"{b64(ALG_TWICE)}.{body}.{signature}",
        "b64 false": f"{part({'alg': 'RS256', 'kid': 'k1', 'b64': False, 'crit': ['b64']})}.{body}.{signature}",
    }  # fmt: skip


def _hs256(payload: dict[str, object], key: bytes) -> str:
    import hashlib
    import hmac

    signed = f"{part({'alg': 'HS256', 'typ': 'JWT', 'kid': 'k1'})}.{part(payload)}"
    return f"{signed}.{b64(hmac.digest(key, signed.encode(), hashlib.sha256))}"


@pytest.mark.parametrize("name", sorted(_confused()))
def test_algorithm_confusion_never_verifies(name: str, tmp_path: Path) -> None:
    """none in every spelling, HMAC with a public key, another curve or padding, two alg members: none is taken for signed."""
    (tmp_path / "jwks.json").write_text(json.dumps(jwks("k1")))
    settings = Settings(issuers=(IssuerSettings(issuer=ISSUER, jwks=str(tmp_path / "jwks.json"), algorithms=("RS256", "HS256", "ES256", "PS256")),))  # fmt: skip
    key_sets = KeySets(settings.issuers, tmp_path, Telemetry())
    key_sets.load()
    verifier = Verifier(settings, key_sets)
    text = _confused()[name]

    for alg in ("RS256", "HS256", "ES256", "PS256", "none", ""):
        assert verifier.verify(text, ISSUER, alg, "k1").verification != Verification.VERIFIED, alg
    stages = replace_key_sets(settings, verifier)
    assert stages.collect(_record(text, "api")).token.verification != Verification.VERIFIED


def replace_key_sets(settings: Settings, verifier: Verifier):
    from collector.pipeline import Collector
    from collector.redaction.pseudonyms import Pseudonyms

    return Collector(settings, verifier, Pseudonyms(b"k" * 32, 1), Telemetry())


def test_the_same_keys_verify_an_honest_token(tmp_path: Path) -> None:
    """The tests above can fail: with these keys a real token verifies."""
    (tmp_path / "jwks.json").write_text(json.dumps(jwks("k1")))
    settings = Settings(issuers=(IssuerSettings(issuer=ISSUER, jwks=str(tmp_path / "jwks.json")),))
    key_sets = KeySets(settings.issuers, tmp_path, Telemetry())
    key_sets.load()
    stages = replace_key_sets(settings, Verifier(settings, key_sets))

    assert Verification.VERIFIED == stages.collect(_record(token(), "api")).token.verification


# ── time and size ──────────────────────────────────────────────────────────────────────────────────────────────────

HOSTILE = {
    "eyJ": "eyJ" * (MIB // 3),
    "ey": "ey" * (MIB // 2),
    "a!": "a" * MIB + "!",
    "dots": "." * MIB,
    "base64 dots": "AAAA." * (MIB // 5),
    "quotes": '"' * MIB,
    "backslashes": "\\" * MIB,
    "open braces": "{" * MIB,
    "open lists": "[" * MIB,
    "nested json": '{"a":' * (MIB // 5) + "1" + "}" * (MIB // 5),
    "spaces": " " * MIB,
    "key=value": "a=b " * (MIB // 4),
    "equals": "=" * MIB,
    "percent": "%25" * (MIB // 3),
    "entities": "&amp;" * (MIB // 5),
    "colons": "Bearer:" * (MIB // 7),
    "at signs": "a@" * (MIB // 2),
    "digits": "4" * MIB,
    "dashes": "----" * (MIB // 4),
    "begin": "-----BEGIN " * (MIB // 11),
    "addresses": "1.1.1." * (MIB // 6),
    "ipv6": "::" * (MIB // 2),
    "apostrophes": "a'" * (MIB // 2),
    "hex and hyphens": "a-" * (MIB // 2) + "g",
    "hex words": "deadbee " * (MIB // 8),
    "far years": "+19999-" * (MIB // 7),
    "accents": "e\u0301" * (MIB // 3),
    "newlines": "\n" * MIB,
    "nul": "\0" * MIB,
    "unicode": "\U0001d5ba" * (MIB // 4),
    "urls": "http://a/?b=" * (MIB // 12),
    "hex": "deadbeef" * (MIB // 8),
    "log line": '1.2.3.4 - - [10/Oct/2000:13:55:36 +0000] "GET /' + "a" * MIB + ' HTTP/1.1" 401 2 "-" "-"',
    "brackets": "[error] 1#1: *1 " + "[[(" * (MIB // 3),
    "one big number": '{"response_code":' + "4" * MIB + "}",
    "escapes": '{"message":"' + "\\u0041" * (MIB // 6) + '"}',
    "a token of one MiB": "Bearer " + b64(b'{"alg":"RS256"}') + "." + base64.urlsafe_b64encode(b'{"a":"' + b"x" * MIB + b'"}').decode().rstrip("=") + ".AA",
    "p2c": raw({"alg": "PBES2-HS256+A128KW", "enc": "A128GCM", "p2c": 2_147_483_647, "zip": "DEF"}, {"x": 1}) + "." + "A" * MIB + ".AA",
}  # fmt: skip


def _timed(call, *arguments) -> None:
    begun = time.process_time()
    with contextlib.suppress(UnreadableRecord, NotAuth):  # what a parser may say of a record
        call(*arguments)
    assert time.process_time() - begun < CPU_LIMIT_S, call


@pytest.mark.parametrize("name", HOSTILE)
def test_every_parser_is_done_in_time(name: str) -> None:
    """ReDoS: 1 MiB of the worst is read or given up by each gateway's parser within seconds."""
    record = RawRecord(Origin("file", "x"), 1, text=HOSTILE[name])
    _timed(peel, record)
    for parser in (known.parse for known in PARSERS):
        _timed(parser, peel(record))


@pytest.mark.parametrize("name", HOSTILE)
def test_redaction_is_done_in_time(name: str) -> None:
    """ReDoS: the same for what is redacted, shown and made a template."""
    for call in (redact, template, visible):
        _timed(call, HOSTILE[name])
    _timed(redact_value, {"message": HOSTILE[name], HOSTILE[name][:1000]: 1})


@pytest.mark.parametrize("name", HOSTILE)
def test_the_whole_way_is_done_in_time(name: str) -> None:
    """ReDoS: as record, as message, as reason, as token, through collector, knowledge matching, diagnosis and grouping."""
    text = HOSTILE[name]
    stages, analyzer = collector(), Analyzer(Settings())
    line = {"response_code": 401, "method": "GET", "path": "/"}
    shapes = [text, json.dumps(line | {"response_code_details": text}), json.dumps(line | {"authorization": text, "path": "/" + text}),
              json.dumps({"status": 401, "message": text, "error": text, "level": "error"})]  # fmt: skip
    for shape in shapes:
        _timed(lambda shape=shape: analyzer.judge(stages.collect(RawRecord(Origin("file", "x"), 1, text=shape))))


@pytest.mark.parametrize("name", HOSTILE)
def test_matching_words_is_done_in_time(name: str) -> None:
    """ReDoS: what matches a message against the knowledge is given the whole text, unbounded by any parser."""
    settings = Settings(issuers=(IssuerSettings(issuer="https://idp.example.com/"),))
    stages, analyzer = collector(settings), Analyzer(settings)
    event = stages.collect(_record(token(), "api"))
    shown = replace(
        event, words=replace(event.words, message=HOSTILE[name], reason=HOSTILE[name], challenge=HOSTILE[name])
    )

    _timed(analyzer.judge, shown)
    _timed(difference, HOSTILE[name], "https://idp.example.com/")


def test_who_uses_the_backtracking_engine_is_known() -> None:
    """`re` is nowhere in the collector and the page, and in the analyzer only where somebody looked at the pattern."""
    users = set()
    for package in ("collector", "analyzer", "dashboard"):
        for path in sorted((ROOT / package).rglob("*.py")):
            names = {
                alias.name
                for node in ast.walk(ast.parse(path.read_text("utf-8")))
                if isinstance(node, ast.Import)
                for alias in node.names
            }
            froms = {
                node.module for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.ImportFrom)
            }
            if {"re", "regex"} & (names | froms):
                users.add(path.relative_to(ROOT).as_posix())

    # Words with apostrophes, a date with a five-digit year: in these patterns a character can be matched in one way only.
    # Nor can a run of digits be: where it ends within a word, the last boundary in it is at most its dashes away.
    # What they do to a megabyte of the worst is timed above. Values of fixes, values that a message compares, masks: every
    # repetition has a bound, and 2,000, 1,000 characters or what follows a mark are looked at. Code on the page ends at
    # the next backtick, whichever that is. The guard of the page reads Streamlit's own document. What DuckDB says of damage
    # is DuckDB's text; its file names have one length.
    known = {
        "analyzer/knowledge/splitting.py",
        "analyzer/knowledge/masks.py",
        "analyzer/diagnosis/clock.py",
        "analyzer/diagnosis/fix_values.py",
        "analyzer/diagnosis/quoted.py",
        "analyzer/knowledge/opinion.py",
        "analyzer/lake/trouble.py",
        "dashboard/page_guard.py",
        "dashboard/wording.py",
    }
    assert known == users
