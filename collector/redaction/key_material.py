"""Rule `key`: PEM blocks, private JWK members, passwords in URLs and connection strings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from collector.redaction.hits import KEY, SECRET, Hit, is_mask
from collector.redaction.patterns import compiled

TRIGGER: Final = (
    rb"-----(?:BEGIN|END) |kty|://[^\s/?\"'<>]*@|://[^\s/?#:@\"'<>]+:[^\s\"'<>@]+@|@(?:tcp|unix|udp)\(|curl |oracle:thin:"
    rb"| login .*-p|sshpass|mysql|mariadb|redis-cli|ldap[a-z]+ "
)
_PEM: Final = compiled(rb"-----BEGIN ([A-Z0-9 ]{0,40})-----")
_PUBLIC_PEM: Final = (b"PUBLIC KEY", b"CERTIFICATE REQUEST")
_PEM_BODY: Final = compiled(rb"(?:[A-Za-z0-9+/=:,\-\s]|\\[nrt])*")
# A block that lost its beginning, as when a format's next field begins inside `-----BEGIN PRIVATE KEY-----`.
_PEM_REST: Final = compiled(
    rb"(?:[A-Za-z0-9+/=]{16,}(?:\s|\\+[nrt])+)*[A-Za-z0-9+/=]+(?:\s|\\+[nrt])*-----END ([A-Z0-9 ]{0,40})-----"
)
_JWK: Final = compiled(
    rb"[\"'](?:d|p|q|dp|dq|qi|k|t|r)\\{0,7}[\"'][ \t]{0,4}:[ \t]{0,4}\\{0,7}[\"']([A-Za-z0-9_\-+/=]{4,})"
)
_USERINFO: Final = compiled(rb"[A-Za-z][A-Za-z0-9+.\-]{1,30}://([^\s/?\"'<>]{1,512})@")
# A password with `/` or `?` in it, which should be percent-encoded; behind a port such a character begins the path.
_LOOSE_USERINFO: Final = compiled(rb"://([^\s/?#:@\"'<>]{1,128}:[^\s\"'<>@]{1,256})@[A-Za-z0-9\[]")
_PORT: Final = compiled(rb"[^:]*:[0-9]{1,5}[/?#]")
_PROPERTY: Final = compiled(
    rb";[A-Za-z]{1,40}="
)  # of `jdbc:sqlserver://host;user=x;password=y`; an `@` there ends no userinfo
_GO_DSN: Final = compiled(rb"[\w.\-]{1,64}:([^\s\"'/]{1,256})@(?:tcp|unix|udp)\(")
# Only of curl: `docker run --user 1000:1000` has the same option.
_ORACLE: Final = compiled(rb"oracle:thin:([^\s/@\"']{1,128}/[^\s@\"']{1,128})@")
_SHORT_OPTION: Final = compiled(
    rb"(?:\b(?:docker|podman|helm|az|oras|skopeo|buildah|crane|registry) (?:registry )?login\b[^\n|;&]{0,200}?[ \t]-p[ \t]?|\bsshpass[ \t]+-p[ \t]?"
    rb"|\b(?:mysql|mariadb)[a-z_\-]*[ \t][^\n|;&]{0,200}?-p|\bredis-cli[ \t][^\n|;&]{0,200}?-a[ \t]+"
    rb"|\bldap[a-z]+[ \t][^\n|;&]{0,200}?-w[ \t]+)[\"']?([^\s\"']{3,256})"
)
_CURL_USER: Final = compiled(rb"[ \t](?:-[uU]|--(?:proxy-)?user)[ \t=]{0,2}[\"']?[^\s:\"']{1,128}:([^\s\"']{3,256})")


def find(data: bytes) -> Iterator[Hit]:
    """Keys and passwords by the form around them."""
    yield from _pems(data)
    if b"kty" in data:
        yield from (Hit(match.start(1), match.end(1), "jwk", KEY) for match in _JWK.finditer(data))
    yield from _userinfo(data, _USERINFO)
    yield from _userinfo(data, _GO_DSN)
    yield from _userinfo(data, _ORACLE)
    yield from _userinfo(data, _SHORT_OPTION)
    for match in _LOOSE_USERINFO.finditer(data):
        if _PORT.end_at(match.group(1)) < 0 and _PROPERTY.find(match.group(1))[0] < 0 and not is_mask(match.group(1)):
            yield Hit(match.start(1), match.end(1), "url", SECRET)
    if b"curl" in data:
        yield from _userinfo(data, _CURL_USER)


def _pems(data: bytes) -> Iterator[Hit]:
    """From BEGIN to END, or as far as the block goes when it was cut at either side."""
    done = 0
    for match in _PEM.finditer(data):
        if match.group(1) in _PUBLIC_PEM or match.start() < done:
            continue
        done = _pem_end(data, match.end(), match.group(1))
        yield Hit(match.start(), done, "pem", KEY)
    for match in _PEM_REST.finditer(data, done):
        if match.group(1) not in _PUBLIC_PEM:
            yield Hit(match.start(), match.end(), "pem", KEY)


def _pem_end(data: bytes, start: int, name: bytes) -> int:
    closing = b"-----END " + name + b"-----"
    end = data.find(closing, start)
    return end + len(closing) if end >= 0 else _PEM_BODY.end_at(data, start)


def _userinfo(data: bytes, pattern: Any) -> Iterator[Hit]:
    for match in pattern.finditer(data):
        if not is_mask(match.group(1)) and _PROPERTY.find(match.group(1))[0] < 0:
            yield Hit(match.start(1), match.end(1), "url", SECRET)
