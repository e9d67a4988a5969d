"""Lines that cross what a key is called, what its value looks like and where it stands; none is made from the rules' data.

    python -m benchmarks.redaction.crossed [SEED…]

Prints recall and lost keeps by notation and by kind of value. Each notation stands once with a secret key and once with a
harmless one, whose value must stay.
"""

from __future__ import annotations

import base64
import random
import string
import sys
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

from collector.redaction import redact

KEYS = (
    "password", "dbPassword", "smtp_pass", "client-secret", "api_key", "X-Auth-Token", "refreshToken", "passphrase", "session_token",
    "signing.key", "APP_SECRET", "Passwort", "senha", "hmacKey", "otp", "private_key", "webhookSecret", "accessKey", "PIN", "unlock_code",
)  # fmt: skip
HARMLESS = {
    "kid": "2026-03-key", "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "request_id": "8f14e45f-ceea-467f-a8f1-2f6cbe1d0d1a", "version": "1.27.3-rc1",
    "commit": "9fceb02d0ae598e95dc970b74767f19372d61af8", "route": "orders-v2", "token_type": "Bearer", "status": "401", "aud": "mobile-bff", "alg": "RS256",
    "error": "invalid_token", "scope": "orders:read", "pod": "gateway-7d9f8b6c5d-x2x7k", "etag": "d41d8cd98f00b204e9800998ecf8427e", "attempts": "3",
}  # fmt: skip
# `{k}` the key, `{v}` the value: one line or more, as programs, people and protocols write pairs.
NOTATIONS = {
    "assignment": "level=warn {k}={v} host=db1", "quoted": "level=warn {k}='{v}' host=db1", "json": '{{"{k}":"{v}","host":"db1"}}',
    "json in json": '{{"log":"{{\\"{k}\\": \\"{v}\\", \\"n\\": 1}}"}}', "yaml": "auth:\n  {k}: {v}\n  host: db1", "yaml block": "auth:\n  {k}: |\n    {v}\n  host: db1",
    "ini": "[auth]\n{k} = {v}\nhost = db1", "xml": "<auth><{k}>{v}</{k}><host>db1</host></auth>", "xml attribute": '<auth {k}="{v}" host="db1"/>',
    "xml pair": '<add key="{k}" value="{v}" /><add key="host" value="db1" />', "query": "GET /cb?{k}={v}&lang=de 302", "form": "body: lang=de&{k}={v}",
    "option": "run --{k} {v} --host db1", "option with =": "run --{k}={v} --host db1", "arguments": '["run", "--{k}", "{v}", "--host", "db1"]',
    "go map": "map[host:[db1] {k}:[{v}]]", "go struct": "{{Host:db1 {k}:{v} Port:80}}", "python dict": "{{'host': 'db1', '{k}': '{v}'}}", "python tuples": "[('host', 'db1'), ('{k}', '{v}')]",
    "ruby": '{{"host"=>"db1", "{k}"=>"{v}"}}', "ruby symbols": '{{host: "db1", {k}: "{v}"}}', "php": "Array\n(\n    [host] => db1\n    [{k}] => {v}\n)",
    "java": "Login[host=db1, {k}={v}, port=80]", "rust": 'Login {{ host: "db1", {k}: "{v}", port: 80 }}', "elixir": '%{{"host" => "db1", "{k}" => "{v}"}}', "erlang": '{{"{k}",<<"{v}">>}}',
    "proto": 'login {{ host: "db1" {k}: "{v}" }}', "hcl": 'login {{\n  {k} = "{v}"\n  host = "db1"\n}}', "toml": '[login]\n{k} = "{v}"\nhost = "db1"', "csv": "host,{k},zone\ndb1,{v},eu",
    "table": "| host | {k} | zone |\n|---|---|---|\n| db1 | {v} | eu |", "name and value": '{{"name":"{k}","value":"{v}"}}', "header": "Host: db1\n{k}: {v}\nAccept: */*",
    "arrow": "{k} -> {v}, host -> db1", "call": "set('{k}', '{v}')", "bar": "{k}|{v}|db1", "html": "{k}=&quot;{v}&quot; host=&quot;db1&quot;", "assembled": "export {k}={v} && ./run",
    "sentence": "the {k} {v} was rejected by db1", "sentence is": "the {k} is {v} and db1 said no", "sentence quoted": "wrong {k} '{v}' for db1", "sentence behind": "{v} is not a valid {k} for db1",
}  # fmt: skip


class Line(NamedTuple):
    """A line; what must not survive it, or must."""

    notation: str
    value: str
    raw: str
    secret: str
    keep: str


def _values(rng: random.Random) -> dict[str, Callable[[], str]]:
    letters = string.ascii_letters + string.digits
    word = ["maple", "harbor", "velvet", "copper", "lantern", "orchid", "tundra", "saffron"]
    return {
        "random": lambda: "".join(rng.choices(letters, k=28)),
        "short random": lambda: "".join(rng.choices(letters, k=11)) + str(rng.randrange(10)),
        "hex": lambda: rng.randbytes(20).hex(),
        "base64": lambda: base64.b64encode(rng.randbytes(24)).decode(),
        "uuid": lambda: str(uuid.UUID(int=rng.getrandbits(128), version=4)),
        "digits": lambda: str(rng.randrange(100_000, 999_999)),
        "chosen": lambda: f"{rng.choice(word).title()}{rng.randrange(10, 9999)}{rng.choice('!$%')}",
        "words": lambda: "-".join(rng.sample(word, 3)),
    }


def lines(seed: int) -> Iterator[Line]:
    """Every notation with every kind of value, under a key drawn for each; and every notation with every harmless pair."""
    rng = random.Random(seed)  # made-up secrets
    for notation, form in NOTATIONS.items():
        for value, make in _values(rng).items():
            secret = make()
            yield Line(notation, value, form.format(k=rng.choice(KEYS), v=secret), secret, "")
        for key, kept in HARMLESS.items():
            yield Line(notation, key, form.format(k=key, v=kept), "", kept)


def main(seeds: list[int]) -> None:
    """The table, and the sums."""
    leaks, losses, count = Counter[str](), Counter[str](), Counter[str]()
    for line in (line for seed in seeds for line in lines(seed)):
        text = redact(line.raw).text
        count["secret" if line.secret else "keep"] += 1
        if line.secret and line.secret in text:
            leaks.update((line.notation, line.value))
            count["leak"] += 1
        if line.keep and line.keep not in text:
            losses.update((line.notation, line.value))
            count["lost"] += 1
    print(
        f"recall {100 * (1 - count['leak'] / count['secret']):.2f} % of {count['secret']}, keeps lost {100 * count['lost'] / count['keep']:.2f} % of {count['keep']}"
    )
    print("leaks ", dict(leaks.most_common(14)))
    print("losses", dict(losses.most_common(14)))


if __name__ == "__main__":
    main([int(seed) for seed in sys.argv[1:]] or [1, 2, 3])
